"""Trade landing: from archived payloads to one typed table per kind and year, by the named rules of measures.md 1.

What belongs here: the rules, their order, and the accounting. The order: shape and range checks, other flows, control
totals, breakdown duplicates, code level, de-duplication, re-imports, areas, conversion. Not here: single-row reading
(`comtrade_rows`, `baci_rows`), and whatever needs both ends of a flow, such as mirroring (dbt).
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

import duckdb

from dagster_project.archive.store import Archive, Entry, write_whole
from dagster_project.errors import SourceError
from dagster_project.datasets.trade import baci_rows, comtrade_rows
from dagster_project.landing import delimited
from dagster_project.landing.delimited import require_closed_quotes, require_one_line_each, unreadable
from dagster_project.landing.tables import (
    RuleCounts,
    copy_query,
    file_metadata,
    replaced_directory,
    scratch_database,
    sql_text,
)

# What `comtrade_rows` and `baci_rows` yield, in this order. `raw` holds the row as received where it has a reason.
PARSED_COLUMNS = (
    "year",
    "reporter_code",
    "flow",
    "partner_code",
    "hs_revision",
    "cmd_code",
    "value_usd",
    "quantity",
    "quantity_unit",
    "is_breakdown",
    "reason",
    "raw",
)

# Kinds of landed row: table name -> the rule that sets such rows aside from the flows (None: the flows themselves).
KINDS: Mapping[str, str | None] = {
    "trade_flows": None,
    "trade_unallocated": "area_partner",
    "trade_reimports": "re_import",
    "trade_control_totals": "control_total",
}
RULES = (
    "other_flow",
    "control_total",
    "breakdown_duplicate",
    "code_level",
    "duplicate_equal",
    "re_import",
    "area_reporter",
    "area_partner",
)
TABLES = (*KINDS, "trade_reporters", "trade_rule_counts", "quarantine/trade")


@dataclass(frozen=True)
class Parsed:
    """One archived table as typed rows: `rows` by year, and the number of rows whose year cannot be read.

    `extra_columns` are those that its publisher's layout does not have; nothing reads them.
    """

    entry_id: str
    address: str
    retrieved_at: str
    source: str
    path: Path
    rows: Mapping[int, int]
    rows_without_year: int
    extra_columns: Sequence[str]


@dataclass(frozen=True)
class LandedYear:
    """The outcome of landing one year. `notes` says what was odd about its files, without harm to any row."""

    year: int
    counts: RuleCounts
    entries: Sequence[str]
    changed: bool
    notes: Sequence[str]


def parse_trade(archive: Archive, entries: Sequence[Entry], landing: Path, years: Sequence[int] | None) -> list[Parsed]:
    """Every table of the payloads as typed Parquet, read once and kept by content; years not asked for stay in zips.

    SourceError when a payload cannot be read.
    """
    parsed: list[Parsed] = []
    with scratch_database(landing) as connection:
        for entry in entries:
            path = archive.open_path(entry)
            with _tables(path, entry, landing) as tables:
                for member, table in tables.items():
                    if _wanted(member, years):
                        parsed.append(_parse_table(connection, table, entry, member, landing))
    return parsed


def years_held(parsed: Sequence[Parsed]) -> list[int]:
    """The years that the parsed tables have rows of."""
    return sorted({year for table in parsed for year in table.rows})


def land_year(parsed: Sequence[Parsed], landing: Path, year: int, base_revision: str, fingerprint: str) -> LandedYear:
    """Write every trade table of one year, unless the last landing had the same fingerprint.

    The fingerprint names whatever the result depends on besides the parsed rows. SourceError when no payload has rows
    of the year; AccountingError when a row is unaccounted for.
    """
    holding = [table for table in parsed if table.rows.get(year)]
    if not holding:
        raise SourceError(
            f"trade, year {year}",
            found=f"no rows of that year; the source holds {_ranges(years_held(parsed))}",
            expected="at least one row",
            remedy="Ask for years that the source holds (CHOKEPOINT_YEARS, or the partition chosen in the UI).",
        )
    receipt = landing / "trade_receipts" / f"{year_identity(holding, year, base_revision, fingerprint)}.json"
    if receipt.exists():
        known = json.loads(receipt.read_text())
        return LandedYear(year, RuleCounts(**known["counts"]), known["entries"], changed=False, notes=_notes(holding))
    # Taken away first: after a crash in between, no receipt vouches for tables that are half old and half new.
    _remove_receipts(landing, year)
    with scratch_database(landing) as connection:
        _register(connection, holding, landing, year, base_revision)
        counts = _write_year(connection, landing, year).check(f"trade, year {year}")
    entries = [table.entry_id for table in holding]
    write_whole(receipt, json.dumps({"counts": asdict(counts), "entries": entries}).encode())
    return LandedYear(year, counts, entries, changed=True, notes=_notes(holding))


def _notes(parsed: Sequence[Parsed]) -> list[str]:
    return [
        f"{table.address}: columns that nothing reads: {', '.join(table.extra_columns)}"
        for table in parsed
        if table.extra_columns
    ]


def _remove_receipts(landing: Path, year: int) -> None:
    for receipt in (landing / "trade_receipts").glob(f"{year}-*.json"):
        receipt.unlink()


def year_identity(parsed: Sequence[Parsed], year: int, base_revision: str, fingerprint: str) -> str:
    """Names what a landed year depends on: its payloads, the code that reads them, and the fingerprint."""
    holding = sorted((table.entry_id, table.path.name) for table in parsed if table.rows.get(year))
    identity = json.dumps([fingerprint, base_revision, holding])
    return f"{year}-{hashlib.sha256(identity.encode()).hexdigest()[:20]}"


def landed_entries(landing: Path) -> list[str]:
    """The ids of the archive entries that the landed years were read from."""
    receipts = sorted((landing / "trade_receipts").glob("*.json"))
    return sorted({entry for receipt in receipts for entry in json.loads(receipt.read_text())["entries"]})


def landed_counts(landing: Path) -> dict[int, RuleCounts]:
    """Year -> the accounting of its landing."""
    receipts = sorted((landing / "trade_receipts").glob("*.json"))
    return {int(path.stem[:4]): RuleCounts(**json.loads(path.read_text())["counts"]) for path in receipts}


def landed_years(landing: Path) -> dict[int, str]:
    """Year -> name of the receipt it was landed with; changes whenever what is landed changes."""
    return {int(path.stem.split("-")[0]): path.stem for path in sorted((landing / "trade_receipts").glob("*.json"))}


def remove_years(landing: Path, keep: Sequence[int]) -> list[int]:
    """Take every year that is not to be kept out of the landing tables, and any that a crash left without receipt.

    Returns the landed years that were removed.
    """
    removed = [year for year in landed_years(landing) if year not in keep]
    for year in removed:
        _remove_receipts(landing, year)
    complete = {f"year={year}" for year in landed_years(landing)} | {"year=unknown"}
    for table in TABLES:
        for partition in (landing / table).glob("year=*"):
            if partition.name not in complete:
                shutil.rmtree(partition)
    return removed


def land_rest(parsed: Sequence[Parsed], landing: Path, years: Sequence[int]) -> RuleCounts:
    """Account for the rows of no year that is landed: years not asked for, and rows whose year cannot be read.

    The latter go to quarantine; both are counted under no year.
    """
    outside = sum(n for table in parsed for year, n in table.rows.items() if year not in years)
    unreadable_rows = [table for table in parsed if table.rows_without_year]
    with scratch_database(landing) as connection:
        rows = " union all ".join(
            f"select *, {sql_text(table.entry_id)} as archive_entry, {sql_text(table.source)} as source, "
            f"file_row_number + 1 as source_row from read_parquet({sql_text(str(table.path))}, file_row_number=true) "
            "where year is null or year not between 1900 and 2100"
            for table in unreadable_rows
        )
        quarantined: dict[str, int] = {}
        if rows:
            connection.execute(f"create view judged as select *, 'quarantined:' || reason as rule from ({rows})")
            quarantined = dict(connection.execute("select reason, count(*) from judged group by reason").fetchall())
        _write_table(
            connection, landing, "quarantine/trade", None, _QUARANTINED if rows else _EMPTY["quarantine/trade"]
        )
        counts = RuleCounts(
            rows_read=outside + sum(table.rows_without_year for table in parsed),
            landed=0,
            rules={"year_not_requested": outside},
            quarantined=quarantined,
        )
        _write_counts(connection, landing, None, parsed[0].source, counts)
    return counts.check("trade, rows of no landed year")


def write_empty_tables(landing: Path) -> None:
    """A zero-row file of each trade table, so that readers find every table even where nothing was landed."""
    with scratch_database(landing) as connection:
        for table, query in _EMPTY.items():
            if not (landing / table / "year=unknown").exists():
                _write_table(connection, landing, table, None, query)


@contextmanager
def _tables(path: Path, entry: Entry, landing: Path) -> Iterator[Mapping[str, Path]]:
    if entry.source == "baci":
        landing.mkdir(parents=True, exist_ok=True)
        with baci_rows.year_files(path, entry, landing) as files:
            yield files
    else:
        yield {entry.part: path}


def _wanted(member: str, years: Sequence[int] | None) -> bool:
    """Whether a table may hold a year asked for; only BACI's member names say so beforehand."""
    named = [part[1:5] for part in Path(member).stem.split("_") if part[:1] == "Y" and part[1:5].isdigit()]
    return years is None or not member.upper().startswith("BACI_") or not named or int(named[0]) in years


