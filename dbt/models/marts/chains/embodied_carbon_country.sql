with sectors as (
    select * from {{ ref('embodied_carbon') }} where {{ in_build_year() }}
),

summed as (
    select
        edition,
        year,
        country_iso3,
        {{ exact_sum('exports_usd') }} as exports_usd,
        {{ exact_sum('case when reason is null then exports_usd end') }} as counted_usd,
        {{ exact_sum('emissions_t') }} as emissions_t,
        {{ exact_sum('embodied_carbon_t') }} as embodied_carbon_t,
        {{ exact_sum('domestic_carbon_t') }} as domestic_carbon_t,
        {{ exact_sum('foreign_carbon_t') }} as foreign_carbon_t,
        {{ exact_sum('territorial_carbon_t') }} as territorial_carbon_t,
        {{ exact_sum('case when reason is null then intensity_coverage * exports_usd end') }} as covered_usd,
        min(reason) as reason
    from sectors
    group by edition, year, country_iso3
)

select
    edition,
    year,
    country_iso3,
    exports_usd,
    emissions_t,
    embodied_carbon_t,
    domestic_carbon_t,
    foreign_carbon_t,
    territorial_carbon_t,
    foreign_carbon_t / nullif(embodied_carbon_t, 0) as foreign_share,
    1000 * embodied_carbon_t / nullif(counted_usd, 0) as embodied_kg_per_usd,
    counted_usd / nullif(exports_usd, 0) as counted_share,
    covered_usd / nullif(counted_usd, 0) as intensity_coverage,
    case when embodied_carbon_t is null then reason end as reason
from summed
