{{ config(materialized='table') }}

with indices as (
    select * from {{ ref('int_price_index') }}
),

chains as (
    select * from {{ ref('int_price_chains') }}
),

panels as (
    select * from {{ ref('int_price_panel') }}
),

countries as (
    select * from {{ ref('stg_countries') }}
),

products as (
    select * from {{ ref('stg_products') }}
),

chapters as (
    select * from {{ ref('hs2_chapters') }}
),

sectors as (
    select * from {{ ref('price_sectors') }}
),

base_revision as (
    select max(hs_revision) as hs_revision from products
),

names as (
    select 'hs6' as product_level, hs6 as product_code, hs6_name as product_name, cast(null as string) as note
    from products
    union all
    select 'hs2' as product_level, hs2 as product_code, hs2_name as product_name, cast(null as string) as note
    from chapters
    union all
    select
        'sector' as product_level,
        sectors.sector_id as product_code,
        max(sectors.name) as product_name,
        max(sectors.note) as note
    from sectors
    inner join base_revision on sectors.hs_revision = base_revision.hs_revision
    group by sectors.sector_id
)

select
    indices.year,
    indices.exporter_code,
    countries.iso3 as exporter_iso3,
    countries.name as exporter_name,
    indices.product_level,
    indices.product_code,
    names.product_name,
    indices.basis,
    indices.quality,
    indices.laspeyres,
    indices.paasche,
    indices.fisher,
    indices.tornqvist,
    indices.quantity_fisher,
    indices.value_ratio,
    chains.chain_start_year,
    chains.chain_fisher,
    chains.chain_tornqvist,
    indices.value_usd,
    indices.n_cells,
    indices.n_trimmed,
    indices.quantity_coverage,
    indices.link_coverage,
    indices.link_coverage_prev,
    indices.trimmed_share,
    indices.split_share,
    case
        when indices.year = chains.chain_start_year + 1 then indices.link_coverage
        -- A chain of which no cell was kept throughout.
        when indices.year > chains.chain_start_year then coalesce(panels.panel_coverage, 0)
    end as panel_coverage,
    case
        when indices.year = chains.chain_start_year + 1 then cast(0 as double)
        else panels.chain_drift
    end as chain_drift,
    indices.tornqvist_trim2,
    chains.chain_tornqvist_trim2,
    indices.tornqvist_with_estimates,
    indices.relative,
    indices.own_matched,
    indices.others,
    chains.chain_relative_start_year,
    chains.chain_relative,
    indices.relative_coverage,
    indices.n_relative,
    indices.relative_level,
    case
        when indices.split_share > 0 then coalesce(names.note || ' ', '') || 'split codes'
        else names.note
    end as hs_note
from indices
left join chains
    on indices.year = chains.year
    and indices.exporter_code = chains.exporter_code
    and indices.product_level = chains.product_level
    and indices.product_code = chains.product_code
    and indices.basis = chains.basis
left join panels
    on indices.year = panels.year
    and indices.exporter_code = panels.exporter_code
    and indices.product_level = panels.product_level
    and indices.product_code = panels.product_code
    and indices.basis = panels.basis
left join countries on indices.exporter_code = countries.country_code
left join names on indices.product_level = names.product_level and indices.product_code = names.product_code
where indices.value_usd > 0 or indices.value_usd_prev > 0
