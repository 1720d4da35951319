with supplies as (
    select * from {{ ref('int_political_supplies') }} where {{ in_build_year() }}
),

points as (
    select * from {{ ref('int_political_points') }} where {{ in_build_year() }}
),

countries as (
    select * from {{ ref('stg_countries') }}
),

{{ political_measured(['year', 'importer_code']) }}

select
    measured.year,
    measured.importer_code,
    countries.iso3 as importer_iso3,
    countries.name as importer_name,
    points.ideal_point,
    points.ideal_point_year,
    {{ political_exposure_columns('measured.year') }}
from measured
left join countries on measured.importer_code = countries.country_code
left join points on measured.year = points.year and countries.iso3 = points.iso3
