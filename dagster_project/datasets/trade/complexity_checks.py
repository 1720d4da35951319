"""Checks of economic complexity: plausible values, and values by another road.

The models find an eigenvector of a matrix; here the flows say whether it is one: a country's index must be, but for
scale and place, the mean of the mean index over its goods' exporters, and no other index may shrink less on that way.
Not here: the other marts of trade (`mart_checks`, `recomputed`, `network_checks`), and hand-worked cases (the tests).
"""

from __future__ import annotations

from collections.abc import Mapping

from dagster_project.checks.declarations import Check, no_rows
from dagster_project.checks.recomputed import equals, sampled

# Every flow of these years is read, and the pairs of countries over all goods.
YEARS, GOODS = 2, 12
# An index that belongs to a larger eigenvalue outgrows the published one in so many steps.
_STEPS = 40
_TOLERANCE = 1e-9
# What is published to 12 decimal places, and sums in another order.
_EQUAL = "1e-9 * abs({value}) + 1e-10"

_OPEN_YEARS = """
    select year, countries, goods, year || ': no country has an index. Found ' || countries || ' countries with an '
        'advantage in ' || goods || ' goods; expected at least three countries, whose goods part them in one way only. '
        'Of a selection of countries or goods the index says little: leave it aside, or land all of them.' as why
    from (
        select year, count(*) filter (diversity > 0) as countries, count(eci) as indexed from {batch} group by all
    ) join (select year, count(*) filter (ubiquity > 0) as goods from product_complexity group by all) using (year)
    where indexed = 0
"""
_BAD_COUNTRIES = f"""
    with facts as (
        select year, avg(eci) as mean_eci, stddev_pop(eci) as sd_eci, min(eci_rank) as first_rank,
            count(eci) as indexed, corr(eci, diversity) as with_diversity
        from {{batch}} group by all
    )
    select c.year, c.country_code, c.eci, c.eci_rank, c.diversity, c.n_products, mean_eci, sd_eci, with_diversity
    from {{batch}} as c join facts using (year)
    where not diversity between 0 and n_products or (n_products = 0) <> (export_value_usd = 0)
        or (eci is null) <> (eci_rank is null) or (eci is not null and diversity = 0)
        or (indexed > 0 and eci is null and diversity > 0)
        or abs(mean_eci) > {_TOLERANCE} or abs(sd_eci - 1) > {_TOLERANCE} or first_rank <> 1 or with_diversity <= 0
"""
_BAD_GOODS = """
    with facts as (select year, min(pci_rank) as first_rank, count(pci) as indexed from {batch} group by all)
    select g.year, hs6, pci, pci_rank, ubiquity, first_rank from {batch} as g join facts using (year)
    where ubiquity < 0 or (pci is null) <> (pci_rank is null) or (pci is not null and ubiquity = 0)
        or (indexed > 0 and pci is null and ubiquity > 0) or first_rank <> 1
"""
_OTHER_GOODS = """
    with goods as (select year, hs6 from product_centrality where hs6 <> '999999')
    select year, hs6, p.hs6 is not null as in_product_complexity, g.hs6 is not null as in_product_centrality
    from (select year, hs6 from {batch}) as p full join goods as g using (year, hs6)
    where p.hs6 is null or g.hs6 is null
"""
_BAD_PAIRS = f"""
    select * from {{batch}}
    where not rca >= 0 or not isfinite(rca) or not density between 0 and 1 + {_TOLERANCE}
"""
# Counts by country and by good of what the other two marts say of them.
_OTHER_COUNTS = """
    with pairs as (
        select year, country_code, count(*) as goods, count(*) filter (rca >= 1) as advantages from {batch} group by all
    ),
    countries as (select year, country_code, diversity from economic_complexity where n_products > 0),
    goods as (select year, count(*) as goods from product_complexity group by all)
    select year, country_code, pairs.goods, goods.goods as goods_of_year, advantages, diversity
    from pairs full join countries using (year, country_code) left join goods using (year)
    where pairs.goods is distinct from goods.goods or advantages is distinct from diversity
"""
_EXPORTS = """
    select year, exporter_code as country_code, hs6, sum(value_usd) as usd from trade_flows
    where hs6 <> '999999' and value_usd > 0 and year in (select year from complexity_years) group by all
"""
_SHARES = """
    select *, round(usd * sum(usd) over (partition by year) / sum(usd) over (partition by year, country_code)
        / sum(usd) over (partition by year, hs6), 12) as rca
    from complexity_exports
"""
_ADVANTAGES = """
    select year, country_code, hs6, count(*) over (partition by year, country_code) as diversity,
        count(*) over (partition by year, hs6) as ubiquity
    from complexity_shares where rca >= 1
"""
# The way from a country to its goods and on to their exporters, evenly at each step.
_WAYS = """
    select one.year, one.country_code, other.country_code as other_code, any_value(one.diversity) as diversity,
        any_value(other.diversity) as other_diversity, sum(1 / (one.diversity * one.ubiquity)) as share
    from complexity_advantages as one join complexity_advantages as other using (year, hs6)
    group by one.year, one.country_code, other_code
"""
# The mean index at the end of the ways from a country is slope * its own index + intercept.
_STEPPED = """
    with steps as (
        select w.year, w.country_code, sum(share * e.eci) as stepped
        from complexity_ways as w join economic_complexity as e on e.year = w.year and e.country_code = w.other_code
        group by all
    )
    select steps.*, eci, regr_slope(stepped, eci) over (partition by year) as slope,
        regr_intercept(stepped, eci) over (partition by year) as intercept
    from steps join economic_complexity using (year, country_code)
"""
_COUNTRIES = """
    with again as (
        select year, country_code,
            (stepped - avg(stepped) over (partition by year)) / stddev_pop(stepped) over (partition by year) as eci
        from complexity_steps
    ),
    exports as (
        select year, country_code, sum(usd) as export_value_usd, count(*) as n_products
        from complexity_exports group by all
    ),
    exporters as (
        select distinct year, exporter_code as country_code from trade_flows
        where year in (select year from complexity_years)
    )
    select year, country_code, again.eci, coalesce(diversity, 0) as diversity, coalesce(n_products, 0) as n_products,
        coalesce(export_value_usd, 0) as export_value_usd,
        case when mart.eci is not null then (
            select 1 + count(*) from economic_complexity as ahead
            where ahead.year = exporters.year and round(ahead.eci, 12) > round(mart.eci, 12)
        ) end as eci_rank
    from exporters left join exports using (year, country_code) left join again using (year, country_code)
    left join (select distinct year, country_code, diversity from complexity_advantages) using (year, country_code)
    left join (select year, country_code, eci from economic_complexity) as mart using (year, country_code)
"""
# Steps from an arbitrary beginning, each divided by the published index's own shrinking (slope), and less the mean that
# every step keeps. Its length, weighted by diversity, can only fall unless another index shrinks less.
_OUTGROWN = f"""
    with recursive countries as (
        select distinct year, country_code, diversity as k, (hash(country_code) % 1000)::double as x
        from complexity_ways
    ),
    kept as (
        select one.year, one.country_code, one.k, other.country_code as other_code,
            (coalesce(share, 0) - other.k / sum(other.k) over (partition by one.year, one.country_code)) / slope
                as share
        from countries as one join countries as other using (year)
        join (select distinct year, slope from complexity_steps where slope > 0) using (year)
        left join complexity_ways as w
            on w.year = one.year and w.country_code = one.country_code and w.other_code = other.country_code
    ),
    steps (step, year, country_code, k, x) as (
        select 0, year, country_code, k, x - sum(k * x) over (partition by year) / sum(k) over (partition by year)
        from countries
        union all
        select any_value(step) + 1, kept.year, kept.country_code, any_value(kept.k), sum(share * x)
        from steps join kept on kept.year = steps.year and kept.other_code = steps.country_code
        where step < {_STEPS} group by kept.year, kept.country_code
    )
    select year, sqrt(sum(k * x * x) filter (step = {_STEPS}) / sum(k * x * x) filter (step = 0)) as growth
    from steps where exists (select 1 from {{batch}}) group by year having growth > 1 + 1e-6
"""
_GOODS = """
    with again as (
        select year, hs6, any_value(ubiquity) as ubiquity, (avg(eci) - any_value(intercept)) / any_value(slope) as pci
        from complexity_advantages join complexity_steps using (year, country_code) group by all
    )
    select year, hs6, again.pci, coalesce(ubiquity, 0) as ubiquity, coalesce(in_scope, false) as in_scope,
        case when mart.pci is not null then (
            select 1 + count(*) from product_complexity as ahead
            where ahead.year = exports.year and round(ahead.pci, 12) > round(mart.pci, 12)
        ) end as pci_rank
    from (select distinct year, hs6 from complexity_exports) as exports left join again using (year, hs6)
    left join (select year, hs6, pci from product_complexity) as mart using (year, hs6)
    left join goods_in_scope using (hs6)
"""
_PAIRS = """
    with together as (
        select one.year, one.hs6, other.hs6 as other_hs6,
            count(*) / greatest(any_value(one.ubiquity), any_value(other.ubiquity)) as proximity
        from complexity_advantages as one semi join sampled_goods using (year, hs6)
        join complexity_advantages as other using (year, country_code) group by one.year, one.hs6, other_hs6
    ),
    near as (
        select t.year, a.country_code, t.hs6, sum(proximity) as near
        from together as t join complexity_advantages as a on a.year = t.year and a.hs6 = t.other_hs6 group by all
    ),
    everywhere as (select year, hs6, sum(proximity) as everywhere from together group by all)
    select year, country_code, hs6, coalesce(rca, 0) as rca, coalesce(near, 0) / everywhere as density
    from (select distinct year, country_code from complexity_exports) join sampled_goods using (year)
    left join complexity_shares using (year, country_code, hs6)
    left join near using (year, country_code, hs6) left join everywhere using (year, hs6)
"""

