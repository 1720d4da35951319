with reports as (
    select * from {{ ref('int_trade_reports') }} where {{ in_build_year() }}
),

converted_reporters as (
    select * from {{ ref('int_converted_reporters') }} where {{ in_build_year() }}
),

conversion as (
    select * from {{ ref('stg_hs_conversion') }}
),

-- All reports of these reporters: a good can come from a converted report and from one in the base revision.
rows_of_converted_reporters as (
    select reports.*
    from reports
    inner join converted_reporters
        on reports.year = converted_reporters.year
        and reports.flow = converted_reporters.flow
        and reports.reporter_code = converted_reporters.reporter_code
    where reports.is_used
),

parts as (
    select
        year, exporter_code, importer_code, cmd_code as hs6, value_usd, quantity, quantity_unit, is_mirror, source
    from rows_of_converted_reporters
    where not needs_conversion
    union all
    select
        part.year,
        part.exporter_code,
        part.importer_code,
        conversion.hs6,
        part.value_usd * conversion.weight as value_usd,
        part.quantity * conversion.weight as quantity,
        part.quantity_unit,
        part.is_mirror,
        part.source
    from rows_of_converted_reporters as part
    inner join conversion
        on part.hs_revision = conversion.from_revision
        and part.cmd_code = conversion.from_code
    where part.needs_conversion
),

summed as (
    select
        year,
        exporter_code,
        importer_code,
        hs6,
        {{ exact_sum('value_usd') }} as value_usd,
        {{ exact_sum('quantity', bits=60) }} as quantity,
        -- Quantities are summed only where all of them are known and in one unit.
        count(quantity) = count(*) and count(quantity_unit) = count(*)
            and min(quantity_unit) = max(quantity_unit) as has_one_unit,
        min(quantity_unit) as quantity_unit,
        max(case when is_mirror then 1 else 0 end) = 1 as is_mirror,
        min(source) as source
    from parts
    group by year, exporter_code, importer_code, hs6
)

select
    year,
    exporter_code,
    importer_code,
    hs6,
    value_usd,
    case when has_one_unit then quantity end as quantity,
    case when has_one_unit then quantity_unit end as quantity_unit,
    is_mirror,
    source,
    {{ is_ghost_flow('value_usd') }} as is_ghost
from summed
