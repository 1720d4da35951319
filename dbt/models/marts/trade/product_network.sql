with goods as (
    select * from {{ ref('int_product_centrality') }} where {{ in_build_year() }}
),

networks as (
    select * from {{ ref('int_product_network') }} where {{ in_build_year() }}
),

countries as (
    select * from {{ ref('stg_countries') }}
)

select
    goods.year,
    goods.hs6,
    goods.hs6_name,
    goods.hs2,
    goods.in_scope,
    coalesce(networks.n_countries, 0) as n_countries,
    coalesce(networks.n_links, 0) as n_links,
    coalesce(networks.n_components, 0) as n_components,
    coalesce(networks.largest_component, 0) as largest_component,
    networks.clustering,
    networks.diameter,
    networks.clustering * networks.diameter as clustering_component,
    networks.density,
    networks.reciprocity,
    networks.top_pagerank_code,
    suppliers.iso3 as top_pagerank_iso3,
    suppliers.name as top_pagerank_name,
    networks.top_pagerank,
    networks.top_buyer_pagerank_code,
    buyers.iso3 as top_buyer_pagerank_iso3,
    buyers.name as top_buyer_pagerank_name,
    networks.top_buyer_pagerank
from goods
left join networks on goods.year = networks.year and goods.hs6 = networks.hs6
left join countries as suppliers on networks.top_pagerank_code = suppliers.country_code
left join countries as buyers on networks.top_buyer_pagerank_code = buyers.country_code
