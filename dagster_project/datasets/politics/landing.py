"""Ideal points: from an archived table of estimates to typed rows, one per state and session.

What belongs here: the columns, the repairs of country codes, and which rows are set aside or quarantined. Not here: how
years and areas without a vote get a point (dbt).
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import duckdb

from dagster_project.archive.store import Archive, Entry
from dagster_project.errors import SourceError
from dagster_project.landing.delimited import (
    Dialect,
    TextTable,
    decimal_number,
    open_delimited,
    rejected_lines,
    require_every_row,
    unreadable,
    whole_number,
)
from dagster_project.landing.loads import Landed, Load
from dagster_project.landing.tables import QUARANTINE, RuleCounts, copy_query, replaced_directory, scratch_database
from dagster_project.sql import literal

# Session 1 began in 1946. A session that goes on into the next year belongs to its first year.
YEAR_BEFORE_FIRST_SESSION = 1945
# Codes that ISO has withdrawn -> the code of the state that votes under them today. The file calls Serbia YUG up to its
# last session; otherwise Serbia would have no point.
REPAIRS: Mapping[str, str] = {"YUG": "SRB", "ROM": "ROU", "ZAR": "COD", "TMP": "TLS"}

# As published; upper and lower case do not count.
REQUIRED = ("ccode", "session", "IdealPointAll", "iso3c")
VOTES = "NVotesAll"

_REJECTS = "rejected_lines"


@dataclass
class _File:
    """One file as read: its rows are in `table`. `malformed` are the lines that cannot be split into its columns."""

    entry: Entry
    table: str
    rows: int = 0
    malformed: int = 0
    last_session: int = 0
    warnings: list[str] = field(default_factory=list)

    @property
    def source(self) -> str:
        return f"{self.entry.source}/ideal_points"

    @property
    def rows_read(self) -> int:
        return self.rows + self.malformed


def land(load: Load) -> Landed:
    """Write politics/ideal_points.parquet, quarantine/politics and politics_rule_counts.parquet into the landing.

    Points of different releases are estimated apart and must not be mixed: of several files the one retrieved last is
    landed, of those retrieved at once the one with the latest session; the others' rows are counted. SourceError names
    a column that is missing; AccountingError when a row is unaccounted for.
    """
    with scratch_database(load.landing) as connection:
        columns = ", ".join(f"{name} {kind}" for name, kind in QUARANTINE.items())
        connection.execute(f"create temp table quarantine ({columns})")
        files = [_read(connection, load.archive, entry, f"file_{n}") for n, entry in enumerate(load.entries)]
        if not files:
            raise _nothing()
        files.sort(key=lambda file: (file.entry.retrieved_at, file.last_session, file.entry.address))
        chosen, superseded = files[-1], files[:-1]
        _judge(connection, chosen)
        counts = _counts(connection, chosen, superseded)
        repaired = _pairs(
            connection, "select upper(iso3c), count(*) from landed where iso3 <> upper(iso3c) group by 1 order by 1"
        )
        nameless = _one(connection, "select count(*) from landed where iso3 is null")
        noted = {"without_iso3": nameless, **{f"repaired_{code}": n for code, n in repaired.items()}}
        landed = _write(connection, load.landing, counts, chosen, noted)
    warnings = [f"{file.entry.address}: not used, {chosen.entry.address} was retrieved later" for file in superseded]
    return Landed(
        counts={source: count.check(f"landing of politics, {source}") for source, count in counts.items()},
        notes={"repaired": {f"{code} -> {REPAIRS[code]}": n for code, n in repaired.items()}},
        warnings=[*warnings, *chosen.warnings],
        rows={"ideal_points": landed},
    )


def _read(connection: duckdb.DuckDBPyConnection, archive: Archive, entry: Entry, table: str) -> _File:
    """Read a file's columns as text into a temporary table. SourceError unless it is a table of ideal points."""
    path, file = archive.open_path(entry), _File(entry, table)
    is_tab = entry.parameters.get("format", "csv").lower() == "tab"
    for name in (_REJECTS, f"{_REJECTS}_scan"):
        connection.execute(f"drop table if exists {name}")
    opened = open_delimited(connection, path, entry.address, Dialect("\t" if is_tab else ","), rejects=_REJECTS)
    assert opened.written is not None
    if opened.written.delimiter == "\t" and not is_tab:
        file.warnings.append(f"{entry.address}: tab-separated although its name says .csv; read as it is")
    file.warnings += [f"{entry.address}: {remark}" for remark in opened.written.notes]
    _require(opened, entry)
    columns = ", ".join(f"{opened.column(name.lower())} as {name.lower()}" for name in (*REQUIRED, VOTES))
    try:
        connection.execute(
            f"create temp table {table} as select row_number() over () as readable_row, {columns} "
            f"from {opened.expression}"
        )
    except (duckdb.InvalidInputException, duckdb.IOException) as error:
        raise unreadable(entry.address, error) from error
    file.rows = _one(connection, f"select count(*) from {table}")
    file.malformed = _keep_malformed(connection, file)
    require_every_row(opened, file.rows_read)
    if not file.rows_read:
        raise SourceError(
            entry.address,
            found="a header and no row",
            expected="a row for each state and session",
            remedy="Fetch the file again: it breaks off after its first line.",
        )
    if VOTES.lower() not in opened.columns:
        file.warnings.append(f"{entry.address}: without the column {VOTES}, so n_votes is empty")
    file.last_session = _one(connection, f"select max({whole_number('session')}) from {table}")
    return file


