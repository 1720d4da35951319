"""Trade payloads as typed rows: every archived table is read once and kept as Parquet by its content.

Planning asks which years the tables hold, landing reads the rows of a year: both find the same parsed files here. Not
here: columns and single rows (see `comtrade_rows`, `baci_rows`), and the rules that need other rows (see `landing`).
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import duckdb

from dagster_project.archive.store import Entry
from dagster_project.datasets.trade import baci_rows, comtrade_json, comtrade_names, comtrade_rows
from dagster_project.datasets.trade.editions import replaced_files
from dagster_project.landing import delimited, records, vouched, yearly
from dagster_project.landing.delimited import rejected_lines, require_every_row, unreadable
from dagster_project.landing.loads import Load
from dagster_project.landing.tables import copy_query, scratch_database
from dagster_project.sources import text
from dagster_project.sql import literal, parquet

# What `comtrade_rows` and `baci_rows` yield, in this order. `raw` holds the row as received where it has a reason;
# `breakdown` a part's second partner, transport and customs procedure (2100 by sea: 0/2100/C00), null for a whole flow;
# `unreadable_quantity` the texts of weights, second quantities and estimate flags that are none, null where all are.
PARSED_COLUMNS = (
    "year",
    "reporter_code",
    "flow",
    "partner_code",
    "stated_revision",
    "cmd_code",
    "value_usd",
    "quantity",
    "quantity_unit",
    "net_weight_kg",
    "net_weight_estimated",
    "quantity_kg",
    "quantity_units",
    "breakdown",
    "is_converted",
    "unreadable_quantity",
    "reason",
    "raw",
)
# The file of a parsed table has the columns of the landing tables, so that one without a fault lands as it is: those
# above, `stated_revision` as `hs_revision`, and those below. `source_row` is 0 there: the row's own place in the file.
FILE_COLUMNS = tuple("hs_revision" if name == "stated_revision" else name for name in PARSED_COLUMNS)
FILE_COLUMNS += ("revision_assumed", "source", "archive_entry", "source_row")


@dataclass(frozen=True)
class Parsed:
    """One archived table as typed rows: `rows` by year, and the number of rows whose year cannot be read.

    `remarks` say what is odd about how it is written, without harm to any row. It `is_replaced` when a later edition of
    the same file is there.
    """

    entry_id: str
    address: str
    retrieved_at: str
    source: str
    path: Path
    rows: Mapping[int, int]
    rows_without_year: int
    remarks: Sequence[str]
    is_replaced: bool = False


def parse(load: Load, years: Sequence[int] | None, *, reading: Collection[int] = ()) -> list[Parsed]:
    """Every table of the load's payloads as typed Parquet, read once and kept by content.

    Tables of years not asked for stay in their zips. A kept table that is not what it was when it was written is made
    again: one with rows that are to be read now (of the years `reading`, or of no year) is compared byte by byte.
    SourceError when a payload cannot be read.
    """
    parsed: list[Parsed] = []
    with scratch_database(load.landing, load.settings.resources) as connection:
        for entry in load.entries:
            with _tables(load, entry) as tables:
                for member, opened in tables.items():
                    if _wanted(member, years):
                        parsed.append(_parse_table(connection, load, opened, entry, member, reading))
    replaced = replaced_files([table.address for table in parsed])
    return [replace(table, is_replaced=table.address in replaced) for table in parsed]


def years_held(parsed: Sequence[Parsed]) -> list[int]:
    """The years that the parsed tables have rows of."""
    return sorted({year for table in parsed for year in table.rows})


def identities(load: Load) -> dict[int, str]:
    """Year -> name of what would be landed for it: its payloads, the code that reads them, and the load's shape."""
    parsed = parse(load, load.settings.years)
    return {year: year_identity(parsed, year, load) for year in years_held(parsed)}


