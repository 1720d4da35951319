"""The published figures of trade by another road: from flows and the goods of importers, not from the marts' counts.

Only the years are read in which a figure was computed: where none is computable, this costs nothing. Not here: which
figures there are, and verdicts.
"""

from __future__ import annotations

from dagster_project.checks.declarations import Check, Stage, prepared
from dagster_project.checks.recomputed import GOODS_IN_SCOPE, figures_equal
from dagster_project.datasets.trade.price_figures import OF_PRICES, PRICE_FIGURES_PREPARED

_YEARS_USED = """
    select distinct unnest(string_split(years, ', '))::integer as year
    from published_benchmarks where dataset = 'trade' and computed_value is not null
"""
_EXPORTS = """
    select year, hs6, exporter_code, sum(value_usd) as usd, round(sum(value_usd), 2) as cents
    from trade_flows semi join figure_years using (year) group by all
"""
# The chapter's high centrality: a quarter of the goods of 2017 and 2018 taken together.
_HIGH = """
    select year, hs6 from product_centrality where in_scope and round(export_centrality, 12) >= (
        select quantile_cont(round(export_centrality, 12), 0.75) from product_centrality
        where in_scope and year in (2017, 2018)
    )
"""
_PLACES = """
    select one.year, one.hs6, 1 + count(other.exporter_code) as place,
        (one.year, one.hs6) in (select (year, hs6) from figure_high) as is_high
    from (from figure_exports where exporter_code = 156) as one
    join goods_in_scope as g on g.hs6 = one.hs6 and g.in_scope
    left join figure_exports as other
        on other.year = one.year and other.hs6 = one.hs6 and other.cents > one.cents
    group by all
"""
_IMPORTS = """
    select year, importer_iso3, hs2, import_value_usd as m, coalesce(vulnerability_index, 0) as index,
        4 - 2 * ((year, hs6) in (select (year, hs6) from figure_high))::integer - high_concentration::integer
            as category
    from import_vulnerability semi join figure_years using (year)
    where in_scope and importer_iso3 in ('CHN', 'JPN', 'KOR', 'USA', 'DEU', 'GBR', 'FRA', 'ITA')
"""


def _figures(table: str, **formulas: tuple[str, str]) -> str:
    """One row per year of the table (a query with one row per year) and figure, with numerator and denominator."""
    return " union all ".join(
        f"select '{name}' as benchmark_id, year, ({top})::double as numerator, ({bottom})::double as denominator "
        f"from ({table}) as years"
        for name, (top, bottom) in formulas.items()
    )


