-- Landed reports = import reports + export reports used + export reports not used, per year.
with counted as (
    select
        year,
        sum(case when rule = 'report' then n else 0 end) as landed,
        sum(case when rule in ('import_report', 'export_report_used', 'export_report_unused') then n else 0 end)
            as accounted_for
    from {{ ref('int_flow_accounting') }}
    group by year
)

select * from counted where landed <> accounted_for
