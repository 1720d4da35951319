with supplies as (
    select * from {{ ref('int_political_supplies') }} where {{ in_build_year() }}
),

points as (
    select * from {{ ref('int_political_points') }} where {{ in_build_year() }}
),

countries as (
    select * from {{ ref('stg_countries') }}
),

summed as (
    select year, importer_code, {{ political_sums_by_closeness() }}
    from supplies
    group by year, importer_code
),

measured as (
    select
        summed.year,
        summed.importer_code,
        summed.import_value_usd,
        summed.n_suppliers,
        {{ political_risks('summed', 'summed.import_value_usd') }},
        {{ political_ratios('summed') }}
    from summed
)

select
    measured.year,
    measured.importer_code,
    countries.iso3 as importer_iso3,
    countries.name as importer_name,
    points.ideal_point,
    points.ideal_point_year,
    measured.import_value_usd,
    measured.n_suppliers,
    measured.risk_econ,
    measured.risk_distance,
    measured.risk_distance_own,
    measured.risk_capability,
    measured.risk_pol,
    measured.risk_pol_own,
    measured.distance_ratio,
    measured.distance_ratio_own,
    measured.pol_ratio,
    measured.pol_ratio_own,
    measured.share_close,
    measured.share_middle,
    measured.share_distant,
    measured.share_unscored,
    measured.mean_distance,
    measured.geopolitical_distance_10,
    {{ political_rank('measured.risk_econ', 'measured.year') }} as rank_risk_econ,
    {{ political_rank('measured.risk_pol', 'measured.year') }} as rank_risk_pol,
    {{ political_rank('measured.risk_pol_own', 'measured.year') }} as rank_risk_pol_own
from measured
left join countries on measured.importer_code = countries.country_code
left join points on measured.year = points.year and countries.iso3 = points.iso3
