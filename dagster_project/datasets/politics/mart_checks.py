"""The checks of political exposure: do the years have points, and does another road give the marts' values?

The other road goes from the staged points and the flows, good by good, for a sample of importers: their risks are
summed there by the definition, over shares, while the models sum money. Not here: keys, types, identities and formulas
by hand, which dbt tests; checks at landing (see `checks`).
"""

from __future__ import annotations

from dagster_project.checks.declarations import Check, Stage, no_rows, not_empty
from dagster_project.checks.recomputed import GOODS_IN_SCOPE, equals, sampled

# What is recomputed reads all flows of its years: so few years, and few importers of them.
IMPORTERS, YEARS = 8, 2
OLDEST_POINT = 2

# The newest point of at most two years before, of every state and, under their own codes, of the areas it speaks for.
_POINTS = f"""
    with years as (select distinct year from importers_again),
    states as (
        select years.year, iso3, arg_max(ideal_point, p.year) as point
        from years join stg_ideal_points as p on p.year between years.year - {OLDEST_POINT} and years.year
        where iso3 is not null group by all
    )
    select year, iso3, point, true as is_state from states
    union all
    select year, areas.iso3, point, false from states join ideal_point_areas as areas on areas.state_iso3 = states.iso3
"""
# Every state with every other: each pair twice, which changes neither mean nor terciles nor the largest.
_SCALES = """
    select one.year, avg(abs(one.point - other.point)) as mean_pair, max(abs(one.point - other.point)) as largest,
        quantile_cont(round(abs(one.point - other.point), 12), [1 / 3, 2 / 3]) as terciles
    from points_again as one join points_again as other on one.year = other.year and one.iso3 < other.iso3
    where one.is_state and other.is_state group by one.year
"""
_OWN_SCALES = """
    select one.year, one.iso3, avg(abs(one.point - other.point)) as mean_own
    from points_again as one join points_again as other on one.year = other.year and one.iso3 <> other.iso3
    where other.is_state group by all
"""
# One row per importer, good and supplier, with its part in the importer's imports and in those of the chapter.
_TERMS = """
    with bought as (
        select f.year, f.importer_code, f.exporter_code, f.hs6, left(f.hs6, 2) as hs2, f.value_usd as v,
            i.iso3 as importer_iso3, e.iso3 as exporter_iso3
        from trade_flows as f semi join importers_again using (year, importer_code)
        join goods_in_scope as g on g.hs6 = f.hs6 and g.in_scope
        left join stg_countries as i on i.country_code = f.importer_code
        left join stg_countries as e on e.country_code = f.exporter_code
    ),
    exports as (
        select year, hs6, exporter_code, x / avg(x) over (partition by year, hs6) as kappa
        from (
            select year, hs6, exporter_code, sum(value_usd) as x from trade_flows
            where (year, hs6) in (select (year, hs6) from bought) group by all
        )
    ),
    measured as (
        select b.*, kappa, v / sum(v) over (partition by year, importer_code, hs6) as s,
            sum(v) over (partition by year, importer_code) as imports,
            sum(v) over (partition by year, importer_code, hs2) as imports_of_chapter,
            p.point is not null and mean_pair > 0 as is_measured, mean_pair, mean_own, terciles, largest,
            case when mean_pair > 0 then abs(p.point - q.point) end as d
        from bought as b join exports using (year, hs6, exporter_code)
        left join points_again as p on p.year = b.year and p.iso3 = b.importer_iso3
        left join points_again as q on q.year = b.year and q.iso3 = b.exporter_iso3
        left join scales_again as z on z.year = b.year
        left join own_scales_again as o on o.year = b.year and o.iso3 = b.importer_iso3
    )
    select *, v * s / imports as econ, case when is_measured then coalesce(d / mean_pair, 1) end as g,
        case when is_measured and mean_own > 0 then coalesce(d / mean_own, 1) end as g_own,
        case when is_measured then case when d is null then 'unscored' when round(d, 12) <= round(terciles[1], 12)
            then 'close' when round(d, 12) >= round(terciles[2], 12) then 'distant' else 'middle' end end as closeness
    from measured
"""


def _risks(of: str) -> str:
    """The six risks: sums of terms over `of`, a factor that turns parts of imports into parts of what they are of."""
    return f"""
        sum(econ * {of}) as risk_econ, sum(econ * g * {of}) as risk_distance,
        sum(econ * g_own * {of}) as risk_distance_own, sum(econ * kappa * {of}) as risk_capability,
        sum(econ * kappa * g * {of}) as risk_pol, sum(econ * kappa * g_own * {of}) as risk_pol_own
    """


def _importers(of: str, more: str = "") -> str:
    """An importer's measures again, over all its imports or by the columns `more`."""
    shares = ", ".join(
        f"case when bool_or(is_measured) then coalesce(sum(v) filter (closeness = '{name}'), 0) / sum(v) end"
        f" as share_{name}"
        for name in ("close", "middle", "distant", "unscored")
    )
    return f"""
        select *, risk_distance / risk_econ as distance_ratio, risk_distance_own / risk_econ as distance_ratio_own,
            risk_pol / risk_capability as pol_ratio, risk_pol_own / risk_capability as pol_ratio_own,
            10 * mean_distance / largest_pair as geopolitical_distance_10
        from (
            select year, importer_code{more}, sum(v) as import_value_usd, count(distinct exporter_code) as n_suppliers,
                {_risks(of)}, {shares}, any_value(largest) as largest_pair,
                sum(v * d) / nullif(sum(v) filter (d is not null), 0) as mean_distance
            from terms_again group by year, importer_code{more}
        )
    """


