with supplies as (
    select * from {{ ref('int_political_supplies') }} where {{ in_build_year() }}
),

countries as (
    select * from {{ ref('stg_countries') }}
),

imports as (
    select year, importer_code, {{ exact_sum('import_value_usd') }} as total_usd
    from supplies
    group by year, importer_code
),

summed as (
    select
        year,
        importer_code,
        exporter_code,
        max(distance) as distance,
        max(closeness) as closeness,
        {{ political_sums() }}
    from supplies
    group by year, importer_code, exporter_code
)

select
    summed.year,
    summed.importer_code,
    importers.iso3 as importer_iso3,
    importers.name as importer_name,
    summed.exporter_code,
    exporters.iso3 as exporter_iso3,
    exporters.name as exporter_name,
    summed.import_value_usd,
    summed.import_value_usd / imports.total_usd as share,
    summed.distance,
    summed.closeness,
    {{ political_risks('summed', 'imports.total_usd') }}
from summed
inner join imports on summed.year = imports.year and summed.importer_code = imports.importer_code
left join countries as importers on summed.importer_code = importers.country_code
left join countries as exporters on summed.exporter_code = exporters.country_code
