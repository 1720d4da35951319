"""The published figures on prices and learning by another road: from the flows, and learning from the price chains.

A figure that is not computed costs a look at the flows of a few goods. Not here: the other figures (`figures`), which
figures there are, and verdicts.
"""

from __future__ import annotations

from collections.abc import Mapping

_GOODS = """
    select sector_id, hs6, coalesce(from_year, 0) as from_year from price_sectors
    where sector_id in ('li_ion_batteries', 'photovoltaic')
        and hs_revision = (select max(hs_revision) from stg_products)
        and exists (
            select 1 from published_benchmarks where computed_value is not null and note like 'Unit values are not%'
        )
"""
_CELLS = """
    select * from (
        select sector_id, now.year, now.exporter_code, now.importer_code, before.value_usd as v0, now.value_usd as v1,
            ln((v1 / now.quantity_kg) / (v0 / before.quantity_kg)) as r
        from trade_flows as now join trade_flows as before
            on before.year = now.year - 1 and before.exporter_code = now.exporter_code
            and before.importer_code = now.importer_code and before.hs6 = now.hs6 and before.is_mirror = now.is_mirror
        join figure_goods as g on g.hs6 = now.hs6 and g.from_year < now.year
    ) where abs(r) <= ln((select max(price_trim) from int_year_settings)) + 1e-12
"""
_MEMBERS = """
    select country_code from country_memberships join stg_countries using (iso3)
    where membership = 'eu' and valid_to is null
"""
_CHANGES = """
    with chosen as (
        select 'china' as whose, * from figure_cells where exporter_code = 156
        union all
        select 'eu', * from figure_cells where importer_code in (select country_code from figure_members)
    )
    select whose, sector_id, year, (sum(v0 * r) / sum(v0) + sum(v1 * r) / sum(v1)) / 2 as change
    from chosen group by all
"""
# The years of China's longest price chain with what the world sold until then.
_POINTS = """
    with chains as (
        select product_code, year, chain_tornqvist, chain_start_year,
            count(*) over (partition by product_code, chain_start_year) as n
        from export_price_index
        where exporter_code = 156 and product_code in ('850760', 'photovoltaic') and basis = 'baseline'
            and chain_tornqvist is not null
    ),
    sold as (
        select case sector_id when 'photovoltaic' then sector_id else hs6 end as product_code, year,
            sum(quantity_kg) * sum(value_usd) / sum(value_usd) filter (quantity_kg is not null) as kg
        from trade_flows join figure_goods using (hs6) group by all
    )
    select product_code, n, ln(chain_tornqvist) as y,
        ln(sum(kg) over (partition by product_code order by year)) as x
    from (from chains qualify rank() over (partition by product_code order by n desc, chain_start_year desc) = 1)
    join sold using (product_code, year)
"""
OF_PRICES = """
    select 'bnef_battery_price_2024' as benchmark_id, years.year, exp(change) - 1 as numerator, 1.0 as denominator
    from figure_changes as f cross join (values (2023), (2024)) as years (year)
    where f.year = 2024 and whose = 'china' and sector_id = 'li_ion_batteries'
    union all
    select 'wu_solar_price', year, exp(sum(change) over (order by year range between 9 preceding and current row)) - 1,
        1.0
    from figure_changes where whose = 'china' and sector_id = 'photovoltaic'
    union all
    select 'irena_module_price', years.year, (
            select exp(sum(change)) - 1 from figure_changes
            where whose = 'eu' and sector_id = 'photovoltaic' and year between 2010 and 2022
        ), 1.0
    from (select unnest(range(2009, 2023)) as year) as years
    union all
    select unnest(case product_code when '850760' then ['bnef_battery_learning', 'ziegler_battery_learning']
            else ['itrpv_learning'] end), year, learned, 1.0
    from (
        select product_code, 1 - 2 ** regr_slope(y, x) as learned from figure_points group by all
    ) cross join figure_years
    union all
    select 'gac_ev_price_2022', year, sum(value_usd), sum(quantity_units) from trade_flows
    where exporter_code = 156 and hs6 = '870380' and quantity_units is not null group by year
    union all
    select 'kms_import_inflation', year, sum(within + switching), count(*) from import_price_contribution
    where exporter_code = 156 and product_level = 'all' group by year
"""

PRICE_FIGURES_PREPARED: Mapping[str, str] = {
    "figure_goods": _GOODS,
    "figure_cells": _CELLS,
    "figure_members": _MEMBERS,
    "figure_changes": _CHANGES,
    "figure_points": _POINTS,
}
