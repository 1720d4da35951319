"""Input-output tables, landed year by year: flows, final use and output of every edition of the year, in long form.

What belongs here: which tables a year has, how a table is written, and the accounting. Tables are used whole or not at
all; rows of emission intensities that cannot be used go to quarantine. Not here: how a file is read (see `icio`,
`compact`, `emissions`), and what is computed (dbt).
"""

from __future__ import annotations

import csv
import gzip
import io
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from dagster_project.archive.store import Entry
from dagster_project.datasets.chains.compact import read_parquet
from dagster_project.datasets.chains.emissions import INTENSITY, read_intensities
from dagster_project.datasets.chains.files import CSV, TableFiles, published, tables
from dagster_project.datasets.chains.icio import read_csv
from dagster_project.datasets.chains.table import IoTable, refused
from dagster_project.errors import SettingError
from dagster_project.landing import yearly
from dagster_project.landing.loads import Landed, Load
from dagster_project.landing.tables import QUARANTINE, RuleCounts, replaced_directory, scratch_database
from dagster_project.settings import load_settings
from dagster_project.sources.integrity import check_start, open_zip
from dagster_project.sql import parquet

DATASET = "chains"
_BLOCK = 256  # rows of a table that are written at once
_START = 1 << 12

_KEY = [("edition", pa.string()), ("year", pa.int32())]
_SOURCE = [("src_iso3", pa.string()), ("src_sector", pa.string())]
FLOWS = pa.schema(
    [
        *_KEY,
        *_SOURCE,
        *[("dst_iso3", pa.string()), ("dst_sector", pa.string()), ("value_usd", pa.float64())],
        *[("src_position", pa.int32()), ("dst_position", pa.int32())],
    ]
)
FINAL = pa.schema([*_KEY, *_SOURCE, ("dst_iso3", pa.string()), ("value_usd", pa.float64())])
OUTPUT = pa.schema(
    [
        *_KEY,
        *[("country_iso3", pa.string()), ("sector", pa.string()), ("position", pa.int32())],
        *[("gross_output_usd", pa.float64()), ("value_added_usd", pa.float64()), ("taxes_usd", pa.float64())],
        ("is_complete", pa.bool_()),
    ]
)
TABLES = pa.schema(
    [
        *_KEY,
        *[("n_countries", pa.int32()), ("n_sectors", pa.int32()), ("has_final", pa.bool_())],
        *[("is_complete", pa.bool_()), ("dropped_flows", pa.int64()), ("dropped_flows_usd", pa.float64())],
        *[("source", pa.string()), ("file", pa.string()), ("archive_entry", pa.string())],
    ]
)
PUBLISHED = pa.schema(
    [
        *[("edition", pa.string()), ("year", pa.int32()), ("country_iso3", pa.string()), ("sector", pa.string())],
        *[("measure", pa.string()), ("value", pa.float64())],
    ]
)
EMISSIONS = pa.schema(
    [
        *_KEY,
        *[("country_iso3", pa.string()), ("sector", pa.string()), (INTENSITY, pa.float64())],
        *[("archive_entry", pa.string()), ("source_row", pa.int64())],
    ]
)
_ARROW = {"varchar": pa.string(), "integer": pa.int32(), "bigint": pa.int64()}
UNUSABLE = pa.schema([(name, _ARROW[kind]) for name, kind in QUARANTINE.items()])
COUNTS = pa.schema([("year", pa.int32()), ("source", pa.string()), ("rule", pa.string()), ("n", pa.int64())])
BY_YEAR = {
    "io_flows": FLOWS,
    "io_final": FINAL,
    "io_output": OUTPUT,
    "io_tables": TABLES,
    "io_emissions": EMISSIONS,
    f"quarantine/{DATASET}": UNUSABLE,
    "chains_rule_counts": COUNTS,
}
_MEASURES = {
    "leather_published_values": tuple(
        f"{side}_{part}" for side in ("forward", "backward") for part in ("participation", "domestic")
    ),
    "published_antras_chor": ("upstreamness", "downstreamness"),
}


def identities(load: Load) -> dict[int, str]:
    """Year -> name of what would be landed for it. Reads names only."""
    return {year: _identity(year, found, load) for year, found in _by_year(load).items()}


def land(load: Load) -> Landed:
    """Write the tables of the load's years, unless they were landed from the same files before.

    SourceError when a table cannot be used; AccountingError when a number is unaccounted for.
    """
    found = _by_year(load)
    counts: dict[str, RuleCounts] = {}
    notes: list[str] = []
    warnings = [
        f"{address}: not used, a newer file of the same edition and year is there" for address in _replaced(found)
    ]
    for year in load.years:
        identity = _identity(year, found[year], load)
        known = yearly.receipt(load.landing, DATASET, identity)
        if known is None:
            counts[str(year)], said = _land_year(load, year, found[year], identity)
            warnings += said
        else:
            counts[str(year)] = known.counts
            notes.append(f"{year} is landed already")
    _write_published(load)
    _write_rest(load, found)
    return Landed(counts=counts, notes={"notes": notes}, warnings=warnings)


