with goods as (
    select * from {{ ref('supplier_removal') }} where {{ in_build_year() }} and in_scope
),

importer_products as (
    select * from {{ ref('int_importer_products') }} where {{ in_build_year() }}
),

products as (
    select * from {{ ref('int_product_centrality') }} where {{ in_build_year() }} and in_scope
),

imports as (
    select
        importer_products.year,
        importer_products.importer_code,
        {{ exact_sum('importer_products.import_value_usd') }} as import_value_usd
    from importer_products
    inner join products on importer_products.year = products.year and importer_products.hs6 = products.hs6
    group by importer_products.year, importer_products.importer_code
),

summed as (
    select
        year,
        exporter_code,
        exporter_iso3,
        exporter_name,
        importer_code,
        importer_iso3,
        importer_name,
        count(*) as n_goods,
        cast(sum(case when {{ comparable('replaceable_share') }} < 0.5 then 1 else 0 end) as bigint) as n_irreplaceable,
        {{ exact_sum('lost_usd') }} as lost_usd,
        {{ exact_sum('shortfall_usd') }} as shortfall_usd
    from goods
    group by year, exporter_code, exporter_iso3, exporter_name, importer_code, importer_iso3, importer_name
)

select
    summed.year,
    summed.exporter_code,
    summed.exporter_iso3,
    summed.exporter_name,
    summed.importer_code,
    summed.importer_iso3,
    summed.importer_name,
    summed.n_goods,
    summed.n_irreplaceable,
    summed.lost_usd,
    summed.shortfall_usd,
    summed.lost_usd / imports.import_value_usd as lost_share,
    summed.shortfall_usd / imports.import_value_usd as shortfall_share,
    1 - summed.shortfall_usd / summed.lost_usd as replaceable_share
from summed
inner join imports on summed.year = imports.year and summed.importer_code = imports.importer_code
