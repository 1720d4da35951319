with countries as (
    select * from {{ ref('stg_countries') }}
)

select
    country_code as exporter_code,
    iso3 as exporter_iso3,
    {{ shock_cut() }} as cut
from countries
where {{ is_shock_exporter('country_code') }}
