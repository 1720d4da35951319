-- The shares of every product and year sum to 1.
with sums as (
    select year, product_level, product_code, {{ exact_sum('value_share', bits=100) }} as share
    from {{ ref('supply_share') }}
    group by year, product_level, product_code
)

select * from sums where abs(share - 1) > 0.000000001
