"""The marts stage's checks: do the marts agree with the flows they are made of, and with the release before?

Not here: keys, types, relationships and formulas, which dbt tests.
"""

from __future__ import annotations

from dagster_project.checks.declarations import WHY, Check, Expect, Stage, between, no_rows, not_empty, one_of, prepared
from dagster_project.checks.views import PREVIOUS_RELEASE
from dagster_project.datasets.trade.complexity_checks import COMPLEXITY_CHECKS, COMPLEXITY_PREPARED
from dagster_project.datasets.trade.import_price_checks import IMPORT_PRICE_CHECKS, IMPORT_PRICE_PREPARED
from dagster_project.datasets.trade.involution_checks import INVOLUTION_CHECKS, INVOLUTION_PREPARED
from dagster_project.datasets.trade.kaizen_checks import KAIZEN_CHECKS
from dagster_project.datasets.trade.landing_checks import UNIT_WITNESSES, VALUE_FALL_LIMIT, near_power_of_ten
from dagster_project.datasets.trade.learning_checks import LEARNING_CHECKS, LEARNING_PREPARED
from dagster_project.datasets.trade.network_checks import NETWORK_CHECKS, NETWORK_PREPARED
from dagster_project.datasets.trade.paradox_checks import PARADOX_CHECKS, PARADOX_PREPARED
from dagster_project.datasets.trade.price_checks import PRICE_CHECKS, PRICE_PREPARED
from dagster_project.datasets.trade.recomputed import PREPARED, RECOMPUTED
from dagster_project.datasets.trade.relocation_checks import RELOCATION, RELOCATION_PREPARED
from dagster_project.datasets.trade.shock_checks import SHOCKS, SHOCKS_PREPARED
from dagster_project.datasets.trade.supplier_checks import SUPPLIERS, SUPPLIERS_PREPARED
from dagster_project.datasets.trade.supply_checks import SUPPLY_CHECKS, SUPPLY_PREPARED
from dagster_project.datasets.trade.transition_checks import TRANSITION_CHECKS, TRANSITION_PREPARED

# Totals are exact decimal sums on both sides; what may differ is the last digit of a double, and a cent.
_TOLERANCE = "1e-9 * abs(flows_usd) + 0.01"
_SHARE_TOLERANCE = 1e-6


def _agrees(keys: str, flows: str, mart: str, where: str = "true") -> Expect:
    """No group of `keys` in which the mart's total differs from the flows', and none that only one of them has.

    `flows` is a query with the columns `keys` and flows_usd; `mart` is the expression of the mart's total.
    """
    return no_rows(f"""
        with flows as ({flows}),
        mart as (select {keys}, sum({mart}) as mart_usd from {{batch}} where {where} group by all)
        select {keys}, flows_usd, mart_usd, mart_usd - flows_usd as difference_usd
        from flows full join mart using ({keys})
        where flows_usd is null or mart_usd is null or abs(mart_usd - flows_usd) > {_TOLERANCE}
    """)


def _flow_totals(keys: str) -> str:
    return f"select {keys}, sum(value_usd) as flows_usd from trade_flows group by all"


def _quarter(groups: str, value: str, flag: str) -> Expect:
    """Of the values in scope, rounded to 12 decimal places, exactly those at or above the 75th percentile are flagged.

    With n values, at least n/4 lie there, and fewer than n/4 above the lowest of them; more only as ties at that value.
    """
    return no_rows(f"""
        with scope as (
            select {groups}, round({value}, 12) as value, {flag} as flagged,
                min(round({value}, 12)) filter ({flag}) over (partition by {groups}) as lowest_flagged
            from {{batch}} where in_scope and {value} is not null
        ),
        counts as (
            select {groups}, count(*) as goods, count(*) filter (flagged) as goods_flagged,
                count(*) filter (value > lowest_flagged) as goods_above_lowest_flagged,
                count(*) filter (value >= lowest_flagged and not flagged) as goods_wrongly_left_out
            from scope group by all
        )
        select * from counts
        where 4 * goods_flagged < goods or 4 * goods_above_lowest_flagged >= goods or goods_wrongly_left_out > 0
    """)


