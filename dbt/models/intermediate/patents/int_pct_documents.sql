with citations as (
    select * from {{ ref('stg_pct_citations') }}
),

places as (
    select * from {{ ref('int_pct_places') }}
),

-- Several patents of one publication are one document: its date is that of the first of them.
publications as (
    select
        citing.place as document,
        cited.place as cited,
        min(citations.citing_date) as citing_date
    from citations
    inner join places as citing on citations.citing_pct_id = citing.pct_id
    inner join places as cited on citations.cited_pct_id = cited.pct_id
    group by citing.place, cited.place
),

dates as (
    select document, min(citing_date) as document_date
    from publications
    group by document
),

-- All other documents, with numbers below 0.
others as (
    select citing_id, cast(-row_number() over (order by citing_id nulls last) as integer) as document
    from citations
    where citing_pct_id is null
    group by citing_id
)

select
    publications.document,
    publications.cited,
    dates.document_date
from publications
inner join dates on publications.document = dates.document
union all
select
    others.document,
    cited.place as cited,
    citations.citing_date as document_date
from citations
inner join others on citations.citing_id = others.citing_id
inner join places as cited on citations.cited_pct_id = cited.pct_id
where citations.citing_pct_id is null