def year_identity(parsed: Sequence[Parsed], year: int, load: Load) -> str:
    """Names what a landed year depends on: the parsed tables that hold rows of it, and the load's shape."""
    holding = sorted((table.entry_id, table.path.name, table.is_replaced) for table in parsed if table.rows.get(year))
    return yearly.identity(year, [load.shape, load.settings.hs_revision, holding])


@contextmanager
def _tables(load: Load, entry: Entry) -> Iterator[Mapping[str, Callable[[], Path]]]:
    """Member -> a call that gives its file: the bytes of a table that is kept are not read."""
    if entry.source == "baci":
        load.landing.mkdir(parents=True, exist_ok=True)
        with baci_rows.year_files(load.archive, entry, load.landing) as files:
            yield files
    else:
        yield {entry.part: lambda: load.archive.open_path(entry)}


def _wanted(member: str, years: Sequence[int] | None) -> bool:
    """Whether a table may hold a year asked for; only BACI's member names say so beforehand."""
    named = [part[1:5] for part in Path(member).stem.split("_") if part[:1] == "Y" and part[1:5].isdigit()]
    return years is None or not member.upper().startswith("BACI_") or not named or int(named[0]) in years


def _parse_table(
    connection: duckdb.DuckDBPyConnection,
    load: Load,
    opened: Callable[[], Path],
    entry: Entry,
    member: str,
    reading: Collection[int],
) -> Parsed:
    landing = load.landing
    reader = baci_rows if entry.source == "baci" else comtrade_rows
    # All that the result depends on: the bytes, what the name says of them, and the code that reads them.
    depends_on = [entry.id, entry.sha256, entry.source, entry.part, member, dict(entry.parameters), _code_fingerprint()]
    key = hashlib.sha256(json.dumps(depends_on, sort_keys=True).encode()).hexdigest()[:24]
    target = landing / "parsed" / f"trade-{key}.parquet"
    address = f"{entry.address}!{member}" if member != entry.part else entry.address
    known = _kept(target, landing, reading)
    if known is not None and load.archive.touched_since(entry, _receipt(target).stat().st_mtime_ns):
        load.archive.open_path(entry)  # a damaged payload is an error before anything is computed
    if known is None:
        building = target.with_suffix(f".building-{os.getpid()}")
        try:
            rows, table = reader.typed_rows(connection, opened(), entry, address, rejects="rejected_lines")
            n_rows = copy_query(connection, _as_file(rows, entry), building)
            n_rows += _insert_rejected_lines(connection, building, entry)
            require_every_row(table, n_rows)
            known = _keep(connection, building, target, landing, reader.remarks(table))
        except duckdb.Error as error:
            raise unreadable(address, error) from error
        finally:
            building.unlink(missing_ok=True)
            for name in ("rejected_lines", "rejected_lines_scan", "payload", "json_rows"):
                connection.execute(f"drop table if exists {name}")
    if entry.source == "baci":
        baci_rows.require_year(member, list(known.rows), address)
    return Parsed(
        entry_id=entry.id,
        address=address,
        retrieved_at=entry.retrieved_at,
        source=entry.source,
        path=target,
        rows=known.rows,
        rows_without_year=known.rows_without_year,
        remarks=known.remarks,
    )


def _as_file(rows: str, entry: Entry) -> str:
    """A query for the columns of a parsed file, from one for `PARSED_COLUMNS`."""
    return f"""
        select {", ".join(PARSED_COLUMNS).replace("stated_revision", "stated_revision as hs_revision")},
            stated_revision is null as revision_assumed, {constant(entry.source)} as source,
            {constant(entry.id)} as archive_entry, 0::bigint as source_row
        from ({rows})
    """


def rows_of(table: Parsed, recency: int) -> str:
    """A query for the rows of a parsed table: `PARSED_COLUMNS`, and their origin; `recency` is their file's place."""
    return f"""
        select {", ".join(PARSED_COLUMNS).replace("stated_revision", "hs_revision as stated_revision")},
            {constant(table.entry_id)} as archive_entry, {constant(table.source)} as source, {recency} as recency,
            {str(table.is_replaced).lower()} as is_replaced, file_row_number + 1 as source_row
        from {parquet(table.path, numbered=True)}
    """