COMPLEXITY_PREPARED: Mapping[str, str] = {
    "complexity_years": sampled("economic_complexity", "year", YEARS),
    "complexity_exports": _EXPORTS,
    "complexity_shares": _SHARES,
    "complexity_advantages": _ADVANTAGES,
    "complexity_ways": _WAYS,
    "complexity_steps": _STEPPED,
    "sampled_goods": sampled(
        "product_complexity", "year, hs6", GOODS, where="year in (select year from complexity_years)"
    ),
}

COMPLEXITY_CHECKS = (
    Check(
        "index_is_defined",
        "economic_complexity",
        "WARN",
        "In every year the countries have an index.",
        (no_rows(_OPEN_YEARS),),
        facts="select count(eci) as countries_with_index, count(*) - count(eci) as countries_without from {batch}",
    ),
    Check(
        "measures_plausible",
        "economic_complexity",
        "ERROR",
        "The index has mean 0 and deviation 1 and grows with diversity; advantages are among the goods exported.",
        (no_rows(_BAD_COUNTRIES),),
    ),
    Check(
        "recomputed_from_flows",
        "economic_complexity",
        "ERROR",
        f"Index, advantages and exports of the countries of {YEARS} years are recomputed from their flows.",
        (
            equals(
                _COUNTRIES,
                "year, country_code",
                numbers=("eci", "export_value_usd"),
                others=("eci_rank", "diversity", "n_products"),
                sample=("complexity_years", "year"),
                tolerance=_EQUAL,
            ),
        ),
    ),
    Check(
        "index_is_the_strongest",
        "economic_complexity",
        "ERROR",
        f"Of all indices that the flows of {YEARS} years allow, none belongs to a larger eigenvalue.",
        (no_rows(_OUTGROWN),),
    ),
    Check(
        "goods_match_centrality",
        "product_complexity",
        "ERROR",
        "The goods are those of product_centrality without 999999, no more and no fewer.",
        (no_rows(_OTHER_GOODS),),
    ),
    Check(
        "measures_plausible",
        "product_complexity",
        "ERROR",
        "Goods that a country exports with an advantage have an index where any has, and ranks begin with 1.",
        (no_rows(_BAD_GOODS),),
    ),
    Check(
        "recomputed_from_flows",
        "product_complexity",
        "ERROR",
        f"Index and ubiquity of the goods of {YEARS} years are recomputed from the flows and the countries' index.",
        (
            equals(
                _GOODS,
                "year, hs6",
                numbers=("pci",),
                others=("pci_rank", "ubiquity", "in_scope"),
                sample=("complexity_years", "year"),
                tolerance=_EQUAL,
            ),
        ),
    ),
    Check(
        "measures_plausible",
        "product_space",
        "ERROR",
        "Advantages are not negative, and densities lie in [0, 1].",
        (no_rows(_BAD_PAIRS),),
    ),
    Check(
        "counts_match_complexity",
        "product_space",
        "ERROR",
        "Every exporting country has every good of the year once, and as many advantages as its diversity says.",
        (no_rows(_OTHER_COUNTS),),
    ),
    Check(
        "recomputed_from_flows",
        "product_space",
        "ERROR",
        f"Advantages and densities of {GOODS} goods in all countries are recomputed from the flows.",
        (
            equals(
                _PAIRS,
                "year, country_code, hs6",
                numbers=("rca", "density"),
                sample=("sampled_goods", "year, hs6"),
                tolerance=_EQUAL,
            ),
        ),
    ),
)