_BAD_FLOWS = """
    select year, exporter_code, importer_code, hs6, value_usd, quantity, net_weight_kg, quantity_kg, quantity_units,
        is_split_conversion, source
    from {batch}
    where value_usd is null or not isfinite(value_usd) or value_usd < 0 or not isfinite(quantity) or quantity < 0
        or not least(net_weight_kg, quantity_kg, quantity_units) > 0
        or not isfinite(greatest(net_weight_kg, quantity_kg, quantity_units))
        or (is_split_conversion and coalesce(net_weight_kg, quantity_kg, quantity_units) is not null)
"""
_MIXED_IMPORTERS = """
    select year, importer_code, sum(value_usd) filter (not is_mirror) as reported_usd,
        sum(value_usd) filter (is_mirror) as mirrored_usd
    from {batch} group by all having bool_or(is_mirror) and bool_or(not is_mirror)
"""
# Conversion between HS revisions moves value between codes and neither makes nor loses any, but for ghost flows, which
# it drops. Where re-imports are kept as flows, the mart holds them in addition.
_LOST_REPORTS = """
    with mart as (
        select year, importer_code, sum(value_usd) as mart_usd from {batch} where not is_mirror group by all
    ),
    reports as (
        select year, reporter_code as importer_code, sum(value_usd) as reported_usd from stg_trade_flows
        where flow = 'M' group by all
    ),
    reimports as (
        select year, reporter_code as importer_code, sum(value_usd) as reimported_usd from stg_trade_reimports
        where flow = 'M' group by all
    ),
    compared as (
        select year, importer_code, coalesce(mart_usd, 0) as mart_usd, coalesce(reported_usd, 0) as reported_usd,
            coalesce(reimported_usd, 0) as reimported_usd
        from mart full join reports using (year, importer_code) left join reimports using (year, importer_code)
    )
    select *, mart_usd - reported_usd as difference_usd from compared
    where abs(mart_usd - reported_usd) > 1e-6 * reported_usd + 10
        and abs(mart_usd - reported_usd - reimported_usd) > 1e-6 * reported_usd + 10
"""
_MIRROR_FACTS = """
    select sum(value_usd) as value_usd,
        coalesce(sum(value_usd) filter (is_mirror), 0) / nullif(sum(value_usd), 0) as mirrored_share,
        count(distinct importer_code) as importers, count(distinct exporter_code) as exporters
    from {batch}
"""
_VANISHED_YEARS = """
    select year, sum(value_usd) as previous_usd, count(*) as previous_pairs from previous.bilateral_totals
    where (year in (select year from requested_years) or not exists (select 1 from requested_years))
        and year not in (select year from {batch}) and year not in (select year from all_years.bilateral_totals)
    group by year
"""
_FALLEN_TOTALS = f"""
    with before as (select year, sum(value_usd) as previous_usd from previous.bilateral_totals group by all),
    today as (select year, sum(value_usd) as value_usd from {{batch}} group by all)
    select *, value_usd / previous_usd - 1 as change from today join before using (year)
    where value_usd < (1 - {VALUE_FALL_LIMIT}) * previous_usd
"""
_TOTAL_FACTS = """
    select min(year) as first_year, max(year) as last_year, sum(value_usd) as value_usd from {batch}
"""

