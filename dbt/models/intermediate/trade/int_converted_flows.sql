with reports as (
    select * from {{ ref('int_trade_reports') }} where {{ in_build_year() }}
),

converted_reporters as (
    select * from {{ ref('int_converted_reporters') }} where {{ in_build_year() }}
),

-- A code with several targets tells what all of them weigh together: which share is whose, its value does not say.
conversion as (
    select
        from_revision,
        from_code,
        hs6,
        weight,
        count(*) over (partition by from_revision, from_code) > 1 as is_split
    from {{ ref('stg_hs_conversion') }}
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
        year,
        exporter_code,
        importer_code,
        cmd_code as hs6,
        value_usd,
        quantity,
        quantity_unit,
        net_weight_kg,
        quantity_kg,
        quantity_units,
        false as is_split,
        is_mirror,
        source
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
        case when not conversion.is_split then part.net_weight_kg * conversion.weight end as net_weight_kg,
        case when not conversion.is_split then part.quantity_kg * conversion.weight end as quantity_kg,
        case when not conversion.is_split then part.quantity_units * conversion.weight end as quantity_units,
        conversion.is_split,
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
        -- With a part that has no weight, the weight of the others would belong to another value.
        case when count(net_weight_kg) = count(*) then {{ exact_sum('net_weight_kg', bits=60) }} end as net_weight_kg,
        case when count(quantity_kg) = count(*) then {{ exact_sum('quantity_kg', bits=60) }} end as quantity_kg,
        case when count(quantity_units) = count(*) then {{ exact_sum('quantity_units', bits=60) }} end
            as quantity_units,
        max(case when is_split then 1 else 0 end) = 1 as is_split_conversion,
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
    net_weight_kg,
    quantity_kg,
    quantity_units,
    is_split_conversion,
    is_mirror,
    source,
    {{ is_ghost_flow('value_usd') }} as is_ghost
from summed
