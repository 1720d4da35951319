"""Trade landing: from parsed rows to one typed table per kind and year, by named rules.

What belongs here: the rules, their order, and the accounting. The order: replaced files, shape and range checks, other
flows, other editions, control totals, breakdowns, code level, de-duplication, codes of one economy, re-imports, areas,
conversion. Read it from `land` downwards: rows of a year -> rows by economy -> rows with the rule that their shape
decides -> verdicts on those that repeat others -> rows with their final rule -> tables. Not here: single rows
(see `comtrade_rows`, `baci_rows`), the judgement of repeated trade (see `economies`, `editions`, `repeats`), and what
needs both ends of a flow, such as mirror flows (dbt).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb

from dagster_project.datasets.trade import tallies
from dagster_project.datasets.trade.economies import rows_of_economies
from dagster_project.datasets.trade.editions import other_editions
from dagster_project.datasets.trade.parsing import FILE_COLUMNS, Parsed, parse, rows_of, year_identity, years_held
from dagster_project.datasets.trade.repeats import AMOUNTS_THAT_COUNT, verdicts
from dagster_project.errors import SourceError
from dagster_project.hs import UNSPECIFIED_GOODS
from dagster_project.landing import yearly
from dagster_project.landing.loads import Landed, Load
from dagster_project.landing.tables import RuleCounts, copy_query, replaced_directory, scratch_database
from dagster_project.publish.files import link_or_copy
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
    "superseded_file",
    "other_flow",
    "other_edition",
    "control_total",
    "breakdown_duplicate",
    "breakdown_summed",
    "code_level",
    "duplicate_equal",
    "area_alias",
    "re_import",
    "area_reporter",
    "area_partner",
)
QUARANTINE = "quarantine/trade"
FOLDERS = (*KINDS, "trade_reporters", "trade_findings", "trade_losses", "trade_rule_counts", QUARANTINE)


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
    parsed = parse(load, load.settings.years, reading=load.years)
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
    """Write every trade table of one year, unless its receipt says that they are written.

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
    notes = [f"{table.address}: {remark}" for table in holding for remark in table.remarks]
    known = yearly.receipt(load.landing, DATASET, identity)
    if known is not None:
        return LandedYear(year, known.counts, False, notes)
    # The receipt goes first: after a crash in between, the year counts as not landed, whatever its tables hold.
    yearly.forget_year(load.landing, DATASET, year)
    with scratch_database(load.landing, load.settings.resources) as connection:
        counts = _write_year(connection, load, holding, year).check(f"trade, year {year}")
    files = [load.landing / table / f"year={year}" / "part-0.parquet" for table in FOLDERS]
    content = yearly.Receipt(counts, [table.entry_id for table in holding])
    yearly.write_receipt(load.landing, DATASET, identity, content, files)
    return LandedYear(year, counts, True, notes)


def land_rest(parsed: Sequence[Parsed], landing: Path, years: Sequence[int]) -> RuleCounts:
    """Account for the rows outside of the landed years: of years not asked for, and without a readable year.

    The latter go to quarantine. Both are counted without a year.
    """
    outside = sum(n for table in parsed for year, n in table.rows.items() if year not in years)
    unreadable_rows = [table for table in parsed if table.rows_without_year]
    with scratch_database(landing) as connection:
        rows = " union all ".join(
            f"{rows_of(table, recency)} where year is null or year not between 1900 and 2100"
            for recency, table in enumerate(unreadable_rows)
        )
        quarantined: dict[str, int] = {}
        lost, unusable = _EMPTY["trade_losses"], _EMPTY[QUARANTINE]
        if rows:
            judged = _view(
                connection,
                "judged",
                f"select *, 'quarantined:' || reason as rule, false as reporter_is_country from ({rows})",
            )
            tallied = tallies.tally(connection, judged)
            quarantined = dict(tallies.rule_counts(connection, tallied, ()).quarantined)
            lost = tallies.losses(tallied, None, unreadable_rows)
            lost += "".join(f" union all {tallies.rest_of_file(table)}" for table in unreadable_rows if table.rows)
            unusable = _quarantined(judged)
        _write_table(connection, landing, QUARANTINE, None, unusable)
        _write_table(connection, landing, "trade_losses", None, lost)
        counts = RuleCounts(
            rows_read=outside + sum(table.rows_without_year for table in parsed),
            landed=0,
            rules={"year_not_requested": outside},
            quarantined=quarantined,
        )
        _write_counts(connection, landing, None, parsed[0].source, counts, {})
    return counts.check("trade, rows of no landed year")


def write_empty_tables(landing: Path) -> None:
    """A zero-row file of each trade table, so that readers find every table even where nothing was landed."""
    with scratch_database(landing) as connection:
        for table, query in _EMPTY.items():
            if not (landing / table / "year=unknown").exists():
                _write_table(connection, landing, table, None, query)