_BAD_CENTRALITY = f"""
    select year, hs6, in_scope, n_exporters, n_importers, world_exports_usd, export_centrality, export_hhi,
        top_exporter_share, top3_exporter_share, high_centrality
    from {{batch}}
    where n_exporters < 1 or n_importers < 1
        or export_centrality < 0 or not isfinite(export_centrality) or not isfinite(world_exports_usd)
        or not export_hhi between 1 / n_exporters - {_SHARE_TOLERANCE} and 1 + {_SHARE_TOLERANCE}
        or not top_exporter_share between export_hhi - {_SHARE_TOLERANCE} and 1 + {_SHARE_TOLERANCE}
        or not top3_exporter_share between top_exporter_share - {_SHARE_TOLERANCE} and 1 + {_SHARE_TOLERANCE}
        or (not in_scope and high_centrality is not null)
"""
_BAD_POSITIONS = """
    select * from {batch}
    where n_goods < 1 or not n_rank1 between 0 and n_top3 or not n_top3 between 0 and n_goods
        or not n_high_centrality between 0 and n_goods
        or not n_high_centrality_rank1 between 0 and n_high_centrality_top3
        or not n_high_centrality_top3 between 0 and n_high_centrality
        or not top3_share between 0 and 1 or not high_centrality_top3_share between 0 and 1
"""
_BAD_VULNERABILITY = f"""
    select year, importer_code, hs6, in_scope, import_value_usd, n_suppliers, import_hhi, effective_suppliers,
        top_supplier_share, category, vulnerability_index, unallocated_share
    from {{batch}}
    where not import_value_usd >= 0 or not isfinite(import_value_usd) or n_suppliers < 1
        or not import_hhi between 1 / n_suppliers - {_SHARE_TOLERANCE} and 1 + {_SHARE_TOLERANCE}
        or not effective_suppliers between 1 - {_SHARE_TOLERANCE} and n_suppliers + {_SHARE_TOLERANCE}
        or not top_supplier_share between import_hhi - {_SHARE_TOLERANCE} and 1 + {_SHARE_TOLERANCE}
        or not vulnerability_index between 0 and 1 or vulnerability_index = 0 or not unallocated_share between 0 and 1
        or (in_scope and category is null) or category not between 1 and 4
        or (not in_scope and (category is not null or vulnerability_index is not null))
"""
_WRONG_CATEGORIES = """
    select year, importer_code, hs6, high_centrality, high_concentration, category from {batch}
    where in_scope and category <> case
            when high_centrality and high_concentration then 1 when high_centrality then 2
            when high_concentration then 3 else 4
        end
"""
# What the members of the European Union trade with others, which is what it trades as one economy.
_SIDES_OF_THE_UNION = """
    select *, exporter_code in (from eu_members) as is_export from bilateral_totals
    where (exporter_code in (from eu_members)) <> (importer_code in (from eu_members))
"""
_EXPORTER_TOTALS = """
    select year, exporter_code, sum(value_usd) as flows_usd from bilateral_totals
    group by all having sum(in_scope_value_usd) > 0
    union all
    select year, 97, sum(value_usd) from sides_of_the_union where is_export
    group by all having sum(in_scope_value_usd) > 0
"""
# Goods are compared with flows by their sums over importers and over products. That takes a tenth of the time of
# comparing a million goods one by one, and a value in the wrong place changes at least one of the sums.
_IMPORTER_TOTALS = "select year, importer_code, sum(value_usd) as flows_usd from bilateral_totals group by all"
_IMPORTER_TOTALS_IN_SCOPE = """
    select year, importer_code, sum(in_scope_value_usd) as flows_usd from bilateral_totals
    group by all having flows_usd > 0
"""
_UNION_TOTALS = """
    select year, 97 as importer_code, sum(value_usd) as flows_usd from sides_of_the_union where not is_export
    group by all
"""
_UNION_TOTALS_IN_SCOPE = """
    select year, 97 as importer_code, sum(in_scope_value_usd) as flows_usd from sides_of_the_union where not is_export
    group by all having flows_usd > 0
"""
_PRODUCT_TOTALS = "select year, hs6, world_exports_usd as flows_usd from product_centrality"
_CATEGORY_FACTS = """
    select count(*) filter (in_scope) as goods_in_scope, count(*) as goods, count(distinct importer_code) as importers,
        sum(import_value_usd) filter (in_scope) / nullif(sum(import_value_usd), 0) as in_scope_value_share
    from {batch} where economy_kind = 'country'
"""

