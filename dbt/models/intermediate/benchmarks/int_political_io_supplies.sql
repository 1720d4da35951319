with supplies as (
    {{ if_built(ref('int_io_supplies')) }}
),

years as (
    {{ if_built(ref('int_political_years')) }}
),

points as (
    {{ if_built(ref('int_political_points')) }}
),

-- What an earlier run left of a dataset that is off does not count.
datasets as (
    select count(*) as n_on from {{ ref('stg_inputs') }} where dataset in ('chains', 'politics')
),

bought as (
    select
        edition,
        year,
        importer_iso3,
        sector,
        {{ exact_sum('value_usd') }} as bought_usd
    from supplies
    group by edition, year, importer_iso3, sector
),

sold as (
    select
        edition,
        year,
        exporter_iso3,
        sector,
        {{ exact_sum('value_usd') }} as sold_usd
    from supplies
    group by edition, year, exporter_iso3, sector
),

world as (
    select edition, year, sector, {{ exact_sum('sold_usd') }} / count(*) as mean_sold_usd
    from sold
    group by edition, year, sector
),

goods as (
    select
        supplies.edition,
        supplies.year,
        supplies.importer_iso3,
        supplies.exporter_iso3,
        supplies.value_usd,
        supplies.value_usd * supplies.value_usd / bought.bought_usd as squared_usd,
        sold.sold_usd / world.mean_sold_usd as capability
    from supplies
    inner join bought
        on supplies.edition = bought.edition
        and supplies.year = bought.year
        and supplies.importer_iso3 = bought.importer_iso3
        and supplies.sector = bought.sector
    inner join sold
        on supplies.edition = sold.edition
        and supplies.year = sold.year
        and supplies.exporter_iso3 = sold.exporter_iso3
        and supplies.sector = sold.sector
    inner join world
        on supplies.edition = world.edition and supplies.year = world.year and supplies.sector = world.sector
),

pairs as (
    select
        edition,
        year,
        importer_iso3,
        exporter_iso3,
        {{ exact_sum('value_usd') }} as import_value_usd,
        {{ exact_sum('squared_usd') }} as squared_usd,
        {{ exact_sum('squared_usd * capability') }} as capable_usd
    from goods
    group by edition, year, importer_iso3, exporter_iso3
),

paired as (
    select
        pairs.*,
        importers.ideal_point,
        importers.ideal_point_year,
        {{ political_pair() }}
    from pairs
    inner join years on pairs.year = years.year
    inner join datasets on datasets.n_on = 2
    left join points as importers on pairs.year = importers.year and pairs.importer_iso3 = importers.iso3
    left join points as exporters on pairs.year = exporters.year and pairs.exporter_iso3 = exporters.iso3
)

select
    edition,
    year,
    importer_iso3,
    exporter_iso3,
    ideal_point,
    ideal_point_year,
    import_value_usd,
    squared_usd,
    capable_usd,
    {{ political_distances() }}
from paired
