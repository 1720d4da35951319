"""What is made of tariffs and other datasets together, by another road. Not here: verdicts.

Published figures come from requests and the history of duties, consumption from the final uses of the largest table.
"""

from __future__ import annotations

from dagster_project.checks.declarations import Check, Stage, no_rows
from dagster_project.checks.recomputed import figures_equal

_PARTS = """
    with requests as (
        select lower(list_id) as list, status in ('granted', 'partially_granted') as is_granted,
            status = 'denied' as is_denied
        from stg_tariff_requests
    )
    select 'xu_exclusion_list' || list as benchmark_id, null::integer as year,
        count(*) filter (is_granted)::double as numerator,
        count(*) filter (is_granted or is_denied)::double as denominator
    from requests group by list
    union all
    select name, null, case name when 'gao_denied_share' then count(*) filter (is_denied) else count(*) end,
        case name when 'gao_denied_share' then count(*) else 1 end
    from requests, (values ('gao_denied_share'), ('gao_requests_total')) as figures (name)
    group by name having count(distinct list) = 4
    union all
    select 'xu_covered_trade_list' || lower(list_id), null, covered_trade_usd / 1e9, 1 from exclusion_rates
    union all
    select 'xu_additional_duty_list' || lower(list_id), null, rate, 1 from list_rate_history
    where valid_to is null and valid_from < date '2022-01-01'
"""

TARIFF_FIGURES = Stage(
    name="figures of tariffs",
    checks=(
        Check(
            "tariff_figures_recomputed",
            "published_benchmarks",
            "ERROR",
            "Every figure of tariffs is recomputed from the requests, the lists' trade and the history of duties.",
            (figures_equal("tariffs", _PARTS),),
        ),
    ),
)

_CONSUMPTION = """
    with widest as (
        select year, arg_min(edition, (-n_countries, edition)) as edition
        from stg_io_tables where has_final group by year
    ),
    used as (
        select year, any_value(edition) as edition, sum(value_usd) as usd
        from stg_io_final semi join widest using (edition, year) where dst_iso3 = 'USA' group by year
    )
    select distinct e.year, final_consumption_usd, final_consumption_source, edition, usd
    from {batch} as e left join used using (year)
    where (final_consumption_usd is null) <> (final_consumption_source is null)
        or (final_consumption_source <> 'CHOKEPOINT_US_CONSUMPTION' and coalesce(
            not ends_with(final_consumption_source, ' ' || edition) or abs(final_consumption_usd - usd) > 1e-9 * usd,
            true))
"""
# Made of the input-output tables too, where they are on.
TARIFF_TABLES = Stage(
    name="tariffs and input-output tables",
    checks=(
        Check(
            "consumption_of_tables",
            "exclusion_value",
            "ERROR",
            "Consumption is given with its source; what is not from the setting is final use in the largest table.",
            (no_rows(_CONSUMPTION),),
        ),
    ),
)
