select
    edition,
    year,
    country_iso3,
    sector,
    kg_co2_per_usd
from {{ source('landing_chains', 'io_emissions') }}
