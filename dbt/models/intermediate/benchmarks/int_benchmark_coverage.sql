with products as (
    select
        year,
        count(*) as n_goods,
        sum(case when hs6 like '85414_' then 1 else 0 end) as n_solar_goods,
        coalesce(max(case when hs6 = '850760' then n_importers end), 0) as n_battery_importers,
        coalesce(max(case when hs6 = '870380' then n_importers end), 0) as n_car_importers
    from {{ ref('product_centrality') }}
    group by year
),

importers as (
    select year, count(distinct reporter_code) as n_importers
    from {{ ref('stg_trade_reporters') }}
    where flow = 'M'
    group by year
),

destinations as (
    select year, count(*) as n_destinations
    from {{ ref('bilateral_totals') }}
    where exporter_iso3 = 'CHN'
    group by year
),

rates as (
    {{ if_built(ref('exclusion_rates')) }}
),

patents as (
    {{ if_built(ref('patent_country_summary')) }}
),

political_years as (
    {{ if_built(ref('int_political_years')) }}
),

-- Points are weighed with trade, or with input-output tables, which must be real too.
real_inputs as (
    select
        count(case when dataset = 'trade' then 1 end) as n_trade,
        count(case when dataset = 'chains' then 1 end) as n_tables
    from {{ ref('stg_inputs') }}
    where not is_synthetic
),

positions as (
    {{ if_built(ref('gvc_position')) }}
),

measures as (
    {{ if_built(ref('stg_io_published')) }}
),

carbon as (
    {{ if_built(ref('embodied_carbon')) }}
),

carbon_years as (
    select max(n_years) as n_years
    from (
        select edition, count(distinct year) as n_years
        from carbon
        where country_iso3 = 'CHN' and embodied_carbon_t is not null
        group by edition
    ) as editions
),

io_tables as (
    select
        year,
        edition,
        count(*) as n_sectors,
        count(distinct country_iso3) as n_countries,
        max(case when country_iso3 = 'CHN' then 1 else 0 end) as n_china
    from positions
    group by year, edition
),

io_years as (
    select
        year,
        count(*) as n_tables,
        max(n_countries * n_china) as n_countries
    from io_tables
    group by year
),

io_panels as (
    select max(n_years) as n_years
    from (select edition, count(*) as n_years from io_tables where n_china = 1 group by edition) as editions
),

io_measures as (
    select io_tables.year, count(*) as n_measures
    from io_tables
    inner join measures on io_tables.edition = measures.edition and io_tables.year = measures.year
    group by io_tables.year
),

textbook as (
    select count(*) as n_values
    from measures
    where edition is null
),

contagion as (
    {{ if_built(ref('contagion_summary')) }}
),

trade as (
    select
        products.year,
        products.n_goods,
        products.n_solar_goods,
        products.n_battery_importers,
        products.n_car_importers,
        coalesce(importers.n_importers, 0) as n_importers,
        coalesce(destinations.n_destinations, 0) as n_destinations
    from products
    left join importers on products.year = importers.year
    left join destinations on products.year = destinations.year
),

weighed_years as (
    select year from trade
    union
    select year from io_years
),

publications as (
    select filing_year as year, {{ exact_sum('applications', bits=64) }} as applications
    from patents
    group by filing_year
),

lists as (
    select
        count(*) as n_lists,
        coalesce(sum(requests), 0) as n_requests,
        count(covered_trade_usd) as n_with_trade,
        count(additional_duty) as n_with_rate
    from rates
),

events as (
    select
        count(distinct event_id) as n_events,
        count(distinct case when event_id = 'huawei_2019' then event_id end) as n_huawei,
        count(distinct case when lower(label) like '%bankrupt%' then event_id end) as n_bankruptcies
    from contagion
),

