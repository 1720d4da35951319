with products as (
    select * from {{ ref('stg_products') }}
),

chapters as (
    select * from {{ ref('hs2_chapters') }}
),

sectors as (
    select * from {{ ref('price_sectors') }}
),

base_revision as (
    select max(hs_revision) as hs_revision from products
)

select 'hs6' as product_level, hs6 as product_code, hs6_name as product_name, cast(null as string) as note
from products
union all
select 'hs2' as product_level, hs2 as product_code, hs2_name as product_name, cast(null as string) as note
from chapters
union all
select
    'sector' as product_level,
    sectors.sector_id as product_code,
    max(sectors.name) as product_name,
    max(sectors.note) as note
from sectors
inner join base_revision on sectors.hs_revision = base_revision.hs_revision
group by sectors.sector_id
