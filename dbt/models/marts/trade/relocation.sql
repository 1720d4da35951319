with flows as (
    select * from {{ ref('int_trade_flows') }} where {{ in_build_year() }}
),

products as (
    select * from {{ ref('stg_products') }}
),

countries as (
    select * from {{ ref('stg_countries') }}
),

classes as (
    select
        flows.year,
        flows.exporter_code,
        flows.importer_code,
        {{ bec_class('products.bec4') }} as bec_class,
        {{ exact_sum('flows.value_usd') }} as value_usd,
        count(*) as n_goods
    from flows
    left join products on flows.hs6 = products.hs6
    group by flows.year, flows.exporter_code, flows.importer_code, {{ bec_class('products.bec4') }}
),

totals as (
    select year, exporter_code, importer_code, {{ exact_sum('value_usd') }} as total_usd
    from classes
    group by year, exporter_code, importer_code
)

select
    classes.year,
    classes.exporter_code,
    exporters.iso3 as exporter_iso3,
    exporters.name as exporter_name,
    classes.importer_code,
    importers.iso3 as importer_iso3,
    importers.name as importer_name,
    classes.bec_class,
    classes.value_usd,
    classes.n_goods,
    classes.value_usd / nullif(totals.total_usd, 0) as share
from classes
inner join totals
    on classes.year = totals.year
    and classes.exporter_code = totals.exporter_code
    and classes.importer_code = totals.importer_code
left join countries as exporters on classes.exporter_code = exporters.country_code
left join countries as importers on classes.importer_code = importers.country_code
