select
    from_revision,
    from_code,
    hs6,
    weight
from {{ source('landing_reference', 'hs_conversion') }}
