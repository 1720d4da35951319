with headings as (
    select * from {{ source('landing_tariffs', 'tariff_headings') }}
)

select
    heading,
    description,
    general_rate,
    case when not is_suspended then additional_duty end as additional_duty,
    is_suspended,
    release
from headings
where edition = (select max(edition) from headings)
