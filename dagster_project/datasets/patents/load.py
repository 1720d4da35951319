"""One load of the patents dataset: opening its archived tables, and where counts and quarantined rows go.

Not here: what any table means (see `patentsview`, `bigquery`, `totals`).
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field, replace
from pathlib import Path

import duckdb

from dagster_project.archive.store import Archive, Entry
from dagster_project.landing.delimited import (
    Dialect,
    TextTable,
    open_delimited,
    rejected_lines,
    require_columns,
    require_every_row,
    unreadable,
)
from dagster_project.landing.tables import QUARANTINE, RuleCounts
from dagster_project.sources.zip_member import extract_table
from dagster_project.sql import literal

TAB_SEPARATED = Dialect(delimiter="\t")
_REJECTS = "rejected_lines"


@dataclass
class PatentLoad:
    """What one load works on and what it has found so far.

    counts  accounting per input table, keyed `<source>/<table>`
    noted   things counted that are no row of an input table, keyed alike: {"patentsview/publications": {"no_field": 3}}
    warnings  what a user should know although nothing stopped
    """

    connection: duckdb.DuckDBPyConnection
    archive: Archive
    scratch: Path
    counts: dict[str, RuleCounts] = field(default_factory=dict)
    noted: dict[str, dict[str, int]] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.connection.execute("set enable_progress_bar = false")  # a load of minutes would fill the log with it
        columns = ", ".join(f"{name} {kind}" for name, kind in QUARANTINE.items())
        self.connection.execute(f"create temp table quarantine ({columns})")

    def one(self, query: str) -> int:
        """The single number a query gives; 0 for null."""
        row = self.connection.execute(query).fetchone()
        assert row is not None
        return int(row[0] or 0)

    def pairs(self, query: str) -> dict[str, int]:
        """The (name, number) rows of a query, without the names that are null."""
        return {name: int(n) for name, n in self.connection.execute(query).fetchall() if name is not None}

    def table(
        self,
        name: str,
        entry: Entry,
        required: Collection[str | tuple[str, ...]],
        query: str,
        *,
        dialect: Dialect = TAB_SEPARATED,
        again: bool = False,
    ) -> int:
        """Read a delimited payload into the temporary table `name`; return how many lines were malformed.

        `query` is a select statement in which {table} stands for the payload and {<column>} for each column's trimmed
        text (null where the file has no such column; `{a|b}` is the first of the two that it has). A row of the result
        stands for one row of the file, or for as many as its column `n` says. Malformed lines go to quarantine, unless
        the file is read `again`. Whether the file is gzipped is found from its name. SourceError when a required column
        is missing, the content cannot be read, or a row of the file was not read.
        """
        opened = self._open(entry, dialect)
        require_columns(opened, required, entry.address)
        connection = self.connection
        for table in (_REJECTS, f"{_REJECTS}_scan"):  # a second reading of a file would count its lines twice
            connection.execute(f"drop table if exists {table}")
        try:
            connection.execute(f"create or replace temp table {name} as {_filled(query, opened)}")
        except (duckdb.InvalidInputException, duckdb.IOException) as error:  # others are defects of the query
            raise unreadable(entry.address, error) from error
        if again:
            return 0
        malformed = self._quarantine_rejects(entry)
        is_grouped = self.one(f"select count(*) from (describe {name}) where column_name = 'n'")
        rows = self.one(f"select {'sum(n)' if is_grouped else 'count(*)'} from {name}")
        require_every_row(opened, rows + malformed)
        for remark in opened.written.notes if opened.written else []:
            self.warnings.append(f"{entry.address}: {remark}")
        return malformed

    def quarantine(self, entry: Entry, query: str) -> None:
        """Add rows to the quarantine; the query gives reason, detail, source_row, raw."""
        self.connection.execute(
            f"insert into quarantine select 'patents', {literal(entry.source)}, null, reason, detail, "
            f"{literal(entry.id)}, source_row, raw from ({query})"
        )

    def account(self, key: str, counts: RuleCounts) -> None:
        """Check and keep the accounting of one input table; several payloads of one table are added up."""
        counts.check(key)
        rules, quarantined = ({name: n for name, n in part.items() if n} for part in (counts.rules, counts.quarantined))
        counts = RuleCounts(counts.rows_read, counts.landed, rules, quarantined)
        known = self.counts.get(key)
        self.counts[key] = counts if known is None else known + counts

    def note(self, key: str, name: str, n: int) -> None:
        """Count something that is no input row of its own, such as publications without a known country."""
        self.noted.setdefault(key, {})[name] = self.noted.get(key, {}).get(name, 0) + n

    def _open(self, entry: Entry, dialect: Dialect) -> TextTable:
        path = self.archive.open_path(entry)
        name = entry.part.lower()
        gzipped = name.endswith(".gz")
        if name.endswith(".zip"):
            path, gzipped = extract_table(path, ".tsv", self.scratch, entry.address)
        return open_delimited(self.connection, path, entry.address, replace(dialect, gzipped=gzipped), rejects=_REJECTS)

    def _quarantine_rejects(self, entry: Entry) -> int:
        """Move the lines that the CSV reader could not split into fields to quarantine; one line counts once."""
        per_line = (
            "select 'malformed_row' as reason, error as detail, line as source_row, text as raw "
            f"from ({rejected_lines(self.connection, _REJECTS)})"
        )
        self.quarantine(entry, per_line)
        return self.one(f"select count(*) from ({per_line})")


def _filled(query: str, opened: TextTable) -> str:
    """Put the table expression and the column texts where the query names them."""
    return query.format_map(_Columns(opened))


class _Columns(dict[str, str]):
    """Resolves {table} and any {column} of a query against an opened table; `{a|b}` is the first of them it has."""

    def __init__(self, opened: TextTable) -> None:
        super().__init__()
        self.opened = opened

    def __missing__(self, key: str) -> str:
        if key == "table":
            return self.opened.expression
        names = key.split("|")
        return self.opened.column(next((name for name in names if name in self.opened.columns), names[0]))