def _parse_table(connection: duckdb.DuckDBPyConnection, path: Path, entry: Entry, member: str, landing: Path) -> Parsed:
    reader = baci_rows if entry.source == "baci" else comtrade_rows
    key = hashlib.sha256(f"{entry.sha256} {member} {_code_fingerprint()}".encode()).hexdigest()[:24]
    target = landing / "parsed" / f"trade-{key}.parquet"
    address = f"{entry.address}!{member}" if member != entry.part else entry.address
    if not target.exists():
        building = target.with_suffix(f".building-{os.getpid()}")
        try:
            rows, table = reader.typed_rows(connection, path, entry, rejects="rejected_lines")
            extra = [written for name, written in table.columns.items() if name not in reader.KNOWN]
            footer = {"extra_columns": json.dumps(extra)}
            query = f"select {', '.join(PARSED_COLUMNS)} from ({rows})"
            records = copy_query(connection, query, building, footer)
            records += _insert_rejected_lines(connection, building, footer, address)
            if entry.parameters.get("format", "csv").lower() != "json":
                gzipped = entry.address.lower().endswith(".gz")
                require_one_line_each(connection, table, path, gzipped, address, records)
            building.replace(target)
        except duckdb.Error as error:
            raise unreadable(entry.address, error) from error
        finally:
            building.unlink(missing_ok=True)
            for name in ("rejected_lines", "rejected_lines_scan", "payload", "json_rows"):
                connection.execute(f"drop table if exists {name}")
    by_year = connection.execute(
        f"select year, count(*) from read_parquet({sql_text(str(target))}) group by year"
    ).fetchall()
    return Parsed(
        entry_id=entry.id,
        address=address,
        retrieved_at=entry.retrieved_at,
        source=entry.source,
        path=target,
        rows={year: n for year, n in by_year if year is not None and 1900 <= year <= 2100},
        rows_without_year=sum(n for year, n in by_year if year is None or not 1900 <= year <= 2100),
        extra_columns=json.loads(file_metadata(connection, target)["extra_columns"]),
    )


