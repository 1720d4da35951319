with publications as (
    select * from {{ ref('int_pct_publications') }}
),

applicants as (
    select * from {{ ref('stg_pct_applicants') }}
)

select
    publications.filing_year,
    publications.pct_id,
    coalesce(applicants.country_iso2, {{ unknown_country() }}) as country_iso2,
    {{ exact_sum('applicants.weight', bits=100) }} as weight
from publications
inner join applicants on publications.pct_id = applicants.pct_id
group by publications.filing_year, publications.pct_id, coalesce(applicants.country_iso2, {{ unknown_country() }})
