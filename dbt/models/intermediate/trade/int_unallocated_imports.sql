with unallocated as (
    select *
    from {{ ref('stg_trade_unallocated') }}
    where {{ in_build_year() }} and flow = 'M'
),

conversion as (
    select * from {{ ref('stg_hs_conversion') }}
),

base_revision as (
    select max(hs_revision) as hs_revision from {{ ref('stg_products') }}
),

reports as (
    select *, {{ needs_conversion() }} as needs_conversion
    from unallocated
),

parts as (
    select year, reporter_code, cmd_code as hs6, value_usd
    from reports
    where not needs_conversion
    union all
    select reports.year, reports.reporter_code, conversion.hs6, reports.value_usd * conversion.weight as value_usd
    from reports
    inner join conversion
        on reports.hs_revision = conversion.from_revision
        and reports.cmd_code = conversion.from_code
    where reports.needs_conversion
)

select
    year,
    reporter_code as importer_code,
    hs6,
    {{ exact_sum('value_usd') }} as unallocated_value_usd
from parts
group by year, reporter_code, hs6
