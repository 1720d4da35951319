{%- set effects = ['price_effect', 'quantity_effect', 'entry', 'exit', 'unpriced', 'not_observed'] %}
{%- set counts = {} %}
{%- do counts.update({
    'n_measured': 'is_measured',
    'n_price_fell': 'price_fell',
    'n_involution': 'is_involution',
    'n_revenue_falling': 'is_revenue_falling',
    'n_relative': 'is_relative',
}) %}

with goods as (
    select * from {{ ref('int_involution') }} where {{ in_build_year() }}
),

countries as (
    select * from {{ ref('stg_countries') }}
),

summed as (
    select
        year,
        exporter_code,
        count(*) as n_goods
        {%- for name, flag in counts.items() %},
        cast(sum(case when {{ flag }} then 1 else 0 end) as bigint) as {{ name }}
        {%- endfor %},
        {{ exact_sum('value_usd') }} as value_usd,
        {{ exact_sum('value_usd_prev') }} as value_usd_prev,
        {{ exact_sum('case when is_measured then value_usd else 0 end') }} as measured_value_usd,
        {{ exact_sum('case when is_involution then value_usd else 0 end') }} as involution_value_usd
        {%- for name in effects %},
        {{ exact_sum(name) }} as {{ name }}
        {%- endfor %}
    from goods
    group by year, exporter_code
)

select
    summed.year,
    summed.exporter_code,
    countries.iso3 as exporter_iso3,
    countries.name as exporter_name,
    summed.n_goods
    {%- for name in counts %},
    summed.{{ name }}
    {%- endfor %},
    cast(summed.n_involution as double) / nullif(summed.n_measured, 0) as involution_share,
    summed.involution_value_usd / nullif(summed.measured_value_usd, 0) as involution_value_share,
    summed.measured_value_usd / nullif(summed.value_usd, 0) as measured_value_share,
    summed.value_usd,
    summed.value_usd_prev
    {%- for name in effects %},
    summed.{{ name }}
    {%- endfor %}
from summed
left join countries on summed.exporter_code = countries.country_code
