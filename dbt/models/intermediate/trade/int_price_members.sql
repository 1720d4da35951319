{{ config(materialized='yearly_files') }}

with links as (
    select * from {{ ref('int_price_links') }} where {{ in_build_year() }} and state = 'kept'
),

chains as (
    select * from {{ ref('int_price_chains') }}
    where {{ in_build_year() }} and product_level = 'hs6' and chain_start_year < year
),

year_before as (
    select * from {{ own_year_before() }} as rows_before
)

select
    links.year,
    links.exporter_code,
    links.importer_code,
    links.hs6,
    links.basis,
    links.is_baseline,
    chains.chain_start_year,
    links.value_usd_prev,
    links.value_usd,
    links.quantity_prev,
    links.quantity
from links
inner join chains
    on links.year = chains.year
    and links.exporter_code = chains.exporter_code
    and links.hs6 = chains.product_code
    and links.basis = chains.basis
left join year_before
    on links.year - 1 = year_before.year
    and links.exporter_code = year_before.exporter_code
    and links.importer_code = year_before.importer_code
    and links.hs6 = year_before.hs6
    and links.basis = year_before.basis
where chains.chain_start_year = links.year - 1 or year_before.year is not null
