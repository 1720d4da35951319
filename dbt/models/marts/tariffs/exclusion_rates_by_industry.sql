with requests as (
    select * from {{ ref('int_exclusion_requests') }}
),

chapters as (
    select * from {{ ref('hs2_chapters') }}
),

counted as (
    select
        list_id,
        hs2,
        {{ decision_counts() }},
        count(distinct hs6) as n_hs6,
        count(distinct requester) as n_requesters
    from requests
    group by list_id, hs2
)

select
    counted.list_id,
    counted.hs2,
    chapters.hs2_name,
    counted.requests,
    counted.granted,
    counted.denied,
    {{ approval_share('counted') }} as approval_share,
    counted.n_hs6,
    counted.n_requesters
from counted
left join chapters on counted.hs2 = chapters.hs2