def _require_exporters(load: Load, year: int, countries: Collection[str]) -> None:
    """SettingError when an exporter of the user's choice is in no table of the year.

    The setting's own choice is one for trade as well, and a table without it just has no shock.
    """
    if load.settings.shock_exporters == load_settings({}, dotenv=None).shock_exporters:
        return
    wanted = ", ".join(map(str, load.settings.shock_exporters))
    with duckdb.connect() as connection:
        named = connection.execute(
            f"select country_code, iso3 from {parquet(load.tables['countries'])} where country_code in ({wanted})"
        ).fetchall()
    missing = [f"{code} ({iso3})" for code, iso3 in sorted(named) if iso3 not in countries]
    if missing:
        raise SettingError(
            f"setting CHOKEPOINT_SHOCK_EXPORTERS, input-output tables of {year}",
            found=f"{', '.join(missing)}, in no table of that year",
            expected=f"Comtrade's codes of these: {', '.join(sorted(countries))}",
            remedy="Choose exporters that the tables have, or set CHOKEPOINT_CHAINS_SOURCE=off.",
        )


def read_table(files: TableFiles, load: Load) -> IoTable:
    """The table in these files."""
    if CSV not in files.entries:
        return read_parquet({name: (load.archive.open_path(e), e.address) for name, e in files.entries.items()})
    path = load.archive.open_path(files.entries[CSV])
    if not files.member:
        with path.open("rb") as lines:
            return read_csv(lines, files.address)
    with open_zip(path, files.address) as held, held.open(files.member) as member:
        buffered = io.BufferedReader(member, 1 << 20)  # type: ignore[type-var]
        check_start(buffered.peek(_START)[:_START], files.member, files.address)
        return read_csv(buffered, files.address)


def _by_year(load: Load) -> dict[int, list[TableFiles]]:
    found: dict[int, list[TableFiles]] = {}
    for table in tables(load.entries, load.archive):
        found.setdefault(table.year, []).append(table)
    return found


def _replaced(found: Mapping[int, Sequence[TableFiles]]) -> list[str]:
    return [address for files in found.values() for table in files for address in table.superseded]


def _identity(year: int, files: Sequence[TableFiles], load: Load) -> str:
    others = sorted(entry.sha256 for entry in published(load.entries))
    content = [[table.edition, table.bytes, list(table.superseded)] for table in files]
    return yearly.identity(year, [load.shape, content, others])


def _land_year(load: Load, year: int, files: Sequence[TableFiles], identity: str) -> tuple[RuleCounts, list[str]]:
    # The receipt goes first: after a crash in between, the year counts as not landed, whatever its tables hold.
    yearly.forget_year(load.landing, DATASET, year)
    counts: list[tuple[str, RuleCounts]] = []
    said: list[str] = []
    countries: set[str] = set()
    noted: list[tuple[int, str, str, int]] = []
    folder = f"year={year}"
    with (
        _writer(load.landing / "io_flows" / folder, FLOWS) as flows,
        _writer(load.landing / "io_final" / folder, FINAL) as final,
        _writer(load.landing / "io_output" / folder, OUTPUT) as output,
        _writer(load.landing / "io_tables" / folder, TABLES) as about,
        _writer(load.landing / "io_emissions" / folder, EMISSIONS) as emissions,
        _writer(load.landing / "quarantine" / DATASET / folder, UNUSABLE) as quarantine,
    ):
        for each in files:
            table = read_table(each, load)
            landed = {
                "io_flows": _write_flows(flows, each, table),
                "io_final": _write_final(final, each, table),
                "io_output": _write_output(output, each, table),
            }
            _write_about(about, each, table)
            counts += _counted(each, table, landed)
            countries |= set(table.countries)
            noted.append((year, each.source, "noted:without_output", int((~(table.output > 0)).sum())))
            if table.final is not None:
                noted.append((year, each.source, "noted:negative_final_use", int((table.final < 0).sum())))
            if each.emissions is not None:
                counts.append(_write_emissions(emissions, quarantine, each, each.emissions, table, load, said))
            said += table.notes
            if table.dropped_flows:
                said.append(
                    f"{each.address}: flows of {table.dropped_flows_usd:,.0f} USD from or to sectors without output "
                    "are left out"
                )
            del table  # before the next one is read: it fills memory
    _require_exporters(load, year, countries)
    with _writer(load.landing / "chains_rule_counts" / folder, COUNTS) as writer:
        rows = [(year, source, rule, n) for source, count in counts for rule, n in count.as_rows()]
        rows += noted
        writer.write_table(pa.table(list(zip(*rows, strict=True)), schema=COUNTS))
    total = sum((count for _, count in counts), RuleCounts(0, 0)).check(f"{DATASET}, year {year}")
    written = [load.landing / table / folder / "part-0.parquet" for table in BY_YEAR]
    used = [entry for each in files for entry in (*each.entries.values(), each.emissions) if entry]
    entries = sorted({entry.id for entry in used})
    entries += sorted(entry.id for entry in published(load.entries))
    yearly.write_receipt(load.landing, DATASET, identity, yearly.Receipt(total, entries), written)
    return total, said


