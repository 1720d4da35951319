{%- set good = 'year, importer_code, hs6' %}
{%- set importer_group = 'year, importer_code, product_level, product_code' %}
{%- set sums = {} %}
{%- do sums.update({
    'value_prev': 'v0',
    'value_now': 'v1',
    'log_prev': 'v0 * r',
    'log_now': 'v1 * r',
    'relative_prev': 'v0 * relative_r',
    'relative_now': 'v1 * relative_r',
    'switching_prev': 'good_v0 * switched',
    'switching_now': 'good_v1 * switched',
}) %}

-- Read twice, once for the kept: DuckDB would keep the rows of a CTE that two others read.
with links as (
    select year, importer_code, hs6, value_usd as v1
    from {{ ref('int_price_links') }}
    where {{ in_build_year() }} and is_baseline
),

kept as (
    select
        year,
        exporter_code,
        importer_code,
        hs6,
        value_usd_prev as v0,
        value_usd as v1,
        log_price_change as r,
        0.5e0 * (ln(value_usd_prev / quantity_prev) + ln(value_usd / quantity)) as log_price
    from {{ ref('int_price_links') }}
    where {{ in_build_year() }} and is_baseline and state = 'kept'
),

countries as (
    select * from {{ ref('stg_countries') }}
),

names as (
    select * from {{ ref('stg_product_names') }}
),

goods_of_sectors as (
    select * from {{ ref('stg_sector_goods') }}
),

-- Every cell beside the importer's other suppliers of the good, and beside all of them.
beside_others as (
    select
        *,
        {{ exact_window_sum('v0', good) }} as good_v0,
        {{ exact_window_sum('v1', good) }} as good_v1,
        {{ exact_window_sum('v0 * log_price', good) }} as good_v0_log,
        {{ exact_window_sum('v1 * log_price', good) }} as good_v1_log,
        {{ exact_window_sum('v0', good, less_own=true) }} as others_v0,
        {{ exact_window_sum('v1', good, less_own=true) }} as others_v1,
        {{ exact_window_sum('v0 * r', good, less_own=true) }} as others_v0_r,
        {{ exact_window_sum('v1 * r', good, less_own=true) }} as others_v1_r
    from kept
),

cells as (
    select
        year,
        importer_code,
        exporter_code,
        hs6,
        v0,
        v1,
        r,
        good_v0,
        good_v1,
        coalesce(r - 0.5e0 * (others_v0_r / nullif(others_v0, 0) + others_v1_r / nullif(others_v1, 0)), 0)
            as relative_r,
        (v1 / good_v1 - v0 / good_v0)
        * (log_price - 0.5e0 * (good_v0_log / good_v0 + good_v1_log / good_v1)) as switched
    from beside_others
),

chapters as (
    select
        year,
        importer_code,
        exporter_code,
        substr(hs6, 1, 2) as hs2,
        count(*) as n_cells
        {%- for name, term in sums.items() %},
        {{ exact_sum(term) }} as {{ name }}
        {%- endfor %}
    from cells
    group by year, importer_code, exporter_code, substr(hs6, 1, 2)
),

summed as (
    select
        year,
        importer_code,
        exporter_code,
        'hs2' as product_level,
        hs2 as product_code,
        n_cells
        {%- for name in sums %},
        {{ name }}
        {%- endfor %}
    from chapters
    union all
    select
        year,
        importer_code,
        exporter_code,
        'all' as product_level,
        'all' as product_code,
        cast(sum(n_cells) as bigint) as n_cells
        {%- for name in sums %},
        {{ exact_sum(name) }} as {{ name }}
        {%- endfor %}
    from chapters
    group by year, importer_code, exporter_code
    union all
    select
        cells.year,
        cells.importer_code,
        cells.exporter_code,
        'sector' as product_level,
        goods_of_sectors.sector_id as product_code,
        count(*) as n_cells
        {%- for name, term in sums.items() %},
        {{ exact_sum(term) }} as {{ name }}
        {%- endfor %}
    from cells
    inner join goods_of_sectors on cells.hs6 = goods_of_sectors.hs6 and cells.year >= goods_of_sectors.from_year
    group by cells.year, cells.importer_code, cells.exporter_code, goods_of_sectors.sector_id
),

-- All imports of the group, priced or not.
imports as (
    select year, importer_code, hs6, {{ exact_sum('v1') }} as value_usd
    from links
    group by year, importer_code, hs6
),

imports_of_groups as (
    select
        year,
        importer_code,
        'hs2' as product_level,
        substr(hs6, 1, 2) as product_code,
        {{ exact_sum('value_usd') }} as value_usd
    from imports
    group by year, importer_code, substr(hs6, 1, 2)
    union all
    select year, importer_code, 'all' as product_level, 'all' as product_code, {{ exact_sum('value_usd') }} as value_usd
    from imports
    group by year, importer_code
    union all
    select
        imports.year,
        imports.importer_code,
        'sector' as product_level,
        goods_of_sectors.sector_id as product_code,
        {{ exact_sum('imports.value_usd') }} as value_usd
    from imports
    inner join goods_of_sectors
        on imports.hs6 = goods_of_sectors.hs6 and imports.year >= goods_of_sectors.from_year
    group by imports.year, imports.importer_code, goods_of_sectors.sector_id
),

groups as (
    select
        {{ importer_group }}
        {%- for name in ['value_prev', 'value_now', 'log_prev', 'log_now'] %},
        {{ exact_sum(name) }} as {{ name }}
        {%- endfor %}
    from summed
    group by {{ importer_group }}
)

select
    summed.year,
    summed.importer_code,
    importers.iso3 as importer_iso3,
    importers.name as importer_name,
    summed.product_level,
    summed.product_code,
    case when summed.product_level = 'all' then 'All goods' else names.product_name end as product_name,
    summed.exporter_code,
    exporters.iso3 as exporter_iso3,
    exporters.name as exporter_name,
    0.5e0 * (summed.log_prev / groups.value_prev + summed.log_now / groups.value_now) as within,
    0.5e0 * (summed.switching_prev / groups.value_prev + summed.switching_now / groups.value_now) as switching,
    0.5e0 * (summed.relative_prev / groups.value_prev + summed.relative_now / groups.value_now)
        as relative_contribution,
    0.5e0 * (groups.log_prev / groups.value_prev + groups.log_now / groups.value_now) as import_price_change,
    0.5e0 * (summed.value_prev / groups.value_prev + summed.value_now / groups.value_now) as share,
    summed.n_cells,
    groups.value_now / imports_of_groups.value_usd as link_coverage
from summed
inner join groups
    on summed.year = groups.year
    and summed.importer_code = groups.importer_code
    and summed.product_level = groups.product_level
    and summed.product_code = groups.product_code
inner join imports_of_groups
    on summed.year = imports_of_groups.year
    and summed.importer_code = imports_of_groups.importer_code
    and summed.product_level = imports_of_groups.product_level
    and summed.product_code = imports_of_groups.product_code
left join countries as importers on summed.importer_code = importers.country_code
left join countries as exporters on summed.exporter_code = exporters.country_code
left join names on summed.product_level = names.product_level and summed.product_code = names.product_code