# An importer's goods against the same goods in the year before (of those the warehouse holds): a wrong unit moves them
# all by one power of ten. In real files of 2017 to 2022 the imports of the same goods grew or shrank by up to a factor
# of 110, but never all of five goods or more.
NEIGHBOUR_MISMATCH = 10
_NEIGHBOUR_YEARS = """
    with run as (select distinct year from import_vulnerability),
    years as (
        from (
            select year, lag(year) over (order by year) as year_before
            from (select distinct year from all_years.import_vulnerability)
        )
        where year in (from run) or year_before in (from run)
    ),
    goods as (
        select year, importer_code, hs6, import_value_usd from all_years.import_vulnerability
        where import_value_usd > 0 and economy_kind = 'country'
            and year in (select unnest([year, year_before]) from years)
    )
    select g.year, year_before, g.importer_code, count(*) as goods, sum(g.import_value_usd) as value_usd,
        sum(b.import_value_usd) as value_before_usd, value_usd / value_before_usd as ratio,
        median(g.import_value_usd / b.import_value_usd) as median_ratio
    from goods as g join years using (year)
        join goods as b on b.year = year_before and b.importer_code = g.importer_code and b.hs6 = g.hs6
    group by all
"""
_WRONG_UNITS = f"""
    select * from {{batch}} where {near_power_of_ten("ratio", "median_ratio", "goods")}
    order by value_usd desc, year, importer_code
"""
_MISMATCHES = f"""
    select * from {{batch}}
    where ratio not between {1 / NEIGHBOUR_MISMATCH} and {NEIGHBOUR_MISMATCH} and goods >= {UNIT_WITNESSES}
    order by abs(value_usd - value_before_usd) desc
"""
_NEIGHBOUR_FACTS = """
    select count(*) as importer_years_compared, min(ratio) as lowest_ratio, median(ratio) as median_ratio,
        max(ratio) as highest_ratio
    from {batch}
"""

_WRONG_SHARES = f"""
    select year, importer_code, sum(goods_share) as sum_of_goods_shares, sum(value_share) as sum_of_value_shares,
        sum(import_value_usd) as import_value_usd
    from {{batch}} group by all
    having abs(sum_of_goods_shares - 1) > {_SHARE_TOLERANCE}
        or (import_value_usd > 0 and abs(sum_of_value_shares - 1) > {_SHARE_TOLERANCE})
"""
_WRONG_CATEGORY_COUNTS = """
    with goods as (
        select year, importer_code, category, count(*) as goods, sum(import_value_usd) as goods_usd
        from import_vulnerability where in_scope group by all
    )
    select year, importer_code, category, goods, n_goods, goods_usd, import_value_usd
    from goods full join {batch} as summary using (year, importer_code, category)
    where n_goods is distinct from goods or abs(import_value_usd - goods_usd) > 1e-9 * abs(goods_usd) + 0.01
"""
_BAD_INDUSTRIES = f"""
    select year, importer_code, count(*) as industries, sum(vulnerability) as sum_of_vulnerability,
        min(vulnerability) as lowest, min(rank) as first_rank, sum(n_goods) as n_goods
    from {{batch}} group by all
    having lowest < 0 or sum_of_vulnerability > 1 + {_SHARE_TOLERANCE} or first_rank is distinct from 1
        or min(n_goods) < 1 or max(n_category1 - n_goods) > 0
"""
_INDUSTRY_GOODS = """
    select year, importer_code, hs2, sum(import_value_usd) as flows_usd from import_vulnerability where in_scope
    group by all
"""

