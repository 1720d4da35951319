with regions as (
    select * from {{ ref('int_import_regions') }} where {{ in_build_year() }}
),

importer_products as (
    select * from {{ ref('int_importer_products') }} where {{ in_build_year() }}
),

products as (
    select * from {{ ref('int_product_centrality') }} where {{ in_build_year() }}
),

countries as (
    select * from {{ ref('countries') }}
),

goods_of_sectors as (
    select * from {{ ref('stg_sector_goods') }}
),

goods as (
    select
        importer_products.year,
        importer_products.importer_code,
        importer_products.hs6,
        products.in_scope,
        importer_products.import_value_usd / importer_products.import_hhi as value_times_suppliers
    from importer_products
    inner join products
        on importer_products.year = products.year and importer_products.hs6 = products.hs6
),

levels as (
    select year, importer_code, 'hs4' as product_level, substring(hs6, 1, 4) as product_code, value_times_suppliers
    from goods
    union all
    select year, importer_code, 'hs2', substring(hs6, 1, 2), value_times_suppliers
    from goods
    union all
    select year, importer_code, 'all', 'all', value_times_suppliers
    from goods
    union all
    select year, importer_code, 'scope', 'scope', value_times_suppliers
    from goods
    where in_scope
    union all
    select goods.year, goods.importer_code, 'sector', goods_of_sectors.sector_id, goods.value_times_suppliers
    from goods
    inner join goods_of_sectors on goods.hs6 = goods_of_sectors.hs6 and goods.year >= goods_of_sectors.from_year
),

effective as (
    select
        year,
        importer_code,
        product_level,
        product_code,
        count(*) as n_goods,
        {{ exact_sum('value_times_suppliers') }} as value_times_suppliers
    from levels
    group by year, importer_code, product_level, product_code
),

summed as (
    select
        regions.year,
        regions.importer_code,
        regions.product_level,
        regions.product_code,
        max(importers.trade_region) as importer_region,
        cast(sum(regions.n_suppliers) as bigint) as n_suppliers,
        {{ exact_sum('regions.import_value_usd') }} as import_value_usd,
        {{ exact_sum(
            'case when regions.trade_region = importers.trade_region then regions.import_value_usd else 0 end'
        ) }} as own_region_value_usd,
        {{ code_of_largest('regions.top_supplier_code', comparable_usd('regions.top_supplier_value_usd')) }}
            as top_supplier_code,
        max(regions.top_supplier_value_usd) as top_supplier_value_usd
    from regions
    left join countries as importers on regions.importer_code = importers.country_code
    group by regions.year, regions.importer_code, regions.product_level, regions.product_code
)

select
    summed.year,
    summed.importer_code,
    summed.product_level,
    summed.product_code,
    summed.importer_region,
    effective.n_goods,
    summed.n_suppliers,
    summed.import_value_usd,
    effective.value_times_suppliers / summed.import_value_usd as effective_suppliers,
    case
        when summed.importer_region is not null then summed.own_region_value_usd / summed.import_value_usd
    end as own_region_share,
    summed.top_supplier_code,
    summed.top_supplier_value_usd / summed.import_value_usd as top_supplier_share
from summed
inner join effective
    on summed.year = effective.year
    and summed.importer_code = effective.importer_code
    and summed.product_level = effective.product_level
    and summed.product_code = effective.product_code
