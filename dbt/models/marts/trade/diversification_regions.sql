with regions as (
    select * from {{ ref('int_import_regions') }} where {{ in_build_year() }}
),

groups as (
    select * from {{ ref('int_diversification') }} where {{ in_build_year() }}
),

countries as (
    select * from {{ ref('countries') }}
)

select
    regions.year,
    regions.importer_code,
    importers.iso3 as importer_iso3,
    importers.name as importer_name,
    regions.product_level,
    regions.product_code,
    regions.trade_region,
    coalesce(regions.trade_region = groups.importer_region, false) as is_own_region,
    regions.n_suppliers,
    regions.import_value_usd,
    regions.import_value_usd / groups.import_value_usd as import_share,
    regions.top_supplier_code,
    suppliers.iso3 as top_supplier_iso3,
    suppliers.name as top_supplier_name,
    regions.top_supplier_value_usd / groups.import_value_usd as top_supplier_share
from regions
inner join groups
    on regions.year = groups.year
    and regions.importer_code = groups.importer_code
    and regions.product_level = groups.product_level
    and regions.product_code = groups.product_code
left join countries as importers on regions.importer_code = importers.country_code
left join countries as suppliers on regions.top_supplier_code = suppliers.country_code