# One threshold for all years: every year of the warehouse is held against it, whichever years the run computed.
_WRONG_POOLED = """
    with years as (
        select distinct unnest(string_split(centrality_years, ','))::integer as year from all_years.int_year_settings
    ),
    goods as (
        select *, round(export_centrality, 12) as centrality from all_years.product_centrality
    ),
    pooled as (
        select quantile_cont(centrality, 0.75) as threshold, count(distinct year) as n_years
        from goods semi join years using (year) where in_scope and centrality is not null
    ),
    again as (
        select year, hs6, in_scope, export_centrality, threshold, high_centrality_pooled, case
                when in_scope and n_years = (select count(*) from years) then coalesce(centrality >= threshold, false)
            end as recomputed
        from goods, pooled
    )
    select *, year in (select year from {batch}) as is_in_this_run from again
    where high_centrality_pooled is distinct from recomputed
"""
_BAD_DIVERSIFICATION = f"""
    select year, importer_code, product_level, product_code, import_value_usd, n_suppliers, effective_suppliers,
        own_region_share, top_supplier_share
    from {{batch}}
    where not import_value_usd >= 0 or not isfinite(import_value_usd) or n_suppliers < 1 or n_goods < 1
        or not effective_suppliers between 1 - {_SHARE_TOLERANCE} and n_suppliers + {_SHARE_TOLERANCE}
        or not own_region_share between 0 and 1 + {_SHARE_TOLERANCE}
        or not top_supplier_share between 1 / n_suppliers - {_SHARE_TOLERANCE} and 1 + {_SHARE_TOLERANCE}
"""
_WITHOUT_REGION = f"""
    with traders as (
        select exporter_code as country_code, value_usd from {{batch}}
        union all select importer_code, value_usd from {{batch}}
    )
    select country_code, any_value(iso3) as iso3, any_value(name) as name, sum(value_usd) as trade_usd,
        format('{{{{}}}} ({{{{}}}}) lies in no region, so what it sells counts under "no region". Add its code to '
            'the seed dbt/seeds/reference/country_regions.csv.',
            country_code, coalesce(any_value(name), 'without a name'))
            as {WHY}
    from traders left join countries using (country_code) where trade_region is null
    group by country_code order by trade_usd desc, country_code
"""
# Of the run's years, and of those that are five years later: a run of a year changes what is said of them.
_WRONG_CHANGES = """
    with years as (from all_years.diversification),
    run as (select distinct year from {batch}),
    compared as (
        select now.year, now.importer_code, now.product_level, now.product_code,
            unnest([
                {{'column': 'import_value_growth_5y', 'found': now.import_value_growth_5y,
                    'expected': (now.import_value_usd - past.import_value_usd) / past.import_value_usd}},
                {{'column': 'effective_suppliers_change_5y', 'found': now.effective_suppliers_change_5y,
                    'expected': now.effective_suppliers - past.effective_suppliers}},
                {{'column': 'own_region_share_change_5y', 'found': now.own_region_share_change_5y,
                    'expected': now.own_region_share - past.own_region_share}},
                {{'column': 'top_supplier_share_change_5y', 'found': now.top_supplier_share_change_5y,
                    'expected': now.top_supplier_share - past.top_supplier_share}}
            ], recursive := true)
        from years as now left join years as past on past.year = now.year - 5
            and past.importer_code = now.importer_code and past.product_level = now.product_level
            and past.product_code = now.product_code
        where (now.year in (from run) or now.year - 5 in (from run)) and (
            past.year is not null or now.import_value_growth_5y is not null
            or now.effective_suppliers_change_5y is not null or now.own_region_share_change_5y is not null
            or now.top_supplier_share_change_5y is not null
        )
    )
    select *, year in (from run) as is_in_this_run from compared
    where (found is null) <> (expected is null) or abs(found - expected) > 1e-9 * abs(expected) + 1e-9
"""
_WRONG_REGION_SHARES = f"""
    select year, importer_code, product_level, product_code, sum(import_share) as sum_of_shares,
        count(*) filter (is_own_region) as own_regions
    from {{batch}} group by all
    having abs(sum_of_shares - 1) > {_SHARE_TOLERANCE} or own_regions > 1
"""

