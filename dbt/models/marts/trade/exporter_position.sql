with exporter_products as (
    select * from {{ ref('int_exporter_products') }} where {{ in_build_year() }}
),

union_products as (
    select * from {{ ref('int_union_products') }} where {{ in_build_year() }}
),

products as (
    select * from {{ ref('int_product_centrality') }} where {{ in_build_year() }}
),

members as (
    select country_code from {{ ref('countries') }} where is_eu27
),

economies as (
    select * from {{ ref('stg_economies') }}
),

exports as (
    select year, exporter_code, hs6, export_value_usd, export_rank
    from exporter_products
    union all
    select year, union_code, hs6, export_value_usd, export_rank
    from union_products
    where export_value_usd is not null
),

goods as (
    select
        exports.year,
        exports.exporter_code,
        exports.export_value_usd,
        exports.export_rank,
        products.in_scope,
        products.in_scope and products.high_centrality as is_high
    from exports
    inner join products on exports.year = products.year and exports.hs6 = products.hs6
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
),

-- The union has its place among itself and the countries outside, every country among the countries.
ranked as (
    select
        counted.*,
        economies.iso3,
        economies.name,
        {{ economy_kind('counted.exporter_code') }} as economy_kind,
        cast(rank() over (
            partition by counted.year, {{ economy_kind('counted.exporter_code') }}
            order by counted.n_high_centrality desc nulls last
        ) as bigint) as rank_in_kind,
        cast(rank() over (
            partition by counted.year, members.country_code is null
            order by counted.n_high_centrality desc nulls last
        ) as bigint) as rank_beside_members
    from counted
    left join members on counted.exporter_code = members.country_code
    left join economies on counted.exporter_code = economies.economy_code
    where counted.n_goods > 0
)

select
    ranked.year,
    ranked.exporter_code,
    ranked.iso3 as exporter_iso3,
    ranked.name as exporter_name,
    ranked.economy_kind,
    cast(ranked.n_goods as bigint) as n_goods,
    cast(ranked.n_rank1 as bigint) as n_rank1,
    cast(ranked.n_top3 as bigint) as n_top3,
    cast(ranked.n_high_centrality as bigint) as n_high_centrality,
    cast(ranked.n_high_centrality_rank1 as bigint) as n_high_centrality_rank1,
    cast(ranked.n_high_centrality_top3 as bigint) as n_high_centrality_top3,
    cast(ranked.n_rank1 as double) / ranked.n_goods as rank1_share,
    cast(ranked.n_top3 as double) / ranked.n_goods as top3_share,
    cast(ranked.n_high_centrality_rank1 as double) / nullif(ranked.n_high_centrality, 0)
        as high_centrality_rank1_share,
    cast(ranked.n_high_centrality_top3 as double) / nullif(ranked.n_high_centrality, 0)
        as high_centrality_top3_share,
    case when ranked.economy_kind = 'union' then ranked.rank_beside_members else ranked.rank_in_kind end
        as high_centrality_rank,
    ranked.export_value_usd,
    ranked.in_scope_export_value_usd
from ranked