covered as (
    select
        'all_countries' as needs,
        year,
        n_importers >= {{ all_countries_min_importers() }} and n_goods >= {{ all_countries_min_goods() }} as is_covered,
        year || ': ' || n_importers || ' reporting importers, ' || n_goods || ' goods loaded' as found
    from trade
    union all
    select
        'exports_of_china',
        year,
        n_destinations >= {{ all_destinations_min() }} and n_goods >= {{ all_countries_min_goods() }},
        year || ': ' || n_destinations || ' destinations of China, ' || n_goods || ' goods loaded'
    from trade
    union all
    select
        'all_countries_and_2012',
        trade.year,
        trade.n_importers >= {{ all_countries_min_importers() }}
        and trade.n_goods >= {{ all_countries_min_goods() }}
        and base.n_importers >= {{ all_countries_min_importers() }}
        and base.n_goods >= {{ all_countries_min_goods() }},
        trade.year || ': ' || trade.n_importers || ' reporting importers, ' || trade.n_goods || ' goods loaded; 2012: '
        || coalesce(base.n_importers, 0) || ' reporting importers, ' || coalesce(base.n_goods, 0) || ' goods loaded'
    from trade
    left join trade as base on base.year = 2012
    union all
    select
        'solar_exports',
        year,
        n_importers >= {{ all_countries_min_importers() }} and n_solar_goods > 0,
        year || ': ' || n_importers || ' reporting importers, ' || n_solar_goods || ' goods of 8541.4x loaded'
    from trade
    union all
    select
        'battery_trade',
        year,
        n_battery_importers >= {{ all_countries_min_importers() }},
        year || ': ' || n_battery_importers || ' importers of 850760 loaded'
    from trade
    union all
    select
        'electric_car_trade',
        year,
        n_car_importers >= {{ all_countries_min_importers() }},
        year || ': ' || n_car_importers || ' importers of 870380 loaded'
    from trade
    union all
    select
        'all_publications',
        year,
        {{ comparable('applications') }} >= {{ all_publications_min() }},
        year || ': ' || cast(round(applications) as bigint) || ' PCT applications loaded'
    from publications
    union all
    select
        'ideal_points',
        weighed_years.year,
        political_years.n_states >= {{ states_with_points_min() }}
        and (
            (
                trade.n_importers >= {{ all_countries_min_importers() }}
                and trade.n_goods >= {{ all_countries_min_goods() }}
                and real_inputs.n_trade > 0
            )
            or (io_years.n_countries >= {{ io_table_min_countries() }} and real_inputs.n_tables > 0)
        ),
        weighed_years.year || ': ' || coalesce(political_years.n_states, 0) || ' states with a point, '
        || coalesce(trade.n_importers, 0) || ' reporting importers, ' || coalesce(trade.n_goods, 0) || ' goods of '
        || case when real_inputs.n_trade > 0 then 'real' else 'synthetic' end || ' trade, a table with China of '
        || coalesce(io_years.n_countries, 0) || ' countries loaded'
    from weighed_years
    cross join real_inputs
    left join trade on weighed_years.year = trade.year
    left join io_years on weighed_years.year = io_years.year
    left join political_years on weighed_years.year = political_years.year
    union all
    select
        'io_table',
        year,
        n_countries >= {{ io_table_min_countries() }},
        year || ': ' || n_tables || ' input-output tables loaded, with China of at most ' || n_countries || ' countries'
    from io_years
    union all
    select
        'io_panel',
        null,
        n_years >= {{ io_panel_min_years() }},
        coalesce(n_years, 0) || ' years of one edition with China loaded'
    from io_panels
    union all
    select
        'io_emissions',
        null,
        n_years >= {{ io_emissions_min_years() }},
        coalesce(n_years, 0) || ' years of one edition with emission intensities and China loaded'
    from carbon_years
    union all
    select 'io_measures', year, n_measures > 0, year || ': ' || n_measures || ' published measures of loaded tables'
    from io_measures
    union all
    select 'fixture', null, n_values > 0, n_values || ' published values of the textbook table loaded' from textbook
    union all
    select 'exclusion_requests', null, n_requests > 0, n_requests || ' requests on ' || n_lists || ' lists loaded'
    from lists
    union all
    select 'list_trade', null, n_with_trade > 0, n_with_trade || ' lists with the trade of all their lines' from lists
    union all
    select 'event_huawei_2019', null, n_huawei > 0, n_events || ' events with returns loaded' from events
    union all
    select
        'bankruptcy_event',
        null,
        n_bankruptcies > 0,
        n_events || ' events with returns loaded, ' || n_bankruptcies || ' of them bankruptcies'
    from events
    union all
    select 'list_rates', null, n_with_rate > 0, n_with_rate || ' lists with a rate in force' from lists
)

select
    needs,
    cast(year as integer) as year,
    coalesce(is_covered, false) as is_covered,
    cast(found as string) as found
from covered
