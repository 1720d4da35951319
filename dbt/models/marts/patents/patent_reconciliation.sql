with summary as (
    select * from {{ ref('patent_country_summary') }}
),

core_share as (
    select * from {{ ref('patent_core_share') }}
),

publications as (
    select * from {{ ref('int_pct_publications') }}
),

all_totals as (
    select * from {{ ref('stg_patent_totals') }} where family = 'Patent Cooperation Treaty applications'
),

-- One reference: OECD's table, which counts as we do; without it NCSES's.
reference as (
    select case when count(case when source = 'oecd' then 1 end) > 0 then 'oecd' else min(source) end as source
    from all_totals
),

totals as (
    select all_totals.*
    from all_totals
    inner join reference on all_totals.source = reference.source
),

countries as (
    select * from {{ ref('stg_patent_countries') }}
),

our_source as (
    select min(source) as source from publications
),

ours_by_sector as (
    select filing_year, country_iso2, 'ALL' as technology, applications
    from summary
    union all
    select
        filing_year,
        country_iso2,
        sector_name as technology,
        {{ exact_sum('applications', bits=100) }} as applications
    from core_share
    where sector_name is not null
    group by filing_year, country_iso2, sector_name
),

technologies as (
    select distinct technology, lower(technology) as folded from ours_by_sector
),

theirs as (
    select
        totals.filing_year,
        totals.country_iso2,
        totals.economy,
        technologies.technology,
        totals.applications,
        totals.source
    from totals
    inner join technologies on lower(totals.field) = technologies.folded
),

our_world as (
    select filing_year, technology, {{ exact_sum('applications', bits=100) }} as applications
    from ours_by_sector
    group by filing_year, technology
),

their_world as (
    select
        filing_year,
        technology,
        coalesce(
            max(case when economy = 'World' then applications end),
            {{ exact_sum('case when country_iso2 is not null then applications end', bits=64) }}
        ) as applications,
        min(source) as source
    from theirs
    group by filing_year, technology
),

-- Years and technologies that both have.
worlds as (
    select
        our_world.filing_year,
        our_world.technology,
        our_world.applications as our_applications,
        their_world.applications as reference_applications,
        their_world.source as reference_source
    from our_world
    inner join their_world
        on our_world.filing_year = their_world.filing_year and our_world.technology = their_world.technology
    where their_world.applications > 0
),

economies as (
    select filing_year, country_iso2, technology from ours_by_sector where country_iso2 <> {{ unknown_country() }}
    union
    select filing_year, country_iso2, technology from theirs where country_iso2 is not null
),

compared as (
    select
        economies.filing_year,
        economies.country_iso2,
        economies.technology,
        worlds.reference_source,
        coalesce(ours_by_sector.applications, 0) as our_applications,
        theirs.applications as reference_applications,
        coalesce(ours_by_sector.applications, 0) / worlds.our_applications as our_share,
        theirs.applications / worlds.reference_applications as reference_share,
        coalesce(ours_by_sector.applications, 0) / nullif(theirs.applications, 0) as coverage,
        worlds.our_applications / worlds.reference_applications as world_coverage
    from economies
    inner join worlds
        on economies.filing_year = worlds.filing_year and economies.technology = worlds.technology
    left join ours_by_sector
        on
            economies.filing_year = ours_by_sector.filing_year
            and economies.technology = ours_by_sector.technology
            and economies.country_iso2 = ours_by_sector.country_iso2
    left join theirs
        on
            economies.filing_year = theirs.filing_year
            and economies.technology = theirs.technology
            and economies.country_iso2 = theirs.country_iso2
)

select
    compared.filing_year,
    compared.country_iso2,
    compared.technology,
    countries.country_iso3,
    countries.country_name,
    compared.our_applications,
    compared.reference_applications,
    compared.our_share,
    compared.reference_share,
    compared.our_share - compared.reference_share as share_difference,
    compared.coverage,
    compared.world_coverage,
    our_source.source as our_source,
    compared.reference_source,
    case
        when compared.reference_applications is null then 'The reference table has no such economy.'
        when our_source.source = 'patentsview'
            then
                'PatentsView holds only applications granted in the United States: '
                || cast(round({{ comparable('100 * compared.world_coverage') }}) as integer)
                || ' % of the reference total. '
                || case
                    when compared.our_applications = 0 then 'None of this economy''s applications is among them.'
                    when compared.coverage is null then 'The reference counts none for this economy.'
                    else
                        'Of this economy''s it holds '
                        || cast(round({{ comparable('100 * compared.coverage') }}) as integer) || ' %, '
                        || case
                            when {{ comparable('compared.coverage - 1.1 * compared.world_coverage') }} > 0
                                then 'more than average, so our share is the higher one.'
                            when {{ comparable('compared.coverage - 0.9 * compared.world_coverage') }} < 0
                                then 'less than average, so our share is the lower one.'
                            else 'about the average, so the shares agree.'
                        end
                end
        when compared.reference_source = 'oecd'
            then
                'All international publications are counted, by applicant, as the reference counts; '
                || 'its last two years are incomplete.'
        else
            'All international publications are counted, by applicant; '
            || 'the reference counts otherwise, apparently by receiving office.'
    end as explanation
from compared
cross join our_source
left join countries on compared.country_iso2 = countries.country_iso2
