select
    cited_pct_id,
    citing_id,
    citing_pct_id,
    citing_date,
    category,
    is_self
from {{ source('landing_patents', 'pct_citations') }}
