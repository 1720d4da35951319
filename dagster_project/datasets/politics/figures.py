"""What is made of politics and other datasets together, by another road: published figures, and exposure by tables.

Figures come from what each supplier adds; the measures of importers of the input-output tables from shares and points.
Not here: verdicts.
"""

from __future__ import annotations

from dagster_project.checks.declarations import Check, Stage
from dagster_project.checks.recomputed import equals, figures_equal

# Rounded as the figures are before they are compared: two importers may differ in the last bit.
_PARTS = """
    with complete as (select year from int_benchmark_coverage where needs = 'all_countries' and is_covered),
    widest as (
        select year, first(edition order by n desc, edition) as edition from (
            select edition, year, count(*) as n from table_risks group by all
        ) group by year
    ),
    parts as (
        select year, importer_iso3, risk_econ, risk_distance, risk_distance_own, risk_capability, risk_pol, risk_pol_own
        from political_exposure_supplier where year in (from complete)
        union all by name
        select t.* from table_risks as t semi join widest using (edition, year)
        where year not in (from complete)
    ),
    summed as (
        select year, importer_iso3 as importer, round(sum(risk_econ), 12) as econ,
            round(sum(risk_distance), 12) as plain, round(sum(risk_distance_own), 12) as own,
            sum(risk_pol) / sum(risk_capability) as pol_ratio, sum(risk_pol_own) / sum(risk_capability) as pol_ratio_own
        from parts where importer_iso3 in ('CHN', 'USA') group by all
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

# The parts of a pair's imports: what it buys and its concentration are the table's, its distance is taken from points.
_OLDEST_POINT = 2
_TABLE_POINTS = f"""
    with years as (select distinct year from int_political_io_supplies),
    states as (
        select years.year, iso3, arg_max(ideal_point, p.year) as point
        from years join stg_ideal_points as p on p.year between years.year - {_OLDEST_POINT} and years.year
        where iso3 is not null group by all
    )
    select year, iso3, point, true as is_state from states
    union all
    select year, areas.iso3, point, false from states join ideal_point_areas as areas on areas.state_iso3 = states.iso3
"""
_TABLE_SCALES = """
    select one.year, one.iso3, avg(abs(one.point - other.point)) as own, any_value(mean_pair) as mean_pair,
        any_value(terciles) as terciles, any_value(largest) as largest
    from table_points as one join table_points as other
        on one.year = other.year and one.iso3 <> other.iso3 and other.is_state
    join (
        select a.year, avg(abs(a.point - b.point)) as mean_pair, max(abs(a.point - b.point)) as largest,
            quantile_cont(round(abs(a.point - b.point), 12), [1 / 3, 2 / 3]) as terciles
        from table_points as a join table_points as b on a.year = b.year and a.iso3 < b.iso3
        where a.is_state and b.is_state group by a.year
    ) as pairs on pairs.year = one.year
    group by one.year, one.iso3
"""
_TABLES = """
    with parts as (
        select s.edition, s.year, s.importer_iso3, import_value_usd as v, squared_usd as q, capable_usd as c, own,
            mean_pair, terciles, largest, abs(p.point - o.point) as d
        from int_political_io_supplies as s
        left join table_points as p on p.year = s.year and p.iso3 = s.importer_iso3
        left join table_points as o on o.year = s.year and o.iso3 = s.exporter_iso3
        left join table_scales as z on z.year = s.year and z.iso3 = s.importer_iso3
    ),
    weighed as (
        select *, case when mean_pair > 0 then coalesce(d / mean_pair, 1) end as g,
            case when mean_pair > 0 and own > 0 then coalesce(d / own, 1) end as g_own
        from parts
    )
    select edition, year, importer_iso3, sum(v) as import_value_usd, count(*) as n_suppliers, sum(q) / sum(v) as
        risk_econ, sum(q * g) / sum(v) as risk_distance, sum(q * g_own) / sum(v) as risk_distance_own,
        sum(c) / sum(v) as risk_capability, sum(c * g) / sum(v) as risk_pol, sum(c * g_own) / sum(v) as risk_pol_own,
        sum(q * g) / sum(q) as distance_ratio, sum(c * g_own) / sum(c) as pol_ratio_own,
        case when any_value(mean_pair) > 0 then
            coalesce(sum(v) filter (round(d, 12) <= round(terciles[1], 12)), 0) / sum(v) end as share_close,
        case when any_value(mean_pair) > 0 then coalesce(sum(v) filter (d is null), 0) / sum(v) end as share_unscored,
        case when any_value(mean_pair) > 0 then sum(v * d) / sum(v) filter (d is not null) end as mean_distance,
        case when any_value(mean_pair) > 0 then 10 * sum(v * d) / sum(v) filter (d is not null) / any_value(largest) end
            as geopolitical_distance_10
    from weighed group by all
"""
_PREPARED = {"table_points": _TABLE_POINTS, "table_scales": _TABLE_SCALES, "table_risks": _TABLES}

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
    prepare=_PREPARED,
)

# Made of the input-output tables too: the mart is there where both are on.
POLITICS_TABLES = Stage(
    name="politics of input-output tables",
    checks=(
        Check(
            "recomputed_from_points",
            "political_exposure_io",
            "ERROR",
            "Risks and shares of every importer of the tables are recomputed from its suppliers and the points.",
            (
                equals(
                    "from table_risks",
                    "edition, year, importer_iso3",
                    numbers=(
                        *("import_value_usd", "risk_econ", "risk_distance", "risk_distance_own", "risk_capability"),
                        *("risk_pol", "risk_pol_own", "distance_ratio", "pol_ratio_own", "share_close"),
                        *("share_unscored", "mean_distance", "geopolitical_distance_10"),
                    ),
                    others=("n_suppliers",),
                ),
            ),
        ),
    ),
    prepare=_PREPARED,
)
