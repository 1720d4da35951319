with flows as (
    select * from {{ ref('int_trade_flows') }} where {{ in_build_year() }}
),

exporter_products as (
    select * from {{ ref('int_exporter_products') }} where {{ in_build_year() }}
),

unallocated_imports as (
    select * from {{ ref('int_unallocated_imports') }} where {{ in_build_year() }}
),

reporting_importers as (
    select * from {{ ref('int_reporting_importers') }} where {{ in_build_year() }}
),

members as (
    select country_code from {{ ref('countries') }} where is_eu27
),

-- Flows between two members, and between two others, are not the union's.
crossing as (
    select
        flows.year,
        flows.hs6,
        exporters.country_code is not null as is_export,
        case when exporters.country_code is null then flows.exporter_code else flows.importer_code end as partner_code,
        flows.value_usd
    from flows
    left join members as exporters on flows.exporter_code = exporters.country_code
    left join members as importers on flows.importer_code = importers.country_code
    where (exporters.country_code is null) <> (importers.country_code is null)
),

purchases as (
    select
        year,
        partner_code as exporter_code,
        {{ european_union() }} as importer_code,
        hs6,
        {{ exact_sum('value_usd') }} as value_usd
    from crossing
    where not is_export
    group by year, partner_code, hs6
),

imports as (
    {{ concentration_of_imports('purchases') }}
),

unallocated as (
    select
        unallocated_imports.year,
        unallocated_imports.hs6,
        {{ exact_sum('unallocated_imports.unallocated_value_usd') }} as unallocated_value_usd
    from unallocated_imports
    inner join members on unallocated_imports.importer_code = members.country_code
    group by unallocated_imports.year, unallocated_imports.hs6
),

reported as (
    select distinct reporting_importers.year
    from reporting_importers
    inner join members on reporting_importers.importer_code = members.country_code
),

exports as (
    select year, hs6, {{ exact_sum('value_usd') }} as export_value_usd
    from crossing
    where is_export
    group by year, hs6
),

others as (
    select
        exporter_products.year,
        exporter_products.hs6,
        {{ comparable_usd('exporter_products.export_value_usd') }} as compared_usd
    from exporter_products
    left join members on exporter_products.exporter_code = members.country_code
    where members.country_code is null
),

-- The union's place among the countries outside of it.
placed as (
    select
        exports.year,
        exports.hs6,
        max(exports.export_value_usd) as export_value_usd,
        1 + count(others.hs6) as export_rank
    from exports
    left join others
        on exports.year = others.year
        and exports.hs6 = others.hs6
        and others.compared_usd > {{ comparable_usd('exports.export_value_usd') }}
    group by exports.year, exports.hs6
),

goods as (
    select year, hs6 from imports
    union
    select year, hs6 from placed
)

select
    goods.year,
    {{ european_union() }} as union_code,
    goods.hs6,
    imports.n_suppliers,
    imports.import_value_usd,
    imports.import_hhi,
    imports.top_supplier_code,
    imports.top_supplier_share,
    case when imports.hs6 is not null then coalesce(unallocated.unallocated_value_usd, 0) end as unallocated_value_usd,
    reported.year is null as is_mirror,
    placed.export_value_usd,
    placed.export_rank
from goods
left join imports on goods.year = imports.year and goods.hs6 = imports.hs6
left join unallocated on goods.year = unallocated.year and goods.hs6 = unallocated.hs6
left join placed on goods.year = placed.year and goods.hs6 = placed.hs6
left join reported on goods.year = reported.year
