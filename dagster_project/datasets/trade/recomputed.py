"""The trade marts by another road: values of a sample, from the staged reports and from the flows, as measures 1-6 say.

The models sum exactly, in whole numbers of tiny units; here are plain sums, means, standard deviations and ranks that
count who is ahead. Ranks and quantiles are taken over the mart's own numbers, which are recomputed too: the last digit
of a sum must not decide a tie here either. Not here: whether the marts agree as wholes (`mart_checks`).
"""

from __future__ import annotations

from collections.abc import Mapping

from dagster_project.checks.declarations import Check
from dagster_project.checks.recomputed import GOODS_IN_SCOPE, equals, sampled

PAIRS, PRODUCTS, IMPORTERS, EXPORTERS = 100, 200, 8, 12
# All flows of these years are summed for the places of exporters: not of every year at once.
YEARS = 3

# All that the reports say of the pairs, and all their flows: read once for the checks that follow.
_SAMPLED_REPORTS = """
    with sides as (
        select year, importer_code as reporter_code, exporter_code as partner_code, 'M' as flow from sampled_pairs
        union all
        select year, exporter_code, importer_code, 'X' from sampled_pairs
    )
    from stg_trade_flows semi join sides using (year, reporter_code, partner_code, flow)
    union all by name
    from stg_trade_reimports where year in (select year from int_year_settings where keep_reimports)
"""
_SAMPLED_FLOWS = """
    select year, exporter_code, importer_code, hs6, value_usd, quantity, quantity_kg, quantity_units
    from trade_flows semi join sampled_pairs using (year, exporter_code, importer_code)
"""
# Import reports count where the importer reported, its partners' export reports elsewhere.
_REPORTS_OF_PAIRS = """
    with settings as (select year, keep_reimports, mirror_cif_fob_factor from int_year_settings),
    used as (
        select p.*, r.* exclude (year), r.value_usd as usd from sampled_pairs as p join sampled_reports as r
            on r.year = p.year and r.reporter_code = p.importer_code and r.partner_code = p.exporter_code
        where r.flow = 'M'
        union all by name
        select p.*, r.* exclude (year), r.value_usd * s.mirror_cif_fob_factor as usd
        from sampled_pairs as p join sampled_reports as r
            on r.year = p.year and r.reporter_code = p.exporter_code and r.partner_code = p.importer_code
        join settings as s on s.year = p.year
        where r.flow = 'X' and (p.year, p.importer_code) not in (
            select (year, reporter_code) from stg_trade_reporters where flow = 'M'
            union all
            -- A re-import is a report where it is a flow.
            select (year, reporter_code) from stg_trade_reimports
            where flow = 'M' and value_usd > 0 and year in (select year from settings where keep_reimports)
        )
    ),
    parts as (
        select used.*, coalesce(c.hs6, cmd_code) as hs6, coalesce(c.weight, 1) as weight,
            coalesce(c.n_targets, 1) > 1 as is_split
        from used left join ways as c on c.from_revision = used.hs_revision and c.from_code = used.cmd_code
            and not coalesce(used.revision_assumed, false)
        where c.hs6 is not null or used.hs_revision = (select max(hs_revision) from stg_products)
            or used.cmd_code = '999999' or coalesce(used.revision_assumed, false)
    )
    select year, exporter_code, importer_code, hs6, sum(usd * weight) as value_usd,
        case when count(quantity) = count(*) and count(quantity_unit) = count(*) and count(distinct quantity_unit) = 1
            then sum(quantity * weight) end as quantity,
        case when bool_and(quantity_kg is not null and not is_split) then sum(quantity_kg * weight) end as quantity_kg,
        case when bool_and(quantity_units is not null and not is_split) then sum(quantity_units * weight) end
            as quantity_units
    from parts group by all
"""
# The ways from other revisions to the base revision; 999999 needs none.
_WAYS = """
    select *, count(*) over (partition by from_revision, from_code) as n_targets from stg_hs_conversion
    where from_revision <> (select max(hs_revision) from stg_products) and from_code <> '999999'
"""
_TOTALS_OF_PAIRS = """
    select year, exporter_code, importer_code, sum(value_usd) as value_usd, count(*) as n_goods,
        coalesce(sum(value_usd) filter (in_scope), 0) as in_scope_value_usd
    from sampled_flows left join goods_in_scope using (hs6) group by all
"""
# C_i as it is printed, over all traders of the good: 1/(n-1) times the sum of what i supplies over the mean supplier.
_PRODUCTS = """
    with w as (
        select year, hs6, exporter_code as i, importer_code as j, value_usd as w
        from trade_flows semi join sampled_products using (year, hs6)
    ),
    importers as (select year, hs6, j, avg(w) as mean_supplier, sum(w) as total from w group by all),
    exporters as (
        select year, hs6, i as code, sum(w / mean_supplier) as c, sum(w / total) as s, sum(w) as x
        from w join importers using (year, hs6, j) group by all
    ),
    traders as (select year, hs6, i as code from w union select year, hs6, j from w),
    sized as (
        select *, count(*) over good as n, sum(x) over good as world
        from traders left join exporters using (year, hs6, code) window good as (partition by year, hs6)
    ),
    measured as (
        select year, hs6, count(*) as n_countries, count(x) as n_exporters, any_value(world) as world_exports_usd,
            case when count(*) >= 3 then stddev_pop(coalesce(c, 0) / (n - 1)) end as export_centrality,
            case when count(*) >= 3 then stddev_pop(coalesce(s, 0) / (n - 1)) end as export_centrality_share,
            sum((x / world) ** 2) as export_hhi, max(x / world) as top_exporter_share,
            list_sum(list_sort(list(x / world) filter (x is not null), 'desc')[1:3]) as top3_exporter_share,
            first(code order by round(x, 2) desc nulls last, code) as top_exporter_code
        from sized group by year, hs6
    ),
    scope as (
        select p.year, p.hs6, round(p.export_centrality, 12) as centrality
        from product_centrality as p join goods_in_scope as g using (hs6)
        where g.in_scope and p.export_centrality is not null
    ),
    percentiles as (
        select one.year, one.hs6, 1 - count(*) filter (other.centrality > one.centrality) / count(*)
            as centrality_percentile
        from (from scope semi join sampled_products using (year, hs6)) as one join scope as other using (year)
        group by all
    )
    select measured.*, n_importers, coalesce(in_scope, false) as in_scope, centrality_percentile
    from measured join (select year, hs6, count(*) as n_importers from importers group by all) using (year, hs6)
    left join goods_in_scope using (hs6) left join percentiles using (year, hs6)
"""
# By the list of memberships, not by the mart countries.
_EU_MEMBERS = """
    select country_code from stg_countries
    where iso3 in (select iso3 from country_memberships where membership = 'eu' and valid_to is null)
"""
# Who is before an exporter: of a country's places, countries; of the union's, countries that are not its members.
_AHEAD = "other.exporter_code <> 97 and (one.exporter_code <> 97 or not other.is_member)"
# Everything of the exporters' years: a place is known only among all exporters of the good.
_EXPORTERS = f"""
    with sold as (
        select year, hs6, exporter_code, member_code is not null as to_the_union, sum(value_usd) as usd
        from trade_flows left join (select country_code as member_code from eu_members) on importer_code = member_code
        where year in (select year from sampled_exporters) group by all
    ),
    sums as (
        select year, hs6, exporter_code, sum(usd) as usd from sold group by all
        union all
        select year, hs6, 97, sum(usd) from sold where exporter_code in (from eu_members) and not to_the_union
        group by all
    ),
    exports as (select *, round(usd, 2) as cents, exporter_code in (from eu_members) as is_member from sums),
    positions as (select *, exporter_code in (from eu_members) as is_member from exporter_position),
    goods as (
        select one.*, 1 + count(*) filter (other.cents > one.cents and {_AHEAD}) as place
        from (from exports semi join sampled_exporters using (year, exporter_code)) as one
        join exports as other on other.year = one.year and other.hs6 = one.hs6
        group by all
    ),
    counted as (
        select year, exporter_code, count(*) filter (g.in_scope) as n_goods,
            count(*) filter (g.in_scope and place = 1) as n_rank1,
            count(*) filter (g.in_scope and place <= 3) as n_top3,
            count(*) filter (g.in_scope and p.high_centrality) as n_high_centrality,
            count(*) filter (g.in_scope and p.high_centrality and place = 1) as n_high_centrality_rank1,
            count(*) filter (g.in_scope and p.high_centrality and place <= 3) as n_high_centrality_top3,
            sum(usd) as export_value_usd, sum(usd) filter (g.in_scope) as in_scope_export_value_usd
        from goods left join goods_in_scope as g using (hs6) left join product_centrality as p using (year, hs6)
        group by all
    )
    select *, n_rank1 / n_goods as rank1_share, n_top3 / n_goods as top3_share,
        n_high_centrality_rank1 / nullif(n_high_centrality, 0) as high_centrality_rank1_share,
        n_high_centrality_top3 / nullif(n_high_centrality, 0) as high_centrality_top3_share,
        (
            select 1 + count(*) from positions as other
            where other.year = one.year and other.n_high_centrality > one.n_high_centrality and {_AHEAD}
        ) as high_centrality_rank
    from counted as one where n_goods > 0
"""
# Of the union's years, the flows between its members and others, under its code.
_SAMPLED_SIDES = """
    select year, hs6, value_usd, if(is_export, 97, exporter_code) as exporter_code,
        if(is_export, importer_code, 97) as importer_code
    from (
        select *, exporter_code in (from eu_members) as is_export, importer_code in (from eu_members) as is_import
        from trade_flows where year in (select year from sampled_economies where importer_code = 97)
    )
    where is_export <> is_import
"""
_IMPORTERS = """
    with purchases as (
        select year, importer_code, hs6, exporter_code, value_usd
        from trade_flows semi join sampled_importers using (year, importer_code)
        union all by name
        select year, importer_code, hs6, exporter_code, sum(value_usd) as value_usd
        from sampled_sides where importer_code = 97 group by all
    ),
    shares as (
        select *, value_usd / sum(value_usd) over (partition by year, importer_code, hs6) as share from purchases
    ),
    imports as (
        select year, importer_code, hs6, sum(value_usd) as import_value_usd, count(*) as n_suppliers,
            sum(share ** 2) as import_hhi, max(share) as top_supplier_share,
            first(exporter_code order by round(value_usd, 2) desc, exporter_code) as top_supplier_code
        from shares group by all
    ),
    exports as (
        select year, exporter_code as importer_code, hs6, sum(value_usd) as x
        from trade_flows
        where (year, exporter_code) in (select (year, importer_code) from sampled_importers) group by all
        union all
        select year, 97, hs6, sum(value_usd) from sampled_sides where exporter_code = 97 group by all
    ),
    reporters as (
        select year, importer_code, importer_code as reporter_code from sampled_importers
        union all
        select year, importer_code, country_code from sampled_economies cross join eu_members where importer_code = 97
    ),
    unallocated as (
        select u.year, importer_code, coalesce(c.hs6, u.cmd_code) as hs6,
            sum(u.value_usd * coalesce(c.weight, 1)) as nowhere
        from stg_trade_unallocated as u join reporters using (year, reporter_code) left join ways as c
            on c.from_revision = u.hs_revision and c.from_code = u.cmd_code and not coalesce(u.revision_assumed, false)
        where u.flow = 'M' group by all
    ),
    goods as (
        select i.*, i.import_value_usd as m, e.x, coalesce(u.nowhere, 0) as nowhere,
            coalesce(g.in_scope, false) as in_scope, p.high_centrality, p.centrality_percentile,
            round(v.import_hhi, 12) as hhi
        from imports as i
        left join exports as e using (year, importer_code, hs6)
        left join unallocated as u using (year, importer_code, hs6)
        left join goods_in_scope as g using (hs6)
        left join product_centrality as p using (year, hs6)
        left join import_vulnerability as v using (year, importer_code, hs6)
    ),
    compared as (
        select *, 1 / import_hhi as effective_suppliers, coalesce(x, 0) as export_value_usd, m / x as cdi3,
            m / (m + coalesce(x, 0)) as net_import_ratio, nowhere as unallocated_value_usd,
            nowhere / (nowhere + m) as unallocated_share,
            hhi > 0.4 and (x is null or (round(m / (m + x), 12) > 0.5 and round(m / x, 12) > 1)) as eu_dependent,
            case when in_scope then hhi >= quantile_cont(hhi, 0.75) filter (in_scope) over importer end
                as high_concentration,
            1 - (rank() over (partition by year, importer_code, in_scope order by hhi desc nulls last) - 1)
                / count(*) over (partition by year, importer_code, in_scope) as r_h
        from goods window importer as (partition by year, importer_code)
    )
    select *, case when in_scope then 4 - 2 * high_centrality::integer - high_concentration::integer end as category,
        case when in_scope then sqrt(centrality_percentile * r_h) end as vulnerability_index
    from compared
"""
_CATEGORIES = """
    select *, n_goods / sum(n_goods) over importer as goods_share,
        import_value_usd / sum(import_value_usd) over importer as value_share
    from (
        select year, importer_code, category, count(*) as n_goods, sum(m) as import_value_usd
        from recomputed_imports where in_scope group by all
    ) window importer as (partition by year, importer_code)
"""
_INDUSTRIES = """
    with industries as (
        select year, importer_code, left(hs6, 2) as hs2, count(*) as n_goods, sum(m) as import_value_usd,
            coalesce(sum(m * vulnerability_index), 0) as weighted, avg(vulnerability_index) as vulnerability_mean,
            count(*) filter (vulnerability_index is null) as n_goods_without_index,
            coalesce(sum(m) filter (vulnerability_index is not null), 0) / sum(m) as indexed_value_share,
            count(*) filter (category = 1) as n_category1
        from recomputed_imports where in_scope group by all
    ),
    places as (
        select year, importer_code, hs2, vulnerability as mart,
            lead(vulnerability) over (partition by year, importer_code order by round(vulnerability, 12) desc, hs2)
                as next,
            (
                select 1 + count(*) from industry_vulnerability as ahead
                where ahead.year = i.year and ahead.importer_code = i.importer_code
                    and round(ahead.vulnerability, 12) > round(i.vulnerability, 12)
            ) as rank
        from industry_vulnerability as i semi join sampled_economies using (year, importer_code)
    )
    select industries.*, rank, mart / nullif(next, 0) as ratio_to_next,
        weighted / sum(import_value_usd) over (partition by year, importer_code) as vulnerability
    from industries left join places using (year, importer_code, hs2)
"""
# Every flow of the importers in each of the groups that its good is in, with the effective suppliers of the good.
_GROUPED_FLOWS = """
    with flows as (
        select *, sum(value_usd) over good ** 2 / sum(value_usd ** 2) over good as effective
        from trade_flows semi join sampled_importers using (year, importer_code)
        window good as (partition by year, importer_code, hs6)
    ),
    levels as (
        select *, hs6[:4] as hs4, hs6[:2] as hs2, 'all' as "all", case when in_scope then 'scope' end as scope
        from flows left join goods_in_scope using (hs6)
    )
    select g.*, coalesce(s.trade_region, 'no region') as supplier_region, i.trade_region as importer_region
    from (
        from (select year, importer_code, exporter_code, hs6, value_usd, effective, hs4, hs2, "all", scope from levels)
        unpivot (product_code for product_level in (hs4, hs2, "all", scope))
        union all by name
        select year, importer_code, exporter_code, f.hs6, value_usd, effective, 'sector' as product_level,
            sector_id as product_code
        from flows as f join price_sectors as s on s.hs6 = f.hs6 and coalesce(s.from_year, 0) <= f.year
            and s.hs_revision = (select max(hs_revision) from stg_products)
    ) as g
    left join countries as s on s.country_code = g.exporter_code
    left join countries as i on i.country_code = g.importer_code
"""
_GROUPS = """
    with suppliers as (
        select year, importer_code, product_level, product_code, exporter_code, sum(value_usd) as v
        from grouped_flows group by all
    )
    select year, importer_code, product_level, product_code, any_value(importer_region) as importer_region,
        count(distinct hs6) as n_goods, count(distinct exporter_code) as n_suppliers,
        sum(value_usd) as import_value_usd, sum(value_usd * effective) / sum(value_usd) as effective_suppliers,
        case when any_value(importer_region) is not null
            then coalesce(sum(value_usd) filter (importer_region = supplier_region), 0) / sum(value_usd) end
            as own_region_share,
        any_value(top) as top_supplier_code, any_value(largest) / sum(value_usd) as top_supplier_share
    from grouped_flows join (
        select year, importer_code, product_level, product_code, max(v) as largest,
            first(exporter_code order by round(v, 2) desc, exporter_code) as top
        from suppliers group by all
    ) using (year, importer_code, product_level, product_code)
    group by all
"""
_REGIONS = """
    with suppliers as (
        select year, importer_code, product_level, product_code, supplier_region as trade_region, exporter_code,
            any_value(importer_region) as importer_region, sum(value_usd) as v
        from grouped_flows group by all
    ),
    regions as (
        select year, importer_code, product_level, product_code, trade_region, count(*) as n_suppliers,
            coalesce(bool_or(importer_region = trade_region), false) as is_own_region, sum(v) as import_value_usd,
            first(exporter_code order by round(v, 2) desc, exporter_code) as top_supplier_code, max(v) as largest
        from suppliers group by all
    )
    select *, import_value_usd / sum(import_value_usd) over whole as import_share,
        largest / sum(import_value_usd) over whole as top_supplier_share
    from regions window whole as (partition by year, importer_code, product_level, product_code)
"""

