select
    pct_id,
    seq,
    wipo_field_id as field_id,
    weight
from {{ source('landing_patents', 'pct_fields') }}
