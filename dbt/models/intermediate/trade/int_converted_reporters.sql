with reports as (
    select * from {{ ref('int_trade_reports') }} where {{ in_build_year() }}
)

select distinct year, flow, reporter_code
from reports
where is_used and needs_conversion
