with places as (
    select * from {{ ref('int_pct_places') }} where window_start is not null
),

documents as (
    select * from {{ ref('int_pct_documents') }}
),

-- What a publication cites itself.
predecessors as (
    select
        documents.document as focal,
        documents.cited,
        places.window_start,
        places.window_end
    from documents
    inner join places on documents.document = places.place
    where documents.document <> documents.cited
),

focals as (
    select distinct focal, window_start, window_end
    from predecessors
),

cites as (
    select focals.focal, documents.document, 1 as the_focal, 0 as a_predecessor
    from focals
    inner join documents on focals.focal = documents.cited
    where documents.document <> focals.focal
        and documents.document_date > focals.window_start
        and documents.document_date < focals.window_end
    union all
    select predecessors.focal, documents.document, 0, 1
    from predecessors
    inner join documents on predecessors.cited = documents.cited
    where documents.document <> predecessors.focal
        and documents.document_date > predecessors.window_start
        and documents.document_date < predecessors.window_end
),

each_document as (
    select focal, document, max(the_focal) as the_focal, max(a_predecessor) as a_predecessor
    from cites
    group by focal, document
)

select
    focal as place,
    cast(sum(the_focal * (1 - a_predecessor)) as bigint) as n_focal_only,
    cast(sum(the_focal * a_predecessor) as bigint) as n_both,
    cast(sum((1 - the_focal) * a_predecessor) as bigint) as n_predecessor_only
from each_document
group by focal
