with requests as (
    select * from {{ ref('int_exclusion_requests') }}
),

lines as (
    select * from {{ ref('int_tariff_list_lines') }}
),

rates as (
    select * from {{ ref('list_rate_history') }} where valid_to is null
),

scheduled as (
    select terms.list_id, headings.additional_duty, headings.release
    from {{ ref('tariff_list_terms') }} as terms
    inner join {{ ref('stg_tariff_headings') }} as headings on terms.heading = headings.heading
),

of_list as (
    select
        list_id,
        {{ decision_counts() }},
        count(case when status = 'partially_granted' then 1 end) as partially_granted,
        count(case when status = 'withdrawn' then 1 end) as withdrawn,
        count(case when status = 'pending' then 1 end) as pending,
        count(case when status = 'unknown' then 1 end) as status_unknown,
        case when count(is_listed) > 0 then count(case when not is_listed then 1 end) end as not_on_list
    from requests
    group by list_id
),

of_requester as (
    select
        list_id,
        requester,
        count(*) as requests,
        count(case when is_granted then 1 end) as granted,
        count(case when is_decided then 1 end) as decided,
        row_number() over (
            partition by list_id order by count(*) desc nulls last, requester nulls last
        ) as place
    from requests
    where requester is not null
    group by list_id, requester
),

top_requester as (
    select * from of_requester where place = 1
),

-- Null unless every line of the list has a value: a sum over some lines would be taken for the whole list's trade.
covered as (
    select
        list_id,
        case when count(imports_2017_usd) = count(*) then {{ exact_sum('imports_2017_usd') }} end as covered_trade_usd
    from lines
    group by list_id
)

select
    of_list.list_id,
    of_list.requests,
    of_list.granted,
    of_list.partially_granted,
    of_list.denied,
    of_list.withdrawn,
    of_list.pending,
    of_list.status_unknown,
    {{ approval_share('of_list') }} as approval_share,
    cast(of_list.granted - top_requester.granted as double)
        / nullif(of_list.granted + of_list.denied - top_requester.decided, 0) as approval_share_without_top_requester,
    top_requester.requester as top_requester,
    top_requester.requests as top_requester_requests,
    of_list.not_on_list,
    rates.rate as additional_duty,
    rates.valid_from as additional_duty_since,
    scheduled.additional_duty as scheduled_duty,
    scheduled.release as schedule_edition,
    covered.covered_trade_usd
from of_list
left join top_requester on of_list.list_id = top_requester.list_id
left join rates on of_list.list_id = rates.list_id
left join scheduled on of_list.list_id = scheduled.list_id
left join covered on of_list.list_id = covered.list_id
