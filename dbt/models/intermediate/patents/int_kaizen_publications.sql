with publications as (
    select * from {{ ref('int_pct_publications') }}
),

places as (
    select * from {{ ref('int_pct_places') }}
),

sources as (
    select pct_id, citations_until from {{ ref('stg_pct_publications') }}
),

lags as (
    select citing, min(lag_days) as lag_days
    from {{ ref('int_pct_own_citations') }}
    group by citing
),

depths as (
    select * from {{ ref('int_pct_depths') }}
),

disruption as (
    select * from {{ ref('int_pct_disruption') }}
),

-- Whether chains can be known: without a date, or without citations, there is nothing to follow.
known as (
    select
        publications.pct_id,
        publications.filing_year,
        publications.citations,
        publications.citations - publications.citations_net_self as self_citations,
        places.place,
        places.filing_date is not null and sources.citations_until is not null as has_chain
    from publications
    inner join places on publications.pct_id = places.pct_id
    inner join sources on publications.pct_id = sources.pct_id
)

select
    known.pct_id,
    known.filing_year,
    case when known.has_chain then depths.depth is not null end as follows,
    cast(case when known.has_chain then coalesce(depths.depth, 0) end as integer) as depth,
    case when known.has_chain then lags.lag_days end as lag_days,
    cast(disruption.n_focal_only - disruption.n_both as double)
    / (disruption.n_focal_only + disruption.n_both + disruption.n_predecessor_only) as cd5,
    cast(disruption.n_focal_only - disruption.n_both as double)
    / nullif(disruption.n_focal_only + disruption.n_both, 0) as cd5_nok,
    known.citations,
    known.self_citations
from known
left join lags on known.place = lags.citing
left join depths on known.place = depths.place
left join disruption on known.place = disruption.place
