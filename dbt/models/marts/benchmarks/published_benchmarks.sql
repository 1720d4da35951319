with figures as (
    select * from {{ ref('published_figures') }}
),

inputs as (
    select * from {{ ref('stg_inputs') }}
),

coverage as (
    select * from {{ ref('int_benchmark_coverage') }}
),

parts as (
    select * from {{ ref('int_benchmark_trade_parts') }}
    union all
    select * from {{ ref('int_benchmark_price_parts') }}
    union all
    select * from {{ ref('int_benchmark_tariff_parts') }}
    union all
    select * from {{ ref('int_benchmark_patent_parts') }}
    union all
    select * from {{ ref('int_benchmark_politics_parts') }}
    union all
    select * from {{ ref('int_benchmark_chain_parts') }}
    union all
    select * from {{ ref('int_benchmark_contagion_parts') }}
    union all
    select * from {{ ref('int_benchmark_paradox_parts') }}
),

-- The loaded years over which a figure could be computed; inputs without years have one row.
considered as (
    select
        figures.benchmark_id,
        figures.year_rule,
        coalesce(figures.last_year - figures.first_year + 1, 1) as n_years_asked,
        coverage.year,
        coverage.is_covered,
        coverage.found,
        sum(case when coverage.is_covered then 1 else 0 end) over (partition by figures.benchmark_id) as n_covered,
        min(case when coverage.is_covered then coverage.year end) over (partition by figures.benchmark_id)
            as first_covered,
        max(case when coverage.is_covered then coverage.year end) over (partition by figures.benchmark_id)
            as latest_covered,
        max(coverage.year) over (partition by figures.benchmark_id) as latest_loaded
    from figures
    inner join coverage
        on figures.needs = coverage.needs
        and coalesce(coverage.year, 0) between coalesce(figures.first_year, 0) and coalesce(figures.last_year, 9999)
),

used as (
    select benchmark_id, year
    from considered
    where is_covered
        and case year_rule
            when 'every' then n_covered >= n_years_asked
            when 'first' then year = first_covered
            when 'latest' then year = latest_covered
        end
),

-- Where the marts have no value for one of the years, the figure has none: it must not become a figure of fewer years.
computed as (
    select
        used.benchmark_id,
        case when count(parts.numerator / nullif(parts.denominator, 0)) = count(*)
            then {{ exact_sum('parts.numerator') }} / {{ exact_sum('parts.denominator') }}
        end as computed_value,
        max(parts.computed_text) as computed_text,
        {{ dbt.listagg('cast(used.year as string)', "', '", 'order by used.year nulls last') }} as years
    from used
    left join parts
        on used.benchmark_id = parts.benchmark_id and coalesce(used.year, 0) = coalesce(parts.year, 0)
    group by used.benchmark_id
),

findings as (
    select benchmark_id, {{ dbt.listagg('found', "'; '", 'order by year nulls last') }} as found
    from considered
    where year_rule <> 'latest' or year = coalesce(latest_covered, latest_loaded)
    group by benchmark_id
),

judged as (
    select
        figures.*,
        inputs.source as input_source,
        inputs.is_synthetic,
        findings.found,
        case when figures.missing_mart is null and not inputs.is_synthetic then computed.computed_value end
            as computed_value,
        computed.computed_text,
        computed.years
    from figures
    left join inputs on figures.dataset = inputs.dataset
    left join findings on figures.benchmark_id = findings.benchmark_id
    left join computed on figures.benchmark_id = computed.benchmark_id
),

compared as (
    select
        *,
        computed_value - published_value as difference,
        -- Decimals are not exact as doubles: without a margin, a difference equal to the tolerance could be outside.
        case tolerance_kind
            when 'lower_bound' then {{ comparable('computed_value - published_value') }} > 0
            when 'relative' then abs(computed_value - published_value) <= tolerance * abs(published_value) + 0.000000001
            else abs(computed_value - published_value) <= tolerance + 0.000000001
        end as is_within
    from judged
)

select
    benchmark_id,
    place,
    source,
    statement,
    unit,
    published_value,
    published_text,
    computed_value,
    case when computed_value is not null then computed_text end as computed_text,
    difference,
    tolerance,
    tolerance_kind,
    case
        when computed_value is null then 'not computable from these inputs'
        when is_within then 'reproduced'
        else 'differs'
    end as verdict,
    case when computed_value is not null then years end as years,
    dataset,
    mart,
    case
        when missing_mart is not null then 'Needs a mart that comes with later work: ' || missing_mart || '. ' else ''
    end
        || dataset
        || case
            when input_source is null then ': off'
            when is_synthetic then ': source ' || input_source || ' (synthetic)'
            else ': source ' || input_source || ' (real)'
        end
        || case
            when input_source is null then ''
            when found is not null then '; ' || found
            else '; nothing loaded of what it needs'
        end
        || '. Needs real '
        || case needs
            when 'all_countries' then
                'trade of all countries in HS6 (at least {{ all_countries_min_importers() }} reporting importers'
                || ' and {{ all_countries_min_goods() }} goods)'
            when 'all_countries_and_2012' then
                'trade of all countries in HS6 (at least {{ all_countries_min_importers() }} reporting importers'
                || ' and {{ all_countries_min_goods() }} goods), with 2012 as the first loaded year'
            when 'exports_of_china' then
                'exports of China by partner (at least {{ all_destinations_min() }} destinations'
                || ' and {{ all_countries_min_goods() }} goods)'
            when 'solar_exports' then
                'trade in goods of 8541.4x (at least {{ all_countries_min_importers() }} reporting importers)'
            when 'battery_trade' then 'trade in 850760 (at least {{ all_countries_min_importers() }} importers)'
            when 'electric_car_trade' then 'trade in 870380 (at least {{ all_countries_min_importers() }} importers)'
            when 'all_publications' then
                'PCT publications (at least {{ all_publications_min() }} applications a filing year)'
                || ' with applicants, fields and citations'
            when 'exclusion_requests' then 'exclusion requests of the list, or of all four'
            when 'list_trade' then 'tariff lists with the imports of every line'
            when 'event_huawei_2019' then 'returns around an event with the id huawei_2019'
            when 'bankruptcy_event' then
                'returns around an event whose label says bankruptcy, with the bankrupt firm as its source'
            when 'list_rates' then 'lists and the history of their rates'
            when 'ideal_points' then
                'ideal points of at least {{ states_with_points_min() }} states and, of the same year, real trade'
                || ' of all countries in HS6 (at least {{ all_countries_min_importers() }} reporting importers and'
                || ' {{ all_countries_min_goods() }} goods) or a real input-output table of the world'
            when 'io_table' then
                'an input-output table of the world (at least {{ io_table_min_countries() }} countries)'
            when 'io_panel' then
                'input-output tables of one edition with China for at least {{ io_panel_min_years() }} years'
            when 'io_emissions' then
                'input-output tables of one edition with China, and emission intensities that the user places, for at'
                || ' least {{ io_emissions_min_years() }} years'
            when 'io_measures' then 'an input-output table, and the file of measures that were published of it'
            when 'fixture' then 'the textbook table, and the file of its published values'
        end
        || case
            when first_year is null then '.'
            when first_year = last_year then ', ' || first_year || '.'
            when year_rule = 'first' then ', ' || first_year || ' or ' || last_year || '.'
            else ', every year ' || first_year || '-' || last_year || '.'
        end
        || case when dataset = 'trade' then
            ' Scope: {{ var("product_scope") }}. Centrality pooled over {{ var("centrality_years") | join(", ") }}.'
            else '' end as inputs,
    note
from compared
