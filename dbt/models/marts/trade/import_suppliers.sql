{{ config(materialized='view') }}

select
    year,
    importer_code,
    importer_iso3,
    importer_name,
    hs6,
    hs6_name,
    hs2,
    supplier_code,
    supplier_iso3,
    supplier_name,
    value_usd,
    share,
    supplier_rank,
    n_suppliers,
    world_exports_usd,
    world_export_share,
    world_export_rank,
    exports_to_others_usd,
    supplies_others,
    outside_share
from {{ ref('int_import_suppliers') }}