def _insert_rejected_lines(
    connection: duckdb.DuckDBPyConnection, target: Path, footer: Mapping[str, str], address: str
) -> int:
    """Put the lines that the CSV reader could not split into fields among the rows, where they stood in the file, as
    rows without a year; return how many there are. SourceError when such a line has taken others along.
    """
    exists = connection.execute("select 1 from duckdb_tables() where table_name = 'rejected_lines'").fetchone()
    if not exists or not connection.execute("select 1 from rejected_lines limit 1").fetchone():
        return 0
    require_closed_quotes(connection, "rejected_lines", address)
    both = target.with_name(target.name + "-with-rejects")
    nulls = ", ".join(f"null as {name}" for name in PARSED_COLUMNS[:-3])
    # One line may break several rules of the reader; it is one row all the same. Line 1 is the header, so line n is
    # row n - 1; the readable rows before it are those less the rejected lines before it.
    rejected = f"""
        select {nulls}, false as is_breakdown, 'malformed_row' as reason,
            cast(to_json({{'line': line, 'error': any_value(error_message), 'text': any_value(csv_line)}}) as varchar),
            line - 2 - (row_number() over (order by line) - 1) as readable_before, 1 as is_rejected, line
        from rejected_lines group by line
    """
    rows = f"""
        select {", ".join(PARSED_COLUMNS)} from (
            select {", ".join(PARSED_COLUMNS)}, file_row_number + 1 as readable_before, 0 as is_rejected, 0 as line
            from read_parquet({sql_text(str(target))}, file_row_number=true) union all {rejected}
        ) order by readable_before, is_rejected, line
    """
    total = copy_query(connection, rows, both, footer)
    readable = connection.execute(f"select count(*) from read_parquet({sql_text(str(target))})").fetchone()
    both.replace(target)
    return total - (readable[0] if readable else 0)


