{{ config(materialized='table') }}

with supply as (
    select * from {{ ref('int_supply') }} where product_level <> 'hs6'
),

names as (
    select * from {{ ref('stg_product_names') }}
),

countries as (
    select * from {{ ref('stg_countries') }}
),

placed as (
    select
        year,
        product_level,
        product_code,
        exporter_code,
        export_value_usd,
        row_number() over (
            partition by year, product_level, product_code
            order by {{ comparable_usd('export_value_usd') }} desc nulls last, exporter_code nulls last
        ) as place
    from supply
),

summed as (
    select
        year,
        product_level,
        product_code,
        count(*) as n_exporters,
        {{ exact_sum('export_value_usd') }} as world_exports_usd,
        {{ exact_sum_of_squares('export_value_usd') }} as sum_of_squares,
        max(case when place = 1 then exporter_code end) as top1_code,
        max(case when place = 1 then export_value_usd end) as top1_value_usd,
        {{ exact_sum('case when place <= 3 then export_value_usd else 0 end') }} as top3_value_usd
    from placed
    group by year, product_level, product_code
),

measured as (
    select
        *,
        top1_value_usd / world_exports_usd as top1_share,
        top3_value_usd / world_exports_usd as top3_share,
        sum_of_squares / (world_exports_usd * world_exports_usd) as export_hhi
    from summed
)

select
    measured.year,
    measured.product_level,
    measured.product_code,
    names.product_name,
    measured.world_exports_usd,
    measured.n_exporters,
    measured.top1_code,
    countries.iso3 as top1_iso3,
    countries.name as top1_name,
    measured.top1_share,
    measured.top3_share,
    measured.export_hhi,
    1 / measured.export_hhi as effective_exporters,
    measured.top3_share - earlier.top3_share as top3_change_5y
from measured
left join measured as earlier
    on measured.year - 5 = earlier.year
    and measured.product_level = earlier.product_level
    and measured.product_code = earlier.product_code
left join names on measured.product_level = names.product_level and measured.product_code = names.product_code
left join countries on measured.top1_code = countries.country_code
