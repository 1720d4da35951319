"""Trade landing: from parsed rows to one typed table per kind and year, by the named rules of measures.md 1.

What belongs here: the rules, their order, and the accounting. The order: shape and range checks, other flows, control
totals, breakdown duplicates, code level, de-duplication, re-imports, areas, conversion. Read it from `land` downwards:
rows of a year -> rows with the rule that their shape decides -> duplicates among them -> rows with their final rule ->
tables. Not here: single rows (`comtrade_rows`, `baci_rows`), and whatever needs both ends of a flow, such as mirroring
(dbt).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb

from dagster_project.datasets.trade.parsing import Parsed, parse, year_identity, years_held
from dagster_project.errors import SourceError
from dagster_project.landing import yearly
from dagster_project.landing.loads import Landed, Load
from dagster_project.landing.tables import RuleCounts, copy_query, replaced_directory, scratch_database
from dagster_project.sql import literal, parquet

DATASET = "trade"
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
QUARANTINE = "quarantine/trade"
FOLDERS = (*KINDS, "trade_reporters", "trade_rule_counts", QUARANTINE)


@dataclass(frozen=True)
class LandedYear:
    """The outcome of landing one year. `notes` says what was odd about its files, without harm to any row."""

    year: int
    counts: RuleCounts
    changed: bool
    notes: Sequence[str]


def land(load: Load) -> Landed:
    """Write the trade tables of the load's years, unless they were landed from the same rows and shape before.

    Rows of years that the load does not hold, and rows without a readable year, are accounted for. SourceError when a
    payload cannot be read or holds none of a year; AccountingError when a row is unaccounted for.
    """
    parsed = parse(load, load.settings.years)
    landed = [land_year(load, parsed, year) for year in load.years]
    land_rest(parsed, load.landing, load.held)
    write_empty_tables(load.landing)
    return Landed(
        counts={str(each.year): each.counts for each in landed},
        notes={
            "landed_anew": [each.year for each in landed if each.changed],
            "notes": sorted({note for each in landed for note in each.notes}),
        },
    )


def land_year(load: Load, parsed: Sequence[Parsed], year: int) -> LandedYear:
    """Write every trade table of one year, unless its receipt says that they are there.

    SourceError when no payload has rows of the year; AccountingError when a row is unaccounted for.
    """
    holding = [table for table in parsed if table.rows.get(year)]
    if not holding:
        raise SourceError(
            f"trade, year {year}",
            found=f"no rows of that year; the source holds {', '.join(map(str, years_held(parsed))) or 'none'}",
            expected="at least one row",
            remedy="Ask for years that the source holds (CHOKEPOINT_YEARS, or the partition chosen in the UI).",
        )
    identity = year_identity(holding, year, load)
    notes = [
        f"{table.address}: columns that nothing reads: {', '.join(table.extra_columns)}"
        for table in holding
        if table.extra_columns
    ]
    known = yearly.receipt(load.landing, DATASET, identity)
    if known is not None:
        return LandedYear(year, known.counts, False, notes)
    # Taken away first: after a crash in between, no receipt vouches for tables that are half old and half new.
    yearly.forget_year(load.landing, DATASET, year)
    with scratch_database(load.landing, load.settings.resources) as connection:
        counts = _write_year(connection, load, holding, year).check(f"trade, year {year}")
    yearly.write_receipt(load.landing, DATASET, identity, yearly.Receipt(counts, [table.entry_id for table in holding]))
    return LandedYear(year, counts, True, notes)


def land_rest(parsed: Sequence[Parsed], landing: Path, years: Sequence[int]) -> RuleCounts:
    """Account for the rows of no year that is landed: years not asked for, and rows whose year cannot be read.

    The latter go to quarantine; both are counted under no year.
    """
    outside = sum(n for table in parsed for year, n in table.rows.items() if year not in years)
    unreadable_rows = [table for table in parsed if table.rows_without_year]
    with scratch_database(landing) as connection:
        rows = " union all ".join(
            f"select *, {literal(table.entry_id)} as archive_entry, {literal(table.source)} as source, "
            f"file_row_number + 1 as source_row from {_numbered(table.path)} "
            "where year is null or year not between 1900 and 2100"
            for table in unreadable_rows
        )
        quarantined: dict[str, int] = {}
        if rows:
            judged = _view(connection, "judged", f"select *, 'quarantined:' || reason as rule from ({rows})")
            quarantined = dict(connection.execute(f"select reason, count(*) from {judged} group by reason").fetchall())
        _write_table(connection, landing, QUARANTINE, None, _quarantined(judged) if rows else _EMPTY[QUARANTINE])
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


def _write_year(connection: duckdb.DuckDBPyConnection, load: Load, parsed: Sequence[Parsed], year: int) -> RuleCounts:
    """Judge the rows of the year and write its tables; return the accounting."""
    rows = _rows_of_year(connection, parsed, year)
    shaped = _with_shape_rule(connection, rows, load)
    duplicates = _duplicates(connection, rows, shaped)
    judged = _with_rule(connection, shaped, duplicates, load)
    counts = _counted(connection, judged)
    for table, rule in KINDS.items():
        _write_table(connection, load.landing, table, year, _landed(judged, table, rule, counts))
    _write_table(connection, load.landing, "trade_reporters", year, _reporters(shaped))
    found = " where rule like 'quarantined:%'" if counts.quarantined else " where false"
    _write_table(connection, load.landing, QUARANTINE, year, _quarantined(judged) + found)
    source = connection.execute(f"select any_value(source) from {rows}").fetchone()
    assert source is not None
    _write_counts(connection, load.landing, year, source[0], counts)
    return counts


def _rows_of_year(connection: duckdb.DuckDBPyConnection, parsed: Sequence[Parsed], year: int) -> str:
    """A view of the year's rows of all tables, with their origin; `recency` orders tables by retrieval, then name."""
    order = sorted(parsed, key=lambda table: (table.retrieved_at, table.address))
    rows = " union all ".join(
        f"select *, {_constant(table.entry_id)} as archive_entry, {_constant(table.source)} as source, "
        f"{recency} as recency, file_row_number + 1 as source_row "
        f"from {_numbered(table.path)} where year = {year}"
        for recency, table in enumerate(order)
    )
    return _view(connection, "all_rows", rows)


