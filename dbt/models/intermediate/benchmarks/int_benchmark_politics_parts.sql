with exposures as (
    {{ if_built(ref('political_exposure')) }}
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
