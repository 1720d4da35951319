with trade as (
    {{ if_built(ref('political_exposure')) }}
),

suppliers as (
    select * from {{ ref('int_political_io_supplies') }}
),

complete_years as (
    select year from {{ ref('int_benchmark_coverage') }} where needs = 'all_countries' and is_covered
),

editions as (
    select edition, year, count(distinct importer_iso3) as n_countries
    from suppliers
    group by edition, year
),

widest as (
    select edition, year
    from (
        select
            edition,
            year,
            row_number() over (
                partition by year order by n_countries desc nulls last, edition nulls last
            ) as place
        from editions
    ) as ranked
    where place = 1
),

summed as (
    select suppliers.year, suppliers.importer_iso3, {{ political_sums() }}
    from suppliers
    inner join widest on suppliers.edition = widest.edition and suppliers.year = widest.year
    where suppliers.importer_iso3 in ('CHN', 'USA')
    group by suppliers.year, suppliers.importer_iso3
),

-- Goods where all countries' trade is loaded, sectors of the widest table elsewhere.
exposures as (
    select
        trade.year,
        trade.importer_iso3,
        trade.risk_econ,
        trade.risk_distance,
        trade.risk_distance_own,
        trade.pol_ratio,
        trade.pol_ratio_own
    from trade
    inner join complete_years on trade.year = complete_years.year
    union all
    select
        summed.year,
        summed.importer_iso3,
        summed.econ_usd / summed.import_value_usd,
        summed.distance_usd / summed.import_value_usd,
        summed.distance_own_usd / summed.import_value_usd,
        summed.pol_usd / summed.capability_usd,
        summed.pol_own_usd / summed.capability_usd
    from summed
    left join complete_years on summed.year = complete_years.year
    where complete_years.year is null
),

sides as (
    select
        year,
        max(case when importer_iso3 = 'CHN' then {{ comparable('risk_econ') }} end) as china_econ,
        max(case when importer_iso3 = 'USA' then {{ comparable('risk_econ') }} end) as usa_econ,
        max(case when importer_iso3 = 'CHN' then {{ comparable('risk_distance') }} end) as china_distance,
        max(case when importer_iso3 = 'USA' then {{ comparable('risk_distance') }} end) as usa_distance,
        max(case when importer_iso3 = 'CHN' then {{ comparable('risk_distance_own') }} end) as china_distance_own,
        max(case when importer_iso3 = 'USA' then {{ comparable('risk_distance_own') }} end) as usa_distance_own,
        max(case when importer_iso3 = 'USA' then pol_ratio end) as usa_pol_ratio,
        max(case when importer_iso3 = 'USA' then pol_ratio_own end) as usa_pol_ratio_own
    from exposures
    group by year
),

orders as (
    select
        year,
        case when china_econ < usa_econ then 1 when china_econ >= usa_econ then 0 end as econ_order,
        case when china_distance > usa_distance then 1 when china_distance <= usa_distance then 0 end as plain_order,
        case
            when china_distance_own > usa_distance_own then 1 when china_distance_own <= usa_distance_own then 0
        end as own_order,
        usa_pol_ratio,
        usa_pol_ratio_own
    from sides
),

parts as (
    {{ benchmark_parts('orders', [
        ('xu_risk_econ_order', 'econ_order', 1),
        ('xu_risk_pol_order_plain', 'plain_order', 1),
        ('xu_risk_pol_order_own', 'own_order', 1),
        ('xu_risk_us_unchanged_plain', 'usa_pol_ratio', 1),
        ('xu_risk_us_unchanged_own', 'usa_pol_ratio_own', 1),
    ]) }}
)

select
    cast(benchmark_id as string) as benchmark_id,
    cast(year as integer) as year,
    cast(numerator as double) as numerator,
    cast(denominator as double) as denominator,
    cast(computed_text as string) as computed_text
from parts
