with industries as (
    select * from {{ ref('shock_exposure_industry') }} where {{ in_build_year() }}
),

exposed as (
    select
        year,
        exporter_code,
        exporter_iso3,
        exporter_name,
        importer_code,
        importer_iso3,
        importer_name,
        {{ exact_sum('exposed_value_usd') }} as exposed_value_usd,
        cast(sum(n_goods) as bigint) as n_goods
    from industries
    group by year, exporter_code, exporter_iso3, exporter_name, importer_code, importer_iso3, importer_name
),

imports as (
    select year, importer_code, {{ exact_sum('exposed_value_usd') }} as import_value_usd
    from exposed
    group by year, importer_code
)

select
    exposed.year,
    exposed.exporter_code,
    exposed.exporter_iso3,
    exposed.exporter_name,
    exposed.importer_code,
    exposed.importer_iso3,
    exposed.importer_name,
    exposed.exposed_value_usd,
    exposed.n_goods,
    {{ shock_cut() }} as cut,
    {{ shock_cut() }} * exposed.exposed_value_usd as loss_usd,
    exposed.exposed_value_usd / nullif(imports.import_value_usd, 0) as exposure_share
from exposed
inner join imports on exposed.year = imports.year and exposed.importer_code = imports.importer_code
