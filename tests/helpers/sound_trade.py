"""Sound tables of trade at every stage: China, Japan and the United States report; Taiwan supplies and does not.

Landing's rows are made one by one (`flow(...)`), staging's are theirs, and the marts are computed from them as plainly
as the marts' definitions can be written, independently of dbt. All goods are in scope but crude oil.
Not here: what is wrong with a spoiled table (the tests of the checks).
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from functools import cache
from typing import Any

import duckdb
import pyarrow as pa

from tests.helpers.check_cases import Row, Tables, holding
from tests.helpers.plain_complexity import plain_complexity
from tests.helpers.plain_networks import plain_network
from tests.helpers.sound_reference import (
    AREAS_NES,
    BATTERIES,
    CHN,
    COUNTS_SCHEMA,
    EU,
    GOODS,
    JPN,
    QUARANTINE_SCHEMA,
    TWN,
    USA,
    WORLD,
    quarantined,
    reference_tables,
    rule_count,
    table,
)
from tests.helpers.tiny_landing import FINDINGS_SCHEMA, LOSSES_SCHEMA, REPORT_SCHEMA, REPORTERS_SCHEMA

YEARS = (2017, 2018)
REPORTERS = (CHN, JPN, USA)
SUPPLIERS = (CHN, JPN, TWN, USA)
QUANTITIES = (
    "quantity", "quantity_unit", "net_weight_kg", "net_weight_estimated", "quantity_kg", "quantity_units"
)  # fmt: skip


SCENARIOS_SCHEMA = """
    scenario_id VARCHAR, title VARCHAR, exporter_iso3 VARCHAR, goods VARCHAR, cut DOUBLE, spare_capacity DOUBLE,
    file_name VARCHAR, file_row INTEGER