PREPARED: Mapping[str, str] = {
    "ways": _WAYS,
    "goods_in_scope": GOODS_IN_SCOPE,
    "sampled_pairs": sampled("bilateral_totals", "year, exporter_code, importer_code", PAIRS),
    "sampled_reports": _SAMPLED_REPORTS,
    "sampled_flows": _SAMPLED_FLOWS,
    "sampled_products": sampled("product_centrality", "year, hs6", PRODUCTS),
    "eu_members": _EU_MEMBERS,
    "sampled_years": sampled("bilateral_totals", "year", YEARS),
    "sampled_importers": sampled("bilateral_totals", "year, importer_code", IMPORTERS),
    "sampled_economies": "from sampled_importers union all select year, 97 from sampled_years",
    "sampled_sides": _SAMPLED_SIDES,
    "sampled_exporters": f"""
        from ({
        sampled("bilateral_totals", "year, exporter_code", EXPORTERS, where="year in (select year from sampled_years)")
    }) union all select year, 97 from sampled_years
    """,
    "recomputed_imports": _IMPORTERS,
    "grouped_flows": _GROUPED_FLOWS,
}
_PAIR, _IMPORTER = "year, exporter_code, importer_code", "year, importer_code"

RECOMPUTED = (
    Check(
        "recomputed_from_reports",
        "trade_flows",
        "ERROR",
        f"The flows of {PAIRS} pairs of countries, recomputed from the reports, have the mart's values and quantities.",
        (
            equals(
                _REPORTS_OF_PAIRS,
                f"{_PAIR}, hs6",
                numbers=("value_usd", "quantity", "quantity_kg", "quantity_units"),
                sample=("sampled_pairs", _PAIR),
                unless_missing="again.value_usd < 0.0101",  # ghost flows; a digit's doubt at the limit
            ),
        ),
        on="sampled_flows",
    ),
    Check(
        "recomputed_from_flows",
        "bilateral_totals",
        "ERROR",
        f"The totals of {PAIRS} pairs of countries, all goods and those in scope, are recomputed from their flows.",
        (
            equals(
                _TOTALS_OF_PAIRS,
                _PAIR,
                numbers=("value_usd", "in_scope_value_usd"),
                others=("n_goods",),
                sample=("sampled_pairs", _PAIR),
            ),
        ),
    ),
    Check(
        "recomputed_from_flows",
        "product_centrality",
        "ERROR",
        f"Centrality, concentration and leaders of {PRODUCTS} products are recomputed from their flows.",
        (
            equals(
                _PRODUCTS,
                "year, hs6",
                numbers=(
                    *("world_exports_usd", "export_centrality", "export_centrality_share", "export_hhi"),
                    *("top_exporter_share", "top3_exporter_share", "centrality_percentile"),
                ),
                others=("in_scope", "n_countries", "n_exporters", "n_importers", "top_exporter_code"),
                sample=("sampled_products", "year, hs6"),
            ),
        ),
    ),
    Check(
        "recomputed_from_flows",
        "exporter_position",
        "ERROR",
        f"Goods, places and exports of {EXPORTERS} exporters and the union are recomputed from {YEARS} years' flows.",
        (
            equals(
                _EXPORTERS,
                "year, exporter_code",
                numbers=(
                    *("export_value_usd", "in_scope_export_value_usd", "rank1_share", "top3_share"),
                    *("high_centrality_rank1_share", "high_centrality_top3_share"),
                ),
                others=(
                    *("n_goods", "n_rank1", "n_top3", "n_high_centrality", "n_high_centrality_rank1"),
                    *("n_high_centrality_top3", "high_centrality_rank"),
                ),
                sample=("sampled_exporters", "year, exporter_code"),
            ),
        ),
    ),
    Check(
        "recomputed_from_flows",
        "import_vulnerability",
        "ERROR",
        f"Every measure of all goods of {IMPORTERS} importers and the union is recomputed from flows and reports.",
        (
            equals(
                "from recomputed_imports",
                f"{_IMPORTER}, hs6",
                numbers=(
                    *("import_value_usd", "import_hhi", "effective_suppliers", "top_supplier_share"),
                    *("vulnerability_index", "export_value_usd", "cdi3", "net_import_ratio"),
                    *("unallocated_value_usd", "unallocated_share"),
                ),
                others=(
                    *("in_scope", "n_suppliers", "top_supplier_code", "high_concentration", "high_centrality"),
                    *("category", "eu_dependent"),
                ),
                sample=("sampled_economies", _IMPORTER),
            ),
        ),
    ),
    Check(
        "recomputed_from_flows",
        "vulnerability_summary",
        "ERROR",
        f"Goods, values and shares of the categories of {IMPORTERS} importers and the union are recomputed from flows.",
        (
            equals(
                _CATEGORIES,
                f"{_IMPORTER}, category",
                numbers=("goods_share", "import_value_usd", "value_share"),
                others=("n_goods",),
                sample=("sampled_economies", _IMPORTER),
            ),
        ),
    ),
    Check(
        "recomputed_from_flows",
        "industry_vulnerability",
        "ERROR",
        f"Vulnerability and ranks of the industries of {IMPORTERS} importers and the union are recomputed from flows.",
        (
            equals(
                _INDUSTRIES,
                f"{_IMPORTER}, hs2",
                numbers=(
                    *("import_value_usd", "vulnerability", "vulnerability_mean", "indexed_value_share"),
                    "ratio_to_next",
                ),
                others=("n_goods", "n_goods_without_index", "n_category1", "rank"),
                sample=("sampled_economies", _IMPORTER),
            ),
        ),
    ),
    Check(
        "recomputed_from_flows",
        "diversification",
        "ERROR",
        f"Suppliers, own region and leaders of all groups of goods of {IMPORTERS} importers are recomputed from flows.",
        (
            equals(
                _GROUPS,
                f"{_IMPORTER}, product_level, product_code",
                numbers=("import_value_usd", "effective_suppliers", "own_region_share", "top_supplier_share"),
                others=("importer_region", "n_goods", "n_suppliers", "top_supplier_code"),
                sample=("sampled_importers", _IMPORTER),
            ),
        ),
    ),
    Check(
        "recomputed_from_flows",
        "diversification_regions",
        "ERROR",
        f"What {IMPORTERS} importers buy from which region, group by group, is recomputed from their flows.",
        (
            equals(
                _REGIONS,
                f"{_IMPORTER}, product_level, product_code, trade_region",
                numbers=("import_value_usd", "import_share", "top_supplier_share"),
                others=("is_own_region", "n_suppliers", "top_supplier_code"),
                sample=("sampled_importers", _IMPORTER),
            ),
        ),
    ),
)
