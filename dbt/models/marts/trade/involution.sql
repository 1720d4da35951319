{{ config(materialized='table') }}

{%- set good = 'exporter_code, hs6' %}

with goods as (
    select * from {{ ref('int_involution') }}
),

products as (
    select * from {{ ref('stg_products') }}
),

countries as (
    select * from {{ ref('stg_countries') }}
),

-- Years of involution without a gap between them have the same difference of year and place.
runs as (
    select
        *,
        case
            when is_involution then year - row_number() over (
                partition by {{ good }}, coalesce(is_involution, false) order by year nulls last
            )
        end as run
    from goods
),

counted as (
    select
        *,
        case
            when is_involution then row_number() over (partition by {{ good }}, run order by year nulls last)
            when not is_involution then 0
        end as years_in_a_row
    from runs
)

select
    counted.year,
    counted.exporter_code,
    countries.iso3 as exporter_iso3,
    countries.name as exporter_name,
    counted.hs6,
    products.hs6_name,
    counted.quality,
    counted.value_usd,
    counted.value_usd_prev,
    counted.price_effect,
    counted.quantity_effect,
    counted.entry,
    counted.exit,
    counted.unpriced,
    counted.not_observed,
    counted.fisher,
    counted.quantity_fisher,
    counted.value_ratio,
    counted.relative,
    counted.n_cells,
    counted.link_coverage,
    counted.link_coverage_prev,
    counted.is_measured,
    counted.price_fell,
    counted.quantity_rose,
    counted.is_involution,
    counted.is_revenue_falling,
    counted.is_relative,
    cast(counted.years_in_a_row as bigint) as years_in_a_row
from counted
left join products on counted.hs6 = products.hs6
left join countries on counted.exporter_code = countries.country_code
