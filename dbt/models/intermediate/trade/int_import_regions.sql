with flows as (
    select * from {{ ref('int_trade_flows') }} where {{ in_build_year() }}
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

-- One row per importer, heading and supplier: the larger groups of goods are summed from these.
headings as (
    select
        flows.year,
        flows.importer_code,
        flows.exporter_code,
        substring(flows.hs6, 1, 4) as hs4,
        {{ exact_sum('flows.value_usd') }} as value_usd,
        {{ exact_sum('case when products.in_scope then flows.value_usd else 0 end') }} as scope_value_usd
    from flows
    inner join products on flows.year = products.year and flows.hs6 = products.hs6
    group by flows.year, flows.importer_code, flows.exporter_code, substring(flows.hs6, 1, 4)
),

chapters as (
    select
        year,
        importer_code,
        exporter_code,
        substring(hs4, 1, 2) as hs2,
        {{ exact_sum('value_usd') }} as value_usd,
        {{ exact_sum('scope_value_usd') }} as scope_value_usd
    from headings
    group by year, importer_code, exporter_code, substring(hs4, 1, 2)
),

suppliers as (
    select year, importer_code, exporter_code, 'hs4' as product_level, hs4 as product_code, value_usd
    from headings
    union all
    select year, importer_code, exporter_code, 'hs2', hs2, value_usd
    from chapters
    union all
    select year, importer_code, exporter_code, 'all', 'all', {{ exact_sum('value_usd') }}
    from chapters
    group by year, importer_code, exporter_code
    union all
    select year, importer_code, exporter_code, 'scope', 'scope', {{ exact_sum('scope_value_usd') }}
    from chapters
    where scope_value_usd > 0
    group by year, importer_code, exporter_code
    union all
    select
        flows.year,
        flows.importer_code,
        flows.exporter_code,
        'sector',
        goods_of_sectors.sector_id,
        {{ exact_sum('flows.value_usd') }}
    from flows
    inner join goods_of_sectors on flows.hs6 = goods_of_sectors.hs6 and flows.year >= goods_of_sectors.from_year
    group by flows.year, flows.importer_code, flows.exporter_code, goods_of_sectors.sector_id
)

select
    suppliers.year,
    suppliers.importer_code,
    cast(suppliers.product_level as string) as product_level,
    cast(suppliers.product_code as string) as product_code,
    cast(coalesce(countries.trade_region, '{{ no_region() }}') as string) as trade_region,
    count(*) as n_suppliers,
    {{ exact_sum('suppliers.value_usd') }} as import_value_usd,
    {{ code_of_largest('suppliers.exporter_code', comparable_usd('suppliers.value_usd')) }} as top_supplier_code,
    max(suppliers.value_usd) as top_supplier_value_usd
from suppliers
left join countries on suppliers.exporter_code = countries.country_code
group by
    suppliers.year,
    suppliers.importer_code,
    suppliers.product_level,
    suppliers.product_code,
    coalesce(countries.trade_region, '{{ no_region() }}')
