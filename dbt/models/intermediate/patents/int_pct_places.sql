with publications as (
    select * from {{ ref('stg_pct_publications') }} where filing_year is not null
)

select
    cast(row_number() over (order by pct_id nulls last) as integer) as place,
    pct_id,
    filing_date,
    {{ add_years('filing_date', -5) }} as five_years_before,
    window_start,
    {{ add_years('window_start', citation_window_years()) }} as window_end
from publications
