with goods as (
    select * from {{ ref('int_involution') }} where {{ in_build_year() }}
),

year_before as (
    select * from {{ own_year_before() }} as own_rows
),

products as (
    select * from {{ ref('stg_products') }}
),

countries as (
    select * from {{ ref('stg_countries') }}
)

select
    goods.year,
    goods.exporter_code,
    countries.iso3 as exporter_iso3,
    countries.name as exporter_name,
    goods.hs6,
    products.hs6_name,
    goods.quality,
    goods.value_usd,
    goods.value_usd_prev,
    goods.price_effect,
    goods.quantity_effect,
    goods.entry,
    goods.exit,
    goods.unpriced,
    goods.not_observed,
    goods.fisher,
    goods.quantity_fisher,
    goods.value_ratio,
    goods.relative,
    goods.n_cells,
    goods.link_coverage,
    goods.link_coverage_prev,
    goods.is_measured,
    goods.price_fell,
    goods.quantity_rose,
    goods.is_involution,
    goods.is_revenue_falling,
    goods.is_relative,
    case
        when goods.is_involution then coalesce(year_before.years_in_a_row, 0) + 1
        when not goods.is_involution then 0
    end as years_in_a_row
from goods
left join year_before
    on goods.year - 1 = year_before.year
    and goods.exporter_code = year_before.exporter_code
    and goods.hs6 = year_before.hs6
left join products on goods.hs6 = products.hs6
left join countries on goods.exporter_code = countries.country_code
