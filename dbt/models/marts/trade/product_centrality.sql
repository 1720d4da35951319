with products as (
    select * from {{ ref('int_product_centrality') }} where {{ in_build_year() }}
),

countries as (
    select * from {{ ref('stg_countries') }}
)

select
    products.year,
    products.hs6,
    products.hs6_name,
    products.hs2,
    products.bec4,
    products.in_scope,
    products.world_exports_usd,
    products.n_exporters,
    products.n_importers,
    products.n_countries,
    products.export_centrality,
    products.export_centrality_share,
    products.export_hhi,
    products.top_exporter_code,
    countries.iso3 as top_exporter_iso3,
    countries.name as top_exporter_name,
    products.top_exporter_share,
    products.top3_exporter_share,
    products.high_centrality,
    products.centrality_percentile
from products
left join countries on products.top_exporter_code = countries.country_code
