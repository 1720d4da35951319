with flows as (
    select * from {{ ref('int_trade_flows') }} where {{ in_build_year() }}
),

importer_products as (
    select * from {{ ref('int_importer_products') }} where {{ in_build_year() }}
),

shares as (
    select
        flows.year,
        flows.exporter_code,
        flows.hs6,
        flows.value_usd,
        flows.value_usd / importer_products.import_value_usd as supply_share,
        importer_products.n_suppliers
    from flows
    inner join importer_products
        on flows.year = importer_products.year
        and flows.importer_code = importer_products.importer_code
        and flows.hs6 = importer_products.hs6
),

summed as (
    select
        year,
        exporter_code,
        hs6,
        count(*) as n_importers,
        {{ exact_sum('value_usd') }} as export_value_usd,
        {{ exact_sum('supply_share * n_suppliers', bits=100) }} as sum_relative_to_mean_supplier,
        {{ exact_sum('supply_share', bits=100) }} as sum_supply_share
    from shares
    group by year, exporter_code, hs6
)

select
    year,
    exporter_code,
    hs6,
    n_importers,
    export_value_usd,
    sum_relative_to_mean_supplier,
    sum_supply_share,
    cast(
        rank() over (
            partition by year, hs6 order by {{ comparable_usd('export_value_usd') }} desc nulls last
        ) as bigint
    ) as export_rank
from summed
