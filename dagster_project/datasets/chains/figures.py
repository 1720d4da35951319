"""The published figures of input-output tables by another road: from the marts, by DuckDB's own aggregates.

Not here: verdicts.
"""

from __future__ import annotations

from dagster_project.checks.declarations import Check, Stage
from dagster_project.checks.recomputed import figures_equal

_PARTS = """
    with widest as (
        select year, first(edition order by n desc, edition) as edition from (
            select edition, year, count(distinct country_iso3) as n from gvc_position group by all
        ) group by year
    ),
    lost as (
        select s.year, s.country_iso3, sum(direct_loss_usd * 0.02 / cut) as direct,
            sum(propagated_loss_usd * 0.02 / cut) as propagated
        from shock_exposure_io as s semi join widest using (edition, year) where exporter_iso3 = 'CHN' group by all
    ),
    held as (
        select g.*, p.measure, p.value from stg_io_published as p
        inner join gvc_position as g using (edition, year, country_iso3, sector)
        where gross_output_usd > 0
    ),
    textbook as (
        select g.edition, g.year, p.measure, max(abs(p.value - if(p.measure like 'forward%', forward_participation,
            backward_participation))) as gap, count(*) as n
        from stg_io_published as p inner join gvc_position as g using (country_iso3, sector)
        where p.edition is null and p.measure like '%_participation' group by all
    )
    select 'unctad_shock_direct' as benchmark_id, year, sum(direct) as numerator, 1e9 as denominator
    from lost group by year
    union all
    select 'unctad_shock', year, sum(propagated), 1e9 from lost group by year
    union all
    select 'unctad_shock_EU', year, sum(propagated), 1e9 from lost
    where country_iso3 in (select iso3 from country_memberships where membership = 'eu' and valid_to is null)
    group by year
    union all
    select 'unctad_shock_' || country_iso3, year, propagated, 1e9 from lost
    union all
    select 'ac_' || measure, year, corr(value, if(measure = 'upstreamness', plv, ply)), 1 from held
    where measure like '%streamness' group by measure, year
    union all
    select 'wwyz_leather_' || string_split(measure, '_')[1], null, min(gap), 1 from textbook
    where n = (select count(*) from gvc_position as g where g.edition = textbook.edition and g.year = textbook.year)
    group by measure
    union all
    select 'xu_embodied_carbon_decline', null, (round(arg_max(t, year), 2) < round(max(t), 2))::integer, 1 from (
        select *, count(*) over (partition by edition) as n from (
            select edition, year, embodied_carbon_t as t from embodied_carbon_country
            where country_iso3 = 'CHN' and t is not null
        )
    ) where n >= 5 and edition = (
        select edition from embodied_carbon_country where country_iso3 = 'CHN' and embodied_carbon_t is not null
        group by edition order by count(*) desc, edition limit 1
    ) having count(*) > 0
    union all
    select 'xu_paradox_' || replace(sector_class, 'technology_minus_labour', 'difference'), null,
        case sector_class when 'labour' then p_value >= 0.05 when 'technology' then slope > 0 and p_value < 0.05
            else slope > 0 and wild_p_value < 0.05 end::integer, 1
    from competitiveness_paradox_test
    where level = 'io_panel' and country = 'CHN' and reliance = 'input_source_hhi' and competitiveness = 'position'
        and sector_class in ('technology', 'labour', 'technology_minus_labour')
        and edition = (
            select edition from gvc_position where country_iso3 = 'CHN' group by edition
            having count(distinct year) >= 10 order by count(distinct year) desc, edition limit 1
        )
"""


CHAINS_FIGURES = Stage(
    name="figures of chains",
    checks=(
        Check(
            "chain_figures_recomputed",
            "published_benchmarks",
            "ERROR",
            "Every figure of input-output tables is recomputed from losses by country and from measures by sector.",
            (figures_equal("chains", _PARTS),),
        ),
    ),
)