def constant(text: str) -> str:
    """A text that is the same in all rows, as an enum: Parquet stores it without looking at every row."""
    return f"{literal(text)}::enum ({literal(text)})"


@dataclass(frozen=True)
class _Kept:
    """What the receipt of a parsed table says of it, besides its bytes."""

    rows: Mapping[int, int]
    rows_without_year: int
    remarks: Sequence[str]


def _receipt(target: Path) -> Path:
    return target.with_suffix(".json")


def _keep(
    connection: duckdb.DuckDBPyConnection, building: Path, target: Path, landing: Path, remarks: Sequence[str]
) -> _Kept:
    """Give a parsed table its name, and vouch for it."""
    by_year = connection.execute(f"select year, count(*) from {parquet([building])} group by year").fetchall()
    kept = _Kept(
        rows={year: n for year, n in by_year if year is not None and 1900 <= year <= 2100},
        rows_without_year=sum(n for year, n in by_year if year is None or not 1900 <= year <= 2100),
        remarks=list(remarks),
    )
    building.replace(target)
    vouched.write_receipt(_receipt(target), landing, [target], asdict(kept))
    return kept


def _kept(target: Path, landing: Path, reading: Collection[int]) -> _Kept | None:
    """A parsed table's receipt; None where there is none, or it vouches for another file."""
    content = vouched.read_receipt(_receipt(target))
    if content is None:
        return None
    rows = {int(year): n for year, n in content["rows"].items()}
    kept = _Kept(rows, content["rows_without_year"], content["remarks"])
    read = bool(reading) and (kept.rows_without_year > 0 or not rows.keys().isdisjoint(reading))
    return None if vouched.problems(landing, content["files"], read=read) else kept


def _insert_rejected_lines(connection: duckdb.DuckDBPyConnection, target: Path, entry: Entry) -> int:
    """Put the lines that the CSV reader could not split into fields among the rows, where they stood in the file, as
    rows without a year; return how many there are.
    """
    lines = rejected_lines(connection, "rejected_lines")
    if not connection.execute(f"{lines} limit 1").fetchone():
        return 0
    both = target.with_name(target.name + "-with-rejects")
    filled = {
        "is_converted": "false",
        "reason": "'malformed_row'",
        "raw": "cast(to_json({'line': line, 'error': error, 'text': text}) as varchar)",
        "revision_assumed": "true",
        **{name: constant(getattr(entry, key)) for name, key in (("source", "source"), ("archive_entry", "id"))},
        "source_row": "0",
    }
    # Line 1 is the header, so line n is row n - 1; the readable rows before it are those less the rejected lines
    # before it.
    rejected = f"""
        select {", ".join(f"{filled.get(name, 'null')} as {name}" for name in FILE_COLUMNS)},
            line - 2 - (row_number() over (order by line) - 1) as readable_before, 1 as is_rejected, line
        from ({lines})
    """
    rows = f"""
        select {", ".join(FILE_COLUMNS)} from (
            select {", ".join(FILE_COLUMNS)}, file_row_number + 1 as readable_before, 0 as is_rejected, 0 as line
            from {parquet(target, numbered=True)} union all {rejected}
        ) order by readable_before, is_rejected, line
    """
    total = copy_query(connection, rows, both)
    readable = connection.execute(f"select count(*) from {parquet([target])}").fetchone()
    both.replace(target)
    return total - (readable[0] if readable else 0)


def _code_fingerprint() -> str:
    """Changes when the code that parses rows changes, so that parsed tables of older code are not taken for new."""
    modules = (comtrade_rows, comtrade_json, comtrade_names, baci_rows, delimited, records, text)
    paths = [Path(__file__), *(Path(str(module.__file__)) for module in modules)]
    return hashlib.sha256(b"".join(path.read_bytes() for path in paths)).hexdigest()[:12]
