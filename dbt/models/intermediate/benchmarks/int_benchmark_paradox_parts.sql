with tests as (
    select *
    from {{ ref('int_paradox_tests') }}
    where level = 'io_panel' and country = 'CHN' and reliance = 'input_source_hhi' and competitiveness = 'position'
),

panels as (
    select edition, count(distinct year) as n_years
    from {{ ref('int_paradox_observations') }}
    where source = 'io' and country = 'CHN'
    group by edition
),

longest as (
    select edition
    from (
        select edition, row_number() over (order by n_years desc nulls last, edition nulls last) as place
        from panels
        where n_years >= {{ io_panel_min_years() }}
    ) as ranked
    where place = 1
),

sides as (
    select
        max(case when tests.sector_class = 'technology' then tests.slope end) as technology_slope,
        max(case when tests.sector_class = 'technology' then tests.p_value end) as technology_p,
        max(case when tests.sector_class = 'labour' then tests.p_value end) as labour_p,
        max(case when tests.sector_class = 'technology_minus_labour' then tests.slope end) as difference,
        max(case when tests.sector_class = 'technology_minus_labour' then tests.wild_p_value end) as wild_p
    from tests
    inner join longest on tests.edition = longest.edition
),

parts as (
    select
        'xu_paradox_technology' as benchmark_id,
        case when technology_p is not null then
            case when technology_slope > 0 and {{ comparable('technology_p') }} < 0.05 then 1 else 0 end
        end as numerator
    from sides
    union all
    select
        'xu_paradox_labour',
        case when labour_p is not null then case when {{ comparable('labour_p') }} >= 0.05 then 1 else 0 end end
    from sides
    union all
    select
        'xu_paradox_difference',
        case when wild_p is not null then
            case when difference > 0 and {{ comparable('wild_p') }} < 0.05 then 1 else 0 end
        end
    from sides
)

select
    cast(benchmark_id as string) as benchmark_id,
    cast(null as integer) as year,
    cast(numerator as double) as numerator,
    cast(1 as double) as denominator,
    cast(null as string) as computed_text
from parts
