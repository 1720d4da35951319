with products as (
    select *, {{ is_in_scope('hs6') }} as in_scope
    from {{ ref('stg_products') }}
),

chapters as (
    select * from {{ ref('hs2_chapters') }}
),

sections as (
    select * from {{ ref('hs_sections') }}
)

select
    products.hs6,
    products.hs6_name,
    substr(products.hs6, 1, 4) as hs4,
    products.hs2,
    chapters.hs2_name,
    sections.hs_section,
    sections.hs_section_name,
    products.bec4,
    {{ bec_class('products.bec4') }} as bec4_end_use,
    products.bec5,
    products.in_scope,
    '{{ var("product_scope") }}' as product_scope,
    products.hs_revision
from products
left join chapters on products.hs2 = chapters.hs2
left join sections on products.hs2 between sections.first_hs2 and sections.last_hs2
