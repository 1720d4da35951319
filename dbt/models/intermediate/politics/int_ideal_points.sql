with points as (
    select
        iso3,
        year,
        min(ideal_point) as ideal_point,
        cast(count(*) as integer) as n_states
    from {{ ref('stg_ideal_points') }}
    where iso3 is not null
    group by iso3, year
),

ages as (
    {% for age in range((oldest_point() | int) + 1) -%}
    select {{ age }} as age
    {% if not loop.last -%} union all {%- endif %}
    {% endfor %}
),

newest as (
    select
        points.iso3,
        points.year + ages.age as year,
        max(points.year) as ideal_point_year
    from points
    cross join ages
    group by points.iso3, points.year + ages.age
),

states as (
    select
        newest.iso3,
        newest.year,
        -- Two states under one code: neither's point is the code's.
        case when points.n_states = 1 then points.ideal_point end as ideal_point,
        newest.ideal_point_year,
        newest.iso3 as state_iso3,
        points.n_states
    from newest
    inner join points on newest.iso3 = points.iso3 and newest.ideal_point_year = points.year
),

areas as (
    select
        areas.iso3,
        states.year,
        states.ideal_point,
        states.ideal_point_year,
        states.state_iso3,
        states.n_states
    from {{ ref('ideal_point_areas') }} as areas
    inner join states on areas.state_iso3 = states.iso3
)

select * from states
union all
select * from areas
