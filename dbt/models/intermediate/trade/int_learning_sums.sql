{{ config(materialized='table') }}

{%- set product = 'exporter_code, product_level, product_code' %}

with supply as (
    select
        year,
        {{ product }},
        export_value_usd,
        known_value_usd,
        known_quantity,
        most_counted
    from {{ ref('int_supply') }}
    where product_level in ('hs6', 'sector')
),

chains as (
    select year, {{ product }}, chain_start_year, chain_tornqvist
    from {{ ref('int_price_chains') }}
    where basis = 'baseline' and product_level in ('hs6', 'sector') and chain_tornqvist is not null
),

indices as (
    select year, {{ product }}, quality
    from {{ ref('int_price_index') }}
    where basis = 'baseline' and product_level in ('hs6', 'sector')
),

exports as (
    select {{ product }}, max(most_counted) = 1 as is_counted
    from supply
    group by {{ product }}
),

-- What was exported whose quantity is not known counts at the mean unit value of what is known.
quantities as (
    select
        year,
        {{ product }},
        known_quantity * (export_value_usd / nullif(known_value_usd, 0)) as quantity
    from supply
),

world_supply as (
    select
        year,
        product_level,
        product_code,
        {{ exact_sum('export_value_usd') }} as export_value_usd,
        {{ exact_sum('known_value_usd') }} as known_value_usd,
        {{ exact_sum('known_quantity', bits=60) }} as known_quantity
    from supply
    group by year, product_level, product_code
),

world_quantities as (
    select
        year,
        product_level,
        product_code,
        known_quantity * (export_value_usd / nullif(known_value_usd, 0)) as quantity
    from world_supply
),

runs as (
    select
        {{ product }},
        chain_start_year,
        count(*) as n,
        max(year) as last_year
    from chains
    group by {{ product }}, chain_start_year
),

-- The longest unbroken run, of equally long ones the later.
ranked_runs as (
    select
        *,
        row_number() over (partition by {{ product }} order by n desc nulls last, chain_start_year desc nulls last)
            as place
    from runs
),

longest_runs as (
    select * from ranked_runs where place = 1
),

points as (
    select
        chains.year,
        chains.exporter_code,
        chains.product_level,
        chains.product_code,
        chains.chain_start_year,
        chains.chain_tornqvist,
        indices.quality,
        quantities.quantity,
        world_quantities.quantity as world_quantity
    from chains
    inner join longest_runs
        on chains.exporter_code = longest_runs.exporter_code
        and chains.product_level = longest_runs.product_level
        and chains.product_code = longest_runs.product_code
        and chains.chain_start_year = longest_runs.chain_start_year
    inner join indices
        on chains.year = indices.year
        and chains.exporter_code = indices.exporter_code
        and chains.product_level = indices.product_level
        and chains.product_code = indices.product_code
    left join quantities
        on chains.year = quantities.year
        and chains.exporter_code = quantities.exporter_code
        and chains.product_level = quantities.product_level
        and chains.product_code = quantities.product_code
    left join world_quantities
        on chains.year = world_quantities.year
        and chains.product_level = world_quantities.product_level
        and chains.product_code = world_quantities.product_code
),

first_years as (
    select
        {{ product }},
        max(case when year = chain_start_year then quantity end) as first_quantity,
        0.5e0 * ln(
            max(case when year = chain_start_year + 2 then quantity end)
            / max(case when year = chain_start_year then quantity end)
        ) as growth,
        min(case quality when 'poor' then 1 when 'fair' then 2 when 'good' then 3 end) as lowest_quality
    from points
    group by {{ product }}
),

-- What was made before the first year, if it grew before as it did in the first three years.
earlier as (
    select
        {{ product }},
        lowest_quality,
        case when {{ comparable('growth') }} > 0 then first_quantity / (exp(growth) - 1) else 0 end as initial_stock
    from first_years
),

cumulated as (
    select
        year,
        {{ product }},
        ln(chain_tornqvist) as y,
        {{ exact_window_sum('quantity', product, bits=60, up_to='year') }} as stock,
        {{ exact_window_sum('world_quantity', product, bits=60, up_to='year') }} as world_stock
    from points
),

