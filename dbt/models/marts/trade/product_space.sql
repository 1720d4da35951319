with pairs as (
    select * from {{ ref('int_product_space') }} where {{ in_build_year() }}
),

products as (
    select * from {{ ref('stg_products') }}
),

countries as (
    select * from {{ ref('stg_countries') }}
)

select
    pairs.year,
    pairs.country_code,
    countries.iso3 as country_iso3,
    countries.name as country_name,
    pairs.hs6,
    products.hs6_name,
    pairs.rca,
    pairs.density
from pairs
left join products on pairs.hs6 = products.hs6
left join countries on pairs.country_code = countries.country_code
