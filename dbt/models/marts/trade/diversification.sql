with groups as (
    select * from {{ ref('int_diversification') }} where {{ in_build_year() }}
),

groups_before as (
    select * from {{ ref('int_diversification') }} where {{ in_fifth_year_before() }}
),

countries as (
    select * from {{ ref('countries') }}
)

select
    present.year,
    present.importer_code,
    importers.iso3 as importer_iso3,
    importers.name as importer_name,
    present.importer_region,
    present.product_level,
    present.product_code,
    present.n_goods,
    present.n_suppliers,
    present.import_value_usd,
    present.effective_suppliers,
    present.own_region_share,
    present.top_supplier_code,
    suppliers.iso3 as top_supplier_iso3,
    suppliers.name as top_supplier_name,
    present.top_supplier_share,
    present.import_value_usd / past.import_value_usd - 1 as import_value_growth_5y,
    present.effective_suppliers - past.effective_suppliers as effective_suppliers_change_5y,
    present.own_region_share - past.own_region_share as own_region_share_change_5y,
    present.top_supplier_share - past.top_supplier_share as top_supplier_share_change_5y
from groups as present
left join groups_before as past
    on present.year = past.year + 5
    and present.importer_code = past.importer_code
    and present.product_level = past.product_level
    and present.product_code = past.product_code
left join countries as importers on present.importer_code = importers.country_code
left join countries as suppliers on present.top_supplier_code = suppliers.country_code
