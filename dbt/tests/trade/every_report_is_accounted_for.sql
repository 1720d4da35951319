-- Landed reports = import reports + export reports used + export reports not needed, per year.
select
    year,
    sum(case when rule = 'report' then n else 0 end) as landed,
    sum(case when rule in ('import_report', 'export_report_used', 'export_report_unused') then n else 0 end) as accounted_for
from {{ ref('int_flow_accounting') }}
group by year
having
    sum(case when rule = 'report' then n else 0 end)
    <> sum(case when rule in ('import_report', 'export_report_used', 'export_report_unused') then n else 0 end)
