"""The checks of the tests of the paradox: slopes and errors by plain SQL, differences from slopes.

Slopes with one effect come from DuckDB's own regression functions over means taken off in SQL; those with a second one
are held to it where the panel has no hole, so that both means can be taken off. Not here: what is tested (see
`paradox`), and whether the observations are right (their marts' checks).
"""

from __future__ import annotations

from dagster_project.checks.declarations import Check, no_rows

_TABLE = "competitiveness_paradox_test"
_RELIANCE = ("vulnerability", "vulnerability_mean", "import_hhi_weighted")
_RELIANCE_IO = ("input_source_hhi", "imported_input_share", "backward_participation")
_COMPETITIVENESS, _COMPETITIVENESS_IO = ("rca_sym", "top3_share"), ("position", "forward_participation")


def _pairs(source: str, reliance: tuple[str, ...], competitiveness: tuple[str, ...]) -> str:
    """Every observation once for each pair of measures."""
    each = [
        f"select source, edition, year, country, industry, sector_class, is_chosen, '{y}' as reliance, {y} as y,"
        f" '{x}' as competitiveness, {x} as x from int_paradox_observations where source = '{source}'"
        for y in reliance
        for x in competitiveness
    ]
    return " union all ".join(each)


_VALUES = f"""
    with paired as (
        {_pairs("hs2", _RELIANCE, _COMPETITIVENESS)} union all {_pairs("io", _RELIANCE_IO, _COMPETITIVENESS_IO)}
    ),
    complete as (
        select * from paired where x is not null and y is not null and sector_class in ('technology', 'labour', 'other')
    ),
    levels as (
        select 'hs2_country' as level, year as year_from, year as year_to, country as of_country, * from complete
        where source = 'hs2'
        union all select 'hs2_pooled', year, year, 'ALL', * from complete where source = 'hs2'
        union all select 'io_country', year, year, country, * from complete where source = 'io' and is_chosen
    )
    select level, edition, year_from, year_to, of_country as country, reliance, competitiveness, sector_class,
        country as cluster, x - avg(x) over cell as x, y - avg(y) over cell as y, count(*) over cell as n_cell,
        max(abs(x)) over cell as size
    from levels
    window cell as (partition by level, edition, year_from, country, reliance, competitiveness, sector_class)
"""
_KEY = "level, edition, year_from, year_to, country, reliance, competitiveness, sector_class"
_AGAIN = f"""
    with slopes as (
        select {_KEY}, count(*) as n_used, count(distinct cluster) as n_clusters, sum(x * x) as sxx,
            max(size) as size, sum(x * y) / nullif(sum(x * x), 0) as slope, sum(y * y) as syy
        from paradox_values where n_cell > 1 group by all
    ),
    scores as (
        select {_KEY}, cluster, sum(x * (y - slope * x)) as score, sum((x * (y - slope * x)) ** 2) as squared,
            sum((y - slope * x) ** 2) as rss
        from paradox_values join slopes using ({_KEY}) where n_cell > 1 group by all
    ),
    errors as (
        select {_KEY}, sum(score ** 2) as clustered, sum(squared) as plain, sum(rss) as rss from scores group by all
    )
    select *, case level when 'hs2_pooled'
            then sqrt(clustered * n_clusters / (n_clusters - 1) * (n_used - 1) / nullif(n_used - 1 - n_clusters, 0))
            else sqrt(plain * n_used / nullif(n_used - 2, 0)) end / sxx as std_error
    from slopes join errors using ({_KEY})
    where n_used >= 4 and sxx > 1e-18 * n_used * size ** 2 and (level <> 'hs2_pooled' or n_clusters >= 3)
"""
_WRONG_SLOPES = f"""
    select {_KEY}, mart.slope, again.slope as slope_recomputed, mart.std_error,
        again.std_error as std_error_recomputed, mart.n_used, again.n_used as n_used_recomputed
    from paradox_again as again left join (from {{batch}}) as mart using ({_KEY})
    where mart.slope is null or mart.n_used <> again.n_used
        or abs(mart.slope - again.slope) > 1e-6 * (abs(again.slope) + sqrt(syy / sxx)) + 1e-12
        or (rss > 1e-18 * syy and abs(mart.std_error - again.std_error) > 1e-6 * again.std_error + 1e-12)
"""
# A panel of all years of all its sectors: both means can be taken off at once.
_PANELS = f"""
    with paired as ({_pairs("io", _RELIANCE_IO, _COMPETITIVENESS_IO)}),
    complete as (
        select *, min(year) over panel as year_from, max(year) over panel as year_to, count(*) over panel as n,
            x - avg(x) over sector - avg(x) over of_year + avg(x) over panel as dx,
            y - avg(y) over sector - avg(y) over of_year + avg(y) over panel as dy
        from paired where x is not null and y is not null and is_chosen
        window panel as (partition by edition, country, reliance, competitiveness, sector_class),
            sector as (partition by edition, country, reliance, competitiveness, sector_class, industry),
            of_year as (partition by edition, country, reliance, competitiveness, sector_class, year)
    )
    select 'io_panel' as level, edition, year_from, year_to, country, reliance, competitiveness, sector_class,
        sum(dx * dy) / sum(dx * dx) as slope
    from complete group by all
    having count(*) = count(distinct industry) * count(distinct year) and count(distinct industry) >= 3
        and count(distinct year) > 1 and sum(dx * dx) > 1e-18 * count(*)
"""
_WRONG_PANELS = f"""
    select {_KEY}, mart.slope, again.slope as slope_recomputed
    from ({_PANELS}) as again join (from {{batch}}) as mart using ({_KEY})
    where mart.slope is null or abs(mart.slope - again.slope) > 1e-6 * abs(again.slope) + 1e-9
"""
_WRONG_DIFFERENCES = """
    with slopes as (
        select level, edition, year_from, year_to, country, reliance, competitiveness,
            max(slope) filter (sector_class = 'technology') as technology,
            max(slope) filter (sector_class = 'labour') as labour,
            max(slope) filter (sector_class = 'technology_minus_labour') as difference
        from {batch} group by all
    )
    select * from slopes
    where (difference is null) <> (technology is null or labour is null)
        or abs(technology - labour - difference) > 1e-9 * (1 + abs(technology) + abs(labour))
"""
_FEW_CLUSTERS = """
    select * from {batch}
    where few_clusters is distinct from (n_clusters < 20) or (wild_p_value is not null and (
        n_clusters not between 5 and 12 or abs(wild_p_value * 2 ** n_clusters - round(wild_p_value * 2 ** n_clusters))
            > 1e-6))
        or abs(t_value * std_error - slope) > 1e-6 * abs(slope) + 1e-9
"""

PARADOX = (
    Check(
        "slopes_recomputed",
        _TABLE,
        "ERROR",
        "Slopes and errors with one effect are recomputed by SQL, and slopes of panels without holes.",
        (no_rows(_WRONG_SLOPES), no_rows(_WRONG_PANELS)),
    ),
    Check(
        "differences_follow_from_slopes",
        _TABLE,
        "ERROR",
        "The difference of technology and labour is the difference of their slopes, and null where one has none.",
        (no_rows(_WRONG_DIFFERENCES),),
    ),
    Check(
        "few_clusters_are_told",
        _TABLE,
        "ERROR",
        "Tests with fewer than 20 clusters say so; the bootstrap is there for 5 to 12, in whole parts of 2^clusters.",
        (no_rows(_FEW_CLUSTERS),),
    ),
)
PARADOX_PREPARED = {"paradox_values": _VALUES, "paradox_again": _AGAIN}