def _require(opened: TextTable, entry: Entry) -> None:
    missing = [name for name in REQUIRED if name.lower() not in opened.columns]
    if missing:
        raise SourceError(
            f"{entry.address}, {'columns' if len(missing) > 1 else 'column'} {', '.join(missing)}",
            found=f"only the columns {', '.join(opened.columns.values())[:500]}",
            expected=f"a table of ideal points with the columns {', '.join(REQUIRED)} (upper and lower case do not "
            "count)",
            remedy="Is this the table of estimates, not that of votes or of agreement scores? Fetch it again.",
        )


def _keep_malformed(connection: duckdb.DuckDBPyConnection, file: _File) -> int:
    """Note the lines that are no rows of the table, in `<table>_malformed`; return how many there are."""
    connection.execute(
        f"create temp table {file.table}_malformed as select line as source_row, error as detail, text as raw "
        f"from ({rejected_lines(connection, _REJECTS)})"
    )
    return _one(connection, f"select count(*) from {file.table}_malformed")


def _judge(connection: duckdb.DuckDBPyConnection, file: _File) -> None:
    """Make `verdicts`, in which each row of the file is landed, set aside by a rule or quarantined, and `landed`.

    `source_row` is the row's line in the file; the header's is 1.
    """
    repairs = " ".join(f"when '{code}' then '{today}'" for code, today in REPAIRS.items())
    connection.execute(f"""
        create temp table parsed as
        with lines as (
            select line, row_number() over (order by line) as readable_row
            from range(2, {file.rows_read + 2}) as numbers (line)
            where line not in (select source_row from {file.table}_malformed)
        )
        select line as source_row,
            {whole_number("ccode")} as ccode, {whole_number("session")} as session,
            {_missing("iso3c")} as iso3c, {_missing("idealpointall")} as point_text,
            {_missing("nvotesall")} as votes_text,
            {decimal_number(_missing("idealpointall"))} as ideal_point,
            {whole_number(_missing("nvotesall"))} as n_votes,
            concat_ws(' ', 'ccode=' || ccode, 'session=' || session, 'iso3c=' || iso3c,
                'IdealPointAll=' || idealpointall, 'NVotesAll=' || nvotesall) as raw
        from {file.table} inner join lines using (readable_row)
    """)
    connection.execute("""
        create temp table verdicts as
        with judged as (
            select *,
                case when ccode is null then 'quarantined:ccode_unreadable'
                    when session is null or session < 1 then 'quarantined:session_unreadable'
                    when not regexp_full_match(coalesce(iso3c, 'AAA'), '[A-Za-z]{3}')
                        then 'quarantined:iso3c_unreadable'
                    when point_text is not null and not coalesce(isfinite(ideal_point), false)
                        then 'quarantined:ideal_point_unreadable'
                    when votes_text is not null and n_votes is null then 'quarantined:n_votes_unreadable'
                    when point_text is null then 'no_point' end as verdict
            from parsed
        ),
        compared as (
            select *,
                row_number() over same_key as place,
                count(distinct (coalesce(iso3c, ''), ideal_point, coalesce(n_votes, -1)))
                    over (partition by ccode, session) as versions
            from judged where verdict is null
            window same_key as (partition by ccode, session order by source_row)
        )
        select * exclude (place, versions),
            case when versions > 1 then 'quarantined:contradictory' when place > 1 then 'duplicate_equal' end as outcome
        from compared
        union all
        select *, verdict as outcome from judged where verdict is not null
    """)
    connection.execute(f"""
        create temp table landed as
        select ccode, session, iso3c, case upper(iso3c) {repairs} else upper(iso3c) end as iso3,
            cast(session + {YEAR_BEFORE_FIRST_SESSION} as integer) as year, ideal_point, n_votes,
            {literal(file.entry.id)} as archive_entry, source_row
        from verdicts where outcome is null
    """)
    origin = f"'politics', {literal(file.source)}"
    connection.execute(f"""
        insert into quarantine
        select {origin}, cast(session + {YEAR_BEFORE_FIRST_SESSION} as integer), outcome[13:],
            case outcome[13:] when 'contradictory' then 'another row says otherwise of the same state and session'
                else 'not of the form that the column has' end,
            {literal(file.entry.id)}, source_row, raw
        from verdicts where starts_with(outcome, 'quarantined:')
        union all
        select {origin}, null, 'malformed_row', detail, {literal(file.entry.id)}, source_row, raw
        from {file.table}_malformed
    """)


