with requests as (
    select * from {{ ref('int_exclusion_requests') }}
),

goods as (
    select * from {{ ref('int_exclusion_goods') }}
),

products as (
    select * from {{ ref('stg_products') }}
),

counted as (
    select
        list_id,
        hs6,
        {{ decision_counts() }},
        count(distinct requester) as n_requesters
    from requests
    group by list_id, hs6
)

select
    counted.list_id,
    counted.hs6,
    products.hs6_name,
    counted.requests,
    counted.granted,
    counted.denied,
    {{ approval_share('counted') }} as approval_share,
    counted.n_requesters,
    goods.in_scope,
    goods.us_import_value_usd,
    goods.us_suppliers,
    goods.china_import_share,
    goods.export_centrality,
    goods.n_exporters,
    goods.bec4,
    goods.bec5,
    goods.reference_year
from counted
inner join goods on counted.hs6 = goods.hs6
left join products on counted.hs6 = products.hs6
