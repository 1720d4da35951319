select
    request_id,
    list_id,
    requester,
    hts10,
    hts8,
    hs6,
    status_raw,
    status,
    date_posted
from {{ source('landing_tariffs', 'tariff_requests') }}
