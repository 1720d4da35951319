with publications as (
    select * from {{ ref('int_pct_publications') }}
),

fields as (
    select * from {{ ref('stg_pct_fields') }} where field_id is not null
),

members as (
    select
        publications.*,
        fields.field_id,
        fields.weight as field_weight
    from publications
    inner join fields on publications.pct_id = fields.pct_id
),

-- Every member of a cohort counts once, whatever its weight in the field. Percentiles ignore nulls. They lie between
-- whole numbers, and are rounded: 0.9 and 0.99 are no exact doubles, and a place between two of them could miss both.
thresholds as (
    select
        filing_year,
        field_id,
        {{ comparable('percentile_cont(0.90) within group (order by citations)') }} as citations_p90,
        {{ comparable('percentile_cont(0.99) within group (order by citations)') }} as citations_p99,
        {{ comparable('percentile_cont(0.90) within group (order by citations_net_self)') }} as net_self_p90,
        {{ comparable('percentile_cont(0.90) within group (order by family_size)') }} as family_p90
    from members
    group by filing_year, field_id
),

-- Members without a known date have no window, and do not decide whether the cohort's windows are closed.
closed as (
    select
        filing_year,
        field_id,
        min(case when window_closed then 1 else 0 end) as all_closed
    from members
    where window_closed is not null
    group by filing_year, field_id
)

select
    members.filing_year,
    members.field_id,
    members.pct_id,
    members.field_weight,
    case when thresholds.citations_p90 is not null
        then coalesce(members.citations >= thresholds.citations_p90 and members.citations >= 1, false)
    end as is_core,
    case when thresholds.citations_p99 is not null
        then coalesce(members.citations >= thresholds.citations_p99 and members.citations >= 1, false)
    end as is_core_top1,
    case when thresholds.net_self_p90 is not null
        then coalesce(members.citations_net_self >= thresholds.net_self_p90 and members.citations_net_self >= 1, false)
    end as is_core_net_self,
    case when thresholds.family_p90 is not null
        then coalesce(members.family_size >= thresholds.family_p90 and members.family_size >= 1, false)
    end as is_core_family,
    coalesce(closed.all_closed = 1, false) as window_complete
from members
left join thresholds
    on members.filing_year = thresholds.filing_year and members.field_id = thresholds.field_id
left join closed
    on members.filing_year = closed.filing_year and members.field_id = closed.field_id
