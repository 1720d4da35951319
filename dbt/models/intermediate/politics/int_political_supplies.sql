with flows as (
    select * from {{ ref('int_trade_flows') }} where {{ in_build_year() }}
),

products as (
    select * from {{ ref('int_product_centrality') }} where {{ in_build_year() }} and in_scope
),

importer_products as (
    select * from {{ ref('int_importer_products') }} where {{ in_build_year() }}
),

exporter_products as (
    select * from {{ ref('int_exporter_products') }} where {{ in_build_year() }}
),

years as (
    select * from {{ ref('int_political_years') }} where {{ in_build_year() }}
),

points as (
    select * from {{ ref('int_political_points') }} where {{ in_build_year() }}
),

goods as (
    select
        flows.year,
        flows.importer_code,
        flows.exporter_code,
        products.hs2,
        flows.value_usd,
        -- The good's imports times the square of the supplier's share.
        flows.value_usd * flows.value_usd / importer_products.import_value_usd as squared_usd,
        exporter_products.export_value_usd / (products.world_exports_usd / products.n_exporters) as capability
    from flows
    inner join products on flows.year = products.year and flows.hs6 = products.hs6
    inner join importer_products
        on flows.year = importer_products.year
        and flows.importer_code = importer_products.importer_code
        and flows.hs6 = importer_products.hs6
    inner join exporter_products
        on flows.year = exporter_products.year
        and flows.exporter_code = exporter_products.exporter_code
        and flows.hs6 = exporter_products.hs6
),

supplies as (
    select
        year,
        importer_code,
        exporter_code,
        hs2,
        {{ exact_sum('value_usd') }} as import_value_usd,
        {{ exact_sum('squared_usd') }} as squared_usd,
        {{ exact_sum('squared_usd * capability') }} as capable_usd
    from goods
    group by year, importer_code, exporter_code, hs2
),

paired as (
    select
        supplies.*,
        years.mean_distance,
        years.close_limit,
        years.distant_limit,
        years.largest_distance,
        importers.mean_distance_own,
        importers.ideal_point is not null and years.mean_distance is not null as is_measured,
        case
            when years.mean_distance is not null then abs(importers.ideal_point - exporters.ideal_point)
        end as distance
    from supplies
    inner join years on supplies.year = years.year
    left join points as importers
        on supplies.year = importers.year and supplies.importer_code = importers.country_code
    left join points as exporters
        on supplies.year = exporters.year and supplies.exporter_code = exporters.country_code
)

select
    year,
    importer_code,
    exporter_code,
    hs2,
    import_value_usd,
    squared_usd,
    capable_usd,
    distance,
    largest_distance,
    case when is_measured then coalesce(distance / mean_distance, 1) end as distance_factor,
    case
        when is_measured and mean_distance_own > 0 then coalesce(distance / mean_distance_own, 1)
    end as distance_factor_own,
    case
        when not is_measured then null
        when distance is null then 'unscored'
        when {{ comparable('distance') }} <= {{ comparable('close_limit') }} then 'close'
        when {{ comparable('distance') }} >= {{ comparable('distant_limit') }} then 'distant'
        else 'middle'
    end as closeness
from paired
