with flows as (
    select * from {{ ref('int_trade_flows') }} where {{ in_build_year() }}
),

products as (
    select * from {{ ref('int_product_centrality') }} where {{ in_build_year() }}
),

countries as (
    select * from {{ ref('stg_countries') }}
),

totals as (
    select
        flows.year,
        flows.exporter_code,
        flows.importer_code,
        {{ exact_sum('flows.value_usd') }} as value_usd,
        {{ exact_sum('case when products.in_scope then flows.value_usd else 0 end') }} as in_scope_value_usd,
        count(*) as n_goods,
        max(case when flows.is_mirror then 1 else 0 end) = 1 as is_mirror
    from flows
    inner join products
        on flows.year = products.year and flows.hs6 = products.hs6
    group by flows.year, flows.exporter_code, flows.importer_code
)

select
    totals.year,
    totals.exporter_code,
    exporters.iso3 as exporter_iso3,
    exporters.name as exporter_name,
    totals.importer_code,
    importers.iso3 as importer_iso3,
    importers.name as importer_name,
    totals.value_usd,
    totals.in_scope_value_usd,
    totals.n_goods,
    totals.is_mirror
from totals
left join countries as exporters on totals.exporter_code = exporters.country_code
left join countries as importers on totals.importer_code = importers.country_code
