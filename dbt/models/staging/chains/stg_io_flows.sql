select
    edition,
    year,
    src_iso3,
    src_sector,
    dst_iso3,
    dst_sector,
    value_usd,
    src_position,
    dst_position
from {{ source('landing_chains', 'io_flows') }}
