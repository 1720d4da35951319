select
    edition,
    year,
    src_iso3,
    src_sector,
    dst_iso3,
    value_usd
from {{ source('landing_chains', 'io_final') }}
