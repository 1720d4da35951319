with exporters as (
    select * from {{ ref('int_exporter_products') }} where {{ in_build_year() }}
),

importers as (
    select * from {{ ref('int_importer_products') }} where {{ in_build_year() }}
),

products as (
    select * from {{ ref('stg_products') }}
),

traders as (
    select year, hs6, exporter_code as country_code from exporters
    union
    select year, hs6, importer_code as country_code from importers
),

-- N of measures section 3: the countries that export or import the good.
trader_counts as (
    select year, hs6, count(*) as n_countries
    from traders
    group by year, hs6
),

importer_counts as (
    select year, hs6, count(*) as n_importers
    from importers
    group by year, hs6
),

exporter_sums as (
    select
        year,
        hs6,
        count(*) as n_exporters,
        {{ exact_sum('export_value_usd') }} as world_exports_usd,
        {{ exact_sum_of_squares('export_value_usd') }} as sum_of_squares,
        {{ exact_sum('sum_relative_to_mean_supplier', bits=100) }} as total_relative,
        {{ exact_sum('sum_supply_share', bits=100) }} as total_share
    from exporters
    group by year, hs6
),

totals as (
    select
        exporter_sums.*,
        importer_counts.n_importers,
        trader_counts.n_countries,
        -- The mean of C_i over all countries of N; it is 0 for those that do not export the good.
        exporter_sums.total_relative / nullif((trader_counts.n_countries - 1) * trader_counts.n_countries, 0)
            as mean_centrality,
        exporter_sums.total_share / nullif((trader_counts.n_countries - 1) * trader_counts.n_countries, 0)
            as mean_centrality_share
    from exporter_sums
    inner join importer_counts
        on exporter_sums.year = importer_counts.year and exporter_sums.hs6 = importer_counts.hs6
    inner join trader_counts
        on exporter_sums.year = trader_counts.year and exporter_sums.hs6 = trader_counts.hs6
),

deviations as (
    select
        exporters.year,
        exporters.hs6,
        exporters.sum_relative_to_mean_supplier / nullif(totals.n_countries - 1, 0) - totals.mean_centrality
            as deviation,
        exporters.sum_supply_share / nullif(totals.n_countries - 1, 0) - totals.mean_centrality_share
            as deviation_share
    from exporters
    inner join totals
        on exporters.year = totals.year and exporters.hs6 = totals.hs6
),

variances as (
    select
        year,
        hs6,
        {{ exact_sum('deviation * deviation', bits=100) }} as sum_squared,
        {{ exact_sum('deviation_share * deviation_share', bits=100) }} as sum_squared_share
    from deviations
    group by year, hs6
),

leaders as (
    select
        year,
        hs6,
        exporter_code,
        export_value_usd,
        row_number() over (
            partition by year, hs6
            order by {{ comparable_usd('export_value_usd') }} desc nulls last, exporter_code nulls last
        ) as place
    from exporters
    where export_rank <= 3
),

top_exporters as (
    select
        year,
        hs6,
        max(case when place = 1 then exporter_code end) as top_exporter_code,
        max(case when place = 1 then export_value_usd end) as top_exporter_value_usd,
        {{ exact_sum('export_value_usd') }} as top3_exporter_value_usd
    from leaders
    where place <= 3
    group by year, hs6
),

measured as (
    select
        totals.year,
        totals.hs6,
        products.hs6_name,
        coalesce(products.hs2, substr(totals.hs6, 1, 2)) as hs2,
        products.bec4,
        {{ is_in_scope('totals.hs6') }} as in_scope,
        totals.world_exports_usd,
        totals.n_exporters,
        totals.n_importers,
        totals.n_countries,
        -- A country that does not export the good deviates from the mean by the mean itself.
        case when totals.n_countries >= 3 then sqrt((
            variances.sum_squared
            + (totals.n_countries - totals.n_exporters) * totals.mean_centrality * totals.mean_centrality
        ) / totals.n_countries) end as export_centrality,
        case when totals.n_countries >= 3 then sqrt((
            variances.sum_squared_share
            + (totals.n_countries - totals.n_exporters) * totals.mean_centrality_share * totals.mean_centrality_share
        ) / totals.n_countries) end as export_centrality_share,
        totals.sum_of_squares / (totals.world_exports_usd * totals.world_exports_usd) as export_hhi,
        top_exporters.top_exporter_code,
        top_exporters.top_exporter_value_usd / totals.world_exports_usd as top_exporter_share,
        top_exporters.top3_exporter_value_usd / totals.world_exports_usd as top3_exporter_share
    from totals
    inner join variances on totals.year = variances.year and totals.hs6 = variances.hs6
    inner join top_exporters on totals.year = top_exporters.year and totals.hs6 = top_exporters.hs6
    left join products on totals.hs6 = products.hs6
),

-- Nulls are left out before the window function and the percentile.
compared as (
    select year, hs6, {{ comparable('export_centrality') }} as compared_centrality
    from measured
    where in_scope and export_centrality is not null
),

ranked as (
    select
        year,
        hs6,
        compared_centrality,
        cume_dist() over (partition by year order by compared_centrality nulls last) as centrality_percentile
    from compared
),

thresholds as (
    select
        year,
        percentile_cont(0.75) within group (order by compared_centrality) as p75
    from compared
    group by year
)

select
    measured.*,
    case
        when measured.in_scope then coalesce(ranked.compared_centrality >= thresholds.p75, false)
    end as high_centrality,
    ranked.centrality_percentile
from measured
left join ranked on measured.year = ranked.year and measured.hs6 = ranked.hs6
left join thresholds on measured.year = thresholds.year
