with flows as (
    select * from {{ ref('int_trade_flows') }} where {{ in_build_year() }}
),

pairs as (
    select * from {{ ref('stg_relocation_pairs') }}
),

products as (
    select * from {{ ref('stg_products') }}
)

select
    flows.year,
    flows.exporter_code,
    flows.importer_code,
    flows.hs6,
    {{ bec_class('products.bec4') }} as bec_class,
    flows.value_usd
from flows
inner join pairs on flows.exporter_code = pairs.exporter_code and flows.importer_code = pairs.importer_code
left join products on flows.hs6 = products.hs6
