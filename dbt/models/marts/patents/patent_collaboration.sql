with members as (
    select * from {{ ref('int_pct_countries') }} where country_iso2 <> {{ unknown_country() }}
),

countries as (
    select * from {{ ref('stg_patent_countries') }}
),

pairs as (
    select
        one.filing_year,
        one.pct_id,
        one.country_iso2,
        other.country_iso2 as partner_iso2,
        other.weight as partner_weight
    from members as one
    inner join members as other on one.pct_id = other.pct_id and one.country_iso2 <> other.country_iso2
),

partners_of as (
    select pct_id, country_iso2, {{ exact_sum('partner_weight', bits=100) }} as partners_weight
    from pairs
    group by pct_id, country_iso2
),

-- Each joint application counts 1 for a country and is divided among its partners by their weights.
counted as (
    select
        pairs.filing_year,
        pairs.country_iso2,
        pairs.partner_iso2,
        count(*) as joint_publications,
        {{ exact_sum('pairs.partner_weight / partners_of.partners_weight', bits=100) }} as joint_applications
    from pairs
    inner join partners_of on pairs.pct_id = partners_of.pct_id and pairs.country_iso2 = partners_of.country_iso2
    group by pairs.filing_year, pairs.country_iso2, pairs.partner_iso2
),

totals as (
    select filing_year, country_iso2, {{ exact_sum('joint_applications', bits=100) }} as joint_applications
    from counted
    group by filing_year, country_iso2
)

select
    counted.filing_year,
    counted.country_iso2,
    counted.partner_iso2,
    own.country_iso3,
    own.country_name,
    partner.country_iso3 as partner_iso3,
    partner.country_name as partner_name,
    counted.joint_applications,
    cast(counted.joint_publications as bigint) as joint_publications,
    counted.joint_applications / totals.joint_applications as share_of_joint
from counted
inner join totals on counted.filing_year = totals.filing_year and counted.country_iso2 = totals.country_iso2
left join countries as own on counted.country_iso2 = own.country_iso2
left join countries as partner on counted.partner_iso2 = partner.country_iso2
