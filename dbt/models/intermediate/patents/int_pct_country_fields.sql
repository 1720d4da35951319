with countries as (
    select * from {{ ref('int_pct_countries') }}
),

cohorts as (
    select * from {{ ref('int_pct_cohorts') }}
),

weighted as (
    select
        cohorts.*,
        countries.country_iso2,
        countries.weight * cohorts.field_weight as weight
    from cohorts
    inner join countries on cohorts.pct_id = countries.pct_id
)

select
    filing_year,
    country_iso2,
    field_id,
    {{ exact_sum('weight', bits=100) }} as applications,
    {% for variant in ['core', 'core_top1', 'core_net_self', 'core_family'] -%}
    case when count(is_{{ variant }}) > 0
        then {{ exact_sum('case when is_' ~ variant ~ ' then weight else 0 end', bits=100) }}
    end as {{ variant }}_applications,
    {% endfor -%}
    min(case when window_complete then 1 else 0 end) = 1 as window_complete
from weighted
group by filing_year, country_iso2, field_id
