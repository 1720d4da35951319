{{ config(materialized='view') }}

select
    year,
    exporter_code,
    exporter_iso3,
    exporter_name,
    importer_code,
    importer_iso3,
    importer_name,
    hs6,
    hs6_name,
    value_usd,
    quantity,
    quantity_unit,
    net_weight_kg,
    quantity_kg,
    quantity_units,
    is_split_conversion,
    is_mirror,
    source
from {{ ref('int_trade_flows') }}
