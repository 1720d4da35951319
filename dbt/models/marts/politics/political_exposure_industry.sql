with supplies as (
    select * from {{ ref('int_political_supplies') }} where {{ in_build_year() }}
),

chapters as (
    select * from {{ ref('hs2_chapters') }}
),

countries as (
    select * from {{ ref('stg_countries') }}
),

{{ political_measured(['year', 'importer_code', 'hs2']) }}

select
    measured.year,
    measured.importer_code,
    countries.iso3 as importer_iso3,
    countries.name as importer_name,
    measured.hs2,
    chapters.hs2_name,
    {{ political_exposure_columns('measured.year, measured.hs2') }}
from measured
left join chapters on measured.hs2 = chapters.hs2
left join countries on measured.importer_code = countries.country_code