def _counted(files: TableFiles, table: IoTable, landed: Mapping[str, int]) -> list[tuple[str, RuleCounts]]:
    """The accounting of a table: every number that is not 0, and one for each table that this one replaces.

    Numbers that are added to another one (parts of an economy, several final uses) are set aside as `added_up`; a
    sector without output has its flows dropped, and what was delivered to it may make a final use that was none.
    """
    found = []
    for name, counts in table.counts.items():
        read, n = counts["rows_read"], landed[name]
        rules = {"dropped_flow": table.dropped_flows} if name == "io_flows" and table.dropped_flows else {}
        added_up = read - n - sum(rules.values())
        made = max(-added_up, 0)
        if made:  # final use of a country that had none of the product
            read, added_up = read + made, 0
        found.append(RuleCounts(read, n, {**rules, **({"added_up": added_up} if added_up else {})}))
    total = sum(found, RuleCounts(0, 0))
    unused = len(files.superseded)
    total += RuleCounts(unused, 0, {"superseded_file": unused} if unused else {})
    return [(files.source, total.check(files.address))]


@contextmanager
def _writer(folder: Path, schema: pa.Schema) -> Iterator[pq.ParquetWriter]:
    """The file of a folder, which takes its place when it is whole."""
    texts = [field.name for field in schema if pa.types.is_string(field.type)]
    with replaced_directory(folder) as building:
        path = building / "part-0.parquet"
        with pq.ParquetWriter(path, schema, compression="zstd", compression_level=1, use_dictionary=texts) as writer:
            yield writer


def _texts(names: Sequence[str] | np.ndarray, indices: np.ndarray) -> pa.Array:
    return pa.array(names, pa.string()).take(pa.array(indices))


def _key(files: TableFiles, n: int) -> list[pa.Array]:
    return [pa.repeat(files.edition, n), pa.repeat(pa.scalar(files.year, pa.int32()), n)]


def _write_flows(writer: pq.ParquetWriter, files: TableFiles, table: IoTable) -> int:
    """Write the flows that are not 0, some rows of the table at a time; return how many."""
    countries, sectors = (np.array(each) for each in zip(*table.labels, strict=True))
    country_names, country_of = np.unique(countries, return_inverse=True)
    sector_names, sector_of = np.unique(sectors, return_inverse=True)
    written = 0
    for begin in range(0, len(table.labels), _BLOCK):
        block = table.flows[begin : begin + _BLOCK]
        row, column = np.nonzero(block)
        source = row + begin
        columns = [
            *_key(files, len(row)),
            _texts(country_names, country_of[source]),
            _texts(sector_names, sector_of[source]),
            _texts(country_names, country_of[column]),
            _texts(sector_names, sector_of[column]),
            pa.array(block[row, column]),
            pa.array(source.astype(np.int32)),
            pa.array(column.astype(np.int32)),
        ]
        if len(row):
            writer.write_batch(pa.RecordBatch.from_arrays(columns, schema=FLOWS))
        written += len(row)
    return written


def _write_final(writer: pq.ParquetWriter, files: TableFiles, table: IoTable) -> int:
    if table.final is None:
        return 0
    row, column = np.nonzero(table.final)
    countries, sectors = zip(*table.labels, strict=True)
    columns = [
        *_key(files, len(row)),
        _texts(countries, row),
        _texts(sectors, row),
        _texts(table.destinations, column),
        pa.array(table.final[row, column]),
    ]
    writer.write_batch(pa.RecordBatch.from_arrays(columns, schema=FINAL))
    return len(row)


def _write_output(writer: pq.ParquetWriter, files: TableFiles, table: IoTable) -> int:
    n = len(table.labels)
    countries, sectors = zip(*table.labels, strict=True)
    unknown = pa.nulls(n, pa.float64())
    columns = [
        *_key(files, n),
        pa.array(countries),
        pa.array(sectors),
        pa.array(np.arange(n, dtype=np.int32)),
        pa.array(table.output),
        unknown if table.value_added is None else pa.array(table.value_added),
        unknown if table.taxes is None else pa.array(table.taxes),
        pa.repeat(table.is_complete, n),
    ]
    writer.write_batch(pa.RecordBatch.from_arrays(columns, schema=OUTPUT))
    return n


