"""The check of kaizen_trade: rates, years in a row and advantages put together once more, over all years.

Not here: the marts that they are taken from (`learning_checks`, `involution_checks`, `complexity_checks`).
"""

from __future__ import annotations

from dagster_project.checks.declarations import Check
from dagster_project.checks.recomputed import equals

_EXPORTERS = """
    with rates as (
        select r.exporter_code, r.product_code, round(r.learning_rate, 12) as rate,
            r.b > 0 and r.p_value < 0.05 as learns, sum(f.value_usd) as weight
        from learning_rate as r join all_years.trade_flows as f
            on f.exporter_code = r.exporter_code and f.hs6 = r.product_code and f.year = r.last_year
        where r.product_level = 'hs6' and r.cumulative = 'own' and r.learning_rate is not null
        group by all
    ),
    sorted as (
        select *, sum(weight) over (partition by exporter_code order by rate)
            / sum(weight) over (partition by exporter_code) as reached
        from rates
    ),
    learning as (
        select exporter_code, count(*) as n_goods, avg(learns::integer) as learning_share,
            min(rate) filter (reached >= 0.5 - 1e-9) as median_learning_rate
        from sorted group by all
    ),
    rows_of_years as (
        select exporter_code, avg(years_in_a_row) as mean_years_in_a_row from all_years.involution
        where year = (select max(year) from all_years.involution where years_in_a_row is not null)
        group by all having count(years_in_a_row) > 0
    ),
    complex_goods as (
        from all_years.product_complexity where pci_rank is not null
        qualify pci_rank <= count(*) over (partition by year) / 3
    ),
    steps as (
        select a.country_code as exporter_code, round(a.rca, 12) >= 1 as had, (round(b.rca, 12) >= 1)::integer as has
        from all_years.product_space as a semi join complex_goods using (year, hs6)
        join all_years.product_space as b
            on b.country_code = a.country_code and b.hs6 = a.hs6 and b.year = a.year + 1
    ),
    advantages as (
        select exporter_code, avg(has) filter (had) as rca_survival, avg(has) filter (not had) as rca_entry
        from steps group by all
    )
    select exporter_code, coalesce(n_goods, 0) as n_goods, learning_share, median_learning_rate, mean_years_in_a_row,
        rca_survival, rca_entry
    from (select distinct exporter_code from all_years.trade_flows) as exporters
    left join learning using (exporter_code) left join rows_of_years using (exporter_code)
    left join advantages using (exporter_code)
"""

KAIZEN_CHECKS = (
    Check(
        "recomputed_from_rates_and_advantages",
        "kaizen_trade",
        "ERROR",
        "Shares, medians and means of every exporter are those of its learning rates, involution and advantages.",
        (
            equals(
                _EXPORTERS,
                "exporter_code",
                numbers=(
                    *("learning_share", "median_learning_rate", "mean_years_in_a_row", "rca_survival"),
                    "rca_entry",
                ),
                others=("n_goods",),
            ),
        ),
    ),
)
