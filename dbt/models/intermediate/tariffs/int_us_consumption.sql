{{ config(materialized='table') }}

with given as (
    {{ us_consumption() }}
),

final_uses as (
    {{ if_built(ref('stg_io_final')) }}
),

tables as (
    {{ if_built(ref('stg_io_tables')) }}
),

-- Of several tables of a year, the one of most countries. What a run left of tables that are off does not count.
ranked as (
    select
        edition,
        year,
        row_number() over (partition by year order by n_countries desc nulls last, edition nulls last) as place
    from tables
    where has_final and {{ 'true' if var('consumption_from_tables') else 'false' }}
),

used as (
    select
        final_uses.edition,
        final_uses.year,
        {{ exact_sum('final_uses.value_usd') }} as final_use_usd
    from final_uses
    inner join ranked on final_uses.edition = ranked.edition and final_uses.year = ranked.year
    where ranked.place = 1 and final_uses.dst_iso3 = 'USA'
    group by final_uses.edition, final_uses.year
)

select
    year,
    final_consumption_usd,
    'CHOKEPOINT_US_CONSUMPTION' as source
from given
where year is not null
union all
select
    used.year,
    used.final_use_usd as final_consumption_usd,
    'final use in the input-output table ' || used.edition as source
from used
left join given on used.year = given.year
where given.year is null