def _code_fingerprint() -> str:
    """Changes when the code that parses rows changes, so that parsed tables of older code are not taken for new."""
    modules = (comtrade_rows.__file__, baci_rows.__file__, delimited.__file__, __file__)
    return hashlib.sha256(b"".join(Path(module).read_bytes() for module in modules if module)).hexdigest()[:12]


def _register(
    connection: duckdb.DuckDBPyConnection, parsed: Sequence[Parsed], landing: Path, year: int, base: str
) -> None:
    """Create the view `judged`: every row of the year with its rule (null: a flow) and its resolved revision."""
    order = sorted(parsed, key=lambda table: (table.retrieved_at, table.address))
    rows = " union all ".join(
        f"select *, {_constant(table.entry_id)} as archive_entry, {_constant(table.source)} as source, "
        f"{recency} as recency, file_row_number + 1 as source_row "
        f"from read_parquet({sql_text(str(table.path))}, file_row_number=true) where year = {year}"
        for recency, table in enumerate(order)
    )
    reference = landing / "reference"
    connection.execute(f"create view all_rows as {rows}")
    connection.execute(
        f"create table areas as select country_code, is_country from '{reference / 'countries.parquet'}'"
    )
    connection.execute(f"""
        create table codes as
        select hs_revision as revision, hs6 as code from '{reference / "products.parquet"}'
        union select distinct from_revision, from_code from '{reference / "hs_conversion.parquet"}'
    """)
    connection.execute("""
        create view shaped as
        select r.*, coalesce(reporter.is_country, false) as reporter_is_country,
            coalesce(partner.is_country, false) as partner_is_country,
            case
                when reason is not null then 'quarantined:' || reason
                when reporter.country_code is null or partner.country_code is null then 'quarantined:unknown_country'
                when flow not in ('M', 'X') then 'other_flow'
                when partner_code = 0 then 'control_total'
                when is_breakdown then 'breakdown_duplicate'
                when length(cmd_code) <> 6 then 'code_level'
            end as shape_rule
        from all_rows as r
        left join areas as reporter on reporter.country_code = r.reporter_code
        left join areas as partner on partner.country_code = r.partner_code
    """)
    _register_duplicates(connection)
    connection.execute(f"""
        create view judged as
        select s.*, {sql_text(base)} as base, coalesce(s.hs_revision, {sql_text(base)}) as revision,
            s.hs_revision is null as revision_assumed,
            case
                when shape_rule is not null then shape_rule
                when d.verdict is not null then d.verdict
                when reporter_code = partner_code then 're_import'
                when not reporter_is_country then 'area_reporter'
                when not partner_is_country then 'area_partner'
                when c.code is not null or cmd_code = '999999' then null
                when s.hs_revision is null then 'quarantined:revision_not_stated'
                when s.hs_revision = {sql_text(base)} then 'quarantined:unknown_hs_code'
                else 'quarantined:no_conversion'
            end as rule,
            d.verdict as duplicate
        from shaped as s
        left join duplicates as d on d.archive_entry = s.archive_entry and d.recency = s.recency
            and d.source_row = s.source_row
        left join codes as c on c.revision = coalesce(s.hs_revision, {sql_text(base)}) and c.code = s.cmd_code
    """)


