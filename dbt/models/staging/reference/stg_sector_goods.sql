with products as (
    select * from {{ ref('stg_products') }}
),

sectors as (
    select * from {{ ref('price_sectors') }}
),

base_revision as (
    select max(hs_revision) as hs_revision from products
)

select
    sectors.sector_id,
    sectors.hs6,
    coalesce(sectors.from_year, 0) as from_year
from sectors
inner join base_revision on sectors.hs_revision = base_revision.hs_revision