variants as (
    select year, {{ product }}, 'own' as cumulative, y, stock
    from cumulated
    union all
    select
        cumulated.year,
        cumulated.exporter_code,
        cumulated.product_level,
        cumulated.product_code,
        'own_with_initial' as cumulative,
        cumulated.y,
        cumulated.stock + earlier.initial_stock as stock
    from cumulated
    inner join earlier
        on cumulated.exporter_code = earlier.exporter_code
        and cumulated.product_level = earlier.product_level
        and cumulated.product_code = earlier.product_code
    union all
    select year, {{ product }}, 'world' as cumulative, y, world_stock as stock
    from cumulated
),

series as (
    select
        {{ product }},
        cumulative,
        count(*) as n,
        min(year) as first_year,
        max(year) as last_year,
        ln(max(stock) / min(stock)) / ln(2) as doublings,
        {{ exact_sum('ln(stock)', bits=90) }} / count(*) as mean_x,
        {{ exact_sum('y', bits=90) }} / count(*) as mean_y
    from variants
    group by {{ product }}, cumulative
),

kinds as (
    select 'own' as cumulative
    union all
    select 'own_with_initial' as cumulative
    union all
    select 'world' as cumulative
),

judged as (
    select
        exports.exporter_code,
        exports.product_level,
        exports.product_code,
        kinds.cumulative,
        exports.is_counted,
        earlier.lowest_quality,
        series.n,
        series.first_year,
        series.last_year,
        series.doublings,
        series.mean_x,
        series.mean_y,
        case
            when series.n is null then 'no_price'
            when series.n < {{ learning_years() }} then 'too_few_years'
            when {{ comparable('series.doublings') }} < 1 then 'too_little_growth'
        end as reason
    from exports
    cross join kinds
    left join series
        on exports.exporter_code = series.exporter_code
        and exports.product_level = series.product_level
        and exports.product_code = series.product_code
        and kinds.cumulative = series.cumulative
    left join earlier
        on exports.exporter_code = earlier.exporter_code
        and exports.product_level = earlier.product_level
        and exports.product_code = earlier.product_code
),

deviations as (
    select
        variants.exporter_code,
        variants.product_level,
        variants.product_code,
        variants.cumulative,
        ln(variants.stock) - judged.mean_x as dx,
        variants.y - judged.mean_y as dy
    from variants
    inner join judged
        on variants.exporter_code = judged.exporter_code
        and variants.product_level = judged.product_level
        and variants.product_code = judged.product_code
        and variants.cumulative = judged.cumulative
    where judged.reason is null
),

moments as (
    select
        {{ product }},
        cumulative,
        {{ exact_sum('dx * dx', bits=90) }} as sum_xx,
        {{ exact_sum('dx * dy', bits=90) }} as sum_xy,
        {{ exact_sum('dy * dy', bits=90) }} as sum_yy
    from deviations
    group by {{ product }}, cumulative
),

-- From the residuals themselves: as a difference of sums, those of a perfect fit would be noise.
residuals as (
    select
        deviations.exporter_code,
        deviations.product_level,
        deviations.product_code,
        deviations.cumulative,
        {{ exact_sum(
            '(deviations.dy - moments.sum_xy / moments.sum_xx * deviations.dx)'
            ~ ' * (deviations.dy - moments.sum_xy / moments.sum_xx * deviations.dx)',
            bits=90
        ) }} as sum_residuals
    from deviations
    inner join moments
        on deviations.exporter_code = moments.exporter_code
        and deviations.product_level = moments.product_level
        and deviations.product_code = moments.product_code
        and deviations.cumulative = moments.cumulative
    group by
        deviations.exporter_code,
        deviations.product_level,
        deviations.product_code,
        deviations.cumulative
)

select
    judged.exporter_code,
    judged.product_level,
    judged.product_code,
    judged.cumulative,
    judged.is_counted,
    case judged.lowest_quality when 1 then 'poor' when 2 then 'fair' when 3 then 'good' else 'none' end as quality,
    coalesce(judged.n, 0) as n,
    judged.first_year,
    judged.last_year,
    judged.doublings,
    moments.sum_xx,
    moments.sum_xy,
    moments.sum_yy,
    residuals.sum_residuals,
    judged.reason
from judged
left join moments
    on judged.exporter_code = moments.exporter_code
    and judged.product_level = moments.product_level
    and judged.product_code = moments.product_code
    and judged.cumulative = moments.cumulative
left join residuals
    on judged.exporter_code = residuals.exporter_code
    and judged.product_level = residuals.product_level
    and judged.product_code = residuals.product_code
    and judged.cumulative = residuals.cumulative