_SUPPLIERS = f"""
    select year, importer_code, exporter_code, sum(v) as import_value_usd, sum(v) / any_value(imports) as share,
        any_value(d) as distance, any_value(closeness) as closeness, {_risks("1")}
    from terms_again group by year, importer_code, exporter_code
"""
# A place is one more than the number of those ahead, over the mart's own numbers, which are recomputed too.
_WRONG_RANKS = """
    select year, importer_code, risk_econ, rank_risk_econ, risk_pol, rank_risk_pol, risk_pol_own, rank_risk_pol_own
    from (
        select *, sum(1) over (partition by year order by round(risk_econ, 12) desc range unbounded preceding)
                - count(*) over (partition by year, round(risk_econ, 12)) + 1 as econ_again,
            sum((risk_pol is not null)::integer) over (partition by year order by round(risk_pol, 12) desc nulls last
                range unbounded preceding) - count(*) over (partition by year, round(risk_pol, 12)) + 1 as pol_again,
            sum((risk_pol_own is not null)::integer) over (partition by year order by round(risk_pol_own, 12) desc
                nulls last range unbounded preceding)
                - count(*) over (partition by year, round(risk_pol_own, 12)) + 1 as own_again
        from {batch}
    )
    where rank_risk_econ is distinct from econ_again
        or rank_risk_pol is distinct from case when risk_pol is not null then pol_again end
        or rank_risk_pol_own is distinct from case when risk_pol_own is not null then own_again end
"""
_SHARED_CODES = """
    select iso3, year, ideal_point_year, n_states, 'ideal points of ' || ideal_point_year || ': found '
        || n_states || ' states under the code ' || iso3 || ', which ' || year
        || ' would take; expected one. Leave that year out (CHOKEPOINT_YEARS): whose point it is cannot be told.' as why
    from {batch} where n_states > 1 and year in (select year from int_year_settings)
"""
_YEARS_LEFT_OUT = f"""
    with sessions as (select max(year) as last_session from stg_ideal_points)
    select year, last_session, 'trade of ' || year
        || ': left out of the political marts, because it is more than {OLDEST_POINT} years after the last session, of '
        || last_session || '. Load a newer table of ideal points.' as why
    from (select distinct year from {{batch}}) cross join sessions where year > last_session + {OLDEST_POINT}
"""
_UNMEASURED_YEARS = """
    select year, n_states, 'year ' || year || ': found ' || n_states || ' states with an ideal point; expected two in '
        || 'different places at least. No distance is more or less than another: every measure that needs one is null.'
        as why
    from {batch} where mean_distance is null and year in (select year from int_year_settings)
"""
_RISKS = ("risk_econ", "risk_distance", "risk_distance_own", "risk_capability", "risk_pol", "risk_pol_own")
_MEASURES = (
    *("import_value_usd", *_RISKS, "distance_ratio", "distance_ratio_own", "pol_ratio", "pol_ratio_own"),
    *("share_close", "share_middle", "share_distant", "share_unscored", "mean_distance", "geopolitical_distance_10"),
)
_IMPORTER = ("importers_again", "year, importer_code")
_NAME = "recomputed_from_flows"

POLITICS_MARTS = Stage(
    name="political marts",
    checks=(
        Check(
            "one_state_per_code",
            "political_exposure",
            "ERROR",
            "In no year of trade does a country's code stand for two states with points of their own.",
            (no_rows(_SHARED_CODES, counted_by="n_states"),),
            on="int_ideal_points",
        ),
        Check(
            "years_have_a_session",
            "political_exposure",
            "WARN",
            f"No year of trade is more than {OLDEST_POINT} years after the last session; later ones are left out.",
            (no_rows(_YEARS_LEFT_OUT),),
            on="int_year_settings",
        ),
        Check(
            "years_can_be_measured",
            "political_exposure",
            "WARN",
            "In every year, two states at least have points in different places.",
            (no_rows(_UNMEASURED_YEARS),),
            on="int_political_years",
        ),
        Check(
            _NAME,
            "political_exposure",
            "ERROR",
            f"Risks, ratios and shares of {IMPORTERS} importers are recomputed from flows and points, all places from "
            "the risks.",
            (
                not_empty(),
                equals(
                    _importers("1"),
                    "year, importer_code",
                    numbers=_MEASURES,
                    others=("n_suppliers",),
                    sample=_IMPORTER,
                ),
                no_rows(_WRONG_RANKS),
            ),
        ),
        Check(
            _NAME,
            "political_exposure_industry",
            "ERROR",
            f"Risks, ratios and shares of {IMPORTERS} importers by chapter are recomputed from flows and points.",
            (
                equals(
                    _importers("imports / imports_of_chapter", ", hs2"),
                    "year, importer_code, hs2",
                    numbers=_MEASURES,
                    others=("n_suppliers",),
                    sample=_IMPORTER,
                ),
            ),
        ),
        Check(
            _NAME,
            "political_exposure_supplier",
            "ERROR",
            f"What every supplier of {IMPORTERS} importers adds is recomputed from flows and points.",
            (
                equals(
                    _SUPPLIERS,
                    "year, importer_code, exporter_code",
                    numbers=("import_value_usd", "share", "distance", *_RISKS),
                    others=("closeness",),
                    sample=_IMPORTER,
                ),
            ),
        ),
    ),
    prepare={
        "goods_in_scope": GOODS_IN_SCOPE,
        "importers_again": sampled(
            "political_exposure",
            "year, importer_code",
            IMPORTERS,
            where=f"year in ({sampled('political_exposure', 'year', YEARS)})",
        ),
        "points_again": _POINTS,
        "scales_again": _SCALES,
        "own_scales_again": _OWN_SCALES,
        "terms_again": _TERMS,
    },
    keys={"political_exposure": ("year", "importer_code")},
)
