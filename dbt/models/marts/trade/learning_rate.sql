{{ config(materialized='table') }}

with sums as (
    select * from {{ ref('int_learning_sums') }}
),

rates as (
    select * from {{ ref('int_learning_rate') }}
),

countries as (
    select * from {{ ref('stg_countries') }}
),

names as (
    select * from {{ ref('stg_product_names') }}
)

select
    sums.exporter_code,
    countries.iso3 as exporter_iso3,
    countries.name as exporter_name,
    sums.product_level,
    sums.product_code,
    names.product_name,
    sums.cumulative,
    sums.quality,
    sums.n,
    sums.first_year,
    sums.last_year,
    sums.doublings,
    rates.b,
    rates.b_se,
    rates.learning_rate,
    rates.learning_rate_se,
    rates.learning_rate_low,
    rates.learning_rate_high,
    rates.r2,
    rates.p_value,
    sums.reason,
    case when sums.reason is null then sums.n < {{ learning_years_of_a_sample() }} end as small_sample,
    case when sums.is_counted then 'unit' else 'kg' end as quantity_basis,
    names.note as hs_note
from sums
left join rates
    on sums.exporter_code = rates.exporter_code
    and sums.product_level = rates.product_level
    and sums.product_code = rates.product_code
    and sums.cumulative = rates.cumulative
left join countries on sums.exporter_code = countries.country_code
left join names on sums.product_level = names.product_level and sums.product_code = names.product_code
