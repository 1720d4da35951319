with positions as (
    {{ if_built(ref('gvc_position')) }}
),

shocks as (
    {{ if_built(ref('shock_exposure_io')) }}
),

published as (
    {{ if_built(ref('stg_io_published')) }}
),

carbon as (
    {{ if_built(ref('embodied_carbon')) }}
),

memberships as (
    select * from {{ ref('country_memberships') }}
),

sizes as (
    select edition, year, count(*) as n_sectors, count(distinct country_iso3) as n_countries
    from positions
    group by edition, year
),

-- The textbook table is the one that has its nine sectors and no other.
textbook as (
    select
        published.measure,
        sizes.edition,
        sizes.year,
        sizes.n_sectors,
        count(*) as n_compared,
        max(
            abs(
                published.value - case
                    when published.measure = 'forward_participation' then positions.forward_participation
                    else positions.backward_participation
                end
            )
        ) as difference
    from published
    inner join positions
        on published.country_iso3 = positions.country_iso3 and published.sector = positions.sector
    inner join sizes on positions.edition = sizes.edition and positions.year = sizes.year
    where published.edition is null and published.measure in ('forward_participation', 'backward_participation')
    group by published.measure, sizes.edition, sizes.year, sizes.n_sectors
),

pairs as (
    select
        positions.year,
        published.measure,
        published.value as published_value,
        case when published.measure = 'upstreamness' then positions.plv else positions.ply end as own_value
    from published
    inner join positions
        on published.edition = positions.edition
        and published.year = positions.year
        and published.country_iso3 = positions.country_iso3
        and published.sector = positions.sector
    where published.measure in ('upstreamness', 'downstreamness') and positions.plv is not null
),

moments as (
    select
        year,
        measure,
        count(*) as n,
        {{ exact_sum('published_value') }} as sum_published,
        {{ exact_sum('own_value') }} as sum_own,
        {{ exact_sum('published_value * published_value') }} as sum_published_squared,
        {{ exact_sum('own_value * own_value') }} as sum_own_squared,
        {{ exact_sum('published_value * own_value') }} as sum_product
    from pairs
    group by year, measure
),

-- Of several tables of a year, the one of most countries.
largest as (
    select
        year,
        edition,
        row_number() over (partition by year order by n_countries desc nulls last, edition nulls last) as place
    from sizes
),

-- What UNCTAD cut: 2 % of what China delivers. Losses are proportional to the cut.
losses as (
    select
        shocks.year,
        shocks.country_iso3,
        shocks.direct_loss_usd * 0.02 / shocks.cut as direct_usd,
        shocks.propagated_loss_usd * 0.02 / shocks.cut as propagated_usd
    from shocks
    inner join largest on shocks.edition = largest.edition and shocks.year = largest.year
    where largest.place = 1 and shocks.exporter_iso3 = 'CHN'
),

members as (
    select iso3
    from memberships
    where membership = 'eu' and valid_to is null
),

totals as (
    select
        losses.year,
        {{ exact_sum('losses.direct_usd') }} as direct_usd,
        {{ exact_sum('losses.propagated_usd') }} as propagated_usd,
        {{ exact_sum('case when members.iso3 is not null then losses.propagated_usd else 0 end') }} as eu_usd,
        {% for country in ['USA', 'JPN', 'KOR', 'TWN', 'VNM'] %}
        {{ exact_sum("case when losses.country_iso3 = '" ~ country ~ "' then losses.propagated_usd else 0 end") }}
            as {{ country | lower }}_usd{% if not loop.last %},{% endif %}
        {% endfor %}
    from losses
    left join members on losses.country_iso3 = members.iso3
    group by losses.year
),

-- What China's exports hold, by year; of several editions with intensities, the one of most years.
of_china as (
    select edition, year, {{ exact_sum('embodied_carbon_t') }} as carbon_t
    from carbon
    where country_iso3 = 'CHN' and embodied_carbon_t is not null
    group by edition, year
),

carbon_editions as (
    select
        edition,
        max(year) as last_year,
        max(carbon_t) as peak_t,
        row_number() over (order by count(*) desc nulls last, edition nulls last) as place
    from of_china
    group by edition
    having count(*) >= {{ io_emissions_min_years() }}
),

parts as (
    {{ benchmark_parts('totals', [
        ('unctad_shock_direct', 'direct_usd', 1000000000),
        ('unctad_shock', 'propagated_usd', 1000000000),
        ('unctad_shock_EU', 'eu_usd', 1000000000),
        ('unctad_shock_USA', 'usa_usd', 1000000000),
        ('unctad_shock_JPN', 'jpn_usd', 1000000000),
        ('unctad_shock_KOR', 'kor_usd', 1000000000),
        ('unctad_shock_TWN', 'twn_usd', 1000000000),
        ('unctad_shock_VNM', 'vnm_usd', 1000000000),
    ]) }}
    union all
    select
        case when measure = 'upstreamness' then 'ac_upstreamness' else 'ac_downstreamness' end,
        year,
        n * sum_product - sum_published * sum_own,
        sqrt(n * sum_published_squared - sum_published * sum_published)
        * sqrt(n * sum_own_squared - sum_own * sum_own),
        cast(null as string)
    from moments
    union all
    select
        'xu_embodied_carbon_decline',
        cast(null as integer),
        case when {{ comparable_usd('of_china.carbon_t') }} < {{ comparable_usd('carbon_editions.peak_t') }}
            then 1 else 0
        end,
        1,
        cast(null as string)
    from of_china
    inner join carbon_editions
        on of_china.edition = carbon_editions.edition and of_china.year = carbon_editions.last_year
    where carbon_editions.place = 1
    union all
    select
        case
            when measure = 'forward_participation' then 'wwyz_leather_forward' else 'wwyz_leather_backward'
        end,
        cast(null as integer),
        min(difference),
        1,
        cast(null as string)
    from textbook
    where n_compared = n_sectors
    group by measure
)

select
    cast(benchmark_id as string) as benchmark_id,
    cast(year as integer) as year,
    cast(numerator as double) as numerator,
    cast(denominator as double) as denominator,
    cast(computed_text as string) as computed_text
from parts
