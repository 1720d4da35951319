with flows as (
    select * from {{ ref('int_trade_flows') }} where {{ in_build_year() }}
),

summed as (
    select
        year,
        importer_code,
        hs6,
        count(*) as n_suppliers,
        {{ exact_sum('value_usd') }} as import_value_usd,
        {{ exact_sum_of_squares('value_usd') }} as sum_of_squares,
        {{ code_of_largest('exporter_code', 'value_usd') }} as top_supplier_code,
        max(value_usd) as top_supplier_value_usd
    from flows
    group by year, importer_code, hs6
)

select
    year,
    importer_code,
    hs6,
    n_suppliers,
    import_value_usd,
    sum_of_squares / (import_value_usd * import_value_usd) as import_hhi,
    top_supplier_code,
    top_supplier_value_usd / import_value_usd as top_supplier_share
from summed
