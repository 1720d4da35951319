{{ config(materialized='view') }}

with reports as (
    select * from {{ ref('stg_trade_flows') }}
    {%- if var('keep_reimports') %}
    union all
    select * from {{ ref('stg_trade_reimports') }}
    {%- endif %}
),

reporting_importers as (
    select * from {{ ref('int_reporting_importers') }}
),

base_revision as (
    select max(hs_revision) as hs_revision from {{ ref('stg_products') }}
),

directed as (
    select
        year,
        flow,
        reporter_code,
        case when flow = 'M' then partner_code else reporter_code end as exporter_code,
        case when flow = 'M' then reporter_code else partner_code end as importer_code,
        hs_revision,
        cmd_code,
        {{ needs_conversion() }} as needs_conversion,
        value_usd,
        quantity,
        quantity_unit,
        net_weight_kg,
        quantity_kg,
        quantity_units,
        source
    from reports
)

select
    directed.year,
    directed.flow,
    directed.reporter_code,
    directed.exporter_code,
    directed.importer_code,
    directed.hs_revision,
    directed.cmd_code,
    directed.needs_conversion,
    directed.flow = 'X' as is_mirror,
    -- An export report is used only if the importer reported nothing that year.
    directed.flow = 'M' or reporting_importers.importer_code is null as is_used,
    case
        when directed.flow = 'X' then directed.value_usd * cast({{ var('mirror_cif_fob_factor') }} as double)
        else directed.value_usd
    end as value_usd,
    directed.quantity,
    directed.quantity_unit,
    directed.net_weight_kg,
    directed.quantity_kg,
    directed.quantity_units,
    directed.source
from directed
left join reporting_importers
    on directed.year = reporting_importers.year
    and directed.importer_code = reporting_importers.importer_code
