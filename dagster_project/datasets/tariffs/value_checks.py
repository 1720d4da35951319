"""The checks of what exclusions are worth: the same amounts by another road, day by day.

Not here: whether requests and rates are right (see `recomputed`), keys and formulas by hand (dbt tests them).
"""

from __future__ import annotations

from dagster_project.checks.declarations import Check, no_rows
from dagster_project.checks.recomputed import equals

# Every day on which a list's duty was in force in a loaded year, with its rate and the year's number of days.
_DUTY_DAYS = """
    with days as (
        select list_id, rate, unnest(generate_series(
            valid_from, coalesce(valid_to, make_date((select max(year) from int_year_settings), 12, 31)),
            interval 1 day
        ))::date as day
        from list_rate_history where valid_from <= make_date((select max(year) from int_year_settings), 12, 31)
    )
    select list_id, day, year(day) as year, rate,
        date_diff('day', make_date(year(day), 1, 1), make_date(year(day) + 1, 1, 1)) as days_in_year
    from days where year(day) in (select year from int_year_settings)
"""
_EXCLUDED_DAYS = """
    select year, list_id, hts8, count(*) as excluded_days, sum(rate / days_in_year) as excluded_duty
    from (
        select distinct d.*, left(e.hts10, 8) as hts8 from duty_days as d join exclusions_in_force as e
            on e.list_id = d.list_id and d.day between e.valid_from and coalesce(e.valid_to, d.day)
    ) group by all
"""
_LINE_IMPORTS = """
    with lines as (
        select l.*, coalesce(c.hs6, left(l.hts8, 6)) as hs6 from lines_again as l left join (
            select from_code, first(hs6 order by round(weight, 12) desc, hs6) as hs6
            from stg_hs_conversion where from_revision = 'H5' group by all
        ) as c on c.from_code = left(l.hts8, 6)
    ),
    goods as (
        select hs6, count(*) as n, case when count(imports_usd) = count(*) then nullif(sum(imports_usd), 0) end as whole
        from lines group by all
    )
    select f.year, list_id, hts8, f.value_usd * coalesce(imports_usd / whole, 1 / n) as usd
    from lines join goods using (hs6) join trade_flows as f
        on f.hs6 = lines.hs6 and f.exporter_code = 156 and f.importer_code = 842
"""
_VALUES = """
    with duties as (
        select year, list_id, count(*) as duty_days, sum(rate / days_in_year) as mean_duty from duty_days group by all
    ),
    approvals as (select list_id, avg(decision) as approval_share from requests_again group by all),
    summed as (
        select d.year, l.list_id, left(l.hts8, 2) as hs2, any_value(duty_days) as duty_days,
            any_value(mean_duty) as mean_duty, count(*) as n_lines, count(excluded_days) as n_lines_excluded,
            count(t.usd) as n_lines_traded,
            case when count(imports_usd) = count(*) then sum(imports_usd) end as covered_2017_usd,
            case when count(imports_usd) = count(*) then coalesce(sum(imports_usd * excluded_duty), 0) end
                as exclusion_value_2017_usd,
            sum(t.usd) as covered_usd, sum(t.usd * coalesce(excluded_duty, 0)) as exclusion_value_usd
        from lines_again as l join duties as d using (list_id)
        left join excluded_days as e on e.year = d.year and e.list_id = l.list_id and e.hts8 = l.hts8
        left join line_imports as t on t.year = d.year and t.list_id = l.list_id and t.hts8 = l.hts8
        group by d.year, l.list_id, left(l.hts8, 2)
    )
    select *, covered_2017_usd * mean_duty as duty_2017_usd, covered_usd * mean_duty as duty_usd,
        case when list_id in ('3', '4A') then (select approval_share from approvals where list_id = '1')
            else approval_share end as scenario_approval_share
    from summed left join approvals using (list_id)
"""
_WRONG_SUMS = """
    select year, list_id, hs2, estimate, duty_usd, duty_with_exclusions_usd, exclusion_value_usd, scenario_value_usd,
        duty_2017_usd, duty_with_exclusions_2017_usd, exclusion_value_2017_usd, scenario_value_2017_usd,
        final_consumption_usd, value_share_of_consumption
    from (
        select *, scenario_approval_share / nullif(approval_share, 0) as factor from {batch}
    )
    where estimate <> 'first-order upper bound'
        or abs(duty_usd - exclusion_value_usd - duty_with_exclusions_usd) > 0.01
        or abs(duty_2017_usd - exclusion_value_2017_usd - duty_with_exclusions_2017_usd) > 0.01
        or abs(scenario_value_usd - case when exclusion_value_usd * factor > duty_usd then duty_usd
            else exclusion_value_usd * factor end) > 0.01
        or abs(scenario_value_2017_usd - case when exclusion_value_2017_usd * factor > duty_2017_usd then duty_2017_usd
            else exclusion_value_2017_usd * factor end) > 0.01
        or (final_consumption_usd is null and coalesce(
            value_share_of_consumption, duty_share_of_consumption, value_2017_share_of_consumption,
            duty_2017_share_of_consumption) is not null)
        or abs(value_share_of_consumption * final_consumption_usd - exclusion_value_usd) > 0.01
        or abs(duty_share_of_consumption * final_consumption_usd - duty_with_exclusions_usd) > 0.01
        or abs(value_2017_share_of_consumption * final_consumption_usd - exclusion_value_2017_usd) > 0.01
        or abs(duty_2017_share_of_consumption * final_consumption_usd - duty_with_exclusions_2017_usd) > 0.01
"""
VALUES_PREPARED = {"duty_days": _DUTY_DAYS, "excluded_days": _EXCLUDED_DAYS, "line_imports": _LINE_IMPORTS}

VALUES = (
    Check(
        "recomputed_day_by_day",
        "exclusion_value",
        "ERROR",
        "Duties and the value of exclusions are recomputed day by day from rates, exclusions, lists and flows.",
        (
            equals(
                _VALUES,
                "year, list_id, hs2",
                numbers=(
                    *("mean_duty", "covered_2017_usd", "duty_2017_usd", "exclusion_value_2017_usd", "covered_usd"),
                    *("duty_usd", "exclusion_value_usd", "approval_share", "scenario_approval_share"),
                ),
                others=("duty_days", "n_lines", "n_lines_excluded", "n_lines_traded"),
            ),
            no_rows(_WRONG_SUMS),
        ),
    ),
)
