with requests as (
    select * from {{ ref('stg_tariff_requests') }}
),

lines as (
    select * from {{ ref('int_tariff_list_lines') }}
),

heaviest_target as (
    {{ heaviest_targets() }}
),

filers as (
    select requester, count(*) as n from requests where requester is not null group by requester
),

largest_filer as (
    select min(requester) as requester
    from filers
    where n = (select max(n) from filers)
),

listed as (
    select distinct case when list_id = '4' then '4A' else list_id end as list_id, hts8 from lines
)

select
    requests.request_id,
    requests.list_id,
    requests.requester,
    requests.hts10,
    requests.hts8,
    coalesce(heaviest_target.hs6, requests.hs6) as hs6,
    substr(coalesce(heaviest_target.hs6, requests.hs6), 1, 2) as hs2,
    requests.status,
    requests.status in ('granted', 'partially_granted', 'denied') as is_decided,
    requests.status in ('granted', 'partially_granted') as is_granted,
    requests.date_posted,
    case when (select count(*) from lines) > 0 then listed.hts8 is not null end as is_listed,
    coalesce(requests.requester = largest_filer.requester, false) as is_largest_filer
from requests
cross join largest_filer
left join heaviest_target on requests.hs6 = heaviest_target.from_code
left join listed on requests.hts8 = listed.hts8 and requests.list_id = listed.list_id
