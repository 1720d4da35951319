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

totals as (
    select
        year,
        product_level,
        product_code,
        {{ exact_sum('export_value_usd') }} as world_exports_usd,
        {{ exact_sum('known_value_usd') }} as world_known_usd,
        {{ exact_sum('known_quantity', bits=60) }} as world_quantity,
        min(least_counted) = max(most_counted) as is_one_basis
    from supply
    group by year, product_level, product_code
),

shares as (
    select
        supply.year,
        supply.product_level,
        supply.product_code,
        supply.exporter_code,
        supply.export_value_usd,
        supply.export_value_usd / totals.world_exports_usd as value_share,
        case
            when
                totals.is_one_basis
                and {{ comparable('totals.world_known_usd / totals.world_exports_usd') }} >= 0.6
                then supply.known_quantity / nullif(totals.world_quantity, 0)
        end as quantity_share
    from supply
    inner join totals
        on supply.year = totals.year
        and supply.product_level = totals.product_level
        and supply.product_code = totals.product_code
)

select
    shares.year,
    shares.product_level,
    shares.product_code,
    names.product_name,
    shares.exporter_code,
    countries.iso3 as exporter_iso3,
    countries.name as exporter_name,
    shares.export_value_usd,
    shares.value_share,
    cast(rank() over (
        partition by shares.year, shares.product_level, shares.product_code
        order by {{ comparable_usd('shares.export_value_usd') }} desc nulls last
    ) as bigint) as export_rank,
    shares.quantity_share,
    -- Who exported nothing five years before had no share; where nobody did, there is nothing to compare with.
    case when totals.year is not null then shares.value_share - coalesce(earlier.value_share, 0) end
        as share_change_5y
from shares
left join totals
    on shares.year - 5 = totals.year
    and shares.product_level = totals.product_level
    and shares.product_code = totals.product_code
left join shares as earlier
    on shares.year - 5 = earlier.year
    and shares.product_level = earlier.product_level
    and shares.product_code = earlier.product_code
    and shares.exporter_code = earlier.exporter_code
left join names on shares.product_level = names.product_level and shares.product_code = names.product_code
left join countries on shares.exporter_code = countries.country_code
