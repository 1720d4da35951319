with country_fields as (
    select * from {{ ref('int_pct_country_fields') }}
),

wipo_fields as (
    select * from {{ ref('stg_wipo_fields') }}
),

countries as (
    select * from {{ ref('stg_patent_countries') }}
),

field_totals as (
    select filing_year, field_id, {{ exact_sum('applications', bits=100) }} as applications
    from country_fields
    group by filing_year, field_id
),

country_totals as (
    select filing_year, country_iso2, {{ exact_sum('applications', bits=100) }} as applications
    from country_fields
    group by filing_year, country_iso2
),

year_totals as (
    select filing_year, {{ exact_sum('applications', bits=100) }} as applications
    from country_fields
    group by filing_year
)

select
    country_fields.filing_year,
    country_fields.country_iso2,
    country_fields.field_id,
    countries.country_iso3,
    countries.country_name,
    wipo_fields.field_name,
    wipo_fields.sector_name,
    country_fields.applications,
    country_fields.core_applications,
    country_fields.core_applications / country_fields.applications as core_share,
    country_fields.core_top1_applications / country_fields.applications as core_share_top1,
    country_fields.core_net_self_applications / country_fields.applications as core_share_net_self,
    country_fields.core_family_applications / country_fields.applications as core_share_family,
    country_fields.applications / field_totals.applications as world_share,
    case when country_fields.country_iso2 <> {{ unknown_country() }}
        then (country_fields.applications / country_totals.applications)
            / (field_totals.applications / year_totals.applications)
    end as rta,
    country_fields.window_complete
from country_fields
inner join field_totals
    on country_fields.filing_year = field_totals.filing_year and country_fields.field_id = field_totals.field_id
inner join country_totals
    on
        country_fields.filing_year = country_totals.filing_year
        and country_fields.country_iso2 = country_totals.country_iso2
inner join year_totals on country_fields.filing_year = year_totals.filing_year
left join wipo_fields on country_fields.field_id = wipo_fields.field_id
left join countries on country_fields.country_iso2 = countries.country_iso2
