with lines as (
    select distinct list_id, hts8 from {{ ref('int_tariff_list_lines') }}
),

years as (
    select distinct
        year,
        cast(cast(year as string) || '-01-01' as date) as first_day,
        cast(cast(year as string) || '-12-31' as date) as last_day
    from {{ ref('int_year_settings') }}
),

-- The parts of a year in which one rate of a list's duty was in force.
rates as (
    select
        years.year,
        history.list_id,
        history.rate,
        greatest(history.valid_from, years.first_day) as rate_from,
        least(coalesce(history.valid_to, years.last_day), years.last_day) as rate_to,
        {{ dbt.datediff('years.first_day', 'years.last_day', 'day') }} + 1 as days_in_year
    from {{ ref('list_rate_history') }} as history
    inner join years
        on history.valid_from <= years.last_day and coalesce(history.valid_to, years.last_day) >= years.first_day
),

exclusions as (
    select
        list_id,
        substr(hts10, 1, 8) as hts8,
        valid_from,
        coalesce(valid_to, cast('9999-12-31' as date)) as valid_to
    from {{ ref('int_exclusion_intervals') }}
),

with_previous_end as (
    select
        *,
        max(valid_to) over (
            partition by list_id, hts8
            order by valid_from nulls last, valid_to nulls last
            rows between unbounded preceding and 1 preceding
        ) as previous_end
    from exclusions
),

-- What an exclusion adds to the days that earlier ones of its line cover.
added as (
    select
        list_id,
        hts8,
        case
            when previous_end >= valid_from then cast({{ dbt.dateadd('day', 1, 'previous_end') }} as date)
            else valid_from
        end as added_from,
        valid_to as added_to
    from with_previous_end
    where previous_end is null or previous_end < valid_to
),

excluded as (
    select
        year,
        list_id,
        hts8,
        sum(days) as excluded_days,
        {{ exact_sum('rate * days', bits=100) }} as excluded_rate_days
    from (
        select
            rates.year,
            rates.list_id,
            added.hts8,
            rates.rate,
            {{ dbt.datediff('greatest(added.added_from, rates.rate_from)', 'least(added.added_to, rates.rate_to)',
                'day') }} + 1 as days
        from rates
        inner join added
            on rates.list_id = added.list_id and rates.rate_to >= added.added_from and rates.rate_from <= added.added_to
    ) as covered
    group by year, list_id, hts8
),

duties as (
    select
        year,
        list_id,
        max(days_in_year) as days_in_year,
        sum(days) as duty_days,
        {{ exact_sum('rate * days', bits=100) }} as rate_days
    from (
        select year, list_id, rate, days_in_year, {{ dbt.datediff('rate_from', 'rate_to', 'day') }} + 1 as days
        from rates
    ) as parts
    group by year, list_id
)

select
    duties.year,
    lines.list_id,
    lines.hts8,
    cast(duties.duty_days as bigint) as duty_days,
    cast(coalesce(excluded.excluded_days, 0) as bigint) as excluded_days,
    duties.rate_days / duties.days_in_year as mean_duty,
    coalesce(excluded.excluded_rate_days, 0) / duties.days_in_year as mean_excluded_duty
from lines
inner join duties on lines.list_id = duties.list_id
left join excluded
    on duties.year = excluded.year and lines.list_id = excluded.list_id and lines.hts8 = excluded.hts8
