-- The rows of every importer's good sum to its imports and its suppliers (as in import_vulnerability); rank 1 is first.
with goods as (
    select
        year,
        importer_code,
        hs6,
        count(*) as n_rows,
        max(supplier_rank) as last_rank,
        sum(n_suppliers) as n_suppliers,
        sum(value_usd) as value_usd,
        sum(share) as shares,
        max(case when supplier_rank = 1 then supplier_code end) as first_code
    from {{ ref('import_suppliers') }}
    where {{ in_years_of_run() }}
    group by year, importer_code, hs6
),

imports as (
    select * from {{ ref('int_importer_products') }} where {{ in_years_of_run() }}
)

select
    imports.year,
    imports.importer_code,
    imports.hs6,
    imports.import_value_usd,
    imports.n_suppliers as n_suppliers_of_import,
    imports.top_supplier_code,
    goods.value_usd,
    goods.n_suppliers,
    goods.first_code,
    goods.shares
from imports
left join goods
    on imports.year = goods.year and imports.importer_code = goods.importer_code and imports.hs6 = goods.hs6
where
    coalesce(abs(goods.value_usd / imports.import_value_usd - 1), 1) > 0.000000001
    or abs(goods.shares - 1) > 0.000000001
    or goods.n_suppliers <> imports.n_suppliers
    or goods.first_code <> imports.top_supplier_code
    or goods.n_rows <> goods.last_rank
