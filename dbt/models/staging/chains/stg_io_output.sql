select
    edition,
    year,
    country_iso3,
    sector,
    position,
    gross_output_usd,
    value_added_usd,
    taxes_usd,
    is_complete
from {{ source('landing_chains', 'io_output') }}