def _write_year(connection: duckdb.DuckDBPyConnection, load: Load, parsed: Sequence[Parsed], year: int) -> RuleCounts:
    """Judge the rows of the year and write its tables; return the accounting."""
    files = sorted(parsed, key=lambda table: (table.retrieved_at, table.address))
    rows = _rows_of_year(connection, files, year)
    by_economy = rows_of_economies(connection, rows, load.tables["countries"], year)
    shaped = _with_shape_rule(connection, by_economy, load)
    judged = _with_rule(connection, shaped, verdicts(connection, rows, shaped), load)
    tallied = tallies.tally(connection, judged)
    counts = tallies.rule_counts(connection, tallied, RULES)
    faultless = _faultless(connection, files, counts)
    for table, rule in KINDS.items():
        if rule is None and faultless is not None:
            _link_table(faultless, load.landing, table, year)
        else:
            _write_table(connection, load.landing, table, year, _landed(judged, table, rule, counts))
    _write_table(connection, load.landing, "trade_reporters", year, tallies.reporters(tallied))
    findings = tallies.find(connection, judged, tallied, year)
    _write_table(connection, load.landing, "trade_findings", year, f"select * from {findings} order by all")
    _write_table(connection, load.landing, "trade_losses", year, tallies.losses(tallied, year, files))
    found = " where rule like 'quarantined:%'" if counts.quarantined else " where false"
    _write_table(connection, load.landing, QUARANTINE, year, _quarantined(judged) + found)
    source = connection.execute(f"select any_value(source) from {rows}").fetchone()
    assert source is not None
    _write_counts(connection, load.landing, year, source[0], counts, tallies.noted(connection))
    return counts


def _faultless(connection: duckdb.DuckDBPyConnection, files: Sequence[Parsed], counts: RuleCounts) -> Path | None:
    """The one parsed file of the year, if all its rows are flows as they stand; else None.

    No row of it is of another year, none is set aside or stands for several, none has another code than it states, and
    each states its revision.
    """
    table = files[0]
    if len(files) > 1 or table.rows_without_year or len(table.rows) > 1 or counts.landed < counts.rows_read:
        return None
    changed = f"""
        select 1 from verdicts union all select 1 from renamed
        union all (select 1 from {parquet(table.path)} where revision_assumed limit 1)
    """
    return None if connection.execute(f"{changed} limit 1").fetchone() else table.path


def _rows_of_year(connection: duckdb.DuckDBPyConnection, files: Sequence[Parsed], year: int) -> str:
    """A view of the year's rows of all files, with their origin; `recency` is the place of their file."""
    rows = " union all ".join(f"{rows_of(table, recency)} where year = {year}" for recency, table in enumerate(files))
    return _view(connection, "all_rows", rows)


def _with_shape_rule(connection: duckdb.DuckDBPyConnection, rows: str, load: Load) -> str:
    """A view of the rows with the rule that a row's own shape and its areas decide (`shape_rule`; null: none yet).

    Of a breakdown row it says just that: whether the row counts depends on others.
    """
    countries = parquet(load.tables["countries"])
    connection.execute(f"create table areas as select country_code, is_country from {countries}")
    aside = other_editions(connection, rows, load.settings.hs_revision, load.tables["hs_conversion"])
    editions = ", ".join(
        f"({reporter}, {literal(flow)}, {literal(revision)}, {str(converted).lower()})"
        for reporter, flow, revision, converted in aside
    )
    is_other = f"(reporter_code, flow, stated_revision, is_converted) in ({editions})" if aside else "false"
    return _view(
        connection,
        "shaped",
        f"""
        select r.*, coalesce(reporter.is_country, false) as reporter_is_country,
            coalesce(partner.is_country, false) as partner_is_country,
            case
                when is_replaced then 'superseded_file'
                when reason is not null then 'quarantined:' || reason
                when reporter.country_code is null or partner.country_code is null then 'quarantined:unknown_country'
                when flow not in ('M', 'X') then 'other_flow'
                when {is_other} then 'other_edition'
                when partner_code = 0 then 'control_total'
                when breakdown is not null then 'breakdown'
                when length(cmd_code) <> 6 then 'code_level'
            end as shape_rule
        from {rows} as r
        left join areas as reporter on reporter.country_code = r.reporter_code
        left join areas as partner on partner.country_code = r.partner_code
        """,
    )


