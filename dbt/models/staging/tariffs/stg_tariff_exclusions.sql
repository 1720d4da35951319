select
    source,
    document,
    item,
    list_id,
    hts10,
    hs6,
    granted_date,
    valid_from,
    valid_to
from {{ source('landing_tariffs', 'tariff_exclusions') }}
