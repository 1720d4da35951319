with scenarios as (
    select * from {{ ref('stg_scenarios') }}
),

products as (
    select * from {{ ref('int_product_centrality') }} where {{ in_build_year() }}
),

exporter_products as (
    select * from {{ ref('int_exporter_products') }} where {{ in_build_year() }}
),

countries as (
    select * from {{ ref('stg_countries') }}
),

exports as (
    select
        exporter_products.year,
        countries.iso3,
        exporter_products.exporter_code,
        {{ exact_sum('exporter_products.export_value_usd') }} as value_usd
    from exporter_products
    inner join countries on exporter_products.exporter_code = countries.country_code
    group by exporter_products.year, countries.iso3, exporter_products.exporter_code
),

-- Comtrade has several numbers for one ISO code, such as 158 and 490 for TWN: the one that trade is reported under.
exporters as (
    select year, iso3, {{ code_of_largest('exporter_code', comparable_usd('value_usd')) }} as exporter_code
    from exports
    group by year, iso3
)

select
    products.year,
    scenarios.scenario_id,
    scenarios.title,
    exporters.exporter_code,
    products.hs6,
    scenarios.cut,
    scenarios.spare_capacity
from scenarios
inner join exporters on scenarios.exporter_iso3 = exporters.iso3
inner join products
    on exporters.year = products.year
    and (
        (scenarios.goods = 'scope' and products.in_scope)
        or substr(products.hs6, 1, length(scenarios.goods)) = scenarios.goods
    )
