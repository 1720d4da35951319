with flows as (
    select * from {{ ref('int_trade_flows') }} where {{ in_build_year() }}
),

scenario_goods as (
    select * from {{ ref('int_scenario_goods') }} where {{ in_build_year() }}
),

exporter_products as (
    select * from {{ ref('int_exporter_products') }} where {{ in_build_year() }}
),

importer_products as (
    select * from {{ ref('int_importer_products') }} where {{ in_build_year() }}
),

-- Per good: what all importers lose of it, and what the other exporters sell.
pools as (
    select
        scenario_goods.year,
        scenario_goods.scenario_id,
        scenario_goods.hs6,
        scenario_goods.cut * {{ exact_sum("case when exporter_products.exporter_code = scenario_goods.exporter_code
            then exporter_products.export_value_usd else 0 end") }} as all_lost_usd,
        scenario_goods.spare_capacity * {{ exact_sum("case when exporter_products.exporter_code
            <> scenario_goods.exporter_code then exporter_products.export_value_usd else 0 end") }} as pool_usd
    from scenario_goods
    inner join exporter_products
        on scenario_goods.year = exporter_products.year and scenario_goods.hs6 = exporter_products.hs6
    group by
        scenario_goods.year,
        scenario_goods.scenario_id,
        scenario_goods.hs6,
        scenario_goods.cut,
        scenario_goods.spare_capacity
),

losses as (
    select
        scenario_goods.year,
        scenario_goods.scenario_id,
        scenario_goods.title,
        flows.exporter_code,
        flows.exporter_iso3,
        flows.exporter_name,
        flows.importer_code,
        flows.importer_iso3,
        flows.importer_name,
        flows.value_usd as exposed_usd,
        scenario_goods.cut * flows.value_usd as lost_usd,
        least(1.0, pools.pool_usd / pools.all_lost_usd) as replaceable_share
    from scenario_goods
    inner join flows
        on scenario_goods.year = flows.year
        and scenario_goods.exporter_code = flows.exporter_code
        and scenario_goods.hs6 = flows.hs6
    inner join pools
        on scenario_goods.year = pools.year
        and scenario_goods.scenario_id = pools.scenario_id
        and scenario_goods.hs6 = pools.hs6
),

summed as (
    select
        year,
        scenario_id,
        title,
        exporter_code,
        exporter_iso3,
        exporter_name,
        importer_code,
        importer_iso3,
        importer_name,
        count(*) as n_goods,
        cast(sum(case when {{ comparable('replaceable_share') }} < 0.5 then 1 else 0 end) as bigint) as n_irreplaceable,
        {{ exact_sum('exposed_usd') }} as exposed_value_usd,
        {{ exact_sum('lost_usd') }} as loss_usd,
        {{ exact_sum('lost_usd * (1 - replaceable_share)') }} as shortfall_usd
    from losses
    group by
        year,
        scenario_id,
        title,
        exporter_code,
        exporter_iso3,
        exporter_name,
        importer_code,
        importer_iso3,
        importer_name
),

imports as (
    select
        scenario_goods.year,
        scenario_goods.scenario_id,
        importer_products.importer_code,
        {{ exact_sum('importer_products.import_value_usd') }} as import_value_usd
    from scenario_goods
    inner join importer_products
        on scenario_goods.year = importer_products.year and scenario_goods.hs6 = importer_products.hs6
    group by scenario_goods.year, scenario_goods.scenario_id, importer_products.importer_code
)

select
    summed.year,
    summed.scenario_id,
    summed.title,
    summed.exporter_code,
    summed.exporter_iso3,
    summed.exporter_name,
    summed.importer_code,
    summed.importer_iso3,
    summed.importer_name,
    summed.n_goods,
    summed.n_irreplaceable,
    summed.exposed_value_usd,
    summed.loss_usd,
    imports.import_value_usd,
    summed.loss_usd / imports.import_value_usd as loss_share,
    summed.shortfall_usd,
    1 - summed.shortfall_usd / summed.loss_usd as replaceable_share
from summed
inner join imports
    on summed.year = imports.year
    and summed.scenario_id = imports.scenario_id
    and summed.importer_code = imports.importer_code
