"""Market returns: from the user's four files to typed rows of events, securities, roles and returns.

What belongs here: the columns, and which rows are set aside or quarantined. Not here: what is computed from them (see
`event_study`).
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb

from dagster_project.archive.store import Archive, Entry
from dagster_project.datasets.contagion.files import FILE_KINDS, FOLDER
from dagster_project.errors import SourceError
from dagster_project.landing.delimited import (
    Dialect,
    decimal_number,
    open_delimited,
    rejected_lines,
    require_columns,
    require_every_row,
    unreadable,
)
from dagster_project.landing.loads import Landed, Load
from dagster_project.landing.tables import QUARANTINE, RuleCounts, copy_query, replaced_directory, scratch_database
from dagster_project.sql import literal

ROLES = ("supplier", "customer", "competitor", "source")
KINDS = ("stock", "index")

_REJECTS = "rejected_lines"
_NO_RETURN = ("", "NA", "NaN", "null")


@dataclass(frozen=True)
class _Shape:
    """One of the four tables.

    required  its columns; `optional` may be missing, and are null then
    typed     landed columns, made of the columns' texts
    verdict   SQL for the reason (`quarantined:…`) or rule that takes a row; null for one that is landed. It may read
              the tables before, as `landed_<name>`
    key       landed columns that no two rows share; `values` are compared where they do
    order     of the landed rows
    """

    name: str
    required: Sequence[str]
    optional: Sequence[str]
    typed: Mapping[str, str]
    verdict: str
    key: Sequence[str]
    values: Sequence[str]

    @property
    def kind(self) -> str:
        return f"{FOLDER}_{self.name}"


def _date(text: str) -> str:
    return f"case when regexp_full_match({text}, '[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}') then try_cast({text} as date) end"


def _filled(text: str) -> str:
    return f"nullif({text}, '')"


_FLAGS = (
    "case when lower(after_close) in ('true', '1') then true when lower(after_close) in ('false', '0') then false end"
)
_LISTED = ", ".join(map(literal, _NO_RETURN))

# In the order in which they are read: each may look for its ids in those before.
_SHAPES = (
    _Shape(
        "events",
        ("event_id", "event_date", "after_close"),
        ("label",),
        {
            "event_id": _filled("event_id"),
            "event_date": _date("event_date"),
            "after_close": _FLAGS,
            "label": _filled("label"),
        },
        """case when event_id is null then 'quarantined:no_id'
            when event_date is null then 'quarantined:bad_date'
            when after_close is null then 'quarantined:bad_after_close' end""",
        ("event_id",),
        ("event_date", "after_close", "label"),
    ),
    _Shape(
        "securities",
        ("security_id", "industry", "market_id", "kind"),
        (),
        {
            "security_id": _filled("security_id"),
            "industry": _filled("industry"),
            "market_id": _filled("market_id"),
            "kind": "lower(kind)",
        },
        f"""case when security_id is null then 'quarantined:no_id'
            when kind not in ({", ".join(map(literal, KINDS))}) then 'quarantined:unknown_kind'
            when kind = 'stock' and market_id is null then 'quarantined:no_market' end""",
        ("security_id",),
        ("industry", "market_id", "kind"),
    ),
    _Shape(
        "roles",
        ("event_id", "security_id", "role"),
        (),
        {"event_id": _filled("event_id"), "security_id": _filled("security_id"), "role": "lower(role)"},
        f"""case when event_id is null or event_id not in (select event_id from landed_events)
                then 'quarantined:unknown_event'
            when security_id is null or security_id not in (select security_id from landed_securities)
                then 'quarantined:unknown_security'
            when role not in ({", ".join(map(literal, ROLES))}) then 'quarantined:unknown_role' end""",
        ("event_id", "security_id"),
        ("role",),
    ),
    _Shape(
        "returns",
        ("date", "security_id", "return"),
        ("market_cap",),
        {
            "security_id": _filled("security_id"),
            "return_date": _date("date"),
            "simple_return": decimal_number("return"),
            "market_cap": f"case when {decimal_number('market_cap')} > 0 and isfinite({decimal_number('market_cap')}) "
            f"then {decimal_number('market_cap')} end",
            "is_missing": f"coalesce(\"return\", '') in ({_LISTED})",
            "cap_text": "market_cap",
        },
        """case when return_date is null then 'quarantined:bad_date'
            when security_id is null or security_id not in (select security_id from known)
                then 'quarantined:unknown_security'
            when is_missing then 'no_return'
            when not coalesce(isfinite(simple_return) and simple_return > -1, false)
                then 'quarantined:bad_return' end""",
        ("security_id", "return_date"),
        ("simple_return", "market_cap"),
    ),
)
_DETAILS = {
    "bad_date": "a date that is not written YYYY-MM-DD, or that the calendar does not have",
    "bad_return": "a return that is not a number above -1",
    "bad_after_close": "after_close is neither true nor false",
    "no_id": "without an id",
    "no_market": "a stock without a market_id",
    "unknown_kind": f"a kind that is not one of {', '.join(KINDS)}",
    "unknown_event": "an event that events.csv does not have",
    "unknown_security": "a security that securities.csv does not have",
    "unknown_role": f"a role that is not one of {', '.join(ROLES)}",
    "conflicting_duplicate": "another row says otherwise of the same key",
}


def land(load: Load) -> Landed:
    """Write contagion/*.parquet, quarantine/contagion and contagion_rule_counts.parquet into the landing.

    SourceError names a file or column that is missing, an event without securities, a market without returns, and
    prices in the place of returns; AccountingError when a row is unaccounted for.
    """
    with scratch_database(load.landing, load.settings.resources) as connection:
        columns = ", ".join(f"{name} {kind}" for name, kind in QUARANTINE.items())
        connection.execute(f"create temp table quarantine ({columns})")
        counts: dict[str, RuleCounts] = {}
        warnings: list[str] = []
        for shape in _SHAPES:
            counts |= _land_table(connection, load, shape, warnings)
        _require_whole(connection, load.entries)
        noted = _unreadable_caps(connection, counts)
        rows = _write(connection, load.landing, counts, noted)
    return Landed(
        counts={source: count.check(f"landing of contagion, {source}") for source, count in counts.items()},
        warnings=warnings,
        rows=rows,
    )


def _land_table(
    connection: duckdb.DuckDBPyConnection, load: Load, shape: _Shape, warnings: list[str]
) -> dict[str, RuleCounts]:
    """Read a table's files, judge their rows together, keep those that are landed; return the accounting by source."""
    entries = [entry for entry in load.entries if entry.parameters.get("kind") == shape.kind]
    if not entries:
        raise _missing(shape, load.entries)
    texts = [*shape.required, *shape.optional]
    columns = ", ".join(f'"{name}" varchar' for name in texts)
    connection.execute(f"create temp table text_{shape.name} (entry varchar, line bigint, {columns})")
    read: dict[str, RuleCounts] = {}
    for entry in entries:
        source = f"{entry.source}/{shape.name}"
        read[source] = read.get(source, RuleCounts(0, 0)) + _read(connection, load.archive, entry, shape, warnings)
    _judge(connection, shape)
    (source,) = read  # files of one folder have one source
    return {source: read[source] + _counted(connection, shape, source)}


def _read(
    connection: duckdb.DuckDBPyConnection, archive: Archive, entry: Entry, shape: _Shape, warnings: list[str]
) -> RuleCounts:
    """Append a file's columns as text; the accounting of its malformed lines, which go to quarantine."""
    for name in (_REJECTS, f"{_REJECTS}_scan"):
        connection.execute(f"drop table if exists {name}")
    dialect = Dialect(gzipped=entry.part.lower().endswith(".gz"))
    opened = open_delimited(connection, archive.open_path(entry), entry.address, dialect, rejects=_REJECTS)
    require_columns(opened, shape.required, entry.address)
    columns = ", ".join(f'{opened.column(name)} as "{name}"' for name in (*shape.required, *shape.optional))
    try:
        connection.execute(
            f"create or replace temp table arrived as select row_number() over () as place, {columns} "
            f"from {opened.expression}"
        )
    except (duckdb.InvalidInputException, duckdb.IOException) as error:
        raise unreadable(entry.address, error) from error
    connection.execute(f"create or replace temp table malformed as {rejected_lines(connection, _REJECTS)}")
    rows, malformed = (
        _one(connection, "select count(*) from arrived"),
        _one(connection, "select count(*) from malformed"),
    )
    require_every_row(opened, rows + malformed)
    assert opened.written is not None
    warnings += [f"{entry.address}: {remark}" for remark in opened.written.notes]
    connection.execute(f"""
        insert into text_{shape.name}
        with lines as (
            select line, row_number() over (order by line) as place from range(2, {rows + malformed + 2}) as t (line)
            where line not in (select line from malformed)
        )
        select {literal(entry.id)}, line, arrived.* exclude (place) from arrived inner join lines using (place)
    """)
    connection.execute(f"""
        insert into quarantine select 'contagion', {literal(f"{entry.source}/{shape.name}")}, null, 'malformed_row',
            error, {literal(entry.id)}, line, text from malformed
    """)
    return RuleCounts(malformed, 0, {}, {"malformed_row": malformed} if malformed else {})


def _judge(connection: duckdb.DuckDBPyConnection, shape: _Shape) -> None:
    """Make `landed_<name>`, and `verdicts` with the outcome of every row of the table's files."""
    typed = ", ".join(f"{expression} as {name}" for name, expression in shape.typed.items())
    key = ", ".join(shape.key)
    compared = " or ".join(f"count(distinct {each}) + max(({each} is null)::int) > 1" for each in shape.values)
    raw = ", ".join(f"'{name}=' || \"{name}\"" for name in (*shape.required, *shape.optional))
    if shape.name == "returns":
        connection.execute(
            "create temp table known as select security_id from landed_securities "
            "union select market_id from landed_securities where market_id is not null"
        )
    connection.execute(f"""
        create or replace temp table verdicts as
        with parsed as (select entry, line, {typed}, concat_ws(' ', {raw}) as raw from text_{shape.name}),
        judged as (select *, {shape.verdict} as verdict from parsed),
        repeated as (
            select {key}, {compared} as conflicting, min((entry, line)) as first_row
            from judged where verdict is null group by all having count(*) > 1
        )
        select judged.*, coalesce(
            verdict,
            case when conflicting then 'quarantined:conflicting_duplicate'
                when (entry, line) <> first_row then 'duplicate_equal' end
        ) as outcome
        from judged left join repeated using ({key})
    """)
    if shape.name == "returns":
        _require_returns(connection)
    kept = ", ".join(name for name in shape.typed if name != "is_missing")
    connection.execute(f"""
        create temp table landed_{shape.name} as
        select {kept}, entry as archive_entry, line as source_row from verdicts where outcome is null
    """)
    connection.execute(f"drop table text_{shape.name}")


def _counted(connection: duckdb.DuckDBPyConnection, shape: _Shape, source: str) -> RuleCounts:
    """The accounting of the verdicts; what they quarantine goes into the quarantine table."""
    outcomes = dict(
        connection.execute("select coalesce(outcome, 'landed'), count(*) from verdicts group by 1").fetchall()
    )
    details = " ".join(f"when {literal(reason)} then {literal(text)}" for reason, text in _DETAILS.items())
    connection.execute(f"""
        insert into quarantine
        select 'contagion', {literal(source)}, null, outcome[13:], case outcome[13:] {details} end, entry, line, raw
        from verdicts where starts_with(outcome, 'quarantined:')
    """)
    return RuleCounts(
        sum(outcomes.values()),
        outcomes.get("landed", 0),
        {rule: n for rule, n in outcomes.items() if rule != "landed" and not rule.startswith("quarantined:")},
        {rule[12:]: n for rule, n in outcomes.items() if rule.startswith("quarantined:")},
    )


def _require_returns(connection: duckdb.DuckDBPyConnection) -> None:
    """SourceError where most numbers cannot be returns."""
    numbers = "from verdicts where not is_missing and simple_return is not null and isfinite(simple_return)"
    total = _one(connection, f"select count(*) {numbers}")
    large = _one(connection, f"select count(*) {numbers} and abs(simple_return) > 1")
    if 2 * large > total:
        raise SourceError(
            f"{FOLDER}/returns.csv, column return",
            found=f"{large:,} of {total:,} values beyond 1 in size",
            expected="simple returns: 0.01 for a day on which the price rose by 1 %",
            remedy="Prices and returns in per cent look like this. Put returns into the column; Chokepoint makes none "
            "of prices, because splits and dividends would be lost.",
        )


def _require_whole(connection: duckdb.DuckDBPyConnection, entries: Sequence[Entry]) -> None:
    """SourceError where an event has no securities, or a market no returns: nothing could be computed of them."""
    if not _one(connection, "select count(*) from landed_events"):
        raise SourceError(
            f"{FOLDER}/events.csv",
            found="no event that can be read",
            expected="a row for each event: event_id, event_date (YYYY-MM-DD), after_close (true or false), label",
            remedy="Mend the rows of the file, or set CHOKEPOINT_RETURNS_SOURCE=off.",
        )
    empty = _texts(
        connection, "select event_id from landed_events where event_id not in (select event_id from landed_roles)"
    )
    if empty:
        raise SourceError(
            f"{FOLDER}/roles.csv",
            found=f"no row for the event {', '.join(empty[:5])}",
            expected="at least one security with a role in each event of events.csv",
            remedy="Add its suppliers, customers or competitors, or take the event out of events.csv.",
        )
    silent = _texts(
        connection,
        "select distinct market_id from landed_securities where kind = 'stock' "
        "and market_id not in (select security_id from landed_returns)",
    )
    if silent:
        raise SourceError(
            f"{FOLDER}/returns.csv",
            found=f"no return of the market {', '.join(silent[:5])}",
            expected="returns of every market_id that securities.csv names",
            remedy="Add the returns of that index under its market_id, or name another market in securities.csv.",
        )


def _missing(shape: _Shape, entries: Sequence[Entry]) -> SourceError:
    found = ", ".join(sorted(entry.address for entry in entries)) or "no files"
    (kind,) = (each for each in FILE_KINDS if each.kind == shape.kind)
    return SourceError(
        f"{FOLDER}/",
        found=f"no {kind.looked_for} among {found}",
        expected=", ".join(each.looked_for for each in FILE_KINDS),
        remedy=f"Place it in the drop folder's {FOLDER}/ folder, or set CHOKEPOINT_RETURNS_SOURCE=off.",
    )


def _unreadable_caps(
    connection: duckdb.DuckDBPyConnection, counts: Mapping[str, RuleCounts]
) -> list[tuple[str, str, int]]:
    n = _one(
        connection, "select count(*) from landed_returns where market_cap is null and coalesce(cap_text, '') <> ''"
    )
    (source,) = (each for each in counts if each.endswith("/returns"))
    return [(source, "noted:market_cap_unreadable", n)] if n else []


def _write(
    connection: duckdb.DuckDBPyConnection,
    landing: Path,
    counts: Mapping[str, RuleCounts],
    noted: Sequence[tuple[str, str, int]],
) -> dict[str, int]:
    """Write the tables; each takes the place of the former one as a whole. Returns the rows landed."""
    rows = {}
    with replaced_directory(landing / FOLDER) as building:
        for shape in _SHAPES:
            columns = [name for name in shape.typed if name not in ("is_missing", "cap_text")]
            query = f"select {', '.join(columns)}, archive_entry, source_row from landed_{shape.name} "
            path = building / f"{shape.kind}.parquet"
            rows[shape.kind] = copy_query(connection, f"{query} order by {', '.join(shape.key)}", path)
    with replaced_directory(landing / "quarantine" / FOLDER) as building:
        query = "from quarantine order by archive_entry, source_row nulls last, reason, raw"
        copy_query(connection, query, building / "part-0.parquet")
    lines = [(source, rule, n) for source, count in sorted(counts.items()) for rule, n in count.as_rows()]
    connection.execute("create temp table rule_counts (source varchar, rule varchar, n bigint)")
    connection.executemany("insert into rule_counts values (?, ?, ?)", [*lines, *noted])
    incoming = landing / ".building-contagion_rule_counts.parquet"
    copy_query(connection, "from rule_counts", incoming)
    os.replace(incoming, landing / "contagion_rule_counts.parquet")
    return rows


def _one(connection: duckdb.DuckDBPyConnection, query: str) -> int:
    """The single number a query gives; 0 for null."""
    row = connection.execute(query).fetchone()
    assert row is not None
    return int(row[0] or 0)


def _texts(connection: duckdb.DuckDBPyConnection, query: str) -> list[str]:
    """The texts of a query of one column, sorted."""
    return sorted(str(text) for (text,) in connection.execute(query).fetchall())
