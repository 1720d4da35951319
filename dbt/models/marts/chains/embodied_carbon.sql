with outputs as (
    select * from {{ ref('stg_io_output') }} where {{ in_build_year() }}
),

sectors as (
    select * from {{ ref('int_io_sectors') }} where {{ in_build_year() }}
),

intensities as (
    select * from {{ ref('stg_io_emissions') }} where {{ in_build_year() }}
),

sources as (
    select * from {{ ref('int_io_carbon') }} where {{ in_build_year() }}
),

classes as (
    select * from {{ ref('sector_classes') }}
),

with_intensities as (
    select distinct edition, year from intensities
),

embodied as (
    select
        edition,
        year,
        country_iso3,
        sector,
        {{ exact_sum('kg_per_usd') }} as kg_per_usd,
        max(case when emitter_iso3 = country_iso3 then kg_per_usd end) as domestic_kg_per_usd,
        max(at_home_kg_per_usd) as at_home_kg_per_usd,
        max(coverage) as coverage
    from sources
    group by edition, year, country_iso3, sector
),

reasoned as (
    select
        outputs.edition,
        outputs.year,
        outputs.country_iso3,
        outputs.sector,
        outputs.is_complete,
        outputs.gross_output_usd,
        sectors.exports as exports_usd,
        intensities.kg_co2_per_usd,
        embodied.kg_per_usd,
        embodied.domestic_kg_per_usd,
        embodied.at_home_kg_per_usd,
        embodied.coverage,
        case
            when with_intensities.edition is null then 'no emission intensities for this table'
            when sectors.edition is null then 'the sector has no output'
            when intensities.kg_co2_per_usd is null then 'no emission intensity for this sector'
            when sectors.exports is null then 'the table does not say where products are finally used'
        end as reason
    from outputs
    left join sectors
        on outputs.edition = sectors.edition
        and outputs.year = sectors.year
        and outputs.country_iso3 = sectors.country_iso3
        and outputs.sector = sectors.sector
    left join intensities
        on outputs.edition = intensities.edition
        and outputs.year = intensities.year
        and outputs.country_iso3 = intensities.country_iso3
        and outputs.sector = intensities.sector
    left join embodied
        on outputs.edition = embodied.edition
        and outputs.year = embodied.year
        and outputs.country_iso3 = embodied.country_iso3
        and outputs.sector = embodied.sector
    left join with_intensities
        on outputs.edition = with_intensities.edition and outputs.year = with_intensities.year
)

select
    reasoned.edition,
    reasoned.year,
    reasoned.country_iso3,
    reasoned.sector,
    coalesce(classes.sector_class, 'none') as sector_class,
    reasoned.is_complete,
    reasoned.gross_output_usd,
    reasoned.exports_usd,
    reasoned.kg_co2_per_usd as intensity_kg_per_usd,
    case when reasoned.gross_output_usd > 0
        then reasoned.kg_co2_per_usd * reasoned.gross_output_usd / 1000
    end as emissions_t,
    case when reasoned.kg_co2_per_usd is not null then reasoned.kg_per_usd end as embodied_kg_per_usd,
    case when reasoned.reason is null
        then reasoned.kg_per_usd * reasoned.exports_usd / 1000
    end as embodied_carbon_t,
    case when reasoned.reason is null
        then reasoned.domestic_kg_per_usd * reasoned.exports_usd / 1000
    end as domestic_carbon_t,
    case when reasoned.reason is null
        then (reasoned.kg_per_usd - reasoned.domestic_kg_per_usd) * reasoned.exports_usd / 1000
    end as foreign_carbon_t,
    case when reasoned.reason is null
        then reasoned.at_home_kg_per_usd * reasoned.exports_usd / 1000
    end as territorial_carbon_t,
    reasoned.coverage as intensity_coverage,
    reasoned.reason
from reasoned
left join classes on reasoned.sector = classes.sector
