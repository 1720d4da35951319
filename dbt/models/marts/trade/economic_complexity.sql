with exports as (
    select * from {{ ref('int_exporter_products') }} where {{ in_build_year() }}
),

complexities as (
    select * from {{ ref('int_economic_complexity') }} where {{ in_build_year() }}
),

countries as (
    select * from {{ ref('stg_countries') }}
),

exporters as (
    select
        year,
        exporter_code as country_code,
        {{ exact_sum("case when hs6 <> '999999' then export_value_usd else 0 end") }} as export_value_usd,
        count(case when hs6 <> '999999' then hs6 end) as n_products
    from exports
    group by year, exporter_code
),

-- Countries without an index have no rank.
ranked as (
    select
        year,
        country_code,
        cast(rank() over (partition by year order by {{ comparable('eci') }} desc nulls last) as bigint) as eci_rank
    from complexities
    where eci is not null
)

select
    exporters.year,
    exporters.country_code,
    countries.iso3 as country_iso3,
    countries.name as country_name,
    complexities.eci,
    ranked.eci_rank,
    coalesce(complexities.diversity, 0) as diversity,
    exporters.export_value_usd,
    exporters.n_products
from exporters
left join complexities
    on exporters.year = complexities.year and exporters.country_code = complexities.country_code
left join ranked
    on exporters.year = ranked.year and exporters.country_code = ranked.country_code
left join countries on exporters.country_code = countries.country_code
