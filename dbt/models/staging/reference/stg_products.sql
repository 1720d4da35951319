select
    hs_revision,
    hs6,
    hs6_name,
    hs2,
    bec4,
    bec5
from {{ source('landing_reference', 'products') }}
