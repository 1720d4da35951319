"""The published figures of politics by another road: from what each supplier adds. Not here: verdicts."""

from __future__ import annotations

from dagster_project.checks.declarations import Check, Stage
from dagster_project.checks.recomputed import figures_equal

# Rounded as the figures are before they are compared: two importers may differ in the last bit.
_PARTS = """
    with summed as (
        select year, importer_iso3 as importer, round(sum(risk_econ), 12) as econ,
            round(sum(risk_distance), 12) as plain, round(sum(risk_distance_own), 12) as own,
            sum(risk_pol) / sum(risk_capability) as pol_ratio, sum(risk_pol_own) / sum(risk_capability) as pol_ratio_own
        from political_exposure_supplier where importer_iso3 in ('CHN', 'USA') group by all
    ),
    sides as (
        select c.year, c.econ as c_econ, u.econ as u_econ, c.plain as c_plain, u.plain as u_plain, c.own as c_own,
            u.own as u_own, u.pol_ratio, u.pol_ratio_own
        from summed as c join summed as u on c.year = u.year and c.importer = 'CHN' and u.importer = 'USA'
    )
    select 'xu_risk_econ_order' as benchmark_id, year, (c_econ < u_econ)::integer::double as numerator,
        1::double as denominator from sides
    union all select 'xu_risk_pol_order_plain', year, (c_plain > u_plain)::integer, 1 from sides
    union all select 'xu_risk_pol_order_own', year, (c_own > u_own)::integer, 1 from sides
    union all select 'xu_risk_us_unchanged_plain', year, pol_ratio, 1 from sides
    union all select 'xu_risk_us_unchanged_own', year, pol_ratio_own, 1 from sides
"""

POLITICS_FIGURES = Stage(
    name="figures of politics",
    checks=(
        Check(
            "politics_figures_recomputed",
            "published_benchmarks",
            "ERROR",
            "Every figure of politics is recomputed from what each supplier adds to the importers' risks.",
            (figures_equal("politics", _PARTS),),
        ),
    ),
)
