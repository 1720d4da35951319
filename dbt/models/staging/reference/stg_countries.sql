select
    country_code,
    iso2,
    iso3,
    name
from {{ source('landing_reference', 'countries') }}
where is_country
