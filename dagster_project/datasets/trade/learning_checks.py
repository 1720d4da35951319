"""The checks of learning_rate: runs, quantities and regressions recomputed from the price chains and the flows.

Not here: the price chains (`price_checks`).
"""

from __future__ import annotations

from collections.abc import Mapping

from dagster_project.checks.declarations import Check, no_rows, not_empty
from dagster_project.checks.recomputed import equals, sampled

PRODUCTS = 60
_PRODUCT = "exporter_code, product_level, product_code"
# Student's t, 97.5 %, of 3 degrees of freedom and more, from a printed table.
_T = (
    *(3.182446, 2.776445, 2.570582, 2.446912, 2.364624, 2.306004, 2.262157, 2.228139, 2.200985, 2.178813),
    *(2.160369, 2.144787, 2.131450, 2.119905, 2.109816, 2.100922, 2.093024, 2.085963, 2.079614, 2.073873),
    *(2.068658, 2.063899, 2.059539, 2.055529, 2.051831, 2.048407, 2.045230, 2.042272),
)

_AMOUNTS = """
    with products as (select distinct product_level, product_code from sampled_learning),
    -- The goods of each product are listed first: the flows are then found by good, not product by product.
    members as (
        select product_level, product_code, product_code as hs6, 0 as from_year from products
        where product_level = 'hs6'
        union all
        select product_level, product_code, hs6, min(coalesce(from_year, 0))
        from products join price_sectors on sector_id = product_code
        where product_level <> 'hs6' and hs_revision = (select max(hs_revision) from stg_products) group by all
    ),
    flows as (
        select product_level, product_code, f.year, f.exporter_code, f.value_usd,
            case when left(hs6, 4) in (select heading from price_basis) then f.quantity_units else f.quantity_kg end
                as q
        from members join all_years.trade_flows as f using (hs6) where f.year >= from_year
    )
    select product_level, product_code, year, exporter_code,
        sum(q) * sum(value_usd) / sum(value_usd) filter (q is not null) as quantity
    from flows group by grouping sets (
        (product_level, product_code, year, exporter_code), (product_level, product_code, year)
    )
"""
_POINTS = f"""
    with runs as (
        select {_PRODUCT}, year, chain_start_year, chain_tornqvist,
            count(*) over (partition by {_PRODUCT}, chain_start_year) as n
        from all_prices semi join sampled_learning using ({_PRODUCT})
        where basis = 'baseline' and chain_tornqvist is not null
    ),
    longest as (
        select * from runs
        qualify rank() over (partition by {_PRODUCT} order by n desc, chain_start_year desc) = 1
    ),
    stocks as (
        select l.*, ln(chain_tornqvist) as y, own.quantity as q, sum(own.quantity) over line as own,
            sum(world.quantity) over line as world,
            ln(first(own.quantity) over line / nth_value(own.quantity, 3) over whole) / -2 as g,
            first(own.quantity) over line as q1
        from longest as l
        join learning_amounts as own using ({_PRODUCT}, year)
        join learning_amounts as world on world.exporter_code is null and world.year = l.year
            and world.product_level = l.product_level and world.product_code = l.product_code
        window line as (partition by {_PRODUCT} order by l.year),
            whole as (partition by {_PRODUCT} order by l.year rows between unbounded preceding and unbounded following)
    )
    select {_PRODUCT}, year, n, y, cumulative, stock from (
        select {_PRODUCT}, year, n, y, own, own + case when g > 1e-12 then q1 / (exp(g) - 1) else 0 end
            as own_with_initial, world
        from stocks
    ) unpivot (stock for cumulative in (own, own_with_initial, world))
"""
_RATES = f"""
    with fitted as (
        select {_PRODUCT}, cumulative, any_value(n) as n, min(year) as first_year, max(year) as last_year,
            log2(max(stock) / min(stock)) as doublings, -regr_slope(y, ln(stock)) as slope,
            regr_sxx(y, ln(stock)) as xx, regr_syy(y, ln(stock)) as yy
        from learning_points group by all
    ),
    judged as (
        select {_PRODUCT}, kind as cumulative, coalesce(n, 0) as n, first_year, last_year, doublings,
            case when n is null then 'no_price' when n < 5 then 'too_few_years'
                when round(doublings, 12) < 1 then 'too_little_growth' end as reason,
            case when reason is null then slope end as b, 1 - 2 ** -b as learning_rate,
            case when reason is null and yy > 1e-20 then greatest(0, b * b * xx / yy) end as r2,
            case when reason is null then n < 10 end as small_sample
        from sampled_learning
        cross join (select unnest(['own', 'own_with_initial', 'world']) as kind)
        left join fitted using ({_PRODUCT})
        where fitted.cumulative is null or fitted.cumulative = kind
    )
    from judged
"""
# The error follows from r2, the interval from the error, and the p-value decides as the interval does.
_WRONG_INTERVALS = f"""
    select exporter_code, product_level, product_code, cumulative, n, b, b_se, r2, learning_rate_low, learning_rate,
        learning_rate_high, learning_rate_se, p_value
    from {{batch}}
    where learning_rate is not null and (
        abs(learning_rate_se - ln(2) * (1 - learning_rate) * b_se) > 1e-9 * (1 + abs(learning_rate_se))
        or abs(b_se * b_se * (n - 2) * r2 - b * b * (1 - r2)) > 1e-6 * (1e-6 + b * b)
        or (n between 5 and {len(_T) + 4} and greatest(
            abs(-log2(1 - learning_rate_low) - b + {list(_T)}[n - 4] * b_se),
            abs(-log2(1 - learning_rate_high) - b - {list(_T)}[n - 4] * b_se)
        ) > 1e-5 * (1e-5 + b_se))
        or (p_value < 0.05 - 1e-6 and learning_rate_low < 0 and learning_rate_high > 0)
        or (p_value > 0.05 + 1e-6 and (learning_rate_low > 1e-9 or learning_rate_high < -1e-9))
    )
"""
_FACTS = """
    select count(learning_rate) as rates, count(*) filter (small_sample) as of_small_samples,
        count(*) filter (reason = 'no_price') as without_price, count(*) filter (reason = 'too_few_years') as too_short
    from {batch}
"""

LEARNING_PREPARED: Mapping[str, str] = {
    "sampled_learning": sampled(
        "learning_rate", _PRODUCT, PRODUCTS, where="n >= (select least(5, max(n)) from learning_rate)"
    ),
    "learning_amounts": _AMOUNTS,
    "learning_points": _POINTS,
}

LEARNING_CHECKS = (
    Check(
        "intervals_follow_from_errors",
        "learning_rate",
        "ERROR",
        "Errors follow from the fit, intervals from the errors, and the p-value decides as the interval does.",
        (not_empty(), no_rows(_WRONG_INTERVALS)),
        facts=_FACTS,
    ),
    Check(
        "recomputed_from_prices",
        "learning_rate",
        "ERROR",
        f"Runs, quantities and learning rates of {PRODUCTS} exporters and products are recomputed from price chains "
        "and flows.",
        (
            equals(
                _RATES,
                f"{_PRODUCT}, cumulative",
                numbers=("doublings", "b", "learning_rate", "r2"),
                others=("n", "first_year", "last_year", "reason", "small_sample"),
                sample=("sampled_learning", _PRODUCT),
                tolerance="1e-8 * abs({value}) + 1e-9",
            ),
        ),
    ),
)
