with indices as (
    select * from {{ ref('int_price_index') }} where {{ in_build_year() }}
),

chains as (
    select * from {{ ref('int_price_chains') }} where {{ in_build_year() }}
),

panels as (
    select * from {{ ref('int_price_panel') }} where {{ in_build_year() }}
),

countries as (
    select * from {{ ref('stg_countries') }}
),

names as (
    select * from {{ ref('stg_product_names') }}
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
