with summary as (
    {{ if_built(ref('contagion_summary')) }}
),

industries as (
    {{ if_built(ref('contagion_industries')) }}
),

at_the_source as (
    select industries.peer_caar * industries.n_peers as peer_car, industries.n_peers
    from industries
    inner join summary
        on industries.event_id = summary.event_id and industries.window = summary.window
    where lower(summary.label) like '%bankrupt%'
        and industries.window = 'm1p1'
        and industries.n_sources > 0
        and industries.n_peers > 0
),

parts as (
    select 'xu_contagion_industries' as benchmark_id, summary.n_contagion as numerator, 1 as denominator
    from summary
    where summary.event_id = 'huawei_2019' and summary.window = 'm1p1'
    union all
    select 'xu_contagion_suppliers', summary.n_suppliers_in_contagion, 1
    from summary
    where summary.event_id = 'huawei_2019' and summary.window = 'm1p1'
    union all
    -- A loss above 0: the figure says in which direction peers moved.
    select 'lang_stulz_direction', -{{ exact_sum('peer_car') }}, sum(n_peers)
    from at_the_source
    having count(*) > 0
)

select
    cast(benchmark_id as string) as benchmark_id,
    cast(null as integer) as year,
    cast(numerator as double) as numerator,
    cast(denominator as double) as denominator,
    cast(null as string) as computed_text
from parts
