with suppliers as (
    select * from {{ ref('int_io_suppliers') }} where {{ in_build_year() }}
),

tables as (
    select * from {{ ref('stg_io_tables') }} where {{ in_build_year() }}
)

select
    suppliers.edition,
    suppliers.year,
    suppliers.exporter_iso3,
    suppliers.country_iso3,
    suppliers.sector,
    suppliers.face_value_share,
    suppliers.lookthrough_share,
    tables.is_complete
from suppliers
inner join tables on suppliers.edition = tables.edition and suppliers.year = tables.year
