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
    select points.year, countries.country_code, points.ideal_point, points.mean_distance_own
    from {{ ref('int_political_points') }} as points
    inner join {{ ref('stg_countries') }} as countries on points.iso3 = countries.iso3
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
        {{ political_pair() }}
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
    {{ political_distances() }}
from paired
