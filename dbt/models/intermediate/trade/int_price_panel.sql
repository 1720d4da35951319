{{ config(materialized='table') }}

{%- set cell = 'links.exporter_code, links.importer_code, links.hs6, links.basis' %}

with links as (
    select * from {{ ref('int_price_links') }} where state = 'kept'
),

chains as (
    select * from {{ ref('int_price_chains') }}
),

indices as (
    select * from {{ ref('int_price_index') }}
),

goods_of_sectors as (
    select * from {{ ref('stg_sector_goods') }}
),

-- The first year of a chain has one link, which is its own panel.
long_chains as (
    select chains.*, indices.value_usd
    from chains
    inner join indices
        on chains.year = indices.year
        and chains.exporter_code = indices.exporter_code
        and chains.product_level = indices.product_level
        and chains.product_code = indices.product_code
        and chains.basis = indices.basis
    where chains.year > chains.chain_start_year + 1 and indices.fisher is not null
),

-- Cells of goods with a long chain: a cell kept since the start of a group's chain was kept since that of its good's.
lasting_goods as (
    select distinct exporter_code, product_code as hs6, basis
    from long_chains
    where product_level = 'hs6'
),

cells as (
    select links.*, links.year - row_number() over (partition by {{ cell }} order by links.year nulls last) as run
    from links
    inner join lasting_goods
        on links.exporter_code = lasting_goods.exporter_code
        and links.hs6 = lasting_goods.hs6
        and links.basis = lasting_goods.basis
),

runs as (
    select
        *,
        min(year) over (partition by exporter_code, importer_code, hs6, basis, run) as first_link
    from cells
),

kept_runs as (
    select
        year, exporter_code, importer_code, hs6, basis, value_usd_prev, value_usd, quantity_prev, quantity, first_link
    from runs
    union all
    select
        year, exporter_code, importer_code, hs6, 'baseline' as basis, value_usd_prev, value_usd, quantity_prev,
        quantity, first_link
    from runs
    where is_baseline
),

in_groups as (
    select 'hs6' as product_level, hs6 as product_code, *
    from kept_runs
    union all
    select 'hs2' as product_level, substr(hs6, 1, 2) as product_code, *
    from kept_runs
    union all
    select 'sector' as product_level, goods_of_sectors.sector_id as product_code, kept_runs.*
    from kept_runs
    inner join goods_of_sectors on kept_runs.hs6 = goods_of_sectors.hs6
),

-- Cells kept in every link since the chain's start.
members as (
    select
        in_groups.*,
        long_chains.chain_start_year,
        long_chains.value_usd as group_value_usd
    from in_groups
    inner join long_chains
        on in_groups.year = long_chains.year
        and in_groups.exporter_code = long_chains.exporter_code
        and in_groups.product_level = long_chains.product_level
        and in_groups.product_code = long_chains.product_code
        and in_groups.basis = long_chains.basis
    where in_groups.first_link <= long_chains.chain_start_year + 1
),

-- Every link of every member: sums by link, and those of the direct comparison at the first link.
by_link as (
    select
        members.year,
        members.exporter_code,
        members.product_level,
        members.product_code,
        members.basis,
        kept_runs.year as link_year,
        members.group_value_usd,
        {{ exact_sum('kept_runs.value_usd_prev') }} as value_prev,
        {{ exact_sum('kept_runs.value_usd') }} as value_now,
        {{ exact_sum('kept_runs.value_usd * kept_runs.quantity_prev / kept_runs.quantity') }} as repriced_prev,
        {{ exact_sum('kept_runs.value_usd_prev * kept_runs.quantity / kept_runs.quantity_prev') }} as repriced_now,
        {{ exact_sum('members.value_usd') }} as last_value,
        {{ exact_sum('members.value_usd * kept_runs.quantity_prev / members.quantity') }} as first_at_last_prices,
        {{ exact_sum('kept_runs.value_usd_prev * members.quantity / kept_runs.quantity_prev') }}
            as last_at_first_prices,
        kept_runs.year = min(members.chain_start_year) + 1 as is_first
    from members
    inner join kept_runs
        on members.exporter_code = kept_runs.exporter_code
        and members.importer_code = kept_runs.importer_code
        and members.hs6 = kept_runs.hs6
        and members.basis = kept_runs.basis
        and members.chain_start_year < kept_runs.year
        and members.year >= kept_runs.year
    group by
        members.year, members.exporter_code, members.product_level, members.product_code, members.basis,
        kept_runs.year, members.group_value_usd
)

select
    year,
    exporter_code,
    product_level,
    product_code,
    basis,
    max(case when is_first then last_value end) / nullif(max(group_value_usd), 0) as panel_coverage,
    {{ exact_sum('0.5e0 * ln((repriced_prev / value_prev) * (value_now / repriced_now))', bits=90) }}
    - max(
        case
            when is_first
                then 0.5e0 * ln((first_at_last_prices / value_prev) * (last_value / last_at_first_prices))
        end
    ) as chain_drift
from by_link
group by year, exporter_code, product_level, product_code, basis
