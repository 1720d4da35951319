with requests as (
    select * from {{ ref('int_exclusion_requests') }} where date_posted is not null
),

counted as (
    select
        list_id,
        cast({{ dbt.date_trunc('month', 'date_posted') }} as date) as month_posted,
        {{ decision_counts() }}
    from requests
    group by 1, 2
)

select
    list_id,
    month_posted,
    requests,
    granted,
    denied,
    {{ approval_share() }} as approval_share
from counted
