-- The regions' shares of every importer's group of goods are a whole, and the own region's is that of diversification.
with regions as (
    select
        year,
        importer_code,
        product_level,
        product_code,
        {{ exact_sum('import_share', bits=100) }} as shares,
        {{ exact_sum('case when is_own_region then import_share else 0 end', bits=100) }} as own_share
    from {{ ref('diversification_regions') }}
    where {{ in_years_of_run() }}
    group by year, importer_code, product_level, product_code
),

groups as (
    select * from {{ ref('diversification') }} where {{ in_years_of_run() }}
)

select
    groups.year,
    groups.importer_code,
    groups.product_level,
    groups.product_code,
    groups.own_region_share,
    regions.shares,
    regions.own_share
from groups
left join regions
    on groups.year = regions.year
    and groups.importer_code = regions.importer_code
    and groups.product_level = regions.product_level
    and groups.product_code = regions.product_code
where coalesce(abs(regions.shares - 1), 1) > 0.000000001
    or abs(regions.own_share - groups.own_region_share) > 0.000000001
