with publications as (
    select * from {{ ref('int_kaizen_publications') }}
),

countries as (
    select * from {{ ref('int_pct_countries') }}
),

cohorts as (
    select * from {{ ref('int_pct_cohorts') }}
),

weighted as (
    select
        publications.*,
        countries.country_iso2,
        cohorts.field_id,
        countries.weight * cohorts.field_weight as weight
    from publications
    inner join countries on publications.pct_id = countries.pct_id
    inner join cohorts on publications.pct_id = cohorts.pct_id
),

cells as (
    select
        filing_year,
        country_iso2,
        field_id,
        {{ exact_sum('weight', bits=80) }} as applications,
        {{ exact_sum('case when follows is not null then weight else 0 end', bits=80) }} as known,
        {{ exact_sum('case when follows then weight else 0 end', bits=80) }} as following,
        {{ exact_sum('case when depth is not null then weight * depth else 0 end', bits=80) }} as depths,
        {{ exact_sum('case when depth >= 3 then weight else 0 end', bits=80) }} as deep,
        {{ exact_sum('case when citations is not null then weight * citations else 0 end', bits=80) }} as received,
        {{ exact_sum('case when self_citations is not null then weight * self_citations else 0 end', bits=80) }}
            as received_from_self,
        {{ exact_sum('case when cd5 is not null then weight else 0 end', bits=80) }} as with_cd5,
        {{ exact_sum('case when cd5 is not null then weight * cd5 else 0 end', bits=80) }} as cd5s,
        {{ exact_sum('case when cd5_nok is not null then weight else 0 end', bits=80) }} as with_cd5_nok,
        {{ exact_sum('case when cd5_nok is not null then weight * cd5_nok else 0 end', bits=80) }} as cd5_noks,
        {{ exact_sum('case when cd5 < 0 then weight else 0 end', bits=80) }} as consolidating
    from weighted
    group by filing_year, country_iso2, field_id
),

lags as (
    select filing_year, country_iso2, field_id, lag_days, {{ exact_sum('weight', bits=80) }} as weight
    from weighted
    where lag_days is not null
    group by filing_year, country_iso2, field_id, lag_days
),

-- Weights are rounded: half of the weight is often reached exactly.
added_up as (
    select
        *,
        {{ comparable('sum(weight) over (
            partition by filing_year, country_iso2, field_id
            order by lag_days nulls last
            rows between unbounded preceding and current row
        )') }} as weight_so_far,
        {{ comparable('sum(weight) over (partition by filing_year, country_iso2, field_id)') }} as weight_of_all
    from lags
),

medians as (
    select filing_year, country_iso2, field_id, min(lag_days) as median_lag_days
    from added_up
    where 2 * weight_so_far >= weight_of_all
    group by filing_year, country_iso2, field_id
)

select
    cells.filing_year,
    cells.country_iso2,
    cells.field_id,
    cells.applications,
    cells.known,
    cells.following,
    cells.depths,
    cells.deep,
    cells.received,
    cells.received_from_self,
    cells.with_cd5,
    cells.cd5s,
    cells.with_cd5_nok,
    cells.cd5_noks,
    cells.consolidating,
    medians.median_lag_days
from cells
left join medians
    on
        cells.filing_year = medians.filing_year
        and cells.country_iso2 = medians.country_iso2
        and cells.field_id = medians.field_id
