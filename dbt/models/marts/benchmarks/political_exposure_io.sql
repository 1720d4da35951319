{{ config(materialized='table') }}

with supplies as (
    select * from {{ ref('int_political_io_supplies') }}
),

{{ political_measured(
    ['edition', 'year', 'importer_iso3'],
    'exporter_iso3',
    'max(ideal_point) as ideal_point, max(ideal_point_year) as ideal_point_year, '
) }}

select
    measured.edition,
    measured.year,
    measured.importer_iso3,
    measured.ideal_point,
    measured.ideal_point_year,
    {{ political_exposure_columns('measured.edition, measured.year') }}
from measured
