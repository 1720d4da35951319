with totals as (
    select * from {{ ref('bilateral_totals') }} where {{ in_build_year() }}
),

export_reports as (
    select * from {{ ref('stg_trade_flows') }} where {{ in_build_year() }} and flow = 'X'
),

reported as (
    select
        year,
        reporter_code as exporter_code,
        partner_code as importer_code,
        {{ exact_sum('value_usd') }} as value_usd
    from export_reports
    group by year, reporter_code, partner_code
),

ranked_reports as (
    select
        *,
        cast(rank() over (
            partition by year, exporter_code order by {{ comparable_usd('value_usd') }} desc nulls last
        ) as bigint) as destination_rank
    from reported
),

ranked as (
    select
        *,
        cast(rank() over (
            partition by year, exporter_code order by {{ comparable_usd('value_usd') }} desc nulls last
        ) as bigint) as destination_rank,
        -- Hong Kong is ranked apart, where its own rank is not shown.
        cast(rank() over (
            partition by year, exporter_code, case when importer_code = {{ hong_kong() }} then 1 else 0 end
            order by {{ comparable_usd('value_usd') }} desc nulls last
        ) as bigint) as rank_without_hkg
    from totals
)

select
    ranked.year,
    ranked.exporter_code,
    ranked.exporter_iso3,
    ranked.exporter_name,
    ranked.importer_code,
    ranked.importer_iso3,
    ranked.importer_name,
    ranked.value_usd,
    ranked.destination_rank,
    case when ranked.importer_code <> {{ hong_kong() }} then ranked.rank_without_hkg end
        as destination_rank_without_hkg,
    ranked_reports.value_usd as exporter_reported_usd,
    ranked_reports.destination_rank as destination_rank_exporter_report,
    ranked.is_mirror
from ranked
left join ranked_reports
    on ranked.year = ranked_reports.year
    and ranked.exporter_code = ranked_reports.exporter_code
    and ranked.importer_code = ranked_reports.importer_code
