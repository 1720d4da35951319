with points as (
    select * from {{ ref('int_ideal_points') }} where ideal_point is not null
),

-- An area is another country than the state whose point it takes.
others as (
    select
        points.year,
        points.iso3,
        {{ exact_sum('abs(points.ideal_point - states.ideal_point)', bits=100) }} / count(*) as mean_distance_own
    from points
    inner join points as states
        on points.year = states.year and states.iso3 = states.state_iso3 and points.iso3 <> states.iso3
    group by points.year, points.iso3
)

select
    points.year,
    points.iso3,
    points.ideal_point,
    points.ideal_point_year,
    others.mean_distance_own
from points
left join others on points.year = others.year and points.iso3 = others.iso3
