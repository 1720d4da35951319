select
    source,
    hts8,
    list_id,
    vintage,
    imports_2017_usd
from {{ source('landing_tariffs', 'tariff_lists') }}
where list_id in ('1', '2', '3', '4', '4A', '4B')
