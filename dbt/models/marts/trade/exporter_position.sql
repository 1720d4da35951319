with exporter_products as (
    select * from {{ ref('int_exporter_products') }} where {{ in_build_year() }}
),

products as (
    select * from {{ ref('int_product_centrality') }} where {{ in_build_year() }}
),

countries as (
    select * from {{ ref('stg_countries') }}
),

goods as (
    select
        exporter_products.year,
        exporter_products.exporter_code,
        exporter_products.export_value_usd,
        exporter_products.export_rank,
        products.in_scope,
        products.in_scope and products.high_centrality as is_high
    from exporter_products
    inner join products
        on exporter_products.year = products.year and exporter_products.hs6 = products.hs6
),

counted as (
    select
        year,
        exporter_code,
        sum(case when in_scope then 1 else 0 end) as n_goods,
        sum(case when in_scope and export_rank = 1 then 1 else 0 end) as n_rank1,
        sum(case when in_scope and export_rank <= 3 then 1 else 0 end) as n_top3,
        sum(case when is_high then 1 else 0 end) as n_high_centrality,
        sum(case when is_high and export_rank = 1 then 1 else 0 end) as n_high_centrality_rank1,
        sum(case when is_high and export_rank <= 3 then 1 else 0 end) as n_high_centrality_top3,
        {{ exact_sum('export_value_usd') }} as export_value_usd,
        {{ exact_sum('case when in_scope then export_value_usd else 0 end') }} as in_scope_export_value_usd
    from goods
    group by year, exporter_code
)

select
    counted.year,
    counted.exporter_code,
    countries.iso3 as exporter_iso3,
    countries.name as exporter_name,
    cast(counted.n_goods as bigint) as n_goods,
    cast(counted.n_rank1 as bigint) as n_rank1,
    cast(counted.n_top3 as bigint) as n_top3,
    cast(counted.n_high_centrality as bigint) as n_high_centrality,
    cast(counted.n_high_centrality_rank1 as bigint) as n_high_centrality_rank1,
    cast(counted.n_high_centrality_top3 as bigint) as n_high_centrality_top3,
    cast(counted.n_rank1 as double) / counted.n_goods as rank1_share,
    cast(counted.n_top3 as double) / counted.n_goods as top3_share,
    cast(counted.n_high_centrality_rank1 as double) / nullif(counted.n_high_centrality, 0)
        as high_centrality_rank1_share,
    cast(counted.n_high_centrality_top3 as double) / nullif(counted.n_high_centrality, 0)
        as high_centrality_top3_share,
    cast(
        rank() over (partition by counted.year order by counted.n_high_centrality desc nulls last) as bigint
    ) as high_centrality_rank,
    counted.export_value_usd,
    counted.in_scope_export_value_usd
from counted
left join countries on counted.exporter_code = countries.country_code
where counted.n_goods > 0
