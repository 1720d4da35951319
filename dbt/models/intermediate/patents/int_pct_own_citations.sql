with documents as (
    select * from {{ ref('int_pct_documents') }} where document > 0
),

places as (
    select * from {{ ref('int_pct_places') }}
),

applicants as (
    select * from {{ ref('stg_pct_applicants') }} where applicant_id is not null
),

holders as (
    select distinct places.place, applicants.applicant_id
    from applicants
    inner join places on applicants.pct_id = places.pct_id
),

-- Filed strictly earlier, so that no chain leads back to where it began.
earlier as (
    select
        documents.document as citing,
        documents.cited,
        citing.filing_date as citing_filed,
        cited.filing_date as cited_filed,
        cited.filing_date >= citing.five_years_before as within_5y
    from documents
    inner join places as citing on documents.document = citing.place
    inner join places as cited on documents.cited = cited.place
    where cited.filing_date < citing.filing_date
),

shared as (
    select distinct earlier.citing, earlier.cited
    from earlier
    inner join holders as of_citing on earlier.citing = of_citing.place
    inner join holders as of_cited
        on earlier.cited = of_cited.place and of_citing.applicant_id = of_cited.applicant_id
)

select
    earlier.citing,
    earlier.cited,
    earlier.citing_filed,
    cast({{ dbt.datediff('earlier.cited_filed', 'earlier.citing_filed', 'day') }} as integer) as lag_days,
    earlier.within_5y
from earlier
inner join shared on earlier.citing = shared.citing and earlier.cited = shared.cited
