{{ config(materialized='table') }}

-- Over all years, and of each row no more than its key and its category.
with goods as (
    select year, importer_code, hs6, category
    from {{ ref('import_vulnerability') }}
    where in_scope
),

products as (
    select * from {{ ref('stg_products') }}
),

economies as (
    select * from {{ ref('stg_economies') }}
),

compared as (
    select
        *,
        lag(category) over (partition by importer_code, hs6 order by year nulls last) as category_before
    from goods
),

summed as (
    select
        importer_code,
        hs6,
        {{ dbt.listagg(
            "cast(year as string) || ':' || cast(category as string)", "', '", 'order by year nulls last'
        ) }} as categories,
        count(*) as n_years,
        min(year) as first_year,
        max(year) as last_year,
        count(case when category = 1 then 1 end) as n_years_category1,
        min(case when category = 1 then year end) as first_year_category1,
        max(case when category = 1 then year end) as last_year_category1,
        count(case when category <> category_before then 1 end) as n_changes
    from compared
    group by importer_code, hs6
)

select
    summed.importer_code,
    economies.iso3 as importer_iso3,
    economies.name as importer_name,
    {{ economy_kind('summed.importer_code') }} as economy_kind,
    summed.hs6,
    products.hs6_name,
    summed.categories,
    summed.n_years,
    summed.first_year,
    summed.last_year,
    summed.n_years_category1,
    summed.first_year_category1,
    summed.last_year_category1,
    summed.n_changes
from summed
left join products on summed.hs6 = products.hs6
left join economies on summed.importer_code = economies.economy_code
