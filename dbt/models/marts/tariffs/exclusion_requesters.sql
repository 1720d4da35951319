with requests as (
    select * from {{ ref('int_exclusion_requests') }} where requester is not null
),

counted as (
    select
        list_id,
        requester,
        {{ decision_counts() }},
        count(distinct hs6) as n_hs6
    from requests
    group by list_id, requester
)

select
    list_id,
    requester,
    requests,
    granted,
    denied,
    {{ approval_share() }} as approval_share,
    n_hs6,
    cast(rank() over (partition by list_id order by requests desc nulls last) as bigint) as requests_rank
from counted
