with firms as (
    select * from {{ ref('int_contagion_firms') }} where role = 'supplier'
),

suppliers as (
    select * from {{ ref('int_contagion_groups') }} where group_kind = 'suppliers'
),

industries as (
    select * from {{ ref('contagion_industries') }}
),

events as (
    select * from {{ ref('stg_contagion_events') }}
),

verdicts as (
    select
        industries.event_id,
        industries.window as event_window,
        count(*) as n_industries,
        count(case when industries.verdict = 'contagion' then 1 end) as n_contagion,
        count(case when industries.verdict = 'competitive' then 1 end) as n_competitive,
        count(industries.verdict) as n_industries_measured,
        cast(
            sum(case when industries.verdict = 'contagion' then industries.n_suppliers else 0 end) as bigint
        ) as n_suppliers_in_contagion
    from industries
    where industries.n_suppliers > 0
    group by industries.event_id, industries.window
),

counted as (
    select
        event_id,
        event_window,
        count(*) as n_suppliers,
        count(car) as n_suppliers_measured,
        count(case when car < 0 and {{ comparable('p_value') }} < 0.05 then 1 end) as n_suppliers_negative
    from firms
    group by event_id, event_window
)

select
    suppliers.event_id,
    suppliers.event_window as {{ adapter.quote('window') }},
    events.label,
    coalesce(verdicts.n_industries, 0) as n_industries,
    coalesce(verdicts.n_industries_measured, 0) as n_industries_measured,
    coalesce(verdicts.n_contagion, 0) as n_contagion,
    coalesce(verdicts.n_competitive, 0) as n_competitive,
    coalesce(counted.n_suppliers, 0) as n_suppliers,
    coalesce(counted.n_suppliers_measured, 0) as n_suppliers_measured,
    coalesce(verdicts.n_suppliers_in_contagion, 0) as n_suppliers_in_contagion,
    coalesce(counted.n_suppliers_negative, 0) as n_suppliers_negative,
    coalesce(counted.n_suppliers_measured, 0) / 40 as n_suppliers_negative_expected,
    suppliers.caar as supplier_caar,
    suppliers.t_cross,
    suppliers.bmp,
    suppliers.mean_correlation,
    suppliers.kp,
    suppliers.n_negative,
    suppliers.sign_p
from suppliers
inner join events on suppliers.event_id = events.event_id
left join verdicts
    on suppliers.event_id = verdicts.event_id and suppliers.event_window = verdicts.event_window
left join counted
    on suppliers.event_id = counted.event_id and suppliers.event_window = counted.event_window
