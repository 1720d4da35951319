with requests as (
    select * from {{ ref('int_exclusion_requests') }} where date_posted is not null
),

counted as (
    select
        list_id,
        cast({{ dbt.date_trunc('month', 'date_posted') }} as date) as month_posted,
        count(*) as requests,
        count(case when is_granted then 1 end) as granted,
        count(case when status = 'denied' then 1 end) as denied
    from requests
    group by 1, 2
)

select
    list_id,
    month_posted,
    requests,
    granted,
    denied,
    cast(granted as double) / nullif(granted + denied, 0) as approval_share
from counted
