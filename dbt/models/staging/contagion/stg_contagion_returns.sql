select
    security_id,
    return_date,
    simple_return,
    market_cap
from {{ source('landing_contagion', 'contagion_returns') }}
