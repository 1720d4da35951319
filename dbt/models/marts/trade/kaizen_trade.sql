{{ config(materialized='table') }}

with rates as (
    select * from {{ ref('learning_rate') }}
    where product_level = 'hs6' and cumulative = 'own' and learning_rate is not null
),

exports as (
    select * from {{ ref('int_exporter_products') }}
),

involution as (
    select * from {{ ref('involution') }} where years_in_a_row is not null
),

complexities as (
    select * from {{ ref('product_complexity') }} where pci_rank is not null
),

space as (
    select * from {{ ref('product_space') }}
),

countries as (
    select * from {{ ref('stg_countries') }}
),

-- A good weighs what it was exported for in the last year that its rate is estimated from.
weighted as (
    select
        rates.exporter_code,
        rates.product_code,
        {{ comparable('rates.learning_rate') }} as compared_rate,
        case when rates.b > 0 and {{ comparable('rates.p_value') }} < 0.05 then 1 else 0 end as is_learning,
        exports.export_value_usd as weight
    from rates
    inner join exports
        on
            rates.exporter_code = exports.exporter_code
            and rates.product_code = exports.hs6
            and rates.last_year = exports.year
),

learning as (
    select exporter_code, count(*) as n_goods, sum(is_learning) as n_learning
    from weighted
    group by exporter_code
),

added_up as (
    select
        exporter_code,
        compared_rate,
        {{ comparable_usd('sum(weight) over (
            partition by exporter_code
            order by compared_rate nulls last, product_code nulls last
            rows between unbounded preceding and current row
        )') }} as weight_so_far,
        {{ comparable_usd('sum(weight) over (partition by exporter_code)') }} as weight_of_all
    from weighted
),

medians as (
    select exporter_code, min(compared_rate) as median_learning_rate
    from added_up
    where 2 * weight_so_far >= weight_of_all
    group by exporter_code
),

latest as (
    select max(year) as year from involution
),

rows_of_years as (
    select involution.exporter_code, cast(sum(involution.years_in_a_row) as double) / count(*) as mean_years_in_a_row
    from involution
    inner join latest on involution.year = latest.year
    group by involution.exporter_code
),

-- The third of a year's goods that only the most diversified countries can export.
complex_goods as (
    select year, hs6
    from (select year, hs6, pci_rank, count(*) over (partition by year) as n_goods from complexities) as ranked
    where 3 * pci_rank <= n_goods
),

steps as (
    select
        earlier.country_code as exporter_code,
        {{ comparable('earlier.rca') }} >= 1 as had_advantage,
        {{ comparable('later.rca') }} >= 1 as has_advantage
    from space as earlier
    inner join complex_goods on earlier.year = complex_goods.year and earlier.hs6 = complex_goods.hs6
    inner join space as later
        on
            earlier.country_code = later.country_code
            and earlier.hs6 = later.hs6
            and earlier.year + 1 = later.year
),

advantages as (
    select
        exporter_code,
        cast(sum(case when had_advantage and has_advantage then 1 else 0 end) as double)
        / nullif(sum(case when had_advantage then 1 else 0 end), 0) as rca_survival,
        cast(sum(case when not had_advantage and has_advantage then 1 else 0 end) as double)
        / nullif(sum(case when had_advantage then 0 else 1 end), 0) as rca_entry
    from steps
    group by exporter_code
),

exporters as (
    select distinct exporter_code from exports
)

select
    exporters.exporter_code,
    countries.iso3 as exporter_iso3,
    countries.name as exporter_name,
    coalesce(learning.n_goods, 0) as n_goods,
    cast(learning.n_learning as double) / learning.n_goods as learning_share,
    medians.median_learning_rate,
    rows_of_years.mean_years_in_a_row,
    advantages.rca_survival,
    advantages.rca_entry
from exporters
left join learning on exporters.exporter_code = learning.exporter_code
left join medians on exporters.exporter_code = medians.exporter_code
left join rows_of_years on exporters.exporter_code = rows_of_years.exporter_code
left join advantages on exporters.exporter_code = advantages.exporter_code
left join countries on exporters.exporter_code = countries.country_code
