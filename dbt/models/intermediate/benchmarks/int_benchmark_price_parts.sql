{%- set rates = {
    'itrpv_learning': ('photovoltaic', 10),
    'bnef_battery_learning': ('850760', 5),
    'ziegler_battery_learning': ('850760', 10),
} %}

with years as (
    select distinct year from {{ ref('product_centrality') }}
),

indices as (
    select year, product_code, basis, quality, tornqvist, chain_start_year, chain_tornqvist
    from {{ ref('export_price_index') }}
    where exporter_iso3 = 'CHN' and product_code in ('850760', 'photovoltaic')
),

learning as (
    select * from {{ ref('learning_rate') }}
    where exporter_iso3 = 'CHN' and cumulative = 'world' and learning_rate is not null
),

contributions as (
    select year, within + switching as contribution
    from {{ ref('import_price_contribution') }}
    where exporter_iso3 = 'CHN' and product_level = 'all'
),

cars as (
    select year, value_usd, quantity_units
    from {{ ref('int_trade_flows') }}
    where exporter_code = {{ china() }} and hs6 = '870380' and quantity_units > 0
),

links as (
    select year, importer_code, value_usd_prev, value_usd, log_price_change
    from {{ ref('int_price_links') }}
    where is_baseline and state = 'kept' and hs6 like '85414_' and year between 2010 and 2022
),

memberships as (
    select * from {{ ref('country_memberships') }}
),

countries as (
    select * from {{ ref('stg_countries') }}
),

solar_goods as (
    select
        year,
        {{ exact_sum("case when exporter_code = " ~ china() ~ " then export_value_usd else 0 end") }} as china_usd,
        {{ exact_sum('export_value_usd') }} as world_usd
    from {{ ref('int_exporter_products') }}
    where hs6 like '85414_'
    group by year
),

solar_decades as (
    select
        later.year,
        later.chain_tornqvist - earlier.chain_tornqvist as change,
        earlier.chain_tornqvist as price_before,
        later.quality
    from indices as later
    inner join indices as earlier
        on later.year = earlier.year + 10 and later.chain_start_year = earlier.chain_start_year
    where later.product_code = 'photovoltaic' and later.basis = 'kg'
        and earlier.product_code = 'photovoltaic' and earlier.basis = 'kg'
),

battery_link as (
    select tornqvist, quality
    from indices
    where year = 2024 and product_code = '850760' and basis = 'baseline'
),

-- The members of today in every year: modules are sold to the same countries.
links_of_the_eu as (
    select
        links.year,
        0.5e0 * (
            {{ exact_sum('links.value_usd_prev * links.log_price_change') }} / {{ exact_sum('links.value_usd_prev') }}
            + {{ exact_sum('links.value_usd * links.log_price_change') }} / {{ exact_sum('links.value_usd') }}
        ) as log_tornqvist
    from links
    inner join countries on links.importer_code = countries.country_code
    inner join memberships on countries.iso3 = memberships.iso3
    where memberships.membership = 'eu' and memberships.valid_to is null
    group by links.year
),

modules_of_the_eu as (
    select exp({{ exact_sum('log_tornqvist', bits=90) }}) - 1 as change
    from links_of_the_eu
    having count(*) = 13
),

parts as (
    select
        'wu_solar_price' as benchmark_id,
        year,
        change as numerator,
        price_before as denominator,
        {{ six_places('change / price_before') }} || ' (quality ' || quality || ')' as computed_text
    from solar_decades
    union all
    select 'iea_solar_share', year, china_usd, world_usd, null
    from solar_goods
    union all
    -- Figures of several years, or of none, have the same value in every year that they are asked of.
    select 'irena_module_price', years.year, modules_of_the_eu.change, 1, null
    from years
    cross join modules_of_the_eu
    union all
    select
        'bnef_battery_price_2024',
        years.year,
        battery_link.tornqvist - 1,
        1,
        {{ six_places('battery_link.tornqvist - 1') }} || ' (quality ' || battery_link.quality || ')'
    from years
    cross join battery_link
    {%- for benchmark_id, (product_code, least_years) in rates.items() %}
    union all
    select
        '{{ benchmark_id }}',
        years.year,
        learning.learning_rate,
        1,
        {{ six_places('learning.learning_rate') }} || ' (95 % confidence '
        || {{ six_places('learning.learning_rate_low') }} || ' to '
        || {{ six_places('learning.learning_rate_high') }} || ', ' || learning.n || ' years, quality '
        || learning.quality || ')'
    from years
    cross join learning
    where learning.product_code = '{{ product_code }}' and learning.n >= {{ least_years }}
    {%- endfor %}
    union all
    select 'gac_ev_price_2022', year, {{ exact_sum('value_usd') }}, {{ exact_sum('quantity_units', bits=60) }}, null
    from cars
    group by year
    union all
    select 'kms_import_inflation', year, {{ exact_sum('contribution', bits=90) }}, count(*), null
    from contributions
    group by year
)

select
    cast(benchmark_id as string) as benchmark_id,
    cast(year as integer) as year,
    cast(numerator as double) as numerator,
    cast(denominator as double) as denominator,
    cast(computed_text as string) as computed_text
from parts