_OF_EXPORTS = _figures(
    """
        select *,
            (select count(distinct hs6) from figure_exports join goods_in_scope using (hs6)
                where in_scope and figure_exports.year = c.year) as traded,
            (select 1 + count(*) from (
                select exporter_code, count(*) as n
                from figure_exports as e semi join figure_high using (year, hs6)
                where e.year = c.year group by exporter_code
            ) where n > c.high) as high_rank
        from (
            select year, count(*) filter (place <= 3) as top3, count(*) filter (is_high) as high,
                count(*) filter (is_high and place <= 3) as high_top3,
                count(*) filter (is_high and place = 1) as high_first
            from figure_places group by year
        ) as c
    """,
    xu_intermediates_traded=("traded", "1"),
    xu_china_top3=("top3", "1"),
    xu_china_top3_share=("top3", "traded"),
    xu_high_centrality_exported=("high", "1"),
    xu_high_centrality_rank=("high_rank", "1"),
    xu_high_centrality_top3=("high_top3", "1"),
    xu_high_centrality_top3_share=("high_top3", "high"),
    xu_high_centrality_first=("high_first", "1"),
)
_OF_IMPORTS = _figures(
    """
        select year, count(*) as goods, sum(m) as usd, sum(m) filter (category = 4) as usd4,
            count(*) filter (category = 1) as n1, count(*) filter (category = 2) as n2,
            count(*) filter (category = 3) as n3, count(*) filter (category = 4) as n4
        from figure_imports where importer_iso3 = 'CHN' group by year
    """,
    xu_goods_imported=("goods", "1"),
    xu_category1=("n1", "1"),
    xu_category2=("n2", "1"),
    xu_category3=("n3", "1"),
    xu_category4=("n4", "1"),
    xu_category4_goods_share=("n4", "goods"),
    xu_category4_value_share=("coalesce(usd4, 0)", "usd"),
    xu_category_odds_ratio=("n1 * n4", "n2 * n3"),
)
_OF_SHARES = _figures(
    """
        select year, sum(usd) filter (exporter_code = 156 and bec4 in ('121', '22', '322', '42', '53')) as china,
            sum(usd) filter (bec4 in ('121', '22', '322', '42', '53')) as world,
            sum(usd) filter (exporter_code = 156 and hs6 like '85414_') as china_solar,
            sum(usd) filter (hs6 like '85414_') as world_solar
        from figure_exports left join stg_products using (hs6) group by year
    """,
    xu_manufactured_intermediates_share=("china", "world"),
    wu_solar_share=("china_solar", "world_solar"),
    iea_solar_share=("china_solar", "world_solar"),
)
# The European Union as one importer: what its members buy of others and sell to them, good by good.
_OF_THE_UNION = """
    with members as (
        select country_code from stg_countries
        where iso3 in (select iso3 from country_memberships where membership = 'eu' and valid_to is null)
    ),
    sides as (
        select year, hs6, value_usd, exporter_code, exporter_code in (from members) as sold,
            importer_code in (from members) as bought
        from trade_flows semi join figure_years using (year) where hs6 <> '999999'
    ),
    suppliers as (
        select year, hs6, sum(value_usd) as usd from sides where bought and not sold
        group by year, hs6, exporter_code
    ),
    goods as (select year, hs6, sum(usd) as m, sum(usd ** 2) / sum(usd) ** 2 as hhi from suppliers group by all),
    exports as (select year, hs6, sum(value_usd) as x from sides where sold and not bought group by all)
    select 'eu_dependent_products' as benchmark_id, year,
        count(*) filter (round(hhi, 12) > 0.4 and (x is null or round(m / x, 12) > 1)) as numerator, 1 as denominator
    from goods left join exports using (year, hs6) group by year
"""
# Chapters of each importer, the most vulnerable first.
_RANKED = """
    select year, importer_iso3, list(hs2 order by round(v, 12) desc, hs2) as chapters,
        max(v) filter (hs2 = '85') as v85, max(v) filter (hs2 <> '85') as next
    from (
        select year, importer_iso3, hs2, sum(m * index) / any_value(total) as v
        from (select *, sum(m) over (partition by year, importer_iso3) as total from figure_imports) group by all
    ) group by all
"""
_OF_INDUSTRIES = f"""
    with ranked as ({_RANKED})
    select case importer_iso3 when 'CHN' then 'xu_industry_first' else 'xu_leader_' || importer_iso3 end
            as benchmark_id, year, chapters[1]::double as numerator, 1::double as denominator from ranked
    union all
    select 'xu_france_third', year, chapters[3]::double, 1 from ranked where importer_iso3 = 'FRA'
    union all
    select 'xu_industry_second_third', year,
        (list_contains(chapters[2:3], '84') and list_contains(chapters[2:3], '90'))::integer, 1
    from ranked where importer_iso3 = 'CHN'
    union all
    select 'xu_industry_ratio', year, v85, next from ranked where importer_iso3 = 'CHN'
"""
_OF_DESTINATIONS = """
    with destinations as (
        select year, importer_code, round(sum(value_usd), 2) as cents
        from trade_flows semi join figure_years using (year) where exporter_code = 156 group by all
    ),
    reported as (
        select year, partner_code as importer_code, round(sum(value_usd), 2) as cents
        from stg_trade_flows semi join figure_years using (year)
        where flow = 'X' and reporter_code = 156 group by all
    )
    select 'xu_vietnam_rank_2020' as benchmark_id, year, 1 + (
            select count(*) from destinations as ahead where ahead.year = d.year and ahead.cents > d.cents
        ) as numerator, 1 as denominator
    from destinations as d where importer_code = 704
    union all
    select 'xu_vietnam_rank_2020_without_hkg', year, 1 + (
            select count(*) from destinations as ahead
            where ahead.year = d.year and ahead.cents > d.cents and importer_code <> 344
        ), 1
    from destinations as d where importer_code = 704
    union all
    select 'xu_vietnam_rank_2020_exporter_report', year, 1 + (
            select count(*) from reported as ahead where ahead.year = d.year and ahead.cents > d.cents
        ), 1
    from reported as d where importer_code = 704
"""
_OF_VIET_NAM = """
    select 'xu_vietnam_intermediate_share' as benchmark_id, year,
        sum(value_usd) filter (bec4 in ('111', '121', '21', '22', '31', '322', '42', '53')) as numerator,
        sum(value_usd) as denominator
    from trade_flows semi join figure_years using (year) left join stg_products using (hs6)
    where exporter_code = 156 and importer_code = 704 group by year
    union all
    select 'xu_surplus_shift', year,
        (china_usa < china_usa_2012 and viet_nam_usa > viet_nam_usa_2012 and china_viet_nam > china_viet_nam_2012)
            ::integer,
        1
    from figure_surpluses cross join (
        select china_usa as china_usa_2012, viet_nam_usa as viet_nam_usa_2012, china_viet_nam as china_viet_nam_2012
        from figure_surpluses where year = 2012
    ) semi join figure_years using (year)
"""
_SURPLUSES = """
    select year, sum(usd) filter (who = [156, 842]) as china_usa, sum(usd) filter (who = [704, 842]) as viet_nam_usa,
        sum(usd) filter (who = [156, 704]) as china_viet_nam
    from (
        select year, [exporter_code, importer_code] as who, value_usd as usd from bilateral_totals
        union all
        select year, [importer_code, exporter_code], -value_usd from bilateral_totals
    ) group by year
"""
_ALL = (
    *(_OF_EXPORTS, _OF_IMPORTS, _OF_THE_UNION, _OF_SHARES, _OF_INDUSTRIES, _OF_DESTINATIONS, _OF_VIET_NAM),
    OF_PRICES,
)
_PARTS = " union all ".join(f"select * from ({each})" for each in _ALL)

TRADE_FIGURES = Stage(
    name="figures of trade",
    checks=(
        Check(
            "trade_figures_recomputed",
            "published_benchmarks",
            "ERROR",
            "Every figure of trade is recomputed from the flows and from the goods of its importers.",
            (figures_equal("trade", _PARTS),),
        ),
    ),
    prepare=prepared(
        {
            "goods_in_scope": GOODS_IN_SCOPE,
            "figure_years": _YEARS_USED,
            "figure_exports": _EXPORTS,
            "figure_high": _HIGH,
            "figure_places": _PLACES,
            "figure_imports": _IMPORTS,
            "figure_surpluses": _SURPLUSES,
        },
        PRICE_FIGURES_PREPARED,
    ),
)
