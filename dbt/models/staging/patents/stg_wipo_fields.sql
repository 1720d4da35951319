select
    field_id,
    field_name,
    sector_name
from {{ source('landing_patents', 'wipo_fields') }}
