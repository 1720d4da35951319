select
    security_id,
    industry,
    market_id,
    kind
from {{ source('landing_contagion', 'contagion_securities') }}
