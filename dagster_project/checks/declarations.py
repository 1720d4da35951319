"""What a check is, as plain data. Not here: how it is run (see `engine`) or shown (see `factory`), nor any check."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

Severity = Literal["ERROR", "WARN"]
Status = Literal["passed", "failed", "missing", "crashed"]

FAILING_ROWS = "FailingRows"
# A column of failing rows that says in a sentence what is wrong, where, why and what to do: it becomes the message.
WHY = "why"
# A table that every check may read: archive_entry, and the file (or address) that it holds, where that is known.
ARCHIVE_FILES = "archive_files"


@dataclass(frozen=True)
class Expect:
    """One expectation: the name of a Great Expectations class (or FAILING_ROWS) and its arguments."""

    kind: str
    arguments: Mapping[str, Any]

    def __str__(self) -> str:
        if self.kind == FAILING_ROWS:
            return str(self.arguments["unexpected_rows_query"])
        return f"{self.kind}({', '.join(f'{name}={value!r}' for name, value in self.arguments.items())})"


@dataclass(frozen=True)
class Check:
    """A rule about one table, in a user's words, with the expectations that decide it.

    `table` is what the check is about (its asset); `on` is the table or prepared table the expectations read, where
    that is another one. `facts` is a query of one row whose columns are shown whatever the outcome. `requires` names
    something that may be absent, such as the previous release: without it the check passes and says why.
    """

    name: str
    table: str
    severity: Severity
    description: str
    expectations: tuple[Expect, ...]
    on: str | None = None
    facts: str | None = None
    requires: str | None = None

    @property
    def reads(self) -> str:
        """The table or prepared table that the expectations read."""
        return self.on or self.table


@dataclass(frozen=True)
class Stage:
    """The checks of one stage.

    `prepare` holds queries whose result several checks share, by table name: each is computed once, when a check that
    names it runs, and may read those before it.
    `keys` names, per table, the columns that identify a failing row of a column expectation.
    """

    name: str
    checks: tuple[Check, ...]
    prepare: Mapping[str, str] = field(default_factory=dict)
    keys: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        names = [(check.table, check.name) for check in self.checks]
        if len(set(names)) != len(names):
            raise ValueError(f"stage {self.name}: a check is declared twice on the same table")

    @property
    def tables(self) -> tuple[str, ...]:
        """The tables that the stage's checks are about, in the order of their first check."""
        return tuple(dict.fromkeys(check.table for check in self.checks))


def prepared(*parts: Mapping[str, str]) -> dict[str, str]:
    """The shared queries of several modules as one. ValueError where two give the same name to different queries: one
    would silently take the other's place, and its checks would look at something else.
    """
    found: dict[str, str] = {}
    for part in parts:
        for name, query in part.items():
            if found.setdefault(name, query) != query:
                raise ValueError(f"two different prepared queries are called {name}: rename one of them")
    return found


def together(name: str, stages: Sequence[Stage]) -> Stage:
    """Several stages as one."""
    return Stage(
        name,
        tuple(check for stage in stages for check in stage.checks),
        prepared(*(stage.prepare for stage in stages)),
        {table: key for stage in stages for table, key in stage.keys.items()},
    )


@dataclass(frozen=True)
class Outcome:
    """What became of one check.

    Four outcomes that must not be mistaken for each other: the data passed; the data failed; a table or column that the
    check reads is missing; the check itself crashed. `rows` holds the first failing rows, `n_failed` counts them all;
    `facts` is the row of the check's facts query, empty where nothing could be computed.
    """

    check: str
    table: str
    severity: Severity
    status: Status
    message: str
    rows: tuple[Mapping[str, Any], ...] = ()
    n_failed: int = 0
    facts: Mapping[str, Any] = field(default_factory=dict)

    @property
    def passed(self) -> bool:
        return self.status == "passed"

    @property
    def crashed(self) -> bool:
        return self.status == "crashed"


def no_rows(sql: str, counted_by: str = "1") -> Expect:
    """The query, which selects the rows that break the rule, finds none.

    `{batch}` stands for the table under check; braces of a regular expression are doubled. Where the query groups rows,
    `counted_by` is the column that says how many each of its rows stands for. A column `why` is told in words.
    """
    return Expect(FAILING_ROWS, {"unexpected_rows_query": sql.strip(), "counted_by": counted_by})


def not_empty() -> Expect:
    """The table has at least one row."""
    return Expect("ExpectTableRowCountToBeBetween", {"min_value": 1})


def not_null(column: str) -> Expect:
    """Every row has a value in the column."""
    return Expect("ExpectColumnValuesToNotBeNull", {"column": column})


def one_of(column: str, *values: Any) -> Expect:
    """Every value of the column that is not null is one of these."""
    return Expect("ExpectColumnValuesToBeInSet", {"column": column, "value_set": list(values)})


def between(column: str, low: float | None, high: float | None, *, strictly_above: bool = False) -> Expect:
    """Every value of the column that is not null lies in [low, high], or in (low, high]."""
    arguments = {"column": column, "min_value": low, "max_value": high, "strict_min": strictly_above}
    return Expect("ExpectColumnValuesToBeBetween", arguments)


def unique(*columns: str) -> Expect:
    """No two rows agree in these columns. Reads the whole table: for tables of up to some hundred thousand rows."""
    if len(columns) == 1:
        return Expect("ExpectColumnValuesToBeUnique", {"column": columns[0]})
    return Expect("ExpectCompoundColumnsToBeUnique", {"column_list": list(columns)})