def _with_shape_rule(connection: duckdb.DuckDBPyConnection, rows: str, load: Load) -> str:
    """A view of the rows with the rule that a row's own shape and its areas decide (`shape_rule`; null: none yet)."""
    countries = parquet(load.tables["countries"])
    connection.execute(f"create table areas as select country_code, is_country from {countries}")
    return _view(
        connection,
        "shaped",
        f"""
        select r.*, coalesce(reporter.is_country, false) as reporter_is_country,
            coalesce(partner.is_country, false) as partner_is_country,
            case
                when reason is not null then 'quarantined:' || reason
                when reporter.country_code is null or partner.country_code is null then 'quarantined:unknown_country'
                when flow not in ('M', 'X') then 'other_flow'
                when partner_code = 0 then 'control_total'
                when breakdown is not null then 'breakdown_duplicate'
                when length(cmd_code) <> 6 then 'code_level'
            end as shape_rule
        from {rows} as r
        left join areas as reporter on reporter.country_code = r.reporter_code
        left join areas as partner on partner.country_code = r.partner_code
        """,
    )


def _with_rule(connection: duckdb.DuckDBPyConnection, shaped: str, duplicates: str, load: Load) -> str:
    """A view of the rows with their final rule (null: a flow) and their revision, the base where none is stated."""
    base = literal(load.settings.hs_revision)
    connection.execute(f"""
        create table codes as
        select hs_revision as revision, hs6 as code from {parquet(load.tables["products"])}
        union select distinct from_revision, from_code from {parquet(load.tables["hs_conversion"])}
    """)
    return _view(
        connection,
        "judged",
        f"""
        select s.*, {base} as base, coalesce(s.hs_revision, {base}) as revision,
            s.hs_revision is null as revision_assumed,
            case
                when shape_rule is not null then shape_rule
                when d.verdict is not null then d.verdict
                when reporter_code = partner_code then 're_import'
                when not reporter_is_country then 'area_reporter'
                when not partner_is_country then 'area_partner'
                when c.code is not null or cmd_code = '999999' then null
                when s.hs_revision is null then 'quarantined:revision_not_stated'
                when s.hs_revision = {base} then 'quarantined:unknown_hs_code'
                else 'quarantined:no_conversion'
            end as rule,
            d.verdict as duplicate
        from {shaped} as s
        left join {duplicates} as d on d.archive_entry = s.archive_entry and d.recency = s.recency
            and d.source_row = s.source_row
        left join codes as c on c.revision = coalesce(s.hs_revision, {base}) and c.code = s.cmd_code
        """,
    )


def _view(connection: duckdb.DuckDBPyConnection, name: str, query: str) -> str:
    """Create a view and return its name, by which the next step gets it."""
    connection.execute(f"create view {name} as {query}")
    return name


def _numbered(path: Path) -> str:
    """The rows of a parsed file with their number in it."""
    return f"read_parquet({literal(path)}, hive_partitioning = false, file_row_number = true)"


