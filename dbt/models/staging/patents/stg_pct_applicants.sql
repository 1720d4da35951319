select
    pct_id,
    seq,
    applicant_id,
    country_iso2,
    weight
from {{ source('landing_patents', 'pct_applicants') }}
