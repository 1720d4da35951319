with totals as (
    select * from {{ source('landing_patents', 'reference_totals') }}
),

countries as (
    select country_iso3, min(country_iso2) as country_iso2
    from {{ ref('stg_patent_countries') }}
    group by country_iso3
)

select
    totals.family,
    totals.field,
    totals.economy,
    coalesce(totals.country_iso2, countries.country_iso2) as country_iso2,
    totals.year as filing_year,
    totals.value as applications,
    totals.source
from totals
left join countries on totals.country_iso3 = countries.country_iso3