def _constant(text: str) -> str:
    """A text that is the same in all rows, as an enum: Parquet stores it without looking at every row."""
    return f"{literal(text)}::enum ({literal(text)})"


def _duplicates(connection: duckdb.DuckDBPyConnection, rows: str, shaped: str) -> str:
    """A table of the rows that lose against another of the same key, and why.

    The row of the payload retrieved last wins, ties by name (last), then position (last). Rows equal to it (1e-9) are
    its twins: one stays, with a stated revision if any has one; rows that differ are superseded.
    """
    key = "reporter_code, flow, partner_code, cmd_code"
    # Control totals repeat too when payloads overlap; they compete among themselves and stay control totals.
    candidates = "(shape_rule is null or (shape_rule = 'control_total' and breakdown is null and length(cmd_code) = 6))"
    # One bit per code in each (reporter, flow, partner). Where a group has fewer bits than rows, a key repeats in it.
    # That takes a fraction of the time and memory of grouping by the whole key; only such groups are grouped again.
    connection.execute(f"""
        create table places as
        select cmd_code, row_number() over () as place from (select distinct cmd_code from {rows})
    """)
    n_codes = len(connection.execute("select place from places").fetchall())
    connection.execute(f"""
        create table repeating as
        select reporter_code, flow, partner_code from {shaped} join places using (cmd_code) where {candidates}
        group by all having count(*) <> bit_count(bitstring_agg(place, 1::bigint, {max(n_codes, 1)}::bigint))
    """)
    connection.execute(f"""
        create table repeated as
        select {key} from {shaped} semi join repeating using (reporter_code, flow, partner_code)
        where {candidates} group by all having count(*) > 1
    """)
    connection.execute(f"""
        create table duplicates as
        with contenders as (
            select s.*, first_value(value_usd) over newest as winning_value, row_number() over newest as place
            from {shaped} as s semi join repeated using ({key})
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
    return "duplicates"


def _counted(connection: duckdb.DuckDBPyConnection, judged: str) -> RuleCounts:
    by_rule: dict[str | None, int] = dict(
        connection.execute(f"select rule, count(*) from {judged} group by rule order by rule").fetchall()
    )
    return RuleCounts(
        rows_read=sum(by_rule.values()),
        landed=by_rule.get(None, 0),
        rules={rule: by_rule.get(rule, 0) for rule in RULES},
        quarantined={
            rule.removeprefix("quarantined:"): n
            for rule, n in by_rule.items()
            if rule and rule.startswith("quarantined:")
        },
    )


def _landed(judged: str, table: str, rule: str | None, counts: RuleCounts) -> str:
    """The rows of one kind. Control totals and unallocated rows are those of countries; totals count once."""
    present = counts.landed if rule is None else counts.rules[rule]
    where = "rule is null" if rule is None else f"rule = {literal(rule)}"
    if table == "trade_control_totals":
        where += " and duplicate is null and breakdown is null and length(cmd_code) = 6 and reporter_is_country"
    elif table == "trade_unallocated":
        where += " and reporter_is_country"
    return f"""
        select year, reporter_code, flow, partner_code, revision as hs_revision, cmd_code, value_usd, quantity,
            quantity_unit, revision_assumed, source, archive_entry, source_row
        from {judged} where {where if present else "false"}
    """


def _reporters(shaped: str) -> str:
    return f"""
        select year, reporter_code, flow, count(*) as n_rows from {shaped}
        where reporter_is_country and flow in ('M', 'X') and coalesce(shape_rule, '') not like 'quarantined:%'
        group by year, reporter_code, flow order by reporter_code, flow
    """


def _quarantined(judged: str) -> str:
    return f"""
        select 'trade' as dataset, source, year, rule[13:] as reason,
            concat('reporter ', coalesce(cast(reporter_code as varchar), '?'), ', flow ', coalesce(flow, '?'),
                ', partner ', coalesce(cast(partner_code as varchar), '?'), ', code ', coalesce(cmd_code, '?'),
                ', revision ', coalesce(hs_revision, 'not stated'),
                ', value ', coalesce(cast(value_usd as varchar), '?')) as detail,
            archive_entry, source_row,
            coalesce(raw, cast(to_json({{'reporterCode': reporter_code, 'flowCode': flow, 'partnerCode': partner_code,
                'cmdCode': cmd_code, 'classificationCode': hs_revision, 'primaryValue': value_usd}}) as varchar)) as raw
        from {judged}
    """


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
    QUARANTINE: "select '' as dataset, '' as source, 0::integer as year, '' as reason, '' as detail, "
    "'' as archive_entry, 0::bigint as source_row, '' as raw where false",
}
