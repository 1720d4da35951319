-- Σ delta_usd of a pair and step = its trade in the later year less that in the earlier one; Σ contribution = the rate.
with growth as (
    select
        exporter_code,
        importer_code,
        year_from,
        year_to,
        sum(delta_usd) as delta_usd,
        sum(contribution) as contribution
    from {{ ref('relocation_growth') }}
    group by exporter_code, importer_code, year_from, year_to
),

totals as (
    select * from {{ ref('bilateral_totals') }}
),

compared as (
    select
        growth.*,
        coalesce(earlier.value_usd, 0) as earlier_usd,
        coalesce(later.value_usd, 0) as later_usd
    from growth
    left join totals as earlier
        on growth.year_from = earlier.year
        and growth.exporter_code = earlier.exporter_code
        and growth.importer_code = earlier.importer_code
    left join totals as later
        on growth.year_to = later.year
        and growth.exporter_code = later.exporter_code
        and growth.importer_code = later.importer_code
)

select *
from compared
where abs(later_usd - earlier_usd - delta_usd) > 0.000000001 * (later_usd + earlier_usd) + 0.01
    or abs(contribution * earlier_usd - delta_usd) > 0.000000001 * (later_usd + earlier_usd) + 0.01
