with pairs as (
    select * from {{ ref('int_product_space') }} where {{ in_build_year() }}
),

countries as (
    select * from {{ ref('stg_countries') }}
)

select
    pairs.year,
    pairs.country_code,
    countries.iso3 as country_iso3,
    pairs.hs6,
    pairs.rca,
    pairs.density
from pairs
left join countries on pairs.country_code = countries.country_code
