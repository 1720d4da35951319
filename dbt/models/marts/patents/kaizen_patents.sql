with cells as (
    select * from {{ ref('int_kaizen_cells') }}
),

core as (
    select * from {{ ref('patent_core_share') }}
),

first_year as (
    select min(filing_year) as filing_year from {{ ref('int_pct_publications') }}
)

select
    cells.filing_year,
    cells.country_iso2,
    cells.field_id,
    core.country_iso3,
    core.country_name,
    core.field_name,
    cells.applications,
    cells.following / nullif(cells.known, 0) as followon_share,
    cells.depths / nullif(cells.known, 0) as mean_depth,
    cells.deep / nullif(cells.known, 0) as deep_share,
    cells.median_lag_days / 365.25e0 as median_lag,
    case when core.window_complete then cells.received_from_self / nullif(cells.received, 0) end as self_citation_share,
    core.core_share_top1 as breakthrough_share,
    1 - core.core_share as incremental_share,
    cells.cd5s / nullif(cells.with_cd5, 0) as cd5_mean,
    cells.cd5_noks / nullif(cells.with_cd5_nok, 0) as cd5_nok_mean,
    cells.consolidating / nullif(cells.with_cd5, 0) as consolidating_share,
    cells.with_cd5 / cells.applications as cd5_known_share,
    core.window_complete,
    cells.filing_year - 5 >= first_year.filing_year as lookback_complete
from cells
inner join core
    on
        cells.filing_year = core.filing_year
        and cells.country_iso2 = core.country_iso2
        and cells.field_id = core.field_id
cross join first_year
