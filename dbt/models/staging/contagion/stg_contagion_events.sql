select
    event_id,
    event_date,
    after_close,
    label
from {{ source('landing_contagion', 'contagion_events') }}
