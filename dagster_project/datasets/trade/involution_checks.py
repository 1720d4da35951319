"""The checks of the marts of involution: parts and flags recomputed from the flows of two years, counts from the goods.

They look at all years of the warehouse: a changed year also changes the year after it, and later years in a row. The
cells of one year are those that `price_checks` prepares. Not here: the price indices.
"""

from __future__ import annotations

from collections.abc import Mapping

from dagster_project.checks.declarations import Check, no_rows
from dagster_project.checks.recomputed import equals
from dagster_project.datasets.trade.price_checks import GOODS

_KEYS = "year, exporter_code, hs6"

_PARTS = """
    with sums as (
        select c.year, exporter_code, hs6, sum(v1) as value_usd, sum(v0) as value_usd_prev,
            coalesce(sum((q0 + q1) / 2 * (p1 - p0)) filter (is_kept), 0) as price_effect,
            coalesce(sum((p0 + p1) / 2 * (q1 - q0)) filter (is_kept), 0) as quantity_effect,
            coalesce(sum(v1) filter (is_seen and v0 = 0), 0) as entry,
            -coalesce(sum(v0) filter (is_seen and v1 = 0), 0) as exit,
            coalesce(sum(v1 - v0) filter (is_seen and v0 > 0 and v1 > 0 and not is_kept), 0) as unpriced,
            coalesce(sum(v1 - v0) filter (not is_seen), 0) as not_observed,
            count(*) filter (is_kept) as n_cells,
            coalesce(sum(v1) filter (is_kept), 0) / nullif(value_usd, 0) as link_coverage,
            coalesce(sum(v0) filter (is_kept), 0) / nullif(value_usd_prev, 0) as link_coverage_prev,
            sqrt(sum(v0 * p1 / p0) filter (is_kept) / sum(v0) filter (is_kept)
                * sum(v1) filter (is_kept) / sum(v1 * p0 / p1) filter (is_kept)) as fisher,
            sum(v1) filter (is_kept) / sum(v0) filter (is_kept) as value_ratio,
            value_ratio / fisher as quantity_fisher
        from price_cells as c semi join sampled_involution using (exporter_code, hs6)
        where is_baseline group by all
    ),
    judged as (
        select s.*, relative, round(least(coalesce(s.link_coverage, 0), coalesce(s.link_coverage_prev, 0)), 12) >= 0.3
            and n_cells >= (select max(price_min_cells) from int_year_settings) as is_measured
        from sums as s
        left join (
            select year, exporter_code, product_code as hs6, relative from all_prices
            where product_level = 'hs6' and basis = 'baseline'
        ) as prices using (year, exporter_code, hs6)
    )
    select *, case when is_measured then round(fisher, 12) < 1 end as price_fell,
        case when is_measured then round(quantity_fisher, 12) > 1 end as quantity_rose,
        price_fell and quantity_rose as is_involution,
        case when is_measured then is_involution and round(value_ratio, 12) < 1 end as is_revenue_falling,
        case when is_measured then is_involution and round(relative, 12) < 1 end as is_relative
    from judged
"""
_WRONG_ROWS = """
    select now.year, now.exporter_code, now.hs6, now.is_involution, now.years_in_a_row,
        before.years_in_a_row as years_before
    from {batch} as now left join {batch} as before
        on before.year = now.year - 1 and before.exporter_code = now.exporter_code and before.hs6 = now.hs6
    where now.years_in_a_row is distinct from case
        when now.is_involution then 1 + coalesce(before.years_in_a_row, 0) when not now.is_involution then 0
    end
"""
# Years without a year before have no row; all others have their exporters' whole change.
_CHANGES = """
    with totals as (
        select year, exporter_code, sum(value_usd) as usd from all_years.bilateral_totals group by all
    ),
    flows as (
        select year, exporter_code, sum(now) - sum(before) as change_usd, sum(now) + sum(before) as size_usd
        from (
            select year, exporter_code, usd as now, 0 as before from totals
            union all select year + 1, exporter_code, 0, usd from totals
        ) group by all
    ),
    mart as (
        select year, exporter_code, count(*) as goods,
            sum(price_effect + quantity_effect + entry + exit + unpriced + not_observed) as parts_usd
        from {batch} group by all
    )
    select year, exporter_code, goods, change_usd, parts_usd from flows full join mart using (year, exporter_code)
    where case
        when year in (select year from totals) and year - 1 in (select year from totals)
            then change_usd is null or parts_usd is null or abs(parts_usd - change_usd) > 1e-9 * size_usd + 0.01
        else goods is not null
    end
"""
_COUNTS = """
    select year, exporter_code, count(*) as n_goods, count(*) filter (is_measured) as n_measured,
        count(*) filter (price_fell) as n_price_fell, count(*) filter (is_involution) as n_involution,
        count(*) filter (is_revenue_falling) as n_revenue_falling, count(*) filter (is_relative) as n_relative,
        n_involution / nullif(n_measured, 0) as involution_share, sum(value_usd) as value_usd,
        sum(value_usd_prev) as value_usd_prev,
        coalesce(sum(value_usd) filter (is_involution), 0) / nullif(sum(value_usd) filter (is_measured), 0)
            as involution_value_share,
        coalesce(sum(value_usd) filter (is_measured), 0) / nullif(sum(value_usd), 0) as measured_value_share,
        sum(price_effect) as price_effect, sum(quantity_effect) as quantity_effect, sum(entry) as entry,
        sum(exit) as exit, sum(unpriced) as unpriced, sum(not_observed) as not_observed
    from all_involution group by all
"""
_EFFECTS = ("price_effect", "quantity_effect", "entry", "exit", "unpriced", "not_observed")
# Parts are differences of larger sums: what they may differ by goes by those.
_OF_LARGE_SUMS = "1e-9 * (abs({value}) + mart.value_usd + mart.value_usd_prev) + 1e-12"
_FACTS = """
    select sum(n_measured) as measured, sum(n_involution) as involution, sum(n_relative) as cheaper_than_others
    from {batch}
"""

