-- A sector that holds one good has the exports and the concentration that product_centrality gives the good.
with base as (
    select max(hs_revision) as hs_revision from {{ ref('stg_products') }}
),

sectors as (
    select
        sectors.sector_id,
        max(sectors.hs6) as hs6
    from {{ ref('price_sectors') }} as sectors
    inner join base on sectors.hs_revision = base.hs_revision
    group by sectors.sector_id
    having count(*) = 1
),

compared as (
    select
        concentration.year,
        sectors.sector_id,
        concentration.top1_code,
        goods.top_exporter_code,
        concentration.n_exporters,
        goods.n_exporters as n_exporters_of_good,
        concentration.world_exports_usd / goods.world_exports_usd as ratio,
        concentration.export_hhi - goods.export_hhi as difference
    from {{ ref('capacity_concentration') }} as concentration
    inner join sectors
        on concentration.product_level = 'sector' and concentration.product_code = sectors.sector_id
    left join {{ ref('product_centrality') }} as goods
        on concentration.year = goods.year and sectors.hs6 = goods.hs6
)

select * from compared
where
    ratio is null or abs(ratio - 1) > 0.000000001 or abs(difference) > 0.000000001
    or n_exporters <> n_exporters_of_good or top1_code <> top_exporter_code
