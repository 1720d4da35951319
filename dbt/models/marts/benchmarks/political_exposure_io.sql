{{ config(materialized='table') }}

with supplies as (
    select * from {{ ref('int_political_io_supplies') }}
),

summed as (
    select
        edition,
        year,
        importer_iso3,
        max(ideal_point) as ideal_point,
        max(ideal_point_year) as ideal_point_year,
        {{ political_sums_by_closeness('exporter_iso3') }}
    from supplies
    group by edition, year, importer_iso3
),

measured as (
    select
        summed.edition,
        summed.year,
        summed.importer_iso3,
        summed.ideal_point,
        summed.ideal_point_year,
        summed.import_value_usd,
        summed.n_suppliers,
        {{ political_risks('summed', 'summed.import_value_usd') }},
        {{ political_ratios('summed') }}
    from summed
)

select
    *,
    {{ political_rank('risk_econ', 'edition, year') }} as rank_risk_econ,
    {{ political_rank('risk_pol', 'edition, year') }} as rank_risk_pol,
    {{ political_rank('risk_pol_own', 'edition, year') }} as rank_risk_pol_own
from measured