INVOLUTION_PREPARED: Mapping[str, str] = {
    "all_summaries": "from all_years.involution_summary",
    "checked_involution": f"select * from all_involution semi join sampled_involution using ({_KEYS})",
}

INVOLUTION_CHECKS = (
    Check(
        "years_follow_each_other",
        "involution",
        "ERROR",
        "The years in a row are those of the year before and one more, and begin anew after a gap.",
        (no_rows(_WRONG_ROWS),),
        on="all_involution",
    ),
    Check(
        "parts_sum_to_change_of_flows",
        "involution",
        "ERROR",
        "The parts of all goods sum to the change of an exporter's flows, in every year whose year before is there.",
        (no_rows(_CHANGES),),
        on="all_involution",
    ),
    Check(
        "recomputed_from_flows",
        "involution",
        "ERROR",
        f"Parts, indices and flags of {GOODS} exporters' goods of one year are recomputed from both years' flows.",
        (
            equals(_PARTS, _KEYS, numbers=_EFFECTS, tolerance=_OF_LARGE_SUMS),
            equals(
                _PARTS,
                _KEYS,
                numbers=(
                    *("value_usd", "value_usd_prev", "fisher", "quantity_fisher", "value_ratio", "relative"),
                    *("link_coverage", "link_coverage_prev"),
                ),
                others=(
                    *("n_cells", "is_measured", "price_fell", "quantity_rose", "is_involution", "is_revenue_falling"),
                    "is_relative",
                ),
            ),
        ),
        on="checked_involution",
    ),
    Check(
        "recomputed_from_goods",
        "involution_summary",
        "ERROR",
        "Counts, shares and parts of every exporter are recomputed from its goods.",
        (
            equals(_COUNTS, "year, exporter_code", numbers=_EFFECTS, tolerance=_OF_LARGE_SUMS),
            equals(
                _COUNTS,
                "year, exporter_code",
                numbers=(
                    *("involution_share", "involution_value_share", "measured_value_share", "value_usd"),
                    "value_usd_prev",
                ),
                others=("n_goods", "n_measured", "n_price_fell", "n_involution", "n_revenue_falling", "n_relative"),
            ),
        ),
        on="all_summaries",
        facts=_FACTS,
    ),
)
