with requests as (
    select * from {{ ref('int_exclusion_requests') }}
),

goods as (
    select * from {{ ref('int_exclusion_goods') }}
),

classified as (
    select
        requests.list_id,
        requests.hs6,
        requests.status,
        requests.is_granted,
        case
            when goods.bec4 is null then 'unknown'
            when goods.is_intermediate then 'intermediate'
            when goods.is_consumption then 'consumption'
            else 'capital_and_other'
        end as end_use
    from requests
    inner join goods on requests.hs6 = goods.hs6
),

counted as (
    select
        list_id,
        end_use,
        {{ decision_counts() }},
        count(distinct hs6) as n_hs6
    from classified
    group by list_id, end_use
)

select
    list_id,
    end_use,
    requests,
    granted,
    denied,
    {{ approval_share() }} as approval_share,
    n_hs6
from counted
