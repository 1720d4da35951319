with goods as (
    select * from {{ ref('int_product_centrality') }} where {{ in_build_year() }}
),

complexities as (
    select * from {{ ref('int_product_complexity') }} where {{ in_build_year() }}
),

-- Goods without an index have no rank.
ranked as (
    select
        year,
        hs6,
        cast(rank() over (partition by year order by {{ comparable('pci') }} desc nulls last) as bigint) as pci_rank
    from complexities
    where pci is not null
)

select
    complexities.year,
    complexities.hs6,
    goods.hs6_name,
    goods.in_scope,
    complexities.pci,
    ranked.pci_rank,
    complexities.ubiquity
from complexities
inner join goods on complexities.year = goods.year and complexities.hs6 = goods.hs6
left join ranked on complexities.year = ranked.year and complexities.hs6 = ranked.hs6