def _write_about(writer: pq.ParquetWriter, files: TableFiles, table: IoTable) -> None:
    row = {
        "edition": files.edition,
        "year": files.year,
        "n_countries": len(table.countries),
        "n_sectors": len({sector for _, sector in table.labels}),
        "has_final": table.final is not None,
        "is_complete": table.is_complete,
        "dropped_flows": table.dropped_flows,
        "dropped_flows_usd": table.dropped_flows_usd,
        "source": files.source,
        "file": files.address,
        "archive_entry": next(iter(files.entries.values())).id,
    }
    writer.write_table(pa.Table.from_pylist([row], TABLES))


def _write_emissions(
    writer: pq.ParquetWriter,
    quarantine: pq.ParquetWriter,
    files: TableFiles,
    entry: Entry,
    table: IoTable,
    load: Load,
    said: list[str],
) -> tuple[str, RuleCounts]:
    """Write the intensities of a table, and the rows that cannot be used; return their accounting."""
    source = f"{entry.source}/{files.edition}"
    with scratch_database(load.landing, load.settings.resources) as connection:
        found = read_intensities(connection, load.archive.open_path(entry), entry, table.labels)
    said += found.notes
    of = {"edition": files.edition, "year": files.year, "archive_entry": entry.id}
    rows = [
        {**of, "country_iso3": country, "sector": sector, INTENSITY: value, "source_row": line}
        for country, sector, value, line in found.rows
    ]
    unusable = {"dataset": DATASET, "source": source, "year": files.year, "archive_entry": entry.id}
    lost = [
        {**unusable, "reason": reason, "detail": detail, "source_row": line, "raw": raw}
        for reason, detail, line, raw in found.quarantine
    ]
    writer.write_table(pa.Table.from_pylist(rows, EMISSIONS))
    quarantine.write_table(pa.Table.from_pylist(lost, UNUSABLE))
    return source, found.counts.check(entry.address)


def _write_rest(load: Load, found: Mapping[int, Sequence[TableFiles]]) -> None:
    """What belongs to no landed year: a file without rows of each table, and the count of tables of other years."""
    for table, schema in BY_YEAR.items():
        if not (load.landing / table / yearly.UNKNOWN_YEAR).exists():
            with _writer(load.landing / table / yearly.UNKNOWN_YEAR, schema):
                pass
    n = sum(len(files) for year, files in found.items() if year not in load.held)
    rest = RuleCounts(n, 0, {"year_not_requested": n})
    rows = [(None, load.settings.chains_source, rule, n) for rule, n in rest.as_rows()]
    with _writer(load.landing / "chains_rule_counts" / yearly.UNKNOWN_YEAR, COUNTS) as writer:
        writer.write_table(pa.table(list(zip(*rows, strict=True)), schema=COUNTS))


def _write_published(load: Load) -> None:
    """The table of published measures, whole: it belongs to no year that is landed."""
    rows = [row for entry in published(load.entries) for row in _published_rows(entry, load.archive.open_path(entry))]
    with _writer(load.landing / "io_published", PUBLISHED) as writer:
        writer.write_table(pa.Table.from_pylist(rows, PUBLISHED))


def _published_rows(entry: Entry, path: Path) -> Iterator[dict[str, object]]:
    """Long rows of a file of published measures. SourceError where a column is missing or a value is no number.

    An empty value or NA is none.
    """
    body = path.read_bytes()
    text = (gzip.decompress(body) if body.startswith(b"\x1f\x8b") else body).decode("utf-8-sig")
    reader = csv.DictReader(io.StringIO(text))
    edition = entry.parameters.get("edition")
    measures = next(names for begin, names in _MEASURES.items() if begin in Path(entry.part).name.lower())
    keys = ("country_iso3", "sector") + (("year",) if edition else ())
    if missing := [name for name in (*keys, *measures) if name not in (reader.fieldnames or ())]:
        raise refused(entry.address, f"the columns {', '.join(reader.fieldnames or ())}", ", ".join(missing) + " too")
    for number, row in enumerate(reader, start=2):
        for measure in (name for name in measures if row[name] not in ("", "NA", "nan", None)):
            try:
                value = float(row[measure])
                year = int(row["year"]) if edition else None
            except ValueError:
                raise refused(f"{entry.address}, line {number}", repr(row[measure]), "a number") from None
            of = {"edition": edition, "year": year, "country_iso3": row["country_iso3"], "sector": row["sector"]}
            yield {**of, "measure": measure, "value": value}
