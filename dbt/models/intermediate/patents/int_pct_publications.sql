with publications as (
    select * from {{ ref('stg_pct_publications') }} where filing_year is not null
),

citations as (
    select * from {{ ref('stg_pct_citations') }}
),

windows as (
    select
        *,
        {{ add_years('window_start', citation_window_years()) }} as window_end
    from publications
),

-- Citing documents dated before the window's end. Those older than the publication count: they cite the application.
counted as (
    select
        windows.pct_id,
        count(*) as citations,
        sum(case when citations.is_self then 0 else 1 end) as citations_net_self
    from windows
    inner join citations on windows.pct_id = citations.cited_pct_id
    where citations.citing_date < windows.window_end
    group by windows.pct_id
)

select
    windows.pct_id,
    cast(windows.filing_year as integer) as filing_year,
    windows.window_end,
    windows.window_end <= windows.citations_until as window_closed,
    cast(
        case
            when windows.window_end is not null and windows.citations_until is not null
                then coalesce(counted.citations, 0)
        end as bigint
    ) as citations,
    cast(
        case
            when windows.window_end is not null and windows.citations_until is not null
                then coalesce(counted.citations_net_self, 0)
        end as bigint
    ) as citations_net_self,
    cast(windows.family_size as bigint) as family_size,
    windows.source
from windows
left join counted on windows.pct_id = counted.pct_id