def _missing(column: str) -> str:
    """SQL for a column's text, null where the file says that there is no value."""
    return f"nullif(nullif({column}, ''), 'NA')"


def _counts(connection: duckdb.DuckDBPyConnection, chosen: _File, superseded: Sequence[_File]) -> dict[str, RuleCounts]:
    """The accounting by source: the file that is landed, and those that it supersedes."""
    outcomes = _pairs(connection, "select outcome, count(*) from verdicts where outcome is not null group by 1")
    reasons = {name[12:]: n for name, n in outcomes.items() if name.startswith("quarantined:")}
    if chosen.malformed:
        reasons["malformed_row"] = chosen.malformed
    rules = {name: n for name, n in outcomes.items() if not name.startswith("quarantined:")}
    landed = _one(connection, "select count(*) from landed")
    counts = {chosen.source: RuleCounts(chosen.rows_read, landed, rules, reasons)}
    for file in superseded:
        unused = RuleCounts(file.rows_read, 0, {"superseded_file": file.rows_read})
        counts[file.source] = counts.get(file.source, RuleCounts(0, 0)) + unused
    return counts


def _write(
    connection: duckdb.DuckDBPyConnection,
    landing: Path,
    counts: Mapping[str, RuleCounts],
    chosen: _File,
    noted: Mapping[str, int],
) -> int:
    """Write the three tables; each takes the place of the former one as a whole. Returns the rows landed."""
    with replaced_directory(landing / "politics") as building:
        landed = copy_query(connection, "from landed order by ccode, session", building / "ideal_points.parquet")
    with replaced_directory(landing / "quarantine" / "politics") as building:
        query = "from quarantine order by archive_entry, source_row nulls last, reason, raw"
        copy_query(connection, query, building / "part-0.parquet")
    rows = [(source, rule, n) for source, count in sorted(counts.items()) for rule, n in count.as_rows()]
    rows += [(chosen.source, f"noted:{name}", n) for name, n in sorted(noted.items()) if n]
    connection.execute("create temp table rule_counts (source varchar, rule varchar, n bigint)")
    connection.executemany("insert into rule_counts values (?, ?, ?)", rows)
    incoming = landing / ".building-politics_rule_counts.parquet"
    copy_query(connection, "from rule_counts", incoming)
    os.replace(incoming, landing / "politics_rule_counts.parquet")
    return landed


def _nothing() -> SourceError:
    return SourceError(
        "politics/",
        found="no table of ideal points",
        expected="IdealpointestimatesAll_<month><year>.csv",
        remedy="Place it in the drop folder's politics/ folder, or set CHOKEPOINT_POLITICS_SOURCE=off.",
    )


def _one(connection: duckdb.DuckDBPyConnection, query: str) -> int:
    """The single number a query gives; 0 for null."""
    row = connection.execute(query).fetchone()
    assert row is not None
    return int(row[0] or 0)


def _pairs(connection: duckdb.DuckDBPyConnection, query: str) -> dict[str, int]:
    """The (name, number) rows of a query."""
    return {str(name): int(n) for name, n in connection.execute(query).fetchall()}
