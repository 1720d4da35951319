select
    pct_id,
    filing_year,
    filing_date,
    filing_date_basis,
    publication_date,
    window_start,
    window_start_estimated,
    citations_until,
    family_size,
    source
from {{ source('landing_patents', 'pct_publications') }}
