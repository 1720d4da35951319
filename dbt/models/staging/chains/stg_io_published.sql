select
    edition,
    year,
    country_iso3,
    sector,
    measure,
    value
from {{ source('landing_chains_measures', 'io_published') }}
