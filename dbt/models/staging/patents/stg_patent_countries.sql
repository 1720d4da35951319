-- Comtrade's list has several codes for some countries: expired ones, and narrower definitions with a lower number.
with areas as (
    select
        iso2,
        iso3,
        name,
        row_number() over (
            partition by iso2
            order by case when valid_to is null then 0 else 1 end nulls last, country_code desc nulls last
        ) as place
    from {{ source('landing_reference', 'countries') }}
    where is_country and iso2 is not null and iso2 <> ''
)

select
    iso2 as country_iso2,
    iso3 as country_iso3,
    name as country_name
from areas
where place = 1
