-- ECI is the mean of PCI over the goods that the country exports with an advantage.
with countries as (
    select * from {{ ref('economic_complexity') }} where {{ in_years_of_run() }}
),

goods as (
    select * from {{ ref('product_complexity') }} where {{ in_years_of_run() }}
),

pairs as (
    select * from {{ ref('product_space') }} where {{ in_years_of_run() }}
),

means as (
    select pairs.year, pairs.country_code, avg(goods.pci) as mean_pci
    from pairs
    inner join goods on pairs.year = goods.year and pairs.hs6 = goods.hs6
    where {{ comparable('pairs.rca') }} >= 1
    group by pairs.year, pairs.country_code
)

select countries.year, countries.country_code, countries.eci, means.mean_pci
from countries
left join means on countries.year = means.year and countries.country_code = means.country_code
where
    abs(countries.eci - means.mean_pci) > 0.000000001
    or (countries.eci is null and means.mean_pci is not null)
    or (countries.eci is not null and means.mean_pci is null)