"""
SCENARIO: Row = {
    "scenario_id": "chips",
    "title": "half of all chips",
    "exporter_iso3": "USA",
    "goods": "8542",
    "cut": 0.5,
    "spare_capacity": 0.02,
    "file_name": "mine.csv",
    "file_row": 2,
}


def flow(
    year: int = 2017, reporter: int = CHN, partner: int = USA, good: str = BATTERIES, value_usd: float | None = None
) -> Row:
    """A row of trade_flows and of the tables beside it; without a value, one of its own between 1 and 97 million."""
    if value_usd is None:
        value_usd = 1e6 * (1 + (partner * 7 + reporter * 3 + int(good)) % 97)
    return {
        "year": year,
        "reporter_code": reporter,
        "flow": "M",
        "partner_code": partner,
        "hs_revision": "H5",
        "cmd_code": good,
        "value_usd": value_usd,
        "quantity": 10.0,
        "quantity_unit": "kg",
        "net_weight_kg": 10.0,
        "net_weight_estimated": False,
        "quantity_kg": 10.0,
        "quantity_units": 2.0,
        "revision_assumed": False,
        "source": "comtrade",
        "archive_entry": "comtrade/files/c.csv",
        "source_row": 1,
    }


def reporter(year: int = 2017, code: int = CHN, n_rows: int = 24) -> Row:
    return {"year": year, "reporter_code": code, "flow": "M", "n_rows": n_rows}


def finding(name: str, **columns: object) -> Row:
    """A row of trade_findings, about China in 2017."""
    return {
        "year": 2017,
        "finding": name,
        "reporter_code": CHN,
        "flow": "M",
        "code": None,
        "n_rows": 3,
        "value_usd": 3e6,
        "detail": "",
        **columns,
    }


def loss(
    year: int | None = 2017, code: int = CHN, reason: str | None = None, n_rows: int = 1, value_usd: float | None = None
) -> Row:
    """A row of trade_losses: rows of China in one file, lost for a reason or (None) not lost."""
    return {
        "year": year,
        "source": "comtrade",
        "file": "drop:comtrade/c.csv",
        "archive_entry": "comtrade/files/c.csv",
        "reporter_code": code,
        "reporter_is_country": True,
        "flow": "M",
        "reason": reason,
        "rule": f"quarantined:{reason}" if reason else "landed",
        "n_rows": n_rows,
        "value_usd": 1e6 * n_rows if value_usd is None else value_usd,
        "example": f"reporter {code}, …" if reason else None,
    }


def bilateral_total(year: int, exporter: int, importer: int, value_usd: float) -> Row:
    return {
        "year": year,
        "exporter_code": exporter,
        "importer_code": importer,
        "value_usd": value_usd,
        "in_scope_value_usd": value_usd,
        "n_goods": 1,
        "is_mirror": False,
    }


def trade_count(rule: str, n: int, year: int | None = 2017) -> Row:
    return rule_count(rule, n, source="comtrade", year=year)


def quarantined_trade(reason: str, year: int | None = 2017, detail: str = "") -> Row:
    return quarantined(reason, dataset="trade", source="comtrade", year=year, detail=detail)


@cache
def landing_tables() -> Tables:
    """As landed, with the reference tables and the totals of a release before that is the same."""
    years_and_reporters = [(year, code) for year in YEARS for code in REPORTERS]
    flows = [
        flow(year, code, partner, good)
        for year, code in years_and_reporters
        for partner in SUPPLIERS
        for good in GOODS
        if partner != code
    ]
    unallocated = [flow(year, code, AREAS_NES, good, 5e5) for year, code in years_and_reporters for good in GOODS]
    reimports = [flow(year, code, code, BATTERIES, 2e5) for year, code in years_and_reporters]
    reported = [*flows, *unallocated, *reimports]
    controls = [
        {**flow(year, code, WORLD, good, value), **dict.fromkeys(QUANTITIES)}
        for (year, code, good), value in _sums(reported, "year", "reporter_code", "cmd_code").items()
    ]
    n_rows = Counter((row["year"], row["reporter_code"]) for row in flows)
    counted = {"landed": flows, "area_partner": unallocated, "re_import": reimports, "control_total": controls}
    counts = [
        trade_count(rule, sum(row["year"] == year for row in of_rule), year)
        for year in YEARS
        for rule, of_rule in (*counted.items(), ("rows_read", [*reported, *controls]))
    ]
    pairs = _sums(flows, "year", "partner_code", "reporter_code")
    before = [bilateral_total(*pair, value) for pair, value in pairs.items()]
    return {
        **reference_tables(),
        "run_years": _years(),
        "trade_flows": table(REPORT_SCHEMA, _numbered(flows)),
        "trade_unallocated": table(REPORT_SCHEMA, _numbered(unallocated)),
        "trade_reimports": table(REPORT_SCHEMA, _numbered(reimports)),
        "trade_control_totals": table(REPORT_SCHEMA, _numbered(controls)),
        "trade_reporters": table(REPORTERS_SCHEMA, (reporter(*who, n) for who, n in n_rows.items())),
        "trade_findings": table(FINDINGS_SCHEMA, []),
        "trade_losses": table(LOSSES_SCHEMA, (loss(*who, n_rows=n) for who, n in n_rows.items())),
        "quarantine_trade": table(QUARANTINE_SCHEMA, []),
        "trade_rule_counts": table(f"year INTEGER, {COUNTS_SCHEMA}", counts),
        "previous.bilateral_totals": pa.Table.from_pylist(before),
    }


@cache
def staging_tables() -> Tables:
    """As staged, beside the landing tables that staging is held against."""
    landed = landing_tables()
    countries = landed["countries"]
    return {
        "landed.trade_flows": landed["trade_flows"],
        "landed.trade_unallocated": landed["trade_unallocated"],
        "stg_trade_flows": landed["trade_flows"],
        "stg_trade_unallocated": landed["trade_unallocated"],
        "stg_trade_reimports": landed["trade_reimports"],
        "stg_trade_reporters": landed["trade_reporters"],
        "stg_countries": countries.filter(countries["is_country"]).select(["country_code", "iso3", "name"]),
        "stg_products": landed["products"],
        "stg_hs_conversion": landed["hs_conversion"],
        "stg_relocation_pairs": _ints(exporter_code=[USA, JPN], importer_code=[CHN, USA]),
        "stg_relocation_thirds": _ints(third_code=[JPN, EU], member_code=[JPN, TWN]),  # Taiwan stands in for a member
        "stg_scenarios": table(SCENARIOS_SCHEMA, [SCENARIO]),
    }


@cache
def mart_tables() -> Tables:
    """As computed, beside the staging tables, all years of the warehouse, and a release before that is the same."""
    staged = {name: each for name, each in staging_tables().items() if name.startswith("stg_")}
    with duckdb.connect() as connection:
        holding(staged).setup(connection)
        connection.execute(_MARTS)
        for name, plain in {"networks": _networks(connection), **complexities(connection)}.items():
            connection.register("arriving", plain)
            connection.execute(f"create temp table plain_{name} as from arriving")
            connection.unregister("arriving")
        connection.execute(_MEASURED_ELSEWHERE)
        query = "select table_name from duckdb_tables() where not temporary"
        names = [name for (name,) in connection.execute(query).fetchall()]
        made = {name: connection.table(name).to_arrow_table() for name in names}
    return {
        **made,
        "run_years": _years(),
        "requested_years": _years(),
        **{f"all_years.{name}": made[name] for name in _READ_OF_ALL_YEARS},
        "previous.bilateral_totals": landing_tables()["previous.bilateral_totals"],
    }


_READ_OF_ALL_YEARS = (
    *("bilateral_totals", "diversification", "import_vulnerability", "int_year_settings", "product_centrality"),
    *("export_price_index", "import_price_contribution", "involution", "involution_summary", "scenario_losses"),
    *("product_complexity", "product_space", "trade_flows"),
)


def _years() -> pa.Table:
    return pa.table({"year": list(YEARS)})


def _ints(**columns: list[int]) -> pa.Table:
    return pa.table({name: pa.array(values, pa.int32()) for name, values in columns.items()})


def _numbered(content: Iterable[Row]) -> list[Row]:
    return [{**row, "source_row": number} for number, row in enumerate(content, 1)]


def _sums(content: Iterable[Row], *keys: str) -> dict[tuple[Any, ...], float]:
    sums: Counter[tuple[Any, ...]] = Counter()
    for row in content:
        sums[tuple(row[key] for key in keys)] += row["value_usd"]
    return dict(sums)


def _networks(connection: duckdb.DuckDBPyConnection) -> pa.Table:
    """Every good's network as networkx has it."""
    flows: defaultdict[tuple[int, str], dict[tuple[int, int], float]] = defaultdict(dict)
    query = "select year, hs6, exporter_code, importer_code, value_usd from trade_flows"
    for year, hs6, exporter, importer, value in connection.execute(query).fetchall():
        flows[year, hs6][exporter, importer] = value
    return pa.Table.from_pylist(
        [{"year": year, "hs6": hs6, **plain_network(of_good)} for (year, hs6), of_good in flows.items()]
    )


