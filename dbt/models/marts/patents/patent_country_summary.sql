with publications as (
    select * from {{ ref('int_pct_countries') }}
),

country_fields as (
    select * from {{ ref('int_pct_country_fields') }}
),

countries as (
    select * from {{ ref('stg_patent_countries') }}
),

all_applications as (
    select filing_year, country_iso2, {{ exact_sum('weight', bits=100) }} as applications
    from publications
    group by filing_year, country_iso2
),

year_totals as (
    select filing_year, {{ exact_sum('weight', bits=100) }} as applications
    from publications
    group by filing_year
),

-- Only publications with a field belong to a cohort.
classified as (
    select
        filing_year,
        country_iso2,
        {{ exact_sum('applications', bits=100) }} as applications,
        {{ exact_sum('core_applications', bits=100) }} as core_applications,
        {{ exact_sum('core_top1_applications', bits=100) }} as core_top1_applications,
        {{ exact_sum('core_net_self_applications', bits=100) }} as core_net_self_applications,
        {{ exact_sum('core_family_applications', bits=100) }} as core_family_applications
    from country_fields
    group by filing_year, country_iso2
),

field_shares as (
    select
        country_fields.filing_year,
        country_fields.country_iso2,
        country_fields.applications / classified.applications as field_share
    from country_fields
    inner join classified
        on
            country_fields.filing_year = classified.filing_year
            and country_fields.country_iso2 = classified.country_iso2
),

concentration as (
    select filing_year, country_iso2, {{ exact_sum('field_share * field_share', bits=100) }} as field_hhi
    from field_shares
    group by filing_year, country_iso2
),

closed as (
    select filing_year, min(case when window_complete then 1 else 0 end) as all_closed
    from country_fields
    group by filing_year
)

select
    all_applications.filing_year,
    all_applications.country_iso2,
    countries.country_iso3,
    countries.country_name,
    all_applications.applications,
    case
        when classified.applications is null then all_applications.applications
        when all_applications.applications - classified.applications < 0.000001 then 0
        else all_applications.applications - classified.applications
    end as unclassified_applications,
    classified.core_applications,
    classified.core_applications / classified.applications as core_share,
    classified.core_top1_applications / classified.applications as core_share_top1,
    classified.core_net_self_applications / classified.applications as core_share_net_self,
    classified.core_family_applications / classified.applications as core_share_family,
    all_applications.applications / year_totals.applications as world_share,
    case when all_applications.country_iso2 <> {{ unknown_country() }} then concentration.field_hhi end as field_hhi,
    case when all_applications.country_iso2 <> {{ unknown_country() }}
        then all_applications.applications / earlier.applications - 1
    end as growth_5y,
    coalesce(closed.all_closed = 1, false) as window_complete
from all_applications
inner join year_totals on all_applications.filing_year = year_totals.filing_year
left join classified
    on
        all_applications.filing_year = classified.filing_year
        and all_applications.country_iso2 = classified.country_iso2
left join concentration
    on
        all_applications.filing_year = concentration.filing_year
        and all_applications.country_iso2 = concentration.country_iso2
left join all_applications as earlier
    on
        all_applications.filing_year = earlier.filing_year + 5
        and all_applications.country_iso2 = earlier.country_iso2
left join closed on all_applications.filing_year = closed.filing_year
left join countries on all_applications.country_iso2 = countries.country_iso2
