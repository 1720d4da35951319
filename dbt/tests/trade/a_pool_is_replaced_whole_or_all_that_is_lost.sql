-- Per good, what others replace is their pool or, where that is more, all that is lost; no shortfall exceeds its loss.
with goods as (
    select
        year,
        exporter_code,
        hs6,
        sum(lost_usd) as lost_usd,
        sum(lost_usd - shortfall_usd) as replaced_usd,
        min(pool_usd) as pool_usd,
        max(pool_usd) as highest_pool_usd,
        min(lost_usd - shortfall_usd) as least_replaced_usd
    from {{ ref('supplier_removal') }}
    where {{ in_years_of_run() }}
    group by year, exporter_code, hs6
)

select *
from goods
where abs(replaced_usd - least(pool_usd, lost_usd)) > 0.000000001 * lost_usd + 0.01
    or highest_pool_usd - pool_usd > 0.000000001 * pool_usd
    or least_replaced_usd < 0