TRADE_MARTS = Stage(
    name="marts",
    prepare=prepared(
        {"neighbour_years": _NEIGHBOUR_YEARS},
        PREPARED,
        {"sides_of_the_union": _SIDES_OF_THE_UNION},
        NETWORK_PREPARED,
        COMPLEXITY_PREPARED,
        RELOCATION_PREPARED,
        SHOCKS_PREPARED,
        SUPPLIERS_PREPARED,
        PRICE_PREPARED,
        IMPORT_PRICE_PREPARED,
        INVOLUTION_PREPARED,
        LEARNING_PREPARED,
        SUPPLY_PREPARED,
        PARADOX_PREPARED,
        TRANSITION_PREPARED,
    ),
    checks=(
        Check(
            "flows_plausible",
            "trade_flows",
            "ERROR",
            "There are flows, and their values and quantities are finite and not negative. Weights, kilograms and "
            "pieces are above zero, and unknown where a code was split over several goods.",
            (not_empty(), no_rows(_BAD_FLOWS)),
        ),
        Check(
            "totals_match_flows",
            "bilateral_totals",
            "ERROR",
            "The total of every pair of countries is the sum of its flows.",
            (
                _agrees(
                    "year, exporter_code, importer_code",
                    _flow_totals("year, exporter_code, importer_code"),
                    "value_usd",
                ),
            ),
            facts=_TOTAL_FACTS,
        ),
        Check(
            "mirrors_fill_gaps_only",
            "bilateral_totals",
            "ERROR",
            "An importer's flows of a year are all its own reports, or all its partners': mixed, they count twice.",
            (no_rows(_MIXED_IMPORTERS),),
            facts=_MIRROR_FACTS,
        ),
        Check(
            "imports_as_reported",
            "bilateral_totals",
            "ERROR",
            "Every reporting country's imports are what it reported: conversion and aggregation lost and made nothing.",
            (no_rows(_LOST_REPORTS),),
        ),
        Check(
            "no_self_trade",
            "bilateral_totals",
            "WARN",
            "No country trades with itself (re-imports count as flows only where that is asked for).",
            (no_rows("select year, exporter_code, value_usd from {batch} where exporter_code = importer_code"),),
        ),
        Check(
            "coverage_years",
            "bilateral_totals",
            "ERROR",
            "Every year of the previous release that is still asked for is there.",
            (no_rows(_VANISHED_YEARS),),
            requires=PREVIOUS_RELEASE,
        ),
        Check(
            "coverage_value",
            "bilateral_totals",
            "ERROR",
            f"In no year did world trade fall by more than {VALUE_FALL_LIMIT:.0%} against the previous release.",
            (no_rows(_FALLEN_TOTALS),),
            requires=PREVIOUS_RELEASE,
        ),
        Check(
            "totals_match_flows",
            "product_centrality",
            "ERROR",
            "World exports of every product are the sum of its flows.",
            (_agrees("year, hs6", _flow_totals("year, hs6"), "world_exports_usd"),),
        ),
        Check(
            "measures_plausible",
            "product_centrality",
            "ERROR",
            "Shares lie in [0, 1] and fit the numbers of exporters; centrality is not negative.",
            (no_rows(_BAD_CENTRALITY),),
        ),
        Check(
            "high_is_a_quarter",
            "product_centrality",
            "ERROR",
            "A quarter of the scope's products of a year is of high centrality, more only where values are equal.",
            (_quarter("year", "export_centrality", "high_centrality"),),
        ),
        Check(
            "totals_match_flows",
            "exporter_position",
            "ERROR",
            "Every exporter of goods in scope is there, the union too, and its exports are the sum of its flows.",
            (
                _agrees(
                    "year, exporter_code",
                    _EXPORTER_TOTALS,
                    "export_value_usd",
                ),
            ),
        ),
        Check(
            "counts_plausible",
            "exporter_position",
            "ERROR",
            "First places are among the top three, and those among the goods exported; shares lie in [0, 1].",
            (no_rows(_BAD_POSITIONS),),
        ),
        Check(
            "totals_match_flows",
            "import_vulnerability",
            "ERROR",
            "The goods' imports sum to the flows of every importer, the union among them, and of every product.",
            (
                _agrees("year, importer_code", f"{_IMPORTER_TOTALS} union all {_UNION_TOTALS}", "import_value_usd"),
                _agrees(
                    "year, importer_code",
                    f"{_IMPORTER_TOTALS_IN_SCOPE} union all {_UNION_TOTALS_IN_SCOPE}",
                    "import_value_usd",
                    where="in_scope",
                ),
                _agrees("year, hs6", _PRODUCT_TOTALS, "import_value_usd", where="economy_kind = 'country'"),
            ),
            facts=_CATEGORY_FACTS,
        ),
        Check(
            "measures_plausible",
            "import_vulnerability",
            "ERROR",
            "HHI lies between 1/suppliers and 1, effective suppliers are at most suppliers, categories are 1 to 4.",
            (no_rows(_BAD_VULNERABILITY), no_rows(_WRONG_CATEGORIES)),
        ),
        Check(
            "high_is_a_quarter",
            "import_vulnerability",
            "ERROR",
            "A quarter of an importer's goods in scope is of high concentration, more only where values are equal.",
            (_quarter("year, importer_code", "import_hhi", "high_concentration"),),
        ),
        Check(
            "units_agree_with_year_before",
            "import_vulnerability",
            "ERROR",
            "No importer's goods are a power of ten times what they were in the year before.",
            (no_rows(_WRONG_UNITS),),
            on="neighbour_years",
            facts=_NEIGHBOUR_FACTS,
        ),
        Check(
            "values_agree_with_year_before",
            "import_vulnerability",
            "WARN",
            f"No importer's goods grew or shrank by more than a factor of {NEIGHBOUR_MISMATCH} within a year.",
            (no_rows(_MISMATCHES),),
            on="neighbour_years",
            facts=_NEIGHBOUR_FACTS,
        ),
        Check(
            "shares_sum_to_one",
            "vulnerability_summary",
            "ERROR",
            "The categories' shares of goods and of value sum to 1 for every importer.",
            (
                one_of("category", 1, 2, 3, 4),
                between("goods_share", 0, 1 + _SHARE_TOLERANCE),
                between("value_share", 0, 1 + _SHARE_TOLERANCE),
                no_rows(_WRONG_SHARES),
            ),
        ),
        Check(
            "counts_match_goods",
            "vulnerability_summary",
            "ERROR",
            "Goods and values of every category are those of the importer's goods.",
            (no_rows(_WRONG_CATEGORY_COUNTS),),
        ),
        Check(
            "totals_match_goods",
            "industry_vulnerability",
            "ERROR",
            "The imports of every industry are the sum of its goods in scope.",
            (_agrees("year, importer_code, hs2", _INDUSTRY_GOODS, "import_value_usd"),),
        ),
        Check(
            "measures_plausible",
            "industry_vulnerability",
            "ERROR",
            "An importer's industries are ranked from 1; their vulnerabilities are not negative and sum to at most 1.",
            (no_rows(_BAD_INDUSTRIES),),
        ),
        Check(
            "pooled_high_is_recomputed",
            "product_centrality",
            "ERROR",
            "The pooled years' goods together give the threshold by which goods of every year are high or not.",
            (no_rows(_WRONG_POOLED),),
        ),
        Check(
            "totals_match_flows",
            "diversification",
            "ERROR",
            "The imports of all goods, and of the goods in scope, are the sum of the importer's flows.",
            (
                _agrees("year, importer_code", _IMPORTER_TOTALS, "import_value_usd", where="product_level = 'all'"),
                _agrees(
                    "year, importer_code",
                    _IMPORTER_TOTALS_IN_SCOPE,
                    "import_value_usd",
                    where="product_level = 'scope'",
                ),
            ),
        ),
        Check(
            "measures_plausible",
            "diversification",
            "ERROR",
            "Effective suppliers lie between 1 and the suppliers, and shares in [0, 1].",
            (no_rows(_BAD_DIVERSIFICATION),),
        ),
        Check(
            "changes_match_levels",
            "diversification",
            "ERROR",
            "Every change over five years is the level of the year less that of five years before, of all years.",
            (no_rows(_WRONG_CHANGES),),
        ),
        Check(
            "every_country_has_a_region",
            "diversification",
            "WARN",
            "Every country that trades lies in a region.",
            (no_rows(_WITHOUT_REGION),),
            on="bilateral_totals",
        ),
        Check(
            "shares_sum_to_one",
            "diversification_regions",
            "ERROR",
            "The regions' shares in a group of goods sum to 1, and one region at most is the importer's own.",
            (no_rows(_WRONG_REGION_SHARES),),
        ),
        *RECOMPUTED,
        *NETWORK_CHECKS,
        *COMPLEXITY_CHECKS,
        *RELOCATION,
        *SHOCKS,
        *SUPPLIERS,
        *PRICE_CHECKS,
        *IMPORT_PRICE_CHECKS,
        *INVOLUTION_CHECKS,
        *LEARNING_CHECKS,
        *KAIZEN_CHECKS,
        *SUPPLY_CHECKS,
        *PARADOX_CHECKS,
        *TRANSITION_CHECKS,
    ),
    keys={"vulnerability_summary": ("year", "importer_code", "category")},
)
