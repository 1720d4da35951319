select
    edition,
    year,
    n_countries,
    n_sectors,
    has_final,
    is_complete,
    dropped_flows,
    dropped_flows_usd
from {{ source('landing_chains', 'io_tables') }}
