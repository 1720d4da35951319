{{ config(materialized='yearly_files') }}

with flows as (
    select * from {{ ref('int_trade_flows') }} where {{ in_build_year() }}
),

importer_products as (
    select * from {{ ref('int_importer_products') }} where {{ in_build_year() }}
),

exporter_products as (
    select * from {{ ref('int_exporter_products') }} where {{ in_build_year() }}
),

products as (
    select
        year,
        hs6,
        {{ of_few_texts('hs6_name', ref('int_product_centrality')) }} as hs6_name,
        hs2,
        world_exports_usd,
        n_importers
    from {{ ref('int_product_centrality') }}
    where {{ in_build_year() }}
),

countries as (
    select
        country_code,
        {{ of_few_texts('iso3', ref('stg_countries')) }} as iso3,
        {{ of_few_texts('name', ref('stg_countries')) }} as name
    from {{ ref('stg_countries') }}
),

placed as (
    select
        year,
        importer_code,
        hs6,
        exporter_code,
        value_usd,
        row_number() over (
            partition by year, importer_code, hs6
            order by {{ comparable_usd('value_usd') }} desc nulls last, exporter_code nulls last
        ) as place
    from flows
),

supplies as (
    select
        placed.year,
        placed.importer_code,
        placed.hs6,
        placed.exporter_code,
        placed.value_usd,
        placed.place,
        exporter_products.export_value_usd,
        exporter_products.export_rank,
        exporter_products.n_importers > 1 as supplies_others,
        -- A difference of two sums, of which the last digits are not: no flow is below a cent.
        case
            when exporter_products.n_importers > 1
                then greatest(0.01, exporter_products.export_value_usd - placed.value_usd)
            else 0
        end as exports_to_others_usd
    from placed
    inner join exporter_products
        on placed.year = exporter_products.year
        and placed.exporter_code = exporter_products.exporter_code
        and placed.hs6 = exporter_products.hs6
),

suppliers as (
    select
        year,
        importer_code,
        hs6,
        exporter_code as supplier_code,
        value_usd,
        cast(place as bigint) as supplier_rank,
        cast(1 as bigint) as n_suppliers,
        export_value_usd,
        export_rank,
        supplies_others,
        exports_to_others_usd
    from supplies
    where place <= {{ suppliers_named() }}
    union all
    select
        year,
        importer_code,
        hs6,
        {{ other_suppliers() }} as supplier_code,
        {{ exact_sum('value_usd') }} as value_usd,
        cast({{ suppliers_named() }} + 1 as bigint) as supplier_rank,
        count(*) as n_suppliers,
        {{ exact_sum('export_value_usd') }} as export_value_usd,
        cast(null as bigint) as export_rank,
        max(case when supplies_others then 1 else 0 end) = 1 as supplies_others,
        {{ exact_sum('exports_to_others_usd') }} as exports_to_others_usd
    from supplies
    where place > {{ suppliers_named() }}
    group by year, importer_code, hs6
)

select
    suppliers.year,
    suppliers.importer_code,
    importers.iso3 as importer_iso3,
    importers.name as importer_name,
    suppliers.hs6,
    products.hs6_name,
    products.hs2,
    suppliers.supplier_code,
    exporters.iso3 as supplier_iso3,
    case
        when suppliers.supplier_code <> {{ other_suppliers() }} then cast(exporters.name as string)
        else
            'Rest of the world (' || cast(suppliers.n_suppliers as string)
            || case when suppliers.n_suppliers = 1 then ' supplier)' else ' suppliers)' end
    end as supplier_name,
    suppliers.value_usd,
    suppliers.value_usd / importer_products.import_value_usd as share,
    suppliers.supplier_rank,
    suppliers.n_suppliers,
    suppliers.export_value_usd as world_exports_usd,
    suppliers.export_value_usd / products.world_exports_usd as world_export_share,
    suppliers.export_rank as world_export_rank,
    suppliers.exports_to_others_usd,
    suppliers.supplies_others,
    case
        when products.n_importers > 1
            then least(
                1.0,
                suppliers.exports_to_others_usd
                / greatest(0.01, products.world_exports_usd - importer_products.import_value_usd)
            )
    end as outside_share
from suppliers
inner join importer_products
    on suppliers.year = importer_products.year
    and suppliers.importer_code = importer_products.importer_code
    and suppliers.hs6 = importer_products.hs6
inner join products on suppliers.year = products.year and suppliers.hs6 = products.hs6
left join countries as importers on suppliers.importer_code = importers.country_code
left join countries as exporters on suppliers.supplier_code = exporters.country_code
