select
    family,
    field,
    economy,
    country_iso2,
    year as filing_year,
    value as applications,
    source
from {{ source('landing_patents', 'reference_totals') }}
