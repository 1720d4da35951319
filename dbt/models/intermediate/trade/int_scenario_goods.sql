with scenarios as (
    select * from {{ ref('stg_scenarios') }}
),

products as (
    select * from {{ ref('int_product_centrality') }} where {{ in_build_year() }}
),

countries as (
    select * from {{ ref('stg_countries') }}
)

select
    products.year,
    scenarios.scenario_id,
    scenarios.title,
    countries.country_code as exporter_code,
    products.hs6,
    scenarios.cut,
    scenarios.spare_capacity
from scenarios
inner join countries on scenarios.exporter_iso3 = countries.iso3
inner join products
    on (scenarios.goods = 'scope' and products.in_scope)
    or substr(products.hs6, 1, length(scenarios.goods)) = scenarios.goods
