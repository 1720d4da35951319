with sums as (
    select * from {{ ref('int_price_sums') }} where {{ in_build_year() }} and basis = 'baseline'
),

indices as (
    select * from {{ ref('int_price_index') }}
    where {{ in_build_year() }} and basis = 'baseline' and product_level = 'hs6'
),

-- Years whose year before is there: of the others nothing can be said.
comparable_years as (
    select distinct year from sums where value_usd_prev > 0
),

measured as (
    select
        sums.*,
        indices.fisher,
        indices.quantity_fisher,
        indices.value_ratio,
        indices.relative,
        indices.link_coverage,
        indices.link_coverage_prev,
        indices.quality,
        sums.n_cells >= {{ var('price_min_cells') }}
        and {{ comparable('least(coalesce(indices.link_coverage, 0), coalesce(indices.link_coverage_prev, 0))') }}
            >= {{ least_link_coverage() }} as is_measured
    from sums
    inner join comparable_years on sums.year = comparable_years.year
    inner join indices
        on sums.year = indices.year
        and sums.exporter_code = indices.exporter_code
        and sums.hs6 = indices.product_code
    where sums.value_usd > 0 or sums.value_usd_prev > 0
),

flagged as (
    select
        *,
        case when is_measured then {{ comparable('fisher') }} < 1 end as price_fell,
        case when is_measured then {{ comparable('quantity_fisher') }} > 1 end as quantity_rose
    from measured
)

select
    year,
    exporter_code,
    hs6,
    value_usd,
    value_usd_prev,
    0.5e0 * ((repriced_prev - value_prev) + (value_now - repriced_now)) as price_effect,
    0.5e0 * ((repriced_now - value_prev) + (value_now - repriced_prev)) as quantity_effect,
    entered_value_usd as entry,
    -left_value_usd_prev as exit,
    unpriced_value_usd - unpriced_value_usd_prev as unpriced,
    unobserved_value_usd - unobserved_value_usd_prev as not_observed,
    fisher,
    quantity_fisher,
    value_ratio,
    relative,
    n_cells,
    link_coverage,
    link_coverage_prev,
    quality,
    is_measured,
    price_fell,
    quantity_rose,
    price_fell and quantity_rose as is_involution,
    case when is_measured then price_fell and quantity_rose and {{ comparable('value_ratio') }} < 1 end
        as is_revenue_falling,
    case when is_measured then price_fell and quantity_rose and {{ comparable('relative') }} < 1 end as is_relative
from flagged