def _with_rule(connection: duckdb.DuckDBPyConnection, shaped: str, verdicts: str, load: Load) -> str:
    """A view of the rows with their final rule (null: a flow) and their revision, the base where none is stated.

    A row that stands for several has the sum of their values, and of their quantities where each has one.
    """
    base_revision = literal(load.settings.hs_revision)
    connection.execute(f"""
        create table codes as
        select hs_revision as revision, hs6 as code from {parquet(load.tables["products"])}
        union select distinct from_revision, from_code from {parquet(load.tables["hs_conversion"])}
    """)
    return _view(
        connection,
        "judged",
        f"""
        select s.* replace ({AMOUNTS_THAT_COUNT}),
            coalesce(s.stated_revision, {base_revision}) as revision, s.stated_revision is null as revision_assumed,
            case
                when shape_rule <> 'breakdown' then shape_rule
                when v.verdict is not null then v.verdict
                when reporter_code = partner_code then 're_import'
                when not reporter_is_country then 'area_reporter'
                when not partner_is_country then 'area_partner'
                when c.code is not null or cmd_code = '{UNSPECIFIED_GOODS}' then null
                when s.stated_revision is null then 'quarantined:revision_not_stated'
                when s.stated_revision = {base_revision} then 'quarantined:unknown_hs_code'
                else 'quarantined:no_conversion'
            end as rule,
            v.verdict is not null or (s.breakdown is not null and v.sum_value_usd is null) as is_repeated
        from {shaped} as s
        left join {verdicts} as v on v.archive_entry = s.archive_entry and v.recency = s.recency
            and v.source_row = s.source_row
        left join codes as c on c.revision = coalesce(s.stated_revision, {base_revision}) and c.code = s.cmd_code
        """,
    )


def _view(connection: duckdb.DuckDBPyConnection, name: str, query: str) -> str:
    """Create a view and return its name, by which the next step gets it."""
    connection.execute(f"create view {name} as {query}")
    return name


def _landed(judged: str, table: str, rule: str | None, counts: RuleCounts) -> str:
    """The rows of one kind. Of control totals and unallocated rows only those that a country reported, once each."""
    present = counts.landed if rule is None else counts.rules[rule]
    where = "rule is null" if rule is None else f"rule = {literal(rule)}"
    if table == "trade_control_totals":
        where += " and not is_repeated and length(cmd_code) = 6 and reporter_is_country"
    elif table == "trade_unallocated":
        where += " and reporter_is_country"
    columns = ", ".join("revision as hs_revision" if name == "hs_revision" else name for name in FILE_COLUMNS)
    return f"select {columns} from {judged} where {where if present else 'false'}"


def _quarantined(judged: str) -> str:
    return f"""
        select 'trade' as dataset, source, year, rule[13:] as reason,
            {tallies.DETAIL} as detail,
            archive_entry, source_row,
            coalesce(raw, cast(to_json({{'reporterCode': reporter_code, 'flowCode': flow, 'partnerCode': partner_code,
                'cmdCode': cmd_code, 'classificationCode': stated_revision, 'primaryValue': value_usd}})
                as varchar)) as raw
        from {judged}
    """


def _write_counts(
    connection: duckdb.DuckDBPyConnection,
    landing: Path,
    year: int | None,
    source: str,
    counts: RuleCounts,
    noted: Mapping[str, int],
) -> None:
    connection.execute("create table accounting (year integer, source varchar, rule varchar, n bigint)")
    rows = [*counts.as_rows(), *((f"noted:{finding}", n) for finding, n in noted.items())]
    connection.executemany("insert into accounting values (?, ?, ?, ?)", [(year, source, rule, n) for rule, n in rows])
    _write_table(connection, landing, "trade_rule_counts", year, "select * from accounting")


def _write_table(
    connection: duckdb.DuckDBPyConnection, landing: Path, table: str, year: int | None, query: str
) -> None:
    with replaced_directory(landing / table / f"year={year if year is not None else 'unknown'}") as building:
        copy_query(connection, query, building / "part-0.parquet")


def _link_table(file: Path, landing: Path, table: str, year: int) -> None:
    with replaced_directory(landing / table / f"year={year}") as building:
        link_or_copy(file, building / "part-0.parquet")


_EMPTY_ROW = """
    select 0::integer as year, 0::integer as reporter_code, '' as flow, 0::integer as partner_code, '' as hs_revision,
        '' as cmd_code, 0::double as value_usd, 0::double as quantity, '' as quantity_unit, 0::double as net_weight_kg,
        false as net_weight_estimated, 0::double as quantity_kg, 0::double as quantity_units, '' as breakdown,
        false as is_converted, '' as unreadable_quantity, '' as reason, '' as raw, false as revision_assumed,
        '' as source, '' as archive_entry, 0::bigint as source_row
    where false
"""
_EMPTY = {
    **dict.fromkeys(KINDS, _EMPTY_ROW),
    "trade_reporters": "select 0::integer as year, 0::integer as reporter_code, '' as flow, 0::bigint as n_rows "
    "where false",
    "trade_findings": "select 0::integer as year, '' as finding, 0::integer as reporter_code, '' as flow, '' as code, "
    "0::bigint as n_rows, 0::double as value_usd, '' as detail where false",
    "trade_losses": "select 0::integer as year, '' as source, '' as file, '' as archive_entry, "
    "0::integer as reporter_code, false as reporter_is_country, '' as flow, '' as reason, '' as rule, "
    "0::bigint as n_rows, 0::double as value_usd, '' as example where false",
    "trade_rule_counts": "select 0::integer as year, '' as source, '' as rule, 0::bigint as n where false",
    QUARANTINE: "select '' as dataset, '' as source, 0::integer as year, '' as reason, '' as detail, "
    "'' as archive_entry, 0::bigint as source_row, '' as raw where false",
}
