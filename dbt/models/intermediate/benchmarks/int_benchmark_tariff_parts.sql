with rates as (
    {{ if_built(ref('exclusion_rates')) }}
),

-- The published totals are over all four lists.
all_lists as (
    select sum(requests) as requests, sum(denied) as denied
    from rates
    having count(*) = 4
),

parts as (
    select
        'xu_exclusion_list' || lower(list_id) as benchmark_id,
        granted as numerator,
        granted + denied as denominator
    from rates
    union all
    select 'gao_denied_share', denied, requests from all_lists
    union all
    select 'gao_requests_total', requests, 1 from all_lists
    union all
    select 'xu_covered_trade_list' || lower(list_id), covered_trade_usd, 1000000000 from rates
    union all
    -- The rate in force now is also the rate of 2022 if it began before that year.
    select
        'xu_additional_duty_list' || lower(list_id),
        case when additional_duty_since < cast('2022-01-01' as date) then additional_duty end,
        1
    from rates
)

select
    cast(benchmark_id as string) as benchmark_id,
    cast(null as integer) as year,
    cast(numerator as double) as numerator,
    cast(denominator as double) as denominator,
    cast(null as string) as computed_text
from parts