def _constant(text: str) -> str:
    """A text that is the same in all rows, as an enum: Parquet stores it without looking at every row."""
    return f"{sql_text(text)}::enum ({sql_text(text)})"


def _register_duplicates(connection: duckdb.DuckDBPyConnection) -> None:
    """Create the table `duplicates`: the rows that lose against another of the same key, and why.

    The row of the payload retrieved last wins, ties by name (last), then position (last). Rows equal to it (1e-9) are
    its twins: one stays, with a stated revision if any has one; rows that differ are superseded.
    """
    key = "reporter_code, flow, partner_code, cmd_code"
    # Control totals repeat too when payloads overlap; they compete among themselves and stay control totals.
    candidates = "(shape_rule is null or (shape_rule = 'control_total' and not is_breakdown and length(cmd_code) = 6))"
    # One bit per code in each (reporter, flow, partner): as many bits as rows, or a key repeats. A fraction of the time
    # and memory of grouping by the whole key; only groups with a repeated key are grouped again.
    connection.execute("""
        create table places as
        select cmd_code, row_number() over () as place from (select distinct cmd_code from all_rows)
    """)
    n_codes = len(connection.execute("select place from places").fetchall())
    connection.execute(f"""
        create table repeating as
        select reporter_code, flow, partner_code from shaped join places using (cmd_code) where {candidates}
        group by all having count(*) <> bit_count(bitstring_agg(place, 1::bigint, {max(n_codes, 1)}::bigint))
    """)
    connection.execute(f"""
        create table repeated as
        select {key} from shaped semi join repeating using (reporter_code, flow, partner_code)
        where {candidates} group by all having count(*) > 1
    """)
    connection.execute(f"""
        create table duplicates as
        with contenders as (
            select s.*, first_value(value_usd) over newest as winning_value, row_number() over newest as place
            from shaped as s semi join repeated using ({key})
            where {candidates}
            window newest as (partition by {key} order by recency desc, source_row desc)
        ),
        twins as (
            select *, abs(value_usd - winning_value) <= 1e-9 * greatest(value_usd, winning_value) as is_twin
            from contenders
        ),
        placed as (
            select *, row_number() over (
                partition by {key}, is_twin order by hs_revision is null, place
            ) as place_among_twins
            from twins
        )
        select archive_entry, recency, source_row,
            case when is_twin then 'duplicate_equal' else 'quarantined:superseded' end as verdict
        from placed where not (is_twin and place_among_twins = 1)
    """)


