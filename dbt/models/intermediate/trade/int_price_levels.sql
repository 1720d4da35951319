-- Read twice: DuckDB would keep the rows of a CTE that two others read.
with measured as (
    select year, exporter_code, importer_code, hs6, 'kg' as basis, value_usd, quantity_kg as quantity
    from {{ ref('int_trade_flows') }}
    where {{ in_build_year() }} and quantity_kg > 0
    union all
    select year, exporter_code, importer_code, hs6, 'unit' as basis, value_usd, quantity_units as quantity
    from {{ ref('int_trade_flows') }}
    where {{ in_build_year() }} and quantity_units > 0
),

{%- set good = 'year, basis, importer_code, hs6' %}

beside_others as (
    select
        year,
        exporter_code,
        hs6,
        basis,
        value_usd,
        quantity,
        count(*) over (partition by {{ good }}) as n_suppliers,
        {{ exact_window_sum('value_usd', good, less_own=true) }} as others_value_usd,
        {{ exact_window_sum('quantity', good, bits=60, less_own=true) }} as others_quantity
    from measured
),

gaps as (
    select
        year,
        exporter_code,
        hs6,
        basis,
        value_usd,
        ln((value_usd / quantity) / (others_value_usd / others_quantity)) as gap
    from beside_others
    where n_suppliers > 1 and others_value_usd > 0 and others_quantity > 0
)

select
    year,
    exporter_code,
    hs6,
    basis,
    {{ exact_sum('value_usd') }} as level_value_usd,
    {{ exact_sum('value_usd * gap') }} as level_gap
from gaps
where {{ comparable('abs(gap)') }} <= {{ comparable('ln(10)') }}
group by year, exporter_code, hs6, basis
