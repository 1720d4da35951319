with requests as (
    select * from {{ ref('int_exclusion_requests') }} where is_decided
),

goods as (
    select * from {{ ref('int_exclusion_goods') }}
)

select
    requests.request_id,
    requests.list_id,
    requests.hs6,
    requests.is_granted,
    requests.is_largest_filer,
    goods.china_import_share,
    goods.us_suppliers,
    goods.export_centrality,
    goods.is_intermediate,
    goods.is_consumption
from requests
inner join goods on requests.hs6 = goods.hs6
