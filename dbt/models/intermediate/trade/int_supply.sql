with flows as (
    select * from {{ ref('int_trade_flows') }} where {{ in_build_year() }}
),

goods_of_sectors as (
    select * from {{ ref('stg_sector_goods') }}
),

bases as (
    select * from {{ ref('price_basis') }}
),

measured as (
    select
        flows.year,
        flows.exporter_code,
        flows.hs6,
        flows.value_usd,
        bases.heading is not null as is_counted,
        case when bases.heading is not null then flows.quantity_units else flows.quantity_kg end as quantity
    from flows
    left join bases on substr(flows.hs6, 1, 4) = bases.heading
),

goods as (
    select
        year,
        exporter_code,
        hs6,
        max(case when is_counted then 1 else 0 end) as is_counted,
        {{ exact_sum('value_usd') }} as export_value_usd,
        {{ exact_sum('case when quantity is not null then value_usd else 0 end') }} as known_value_usd,
        {{ exact_sum('coalesce(quantity, 0)', bits=60) }} as known_quantity
    from measured
    group by year, exporter_code, hs6
),

in_groups as (
    select 'hs2' as product_level, substr(hs6, 1, 2) as product_code, *
    from goods
    union all
    select 'sector' as product_level, goods_of_sectors.sector_id as product_code, goods.*
    from goods
    inner join goods_of_sectors on goods.hs6 = goods_of_sectors.hs6 and goods.year >= goods_of_sectors.from_year
)

select
    year,
    'hs6' as product_level,
    hs6 as product_code,
    exporter_code,
    export_value_usd,
    known_value_usd,
    known_quantity,
    is_counted as least_counted,
    is_counted as most_counted
from goods
union all
select
    year,
    product_level,
    product_code,
    exporter_code,
    {{ exact_sum('export_value_usd') }} as export_value_usd,
    {{ exact_sum('known_value_usd') }} as known_value_usd,
    {{ exact_sum('known_quantity', bits=60) }} as known_quantity,
    min(is_counted) as least_counted,
    max(is_counted) as most_counted
from in_groups
group by year, product_level, product_code, exporter_code
