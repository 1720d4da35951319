{{ config(materialized='yearly_files') }}

with reports as (
    select * from {{ ref('int_trade_reports') }} where {{ in_build_year() }}
),

converted_reporters as (
    select * from {{ ref('int_converted_reporters') }} where {{ in_build_year() }}
),

converted_flows as (
    select * from {{ ref('int_converted_flows') }} where {{ in_build_year() }}
),

countries as (
    select
        country_code,
        {{ of_few_texts('iso3', ref('stg_countries')) }} as iso3,
        {{ of_few_texts('name', ref('stg_countries')) }} as name
    from {{ ref('stg_countries') }}
),

products as (
    select hs6, {{ of_few_texts('hs6_name', ref('stg_products')) }} as hs6_name
    from {{ ref('stg_products') }}
),

-- Landed reports are unique by reporter, flow, partner and code: those in the base revision are flows without grouping.
flows as (
    select
        reports.year,
        reports.exporter_code,
        reports.importer_code,
        reports.cmd_code as hs6,
        reports.value_usd,
        reports.quantity,
        reports.quantity_unit,
        reports.net_weight_kg,
        reports.quantity_kg,
        reports.quantity_units,
        false as is_split_conversion,
        reports.is_mirror,
        reports.source
    from reports
    -- An anti-join, written as a left join because `not exists` over three columns takes DuckDB twice as long.
    left join converted_reporters
        on reports.year = converted_reporters.year
        and reports.flow = converted_reporters.flow
        and reports.reporter_code = converted_reporters.reporter_code
    where
        reports.is_used
        and not {{ is_ghost_flow('reports.value_usd') }}
        and converted_reporters.reporter_code is null
    union all
    select
        year,
        exporter_code,
        importer_code,
        hs6,
        value_usd,
        quantity,
        quantity_unit,
        net_weight_kg,
        quantity_kg,
        quantity_units,
        is_split_conversion,
        is_mirror,
        source
    from converted_flows
    where not is_ghost
)

select
    flows.year,
    flows.exporter_code,
    exporters.iso3 as exporter_iso3,
    exporters.name as exporter_name,
    flows.importer_code,
    importers.iso3 as importer_iso3,
    importers.name as importer_name,
    flows.hs6,
    products.hs6_name,
    flows.value_usd,
    flows.quantity,
    flows.quantity_unit,
    flows.net_weight_kg,
    flows.quantity_kg,
    flows.quantity_units,
    flows.is_split_conversion,
    flows.is_mirror,
    flows.source
from flows
left join countries as exporters on flows.exporter_code = exporters.country_code
left join countries as importers on flows.importer_code = importers.country_code
left join products on flows.hs6 = products.hs6
