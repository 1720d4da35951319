with every_point as (
    select * from {{ ref('int_ideal_points') }}
),

-- Input-output tables may be of other years than the loaded trade.
asked_years as (
    select year from {{ ref('int_year_settings') }}
    union
    select year from every_point
),

sessions as (
    select max(year) as last_year from {{ ref('stg_ideal_points') }}
),

-- States alone: an area that takes another state's point would count that state twice.
states as (
    select year, iso3, ideal_point
    from every_point
    where ideal_point is not null and iso3 = state_iso3
),

counted as (
    select year, count(*) as n_states from states group by year
),

pairs as (
    select
        one.year,
        abs(one.ideal_point - other.ideal_point) as distance,
        {{ comparable('abs(one.ideal_point - other.ideal_point)') }} as compared_distance
    from states as one
    inner join states as other on one.year = other.year and one.iso3 < other.iso3
),

measured as (
    select
        year,
        {{ exact_sum('distance', bits=100) }} / count(*) as mean_distance,
        percentile_cont(0.3333333333333333) within group (order by compared_distance) as close_limit,
        percentile_cont(0.6666666666666667) within group (order by compared_distance) as distant_limit,
        max(distance) as largest_distance
    from pairs
    group by year
)

select
    asked_years.year,
    coalesce(counted.n_states, 0) as n_states,
    -- Where all states stand in one place, no distance is more or less than another.
    nullif(measured.mean_distance, 0) as mean_distance,
    measured.close_limit,
    measured.distant_limit,
    measured.largest_distance
from asked_years
inner join sessions on asked_years.year <= sessions.last_year + {{ oldest_point() }}
left join counted on asked_years.year = counted.year
left join measured on asked_years.year = measured.year
