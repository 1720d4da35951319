with flows as (
    select * from {{ ref('stg_io_flows') }} where {{ in_build_year() }}
),

goods as (
    select * from {{ ref('sector_classes') }} where is_goods
)

select
    flows.edition,
    flows.year,
    flows.dst_iso3 as importer_iso3,
    flows.src_iso3 as exporter_iso3,
    flows.src_sector as sector,
    {{ exact_sum('flows.value_usd') }} as value_usd
from flows
inner join goods on flows.src_sector = goods.sector
where flows.src_iso3 <> flows.dst_iso3
group by flows.edition, flows.year, flows.dst_iso3, flows.src_iso3, flows.src_sector
