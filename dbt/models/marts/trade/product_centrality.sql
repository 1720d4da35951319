-- Over all years: the pooled years decide about the goods of every year.
with products as (
    select *, {{ comparable('export_centrality') }} as compared_centrality
    from {{ ref('int_product_centrality') }}
),

countries as (
    select * from {{ ref('stg_countries') }}
),

pooled as (
    select
        percentile_cont(0.75) within group (order by compared_centrality) as p75,
        count(distinct year) as n_years
    from products
    where in_scope and export_centrality is not null and year in ({{ var('centrality_years') | join(', ') }})
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
    products.centrality_percentile,
    case
        when products.in_scope and pooled.n_years = {{ var('centrality_years') | unique | list | length }}
            then coalesce(products.compared_centrality >= pooled.p75, false)
    end as high_centrality_pooled
from products
cross join pooled
left join countries on products.top_exporter_code = countries.country_code
