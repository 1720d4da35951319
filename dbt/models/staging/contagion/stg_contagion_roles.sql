select
    event_id,
    security_id,
    role
from {{ source('landing_contagion', 'contagion_roles') }}
