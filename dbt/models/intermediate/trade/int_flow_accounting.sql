with reports as (
    select * from {{ ref('int_trade_reports') }} where {{ in_build_year() }}
),

unallocated as (
    select * from {{ ref('stg_trade_unallocated') }} where {{ in_build_year() }}
),

flows as (
    select * from {{ ref('int_trade_flows') }} where {{ in_build_year() }}
),

converted_flows as (
    select * from {{ ref('int_converted_flows') }} where {{ in_build_year() }}
),

converted_reporters as (
    select * from {{ ref('int_converted_reporters') }} where {{ in_build_year() }}
),

conversion_sources as (
    select distinct from_revision, from_code from {{ ref('stg_hs_conversion') }}
),

report_counts as (
    select
        reports.year,
        count(*) as report,
        sum(case when reports.flow = 'M' then 1 else 0 end) as import_report,
        sum(case when reports.is_used and reports.flow = 'X' then 1 else 0 end) as export_report_used,
        sum(case when not reports.is_used then 1 else 0 end) as export_report_unused,
        sum(case when reports.is_used and reports.needs_conversion then 1 else 0 end) as converted,
        sum(case
            when reports.is_used and reports.needs_conversion and conversion_sources.from_code is null then 1
            else 0
        end) as unconvertible,
        sum(case
            when
                reports.is_used
                and converted_reporters.reporter_code is null
                and {{ is_ghost_flow('reports.value_usd') }} then 1
            else 0
        end) as ghost_flow
    from reports
    left join conversion_sources
        on reports.hs_revision = conversion_sources.from_revision
        and reports.cmd_code = conversion_sources.from_code
    left join converted_reporters
        on reports.year = converted_reporters.year
        and reports.flow = converted_reporters.flow
        and reports.reporter_code = converted_reporters.reporter_code
    group by reports.year
),

unallocated_counts as (
    select
        year,
        sum(case when flow = 'M' then 1 else 0 end) as unallocated_import,
        sum(case when flow = 'X' then 1 else 0 end) as unallocated_export_unused
    from unallocated
    group by year
),

ghost_counts as (
    select year, count(*) as ghost_flow
    from converted_flows
    where is_ghost
    group by year
),

flow_counts as (
    select
        year,
        count(*) as flow,
        sum(case when is_mirror then 1 else 0 end) as mirrored
    from flows
    group by year
),

counts as (
    {{ counts_by_rule('report_counts', {
        'report': 'row',
        'import_report': 'row',
        'export_report_used': 'row',
        'export_report_unused': 'row',
        'converted': 'row',
        'unconvertible': 'row',
        'ghost_flow': 'flow',
    }) }}
    union all
    {{ counts_by_rule('unallocated_counts', {'unallocated_import': 'row', 'unallocated_export_unused': 'row'}) }}
    union all
    {{ counts_by_rule('flow_counts', {'flow': 'flow', 'mirrored': 'flow'}) }}
    union all
    {{ counts_by_rule('ghost_counts', {'ghost_flow': 'flow'}) }}
)

select
    year,
    rule,
    unit,
    cast(sum(n) as bigint) as n
from counts
group by year, rule, unit
