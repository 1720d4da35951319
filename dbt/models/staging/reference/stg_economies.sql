with countries as (
    select * from {{ ref('stg_countries') }}
)

select
    country_code as economy_code,
    iso2,
    iso3,
    name,
    {{ economy_kind('country_code') }} as economy_kind
from countries
where country_code <> {{ european_union() }}
union all
select
    {{ european_union() }} as economy_code,
    'EU' as iso2,
    'EUR' as iso3,
    'European Union (27)' as name,
    {{ economy_kind(european_union()) }} as economy_kind
