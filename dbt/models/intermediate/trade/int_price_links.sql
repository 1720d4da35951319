{{ config(materialized='yearly_files') }}

-- Every CTE over all flows is read once: DuckDB would keep the rows of one that is read twice.
with this_year as (
    select * from {{ ref('int_trade_flows') }} where {{ in_build_year() }}
),

year_before as (
    select * from {{ ref('int_trade_flows') }} where {{ in_year_before() }}
),

importers as (
    select distinct year, importer_code from {{ ref('int_trade_flows') }} where {{ in_build_year() }}
),

importers_before as (
    select distinct year, importer_code from {{ ref('int_trade_flows') }} where {{ in_year_before() }}
),

goods as (
    select distinct year, hs6 from {{ ref('int_trade_flows') }} where {{ in_build_year() }}
),

goods_before as (
    select distinct year, hs6 from {{ ref('int_trade_flows') }} where {{ in_year_before() }}
),

products as (
    select * from {{ ref('stg_products') }}
),

sectors as (
    select * from {{ ref('price_sectors') }}
),

bases as (
    select * from {{ ref('price_basis') }}
),

base_revision as (
    select max(hs_revision) as hs_revision from products
),

-- The first year of a code: before it, its flows come from another code by conversion.
first_years as (
    select sectors.hs6, max(sectors.from_year) as from_year
    from sectors
    inner join base_revision on sectors.hs_revision = base_revision.hs_revision
    group by sectors.hs6
),

years as (
    select distinct year from importers
),

-- The year before, under the year that it is compared with.
before as (
    select years.year, year_before.exporter_code, year_before.importer_code, year_before.hs6, year_before.value_usd,
        year_before.quantity_kg, year_before.quantity_units, year_before.net_weight_kg, year_before.is_mirror,
        year_before.source
    from year_before
    inner join years on year_before.year + 1 = years.year
),

-- A comparison needs an importer with flows and a good with flows in both years. Each is made distinct before they are
-- joined: flow by flow, the join would have as many rows as an importer's flows of both years multiplied.
observed_importers as (
    select importers.year, importers.importer_code
    from importers
    inner join importers_before
        on importers.year = importers_before.year + 1 and importers.importer_code = importers_before.importer_code
),

observed_goods as (
    select goods.year, goods.hs6
    from goods
    inner join goods_before on goods.year = goods_before.year + 1 and goods.hs6 = goods_before.hs6
    left join first_years on goods.hs6 = first_years.hs6
    where goods.year > coalesce(first_years.from_year, 0)
),

paired as (
    select
        coalesce(this_year.year, before.year) as year,
        coalesce(this_year.exporter_code, before.exporter_code) as exporter_code,
        coalesce(this_year.importer_code, before.importer_code) as importer_code,
        coalesce(this_year.hs6, before.hs6) as hs6,
        before.year is null as is_new,
        this_year.year is null as is_gone,
        coalesce(before.value_usd, 0) as value_usd_prev,
        coalesce(this_year.value_usd, 0) as value_usd,
        before.quantity_kg as kg_prev,
        this_year.quantity_kg as kg,
        before.quantity_units as units_prev,
        this_year.quantity_units as units,
        before.net_weight_kg as weight_prev,
        this_year.net_weight_kg as weight,
        coalesce(this_year.is_split_conversion, false) as is_split_conversion,
        coalesce(this_year.is_mirror <> before.is_mirror, false) as is_mirror_changed,
        coalesce(this_year.source, before.source) = 'baci' as is_baci
    from this_year
    full outer join before
        on this_year.year = before.year
        and this_year.exporter_code = before.exporter_code
        and this_year.importer_code = before.importer_code
        and this_year.hs6 = before.hs6
),

cells as (
    select
        paired.*,
        bases.heading is not null as is_counted,
        observed_importers.importer_code is not null and observed_goods.hs6 is not null as is_observed
    from paired
    left join bases on substr(paired.hs6, 1, 4) = bases.heading
    left join observed_importers
        on paired.year = observed_importers.year and paired.importer_code = observed_importers.importer_code
    left join observed_goods on paired.year = observed_goods.year and paired.hs6 = observed_goods.hs6
),

quantities as (
    select 'kg' as basis
    union all
    select 'unit' as basis
),

-- Every cell has a row in the basis of its good, and one in the other basis where that has a quantity.
measured as (
    select
        cells.*,
        quantities.basis,
        cells.is_counted = (quantities.basis = 'unit') as is_baseline,
        case when quantities.basis = 'kg' then cells.kg_prev else cells.units_prev end as quantity_prev,
        case when quantities.basis = 'kg' then cells.kg else cells.units end as quantity
    from cells
    cross join quantities
    where cells.is_counted = (quantities.basis = 'unit')
        or (
            quantities.basis = 'kg'
            and coalesce(cells.kg_prev, cells.kg, cells.weight_prev, cells.weight) is not null
        )
        or (quantities.basis = 'unit' and coalesce(cells.units_prev, cells.units) is not null)
),

changes as (
    select
        *,
        is_observed and not is_new and not is_gone and value_usd_prev > 0 and value_usd > 0 as is_linked,
        case
            when value_usd_prev > 0 and value_usd > 0
                then ln((value_usd / quantity) / (value_usd_prev / quantity_prev))
        end as log_change,
        case
            when basis = 'kg' and value_usd_prev > 0 and value_usd > 0
                then ln((value_usd / weight) / (value_usd_prev / weight_prev))
        end as log_change_of_weight
    from measured
)

select
    year,
    exporter_code,
    importer_code,
    hs6,
    basis,
    is_baseline,
    value_usd_prev,
    value_usd,
    quantity_prev,
    quantity,
    log_change as log_price_change,
    case
        when
            is_linked and not is_mirror_changed
            and {{ comparable('abs(log_change_of_weight)') }} <= {{ comparable('ln(' ~ var('price_trim') ~ ')') }}
            then log_change_of_weight
    end as log_price_change_with_estimates,
    is_split_conversion,
    is_baci,
    case
        when not is_observed then 'not_observed'
        when is_new then 'entry'
        when is_gone then 'exit'
        when log_change is null then 'no_quantity'
        when is_mirror_changed then 'mirror_changed'
        when {{ comparable('abs(log_change)') }} > {{ comparable('ln(' ~ var('price_trim') ~ ')') }} then 'trimmed'
        else 'kept'
    end as state
from changes
