with flows as (
    select * from {{ ref('int_trade_flows') }}
    where {{ in_build_year() }} and {{ is_shock_exporter('exporter_code') }}
),

exporter_products as (
    select * from {{ ref('int_exporter_products') }} where {{ in_build_year() }}
),

importer_products as (
    select * from {{ ref('int_importer_products') }} where {{ in_build_year() }}
),

products as (
    select * from {{ ref('int_product_centrality') }} where {{ in_build_year() }}
),

removed as (
    select year, exporter_code, hs6, export_value_usd as removed_usd
    from exporter_products
    where {{ is_shock_exporter('exporter_code') }}
),

others as (
    select
        removed.year,
        removed.exporter_code,
        removed.hs6,
        count(*) as n_other_exporters,
        {{ exact_sum('exporter_products.export_value_usd') }} as other_exports_usd
    from removed
    inner join exporter_products
        on removed.year = exporter_products.year
        and removed.hs6 = exporter_products.hs6
        and removed.exporter_code <> exporter_products.exporter_code
    group by removed.year, removed.exporter_code, removed.hs6
),

losses as (
    select
        flows.year,
        flows.exporter_code,
        flows.exporter_iso3,
        flows.exporter_name,
        flows.importer_code,
        flows.importer_iso3,
        flows.importer_name,
        flows.hs6,
        products.hs2,
        products.in_scope,
        flows.value_usd as lost_usd,
        removed.removed_usd,
        importer_products.import_value_usd,
        coalesce(others.n_other_exporters, 0) as n_other_exporters,
        {{ spare_capacity() }} * coalesce(others.other_exports_usd, 0) as pool_usd
    from flows
    inner join removed
        on flows.year = removed.year
        and flows.exporter_code = removed.exporter_code
        and flows.hs6 = removed.hs6
    inner join importer_products
        on flows.year = importer_products.year
        and flows.importer_code = importer_products.importer_code
        and flows.hs6 = importer_products.hs6
    inner join products on flows.year = products.year and flows.hs6 = products.hs6
    left join others
        on flows.year = others.year
        and flows.exporter_code = others.exporter_code
        and flows.hs6 = others.hs6
),

shares as (
    select
        *,
        least(1.0, pool_usd / removed_usd) as replaceable_share,
        least(1.0, pool_usd / lost_usd) as replaceable_share_alone
    from losses
)

select
    shares.year,
    shares.exporter_code,
    shares.exporter_iso3,
    shares.exporter_name,
    shares.importer_code,
    shares.importer_iso3,
    shares.importer_name,
    shares.hs6,
    products.hs6_name,
    shares.hs2,
    shares.in_scope,
    shares.lost_usd,
    shares.import_value_usd,
    shares.lost_usd / shares.import_value_usd as lost_share,
    shares.n_other_exporters,
    shares.pool_usd,
    shares.replaceable_share,
    shares.replaceable_share_alone,
    shares.lost_usd * (1 - shares.replaceable_share) as shortfall_usd
from shares
inner join products on shares.year = products.year and shares.hs6 = products.hs6
