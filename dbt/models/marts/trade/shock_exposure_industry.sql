with flows as (
    select * from {{ ref('int_trade_flows') }} where {{ in_build_year() }}
),

products as (
    select * from {{ ref('int_product_centrality') }} where {{ in_build_year() }} and in_scope
),

chapters as (
    select * from {{ ref('hs2_chapters') }}
),

countries as (
    select * from {{ ref('stg_countries') }}
),

exposed as (
    select
        flows.year,
        flows.exporter_code,
        flows.importer_code,
        products.hs2,
        {{ exact_sum('flows.value_usd') }} as exposed_value_usd,
        count(*) as n_goods
    from flows
    inner join products on flows.year = products.year and flows.hs6 = products.hs6
    group by flows.year, flows.exporter_code, flows.importer_code, products.hs2
),

imports as (
    select year, importer_code, hs2, {{ exact_sum('exposed_value_usd') }} as import_value_usd
    from exposed
    group by year, importer_code, hs2
)

select
    exposed.year,
    exposed.exporter_code,
    exporters.iso3 as exporter_iso3,
    exporters.name as exporter_name,
    exposed.importer_code,
    importers.iso3 as importer_iso3,
    importers.name as importer_name,
    exposed.hs2,
    chapters.hs2_name,
    exposed.exposed_value_usd,
    exposed.n_goods,
    {{ shock_cut() }} as cut,
    {{ shock_cut() }} * exposed.exposed_value_usd as loss_usd,
    exposed.exposed_value_usd / nullif(imports.import_value_usd, 0) as exposure_share
from exposed
inner join imports
    on exposed.year = imports.year
    and exposed.importer_code = imports.importer_code
    and exposed.hs2 = imports.hs2
left join chapters on exposed.hs2 = chapters.hs2
left join countries as exporters on exposed.exporter_code = exporters.country_code
left join countries as importers on exposed.importer_code = importers.country_code
