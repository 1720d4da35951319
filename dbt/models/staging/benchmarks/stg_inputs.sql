select
    dataset,
    source,
    is_synthetic,
    n_payloads
from {{ source('landing_inputs', 'inputs') }}
