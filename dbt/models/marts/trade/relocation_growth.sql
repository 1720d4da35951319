{{ config(materialized='table') }}

with loaded_years as (
    select distinct year from {{ ref('int_year_settings') }}
),

goods as (
    select * from {{ ref('int_relocation_goods') }}
),

pairs as (
    select * from {{ ref('stg_relocation_pairs') }}
),

importer_products as (
    select * from {{ ref('int_importer_products') }}
),

countries as (
    select * from {{ ref('stg_countries') }}
),

following_years as (
    select year as year_from, lead(year) over (order by year nulls last) as year_to
    from loaded_years
),

-- Of two loaded years, the step from the first to the last is the one from year to year.
steps as (
    select year_from, year_to
    from following_years
    where year_to is not null
    union
    select min(year) as year_from, max(year) as year_to
    from loaded_years
    having min(year) < max(year)
),

ends as (
    select
        steps.year_from,
        steps.year_to,
        goods.exporter_code,
        goods.importer_code,
        goods.hs6,
        goods.bec_class,
        goods.value_usd as value_from_usd,
        cast(null as double) as value_to_usd
    from steps
    inner join goods on steps.year_from = goods.year
    union all
    select
        steps.year_from,
        steps.year_to,
        goods.exporter_code,
        goods.importer_code,
        goods.hs6,
        goods.bec_class,
        cast(null as double) as value_from_usd,
        goods.value_usd as value_to_usd
    from steps
    inner join goods on steps.year_to = goods.year
),

changes as (
    select
        year_from,
        year_to,
        exporter_code,
        importer_code,
        hs6,
        bec_class,
        max(value_from_usd) as value_from_usd,
        max(value_to_usd) as value_to_usd
    from ends
    group by year_from, year_to, exporter_code, importer_code, hs6, bec_class
),

importers as (
    select distinct importer_code from pairs
),

-- What the importer bought of anybody: of others, where the pair does not trade the good.
bought as (
    select importer_products.year, importer_products.importer_code, importer_products.hs6
    from importer_products
    inner join importers on importer_products.importer_code = importers.importer_code
),

margins as (
    select
        changes.year_from,
        changes.year_to,
        changes.exporter_code,
        changes.importer_code,
        changes.bec_class,
        case
            when changes.value_from_usd is not null and changes.value_to_usd is not null then 'continuing'
            when changes.value_from_usd is null and bought_from.hs6 is not null then 'entry_supplier'
            when changes.value_from_usd is null then 'entry_product'
            when bought_to.hs6 is not null then 'exit_supplier'
            else 'exit_product'
        end as margin,
        coalesce(changes.value_from_usd, 0) as value_from_usd,
        coalesce(changes.value_to_usd, 0) as value_to_usd
    from changes
    left join bought as bought_from
        on changes.year_from = bought_from.year
        and changes.importer_code = bought_from.importer_code
        and changes.hs6 = bought_from.hs6
    left join bought as bought_to
        on changes.year_to = bought_to.year
        and changes.importer_code = bought_to.importer_code
        and changes.hs6 = bought_to.hs6
),

summed as (
    select
        exporter_code,
        importer_code,
        year_from,
        year_to,
        bec_class,
        margin,
        count(*) as n_goods,
        {{ exact_sum('value_from_usd') }} as value_from_usd,
        {{ exact_sum('value_to_usd') }} as value_to_usd
    from margins
    group by exporter_code, importer_code, year_from, year_to, bec_class, margin
),

totals as (
    select exporter_code, importer_code, year_from, year_to, {{ exact_sum('value_from_usd') }} as pair_from_usd
    from margins
    group by exporter_code, importer_code, year_from, year_to
)

select
    summed.exporter_code,
    exporters.iso3 as exporter_iso3,
    exporters.name as exporter_name,
    summed.importer_code,
    importers.iso3 as importer_iso3,
    importers.name as importer_name,
    summed.year_from,
    summed.year_to,
    summed.bec_class,
    summed.margin,
    summed.n_goods,
    summed.value_from_usd,
    summed.value_to_usd,
    summed.value_to_usd - summed.value_from_usd as delta_usd,
    (summed.value_to_usd - summed.value_from_usd) / nullif(totals.pair_from_usd, 0) as contribution
from summed
inner join totals
    on summed.exporter_code = totals.exporter_code
    and summed.importer_code = totals.importer_code
    and summed.year_from = totals.year_from
    and summed.year_to = totals.year_to
left join countries as exporters on summed.exporter_code = exporters.country_code
left join countries as importers on summed.importer_code = importers.country_code