def complexities(connection: duckdb.DuckDBPyConnection, place: int = 1) -> Tables:
    """The marts of economic complexity, year by year; with another place, from the wrong eigenvector."""
    exports: defaultdict[int, dict[tuple[int, str], float]] = defaultdict(dict)
    query = "select year, exporter_code, hs6, value_usd from exporter_products"
    for year, exporter, hs6, value in connection.execute(query).fetchall():
        exports[year][exporter, hs6] = value
    made = [plain_complexity(year, of_year, place) for year, of_year in exports.items()]
    return {name: pa.Table.from_pylist([row for each in made for row in each[name]]) for name in made[0]}


# The rest of the marts whose measures come from elsewhere.
_MEASURED_ELSEWHERE = """
    create table product_network as
        select *, clustering * diameter as clustering_component from plain_networks;
    create table economic_complexity as
        select *, rank() over (partition by year order by round(eci, 12) desc) as eci_rank
        from plain_economic_complexity;
    create table product_complexity as
        select *, hs6 <> '270900' as in_scope, rank() over (partition by year order by round(pci, 12) desc) as pci_rank
        from plain_product_complexity;
    create table product_space as from plain_product_space;
    create table kaizen_trade as
        with steps as (
            select a.country_code as exporter_code, a.rca >= 1 as had, (b.rca >= 1)::integer as has
            from product_space as a join product_space as b
                on b.country_code = a.country_code and b.hs6 = a.hs6 and b.year = a.year + 1
            where (a.year, a.hs6) in (
                select (year, hs6) from product_complexity as p where pci_rank is not null and 3 * pci_rank <= (
                    select count(pci_rank) from product_complexity as q where q.year = p.year
                )
            )
        )
        select exporter_code, 0::bigint as n_goods, null::double as learning_share,
            null::double as median_learning_rate, (
                select avg(years_in_a_row) from involution as i where i.exporter_code = e.exporter_code
            ) as mean_years_in_a_row, (
                select avg(has) from steps as s where had and s.exporter_code = e.exporter_code
            ) as rca_survival, (
                select avg(has) from steps as s where not had and s.exporter_code = e.exporter_code
            ) as rca_entry
        from (select distinct exporter_code from trade_flows) as e;
"""
# Every import report is a flow from its partner to its reporter.
_MARTS = """
    create table int_year_settings as
        select unnest([2017, 2018])::integer as year, 'H5' as hs_revision, 'bec4_intermediate' as product_scope,
            false as keep_reimports, 1.0::double as mirror_cif_fob_factor, '2017,2018' as centrality_years,
            '842-156,392-842' as relocation_pairs, '842' as shock_exporters, 0.02::double as shock_cut,
            0.1::double as spare_capacity, 3.0::double as price_trim, 3::bigint as price_min_cells;
    create table price_basis as select '8703' as heading, 'unit' as basis;
    create table price_sectors as
        select 'batteries' as sector_id, 'H5' as hs_revision, '850760' as hs6, 2012 as from_year;
    create table trade_flows as
        select year, partner_code as exporter_code, reporter_code as importer_code, cmd_code as hs6, value_usd,
            quantity, quantity_unit, net_weight_kg, quantity_kg, quantity_units, false as is_split_conversion,
            false as is_mirror, source
        from stg_trade_flows;
    create table bilateral_totals as
        select year, exporter_code, importer_code, sum(value_usd) as value_usd,
            coalesce(sum(value_usd) filter (hs6 <> '270900'), 0) as in_scope_value_usd, count(*) as n_goods,
            bool_or(is_mirror) as is_mirror
        from trade_flows group by all;
    create table importer_products as
        select year, importer_code, hs6, sum(value_usd) as import_value_usd, count(*) as n_suppliers,
            sum(value_usd ** 2) / sum(value_usd) ** 2 as import_hhi,
            max(value_usd) / sum(value_usd) as top_supplier_share,
            arg_max(exporter_code, (value_usd, -exporter_code)) as top_supplier_code
        from trade_flows group by all;
    create table exporter_products as
        select year, exporter_code, hs6, sum(f.value_usd) as value_usd,
            sum(f.value_usd / import_value_usd * n_suppliers) as relative, sum(f.value_usd / import_value_usd) as share,
            rank() over (partition by year, hs6 order by sum(f.value_usd) desc) as place
        from trade_flows as f join importer_products using (year, importer_code, hs6)
        group by year, exporter_code, hs6;
    create table product_centrality as
        with traders as (
            select year, hs6, count(distinct code) as n from (
                select year, hs6, exporter_code as code from trade_flows
                union all select year, hs6, importer_code from trade_flows
            ) group by all
        ),
        measured as (
            select year, hs6, left(hs6, 2) as hs2, hs6 <> '270900' as in_scope, sum(value_usd) as world_exports_usd,
                count(*) as n_exporters, any_value(n_importers) as n_importers, any_value(n) as n_countries,
                sqrt(greatest(sum((relative / (n - 1)) ** 2) / any_value(n)
                    - (sum(relative / (n - 1)) / any_value(n)) ** 2, 0)) as export_centrality,
                sqrt(greatest(sum((share / (n - 1)) ** 2) / any_value(n)
                    - (sum(share / (n - 1)) / any_value(n)) ** 2, 0)) as export_centrality_share,
                arg_max(exporter_code, (value_usd, -exporter_code)) as top_exporter_code,
                sum(value_usd ** 2) / sum(value_usd) ** 2 as export_hhi,
                max(value_usd) / sum(value_usd) as top_exporter_share,
                sum(value_usd) filter (place <= 3) / sum(value_usd) as top3_exporter_share
            from exporter_products join traders using (year, hs6)
            join (select year, hs6, count(*) as n_importers from importer_products group by all) using (year, hs6)
            group by year, hs6
        )
        select *,
            case when in_scope then round(export_centrality, 12)
                >= (select quantile_cont(round(export_centrality, 12), 0.75) from measured where in_scope)
                end as high_centrality_pooled,
            case when in_scope then round(export_centrality, 12) >= (
                select quantile_cont(round(export_centrality, 12), 0.75) from measured as m
                where m.year = measured.year and in_scope
            ) end as high_centrality,
            case when in_scope then cume_dist() over (partition by year, in_scope order by round(export_centrality, 12))
                end as centrality_percentile
        from measured;
    -- Here Japan and Taiwan are the union.
    create table country_memberships as
        select 'eu' as membership, unnest(['JPN', 'TWN']) as iso3, null::date as valid_to;
    create table union_flows as
        select year, hs6, case when exporter_code in (392, 490) then 97 else exporter_code end as exporter_code,
            case when importer_code in (392, 490) then 97 else importer_code end as importer_code,
            sum(value_usd) as value_usd
        from trade_flows where (exporter_code in (392, 490)) <> (importer_code in (392, 490)) group by all;
    create table economy_exports as
        select year, exporter_code, hs6, value_usd, place, 'country' as economy_kind from exporter_products
        union all
        select year, 97, hs6, usd, 1 + (
                select count(*) from exporter_products as x
                where x.year = u.year and x.hs6 = u.hs6 and x.value_usd > usd and exporter_code not in (392, 490)
            ), 'union'
        from (
            select year, hs6, sum(value_usd) as usd from union_flows where exporter_code = 97 group by all
        ) as u;
    create table exporter_position as
        select *, n_rank1 / n_goods as rank1_share, n_top3 / n_goods as top3_share,
            n_high_centrality_rank1 / nullif(n_high_centrality, 0) as high_centrality_rank1_share,
            n_high_centrality_top3 / nullif(n_high_centrality, 0) as high_centrality_top3_share,
            case when economy_kind = 'country'
                then rank() over (partition by year, economy_kind order by n_high_centrality desc)
                else rank() over (
                    partition by year, exporter_code in (392, 490) order by n_high_centrality desc
                ) end as high_centrality_rank
        from (
            select year, exporter_code, economy_kind, count(*) filter (in_scope) as n_goods,
                count(*) filter (in_scope and place = 1) as n_rank1,
                count(*) filter (in_scope and place <= 3) as n_top3,
                count(*) filter (high_centrality) as n_high_centrality,
                count(*) filter (high_centrality and place = 1) as n_high_centrality_rank1,
                count(*) filter (high_centrality and place <= 3) as n_high_centrality_top3,
                sum(value_usd) as export_value_usd, sum(value_usd) filter (in_scope) as in_scope_export_value_usd
            from economy_exports join product_centrality using (year, hs6) group by all
        );
    create table import_vulnerability as
        with imports as (
            select *, 'country' as economy_kind from importer_products
            union all by name
            select year, importer_code, hs6, sum(value_usd) as import_value_usd, count(*) as n_suppliers,
                sum(value_usd ** 2) / sum(value_usd) ** 2 as import_hhi,
                max(value_usd) / sum(value_usd) as top_supplier_share,
                arg_max(exporter_code, (value_usd, -exporter_code)) as top_supplier_code, 'union' as economy_kind
            from union_flows where importer_code = 97 group by all
        ),
        unallocated as (
            select year, reporter_code, cmd_code, value_usd from stg_trade_unallocated
            union all
            select year, 97, cmd_code, sum(value_usd) from stg_trade_unallocated where reporter_code in (392, 490)
            group by all
        ),
        flagged as (
            select i.*, p.hs2, p.in_scope, p.high_centrality, p.centrality_percentile,
                1 / i.import_hhi as effective_suppliers,
                case when p.in_scope then round(i.import_hhi, 12)
                    >= quantile_cont(round(i.import_hhi, 12), 0.75) filter (p.in_scope)
                    over (partition by year, importer_code) end as high_concentration,
                cume_dist() over (partition by year, importer_code, in_scope order by round(i.import_hhi, 12)) as r_h,
                coalesce(x.value_usd, 0) as export_value_usd, i.import_value_usd / x.value_usd as cdi3,
                i.import_value_usd / (i.import_value_usd + coalesce(x.value_usd, 0)) as net_import_ratio,
                u.value_usd as unallocated_value_usd,
                u.value_usd / (u.value_usd + i.import_value_usd) as unallocated_share
            from imports as i join product_centrality as p using (year, hs6)
            left join economy_exports as x
                on x.year = i.year and x.exporter_code = i.importer_code and x.hs6 = i.hs6
            join unallocated as u
                on u.year = i.year and u.reporter_code = i.importer_code and u.cmd_code = i.hs6
        )
        select * exclude (centrality_percentile, r_h),
            case when in_scope then 4 - 2 * high_centrality::integer - high_concentration::integer end as category,
            case when in_scope then sqrt(centrality_percentile * r_h) end as vulnerability_index,
            import_hhi > 0.4 and coalesce(net_import_ratio > 0.5 and cdi3 > 1, true) as eu_dependent
        from flagged;
    create table category_transitions as
        -- Of 2018 as of 2017: no good has changed its category.
        select importer_code, economy_kind, hs6, '2017:' || min(category) || ', 2018:' || max(category) as categories,
            count(*) as n_years, 2017 as first_year, 2018 as last_year,
            count(*) filter (category = 1) as n_years_category1,
            case when max(category) = 1 then 2017 end as first_year_category1,
            case when max(category) = 1 then 2018 end as last_year_category1, 0::bigint as n_changes
        from import_vulnerability where in_scope group by all;
    create table vulnerability_summary as
        select *, n_goods / sum(n_goods) over importer as goods_share,
            import_value_usd / sum(import_value_usd) over importer as value_share
        from (
            select year, importer_code, economy_kind, category, count(*) as n_goods,
                sum(import_value_usd) as import_value_usd
            from import_vulnerability where in_scope group by all
        ) window importer as (partition by year, importer_code);
    create table industry_vulnerability as
        select *, rank() over ranked as rank,
            vulnerability / nullif(lead(vulnerability) over ranked, 0) as ratio_to_next
        from (
            select year, importer_code, economy_kind, hs2, n_goods, import_value_usd, n_category1, vulnerability_mean,
                n_goods_without_index, indexed_value_share,
                weighted / sum(import_value_usd) over (partition by year, importer_code) as vulnerability
            from (
                select year, importer_code, economy_kind, hs2, count(*) as n_goods,
                    sum(import_value_usd) as import_value_usd, count(*) filter (category = 1) as n_category1,
                    sum(import_value_usd * vulnerability_index) as weighted,
                    avg(vulnerability_index) as vulnerability_mean, 0::bigint as n_goods_without_index,
                    1::double as indexed_value_share
                from import_vulnerability where in_scope group by all
            )
        ) window ranked as (partition by year, importer_code order by vulnerability desc);
    create table countries as
        select country_code, iso3, name, case iso3 when 'USA' then 'North America' else 'East Asia' end as trade_region
        from stg_countries;
    create table groups as
        select p.*, level.*, s.trade_region as supplier_region, i.trade_region as importer_region,
            p.value_usd * effective as weighted
        from (
            select f.year, f.importer_code, f.exporter_code, f.hs6, f.value_usd, 1 / import_hhi as effective
            from trade_flows as f join importer_products using (year, importer_code, hs6)
        ) as p
        join countries as s on s.country_code = p.exporter_code join countries as i on i.country_code = p.importer_code
        cross join (values ('hs4', 4), ('hs2', 2), ('all', 0), ('scope', 0), ('sector', 0))
            as level (product_level, digits)
        where (product_level <> 'scope' or hs6 <> '270900') and (product_level <> 'sector' or hs6 = '850760');
    create table diversification_regions as
        with suppliers as (
            select year, importer_code, product_level,
                case product_level when 'sector' then 'batteries' when 'all' then 'all' when 'scope' then 'scope'
                    else left(hs6, digits) end as product_code,
                supplier_region as trade_region, supplier_region = importer_region as is_own_region, exporter_code,
                sum(value_usd) as v
            from groups group by all
        )
        select * exclude (whole), import_value_usd / whole as import_share, top / whole as top_supplier_share
        from (
            select *,
                sum(import_value_usd) over (partition by year, importer_code, product_level, product_code) as whole
            from (
                select year, importer_code, product_level, product_code, trade_region, is_own_region,
                    count(*) as n_suppliers, sum(v) as import_value_usd, max(v) as top,
                    arg_max(exporter_code, (v, -exporter_code)) as top_supplier_code
                from suppliers group by all
            )
        );
    create table diversification as
        with goods as (
            select year, importer_code, product_level, any_value(importer_region) as importer_region,
                case product_level when 'sector' then 'batteries' when 'all' then 'all' when 'scope' then 'scope'
                    else left(hs6, digits) end as product_code,
                count(distinct hs6) as n_goods, sum(weighted) / sum(value_usd) as effective_suppliers
            from groups group by year, importer_code, product_level, product_code
        )
        select g.*, n_suppliers, import_value_usd, own_region_share, top_supplier_code, top_supplier_share,
            null::double as import_value_growth_5y, null::double as effective_suppliers_change_5y,
            null::double as own_region_share_change_5y, null::double as top_supplier_share_change_5y
        from goods as g join (
            select year, importer_code, product_level, product_code, sum(n_suppliers)::bigint as n_suppliers,
                sum(import_value_usd) as import_value_usd,
                coalesce(sum(import_share) filter (is_own_region), 0) as own_region_share,
                arg_max(top_supplier_code, (top_supplier_share, -top_supplier_code)) as top_supplier_code,
                max(top_supplier_share) as top_supplier_share
            from diversification_regions group by all
        ) using (year, importer_code, product_level, product_code);
    drop table groups;
    create table relocation as
        select *, value_usd / sum(value_usd) over (partition by year, exporter_code, importer_code) as share from (
            select year, exporter_code, importer_code,
                case hs6 when '270900' then 'other' else 'intermediate' end as bec_class,
                sum(value_usd) as value_usd, count(*) as n_goods
            from trade_flows group by all
        );
    -- Every pair trades every good in both years.
    create table relocation_growth as
        select exporter_code, importer_code, 2017 as year_from, 2018 as year_to, bec_class, 'continuing' as margin,
            any_value(n_goods) as n_goods, sum(value_usd) filter (year = 2017) as value_from_usd,
            sum(value_usd) filter (year = 2018) as value_to_usd, value_to_usd - value_from_usd as delta_usd,
            0::double as contribution
        from relocation semi join stg_relocation_pairs using (exporter_code, importer_code) group by all;
    create table relocation_surplus as
        with net as (
            select s.year, s.exporter_code as one, s.importer_code as other,
                s.value_usd - coalesce(b.value_usd, 0) as usd
            from bilateral_totals as s left join bilateral_totals as b
                on b.year = s.year and b.exporter_code = s.importer_code and b.importer_code = s.exporter_code
        )
        select ab.year, ab.one as a_code, ab.other as b_code, c_code, coalesce(ac.usd, -ca.usd) as surplus_a_c_usd,
            coalesce(bc.usd, -cb.usd) as surplus_b_c_usd, ab.usd as surplus_a_b_usd, 2017 as base_year,
            0::double as change_a_c_usd, 0::double as change_b_c_usd, 0::double as change_a_b_usd,
            0::double as shift_usd
        from net as ab
        join (values (842, 156, 392, 392), (842, 156, 97, 490), (392, 842, 97, 490)) as t (a, b, c_code, member)
            on ab.one = a and ab.other = b
        left join net as ac on ac.year = ab.year and ac.one = a and ac.other = member
        left join net as ca on ca.year = ab.year and ca.other = a and ca.one = member
        left join net as bc on bc.year = ab.year and bc.one = b and bc.other = member
        left join net as cb on cb.year = ab.year and cb.other = b and cb.one = member;
    create table destination_ranks as
        select year, exporter_code, importer_code, value_usd,
            rank() over (partition by year, exporter_code order by value_usd desc) as destination_rank,
            rank() over (partition by year, exporter_code order by value_usd desc) as destination_rank_without_hkg,
            null::double as exporter_reported_usd, null::bigint as destination_rank_exporter_report, is_mirror
        from bilateral_totals;
    create table shock_exposure_industry as
        select year, exporter_code, importer_code, hs2, sum(value_usd) as exposed_value_usd, count(*) as n_goods,
            0.02::double as cut, 0.02 * sum(value_usd) as loss_usd,
            sum(value_usd) / any_value(i.import_value_usd) as exposure_share
        from trade_flows join product_centrality using (year, hs6)
        join industry_vulnerability as i using (year, importer_code, hs2) where in_scope
        group by year, exporter_code, importer_code, hs2;
    create table shock_exposure as
        select year, exporter_code, importer_code, in_scope_value_usd as exposed_value_usd, n_goods - 1 as n_goods,
            0.02::double as cut, 0.02 * in_scope_value_usd as loss_usd,
            in_scope_value_usd / sum(in_scope_value_usd) over (partition by year, importer_code) as exposure_share
        from bilateral_totals;
    create table supplier_removal as
        select *, lost_usd * (1 - replaceable_share) as shortfall_usd from (
            select year, exporter_code, importer_code, hs6, hs2, in_scope, f.value_usd as lost_usd,
                import_value_usd, f.value_usd / import_value_usd as lost_share, n_exporters - 1 as n_other_exporters,
                0.1 * (world_exports_usd - x.value_usd) as pool_usd,
                least(1, 0.1 * (world_exports_usd - x.value_usd) / x.value_usd) as replaceable_share,
                least(1, 0.1 * (world_exports_usd - x.value_usd) / f.value_usd) as replaceable_share_alone
            from trade_flows as f join exporter_products as x using (year, exporter_code, hs6)
            join importer_products using (year, importer_code, hs6) join product_centrality using (year, hs6)
            where exporter_code = 842
        );
    create table import_suppliers as
        -- Nobody has as many as eleven suppliers; each of them sells to others too.
        select year, importer_code, hs6, exporter_code as supplier_code, f.value_usd,
            f.value_usd / import_value_usd as share,
            row_number() over (partition by year, importer_code, hs6 order by f.value_usd desc, exporter_code)
                as supplier_rank,
            1 as n_suppliers, x.value_usd as world_exports_usd,
            x.value_usd / p.world_exports_usd as world_export_share, x.place as world_export_rank,
            x.value_usd - f.value_usd as exports_to_others_usd, true as supplies_others,
            (x.value_usd - f.value_usd) / (p.world_exports_usd - import_value_usd) as outside_share
        from trade_flows as f join exporter_products as x using (year, exporter_code, hs6)
        join importer_products using (year, importer_code, hs6) join product_centrality as p using (year, hs6);
    create table scenario_losses as
        select year, 'chips' as scenario_id, importer_code, 'half of all chips' as title, exporter_code,
            count(*) as n_goods, count(*) filter (share < 0.5) as n_irreplaceable,
            sum(lost_usd) as exposed_value_usd, 0.5 * sum(lost_usd) as loss_usd,
            sum(import_value_usd) as import_value_usd, 0.5 * sum(lost_usd) / sum(import_value_usd) as loss_share,
            sum(0.5 * lost_usd * (1 - share)) as shortfall_usd,
            sum(lost_usd * share) / sum(lost_usd) as replaceable_share
        from (
            select *, least(1, 0.2 * pool_usd / (0.5 * sum(lost_usd) over (partition by year, hs6))) as share
            from supplier_removal
        ) where hs6 in ('854231', '854232') group by all;
    create table supplier_removal_summary as
        select year, exporter_code, importer_code, count(*) as n_goods,
            count(*) filter (replaceable_share < 0.5) as n_irreplaceable, sum(lost_usd) as lost_usd,
            sum(shortfall_usd) as shortfall_usd, sum(lost_usd) / any_value(imports) as lost_share,
            sum(shortfall_usd) / any_value(imports) as shortfall_share,
            1 - sum(shortfall_usd) / sum(lost_usd) as replaceable_share
        from supplier_removal join (
            select year, importer_code, sum(in_scope_value_usd) as imports from bilateral_totals group by all
        ) using (year, importer_code)
        where in_scope group by year, exporter_code, importer_code;
    create table export_price_index as
        -- Values and quantities of 2018 are those of 2017: every price stays, and every cell of 2018 is linked.
        with groups as (
            select year, exporter_code, hs6, level as product_level, basis, value_usd,
                case level when 'hs6' then hs6 when 'hs2' then left(hs6, 2) else 'batteries' end as product_code,
                ln(value_usd / ((sum(value_usd) over good - value_usd) / (count(*) over good - 1))) as gap
            from trade_flows
            cross join (select unnest(['hs6', 'hs2', 'sector']) as level)
            cross join (select unnest(['baseline', 'kg', 'unit']) as basis)
            where level <> 'sector' or hs6 = '850760'
            window good as (partition by year, importer_code, hs6, level, basis)
        ),
        sums as (
            select year, exporter_code, product_level, product_code, basis, sum(value_usd) as value_usd, count(*) as n,
                sum(value_usd * gap) filter (abs(gap) <= ln(10))
                    / sum(value_usd) filter (abs(gap) <= ln(10)) as mean_gap
            from groups group by all
        )
        select year, exporter_code, product_level, product_code, basis, value_usd, year = 2018 as is_linked,
            case when is_linked then 1.0::double end as laspeyres, laspeyres as paasche, laspeyres as fisher,
            laspeyres as tornqvist, laspeyres as quantity_fisher, laspeyres as value_ratio, laspeyres as own_matched,
            laspeyres as others, laspeyres as relative, 2017 as chain_start_year, 1.0::double as chain_fisher,
            1.0::double as chain_tornqvist, 1.0::double as quantity_coverage,
            is_linked::integer::double as link_coverage, laspeyres as link_coverage_prev,
            is_linked::integer::double as relative_coverage, 0.0::double as trimmed_share, 0.0::double as split_share,
            laspeyres as panel_coverage, case when is_linked then n else 0 end as n_cells, n_cells as n_relative,
            0 as n_trimmed, exp(mean_gap) as relative_level,
            case
                when not is_linked then 'none' when n < 3 then 'poor' when n < 10 then 'fair' else 'good'
            end as quality
        from sums;
    create table import_price_contribution as
        -- No price moves, and so no supplier adds anything.
        with suppliers as (
            select year, importer_code, level as product_level,
                case level when 'all' then 'all' when 'hs2' then left(hs6, 2) else 'batteries' end as product_code,
                exporter_code, sum(value_usd) as usd, count(*) as n_cells
            from trade_flows cross join (select unnest(['all', 'hs2', 'sector']) as level)
            where year = 2018 and (level <> 'sector' or hs6 = '850760') group by all
        )
        select * exclude (usd), 0.0::double as within, 0.0::double as switching, 0.0::double as relative_contribution,
            0.0::double as import_price_change, 1.0::double as link_coverage,
            usd / sum(usd) over (partition by importer_code, product_level, product_code) as share
        from suppliers;
    create table involution as
        select year, exporter_code, product_code as hs6, value_usd, value_usd as value_usd_prev,
            0.0::double as price_effect, 0.0::double as quantity_effect, 0.0::double as entry, 0.0::double as exit,
            0.0::double as unpriced, 0.0::double as not_observed, fisher, quantity_fisher, value_ratio, relative,
            n_cells, link_coverage, link_coverage_prev, n_cells >= 3 as is_measured,
            case when is_measured then false end as price_fell, price_fell as quantity_rose,
            price_fell as is_involution, price_fell as is_revenue_falling, price_fell as is_relative,
            case when is_measured then 0 end as years_in_a_row
        from export_price_index where year = 2018 and product_level = 'hs6' and basis = 'baseline';
    create table involution_summary as
        select year, exporter_code, count(*) as n_goods, count(*) filter (is_measured) as n_measured,
            0::bigint as n_price_fell, 0::bigint as n_involution, 0::bigint as n_revenue_falling,
            0::bigint as n_relative, case when n_measured > 0 then 0.0::double end as involution_share,
            case when n_measured > 0 then 0.0::double end as involution_value_share,
            coalesce(sum(value_usd) filter (is_measured), 0) / sum(value_usd) as measured_value_share,
            sum(value_usd) as value_usd, sum(value_usd_prev) as value_usd_prev, 0.0::double as price_effect,
            0.0::double as quantity_effect, 0.0::double as entry, 0.0::double as exit, 0.0::double as unpriced,
            0.0::double as not_observed
        from involution group by all;
    create table learning_rate as
        -- What was made doubles within the two years, which are too few.
        select distinct exporter_code, product_level, product_code, cumulative, 'fair' as quality, 2::bigint as n,
            2017 as first_year, 2018 as last_year, 1.0::double as doublings, null::double as b, null::double as b_se,
            null::double as learning_rate, null::double as learning_rate_se, null::double as learning_rate_low,
            null::double as learning_rate_high, null::double as r2, null::double as p_value,
            'too_few_years' as reason, null::boolean as small_sample
        from export_price_index cross join (select unnest(['own', 'own_with_initial', 'world']) as cumulative)
        where product_level <> 'hs2';
    create table hs2_classes as from (values ('28', 'technology'), ('85', 'technology'), ('27', 'primary'))
        as t (hs2, sector_class);
    create table competitiveness_paradox as
        with exports as (
            select year, exporter_code as importer_code, hs2, sum(p.value_usd) as x, count(*) as n,
                count(*) filter (place <= 3) as n_top3
            from exporter_products as p join product_centrality using (year, hs6) where in_scope group by all
        ),
        chapters as (
            select i.year, i.importer_code, i.hs2, i.vulnerability, i.vulnerability_mean, i.n_goods,
                i.import_value_usd, coalesce(sector_class, 'none') as sector_class,
                sum(v.import_hhi * v.import_value_usd) / any_value(i.import_value_usd) as import_hhi_weighted
            from industry_vulnerability as i left join hs2_classes using (hs2)
            join import_vulnerability as v using (year, importer_code, hs2)
            where v.in_scope and i.economy_kind = 'country' group by all
        )
        select *, (rca - 1) / (rca + 1) as rca_sym from (
            select c.*, coalesce(x, 0) as export_value_usd, coalesce(n, 0) as n_goods_exported,
                coalesce(n_top3, 0) as n_top3, n_top3 / n as top3_share,
                import_value_usd / (import_value_usd + coalesce(x, 0)) as net_import_ratio,
                coalesce(x, 0) / country_usd / (chapter_usd / world_usd) as rca
            from chapters as c left join exports using (year, importer_code, hs2)
            left join (select year, importer_code, sum(x) as country_usd from exports group by all)
                using (year, importer_code)
            join (select year, hs2, sum(x) as chapter_usd from exports group by all) using (year, hs2)
            join (select year, sum(x) as world_usd from exports group by all) using (year)
        );
    create table supply_share as
        with goods as (
            select year, 'hs2' as product_level, left(hs6, 2) as product_code, * exclude (year) from trade_flows
            union all
            select year, 'sector', 'batteries', * exclude (year) from trade_flows where hs6 = '850760'
        ),
        sums as (
            select year, product_level, product_code, exporter_code, sum(value_usd) as export_value_usd,
                count(*) as n_flows
            from goods group by all
        )
        select *, export_value_usd / sum(export_value_usd) over product as value_share,
            -- All flows have the same quantity; of chapter 87 there are only cars.
            n_flows / sum(n_flows) over product as quantity_share,
            rank() over (product order by export_value_usd desc) as export_rank, null::double as share_change_5y
        from sums window product as (partition by year, product_level, product_code);
    create table capacity_concentration as
        select year, product_level, product_code, sum(export_value_usd) as world_exports_usd, count(*) as n_exporters,
            arg_max(exporter_code, (export_value_usd, -exporter_code)) as top1_code, max(value_share) as top1_share,
            sum(value_share) filter (export_rank <= 3) as top3_share, sum(value_share ** 2) as export_hhi,
            1 / export_hhi as effective_exporters, null::double as top3_change_5y
        from supply_share group by all;
"""