def _write_year(connection: duckdb.DuckDBPyConnection, landing: Path, year: int) -> RuleCounts:
    """Write the tables of the year from `judged` and return the accounting."""
    by_rule: dict[str | None, int] = dict(
        connection.execute("select rule, count(*) from judged group by rule order by rule").fetchall()
    )
    counts = RuleCounts(
        rows_read=sum(by_rule.values()),
        landed=by_rule.get(None, 0),
        rules={rule: by_rule.get(rule, 0) for rule in RULES},
        quarantined={
            rule.removeprefix("quarantined:"): n
            for rule, n in by_rule.items()
            if rule and rule.startswith("quarantined:")
        },
    )
    for table, rule in KINDS.items():
        present = by_rule.get(rule, 0) > 0
        where = "rule is null" if rule is None else f"rule = {sql_text(rule)}"
        if table == "trade_control_totals":
            where += " and duplicate is null and not is_breakdown and length(cmd_code) = 6 and reporter_is_country"
        elif table == "trade_unallocated":
            where += " and reporter_is_country"
        _write_table(connection, landing, table, year, f"{_LANDED} from judged where {where if present else 'false'}")
    _write_table(connection, landing, "trade_reporters", year, _REPORTERS)
    _write_table(
        connection,
        landing,
        "quarantine/trade",
        year,
        _QUARANTINED + (" where rule like 'quarantined:%'" if counts.quarantined else " where false"),
    )
    source = connection.execute("select any_value(source) from all_rows").fetchone()
    assert source is not None
    _write_counts(connection, landing, year, source[0], counts)
    return counts


def _write_counts(
    connection: duckdb.DuckDBPyConnection, landing: Path, year: int | None, source: str, counts: RuleCounts
) -> None:
    connection.execute("create table accounting (year integer, source varchar, rule varchar, n bigint)")
    connection.executemany(
        "insert into accounting values (?, ?, ?, ?)", [(year, source, rule, n) for rule, n in counts.as_rows()]
    )
    _write_table(connection, landing, "trade_rule_counts", year, "select * from accounting")


def _write_table(
    connection: duckdb.DuckDBPyConnection, landing: Path, table: str, year: int | None, query: str
) -> None:
    with replaced_directory(landing / table / f"year={year if year is not None else 'unknown'}") as building:
        copy_query(connection, query, building / "part-0.parquet")


_LANDED = """
    select year, reporter_code, flow, partner_code, revision as hs_revision, cmd_code, value_usd, quantity,
        quantity_unit, revision_assumed, source, archive_entry, source_row
"""
_REPORTERS = """
    select year, reporter_code, flow, count(*) as n_rows from shaped
    where reporter_is_country and flow in ('M', 'X') and coalesce(shape_rule, '') not like 'quarantined:%'
    group by year, reporter_code, flow order by reporter_code, flow
"""
_QUARANTINED = """
    select 'trade' as dataset, source, year, rule[13:] as reason,
        concat('reporter ', coalesce(cast(reporter_code as varchar), '?'), ', flow ', coalesce(flow, '?'),
            ', partner ', coalesce(cast(partner_code as varchar), '?'), ', code ', coalesce(cmd_code, '?'),
            ', revision ', coalesce(hs_revision, 'not stated'),
            ', value ', coalesce(cast(value_usd as varchar), '?')) as detail,
        archive_entry, source_row,
        coalesce(raw, cast(to_json({'reporterCode': reporter_code, 'flowCode': flow, 'partnerCode': partner_code,
            'cmdCode': cmd_code, 'classificationCode': hs_revision, 'primaryValue': value_usd}) as varchar)) as raw
    from judged
"""
_EMPTY_ROW = """
    select 0::integer as year, 0::integer as reporter_code, '' as flow, 0::integer as partner_code, '' as hs_revision,
        '' as cmd_code, 0::double as value_usd, 0::double as quantity, '' as quantity_unit, false as revision_assumed,
        '' as source, '' as archive_entry, 0::bigint as source_row
    where false
"""
_EMPTY = {
    **dict.fromkeys(KINDS, _EMPTY_ROW),
    "trade_reporters": "select 0::integer as year, 0::integer as reporter_code, '' as flow, 0::bigint as n_rows "
    "where false",
    "trade_rule_counts": "select 0::integer as year, '' as source, '' as rule, 0::bigint as n where false",
    "quarantine/trade": "select '' as dataset, '' as source, 0::integer as year, '' as reason, '' as detail, "
    "'' as archive_entry, 0::bigint as source_row, '' as raw where false",
}


def _ranges(years: Sequence[int]) -> str:
    return ", ".join(str(year) for year in years) or "none"
