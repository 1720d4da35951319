"""The checks of the marts of world supply: shares and concentration of chapters and sectors, recomputed from flows.

Not here: prices (`price_checks`) and the other trade marts (`mart_checks`, `recomputed`).
"""

from __future__ import annotations

from collections.abc import Mapping

from dagster_project.checks.declarations import Check, no_rows, not_empty
from dagster_project.checks.recomputed import equals, sampled

GROUPS = 40
_KEYS = "year, product_level, product_code"

# What every exporter sold of the sampled products, in their year and five years before. Chapters and sectors are joined
# apart, each by equal columns: a condition that holds both would compare every flow with every product.
_SALES = """
    with wanted as (select *, unnest([year, year - 5]) as flow_year from sampled_supply),
    sold as (
        select w.*, f.exporter_code, f.hs6, f.value_usd, f.quantity_kg, f.quantity_units
        from wanted as w join all_years.trade_flows as f on f.year = w.flow_year and left(f.hs6, 2) = w.product_code
        where w.product_level = 'hs2'
        union all
        select w.*, f.exporter_code, f.hs6, f.value_usd, f.quantity_kg, f.quantity_units
        from wanted as w join price_sectors as s on s.sector_id = w.product_code
            and s.hs_revision = (select max(hs_revision) from stg_products)
            and coalesce(s.from_year, 0) <= w.flow_year
        join all_years.trade_flows as f on f.year = w.flow_year and f.hs6 = s.hs6
        where w.product_level = 'sector'
    )
    select year, product_level, product_code, flow_year, exporter_code, sum(value_usd) as usd,
        sum(value_usd) filter (case when b.heading is null then quantity_kg else quantity_units end is not null)
            as known_usd,
        sum(case when b.heading is null then quantity_kg else quantity_units end) as quantity
    from sold left join price_basis as b on b.heading = left(hs6, 4)
    group by all
"""
_SHARES = f"""
    with worlds as (
        select {_KEYS}, flow_year, sum(usd) as world, sum(known_usd) / sum(usd) as known,
            sum(quantity) as world_quantity
        from sales group by all
    ),
    counted as (
        select {_KEYS}, count(distinct left(f.hs6, 4) in (select heading from price_basis)) = 1 as is_one_kind
        from sampled_supply as g join trade_flows as f using (year)
        where g.product_level = 'hs2' and left(f.hs6, 2) = g.product_code group by all
    )
    select now.year, now.product_level, now.product_code, now.exporter_code, now.usd as export_value_usd,
        now.usd / w.world as value_share,
        (
            select 1 + count(*) from sales as ahead
            where (ahead.year, ahead.flow_year, ahead.product_level, ahead.product_code)
                = (now.year, now.year, now.product_level, now.product_code) and round(ahead.usd, 2) > round(now.usd, 2)
        ) as export_rank,
        case when coalesce(is_one_kind, true) and w.known >= 0.6 then coalesce(now.quantity, 0) / w.world_quantity end
            as quantity_share,
        now.usd / w.world - case when e.world is not null then coalesce(earlier.usd / e.world, 0) end as share_change_5y
    from sales as now
    join worlds as w on (w.year, w.product_level, w.product_code) = (now.year, now.product_level, now.product_code)
        and w.flow_year = now.year
    left join counted as c on (c.year, c.product_level, c.product_code)
        = (now.year, now.product_level, now.product_code)
    left join worlds as e on (e.year, e.product_level, e.product_code) = (now.year, now.product_level, now.product_code)
        and e.flow_year = now.year - 5
    left join sales as earlier on (earlier.year, earlier.product_level, earlier.product_code, earlier.exporter_code)
        = (now.year, now.product_level, now.product_code, now.exporter_code) and earlier.flow_year = now.year - 5
    where now.flow_year = now.year
"""
_CONCENTRATION = f"""
    with shares as (
        select *, usd / sum(usd) over (partition by {_KEYS}, flow_year) as share,
            row_number() over (partition by {_KEYS}, flow_year order by round(usd, 2) desc, exporter_code) as place
        from sales
    ),
    measured as (
        select {_KEYS}, flow_year, sum(usd) as world_exports_usd, count(*) as n_exporters,
            first(exporter_code order by place) as top1_code, max(share) as top1_share,
            sum(share) filter (place <= 3) as top3_share, sum(share ** 2) as export_hhi
        from shares group by all
    )
    select now.*, 1 / now.export_hhi as effective_exporters, now.top3_share - earlier.top3_share as top3_change_5y
    from measured as now left join measured as earlier
        on (earlier.year, earlier.product_level, earlier.product_code) = (now.year, now.product_level, now.product_code)
        and earlier.flow_year = now.year - 5
    where now.flow_year = now.year
"""
# The chapters' exports are those of all goods.
_TOTALS = """
    with mart as (select year, sum({value}) as mart_usd from {{batch}} where product_level = 'hs2' group by all),
    flows as (select year, sum(value_usd) as flows_usd from bilateral_totals group by all)
    select year, flows_usd, mart_usd from flows full join mart using (year)
    where flows_usd is null or mart_usd is null or abs(mart_usd - flows_usd) > 1e-9 * flows_usd + 0.01
"""

SUPPLY_PREPARED: Mapping[str, str] = {
    "sampled_supply": sampled("capacity_concentration", _KEYS, GROUPS),
    "sales": _SALES,
}

SUPPLY_CHECKS = (
    Check(
        "totals_match_flows",
        "capacity_concentration",
        "ERROR",
        "The exports of all chapters together are the world's trade.",
        (not_empty(), no_rows(_TOTALS.format(value="world_exports_usd"))),
    ),
    Check(
        "recomputed_from_flows",
        "capacity_concentration",
        "ERROR",
        f"Exports, leaders and concentration of {GROUPS} chapters and sectors are recomputed from their flows.",
        (
            equals(
                _CONCENTRATION,
                _KEYS,
                numbers=(
                    *("world_exports_usd", "top1_share", "top3_share", "export_hhi", "effective_exporters"),
                    "top3_change_5y",
                ),
                others=("n_exporters", "top1_code"),
                sample=("sampled_supply", _KEYS),
            ),
        ),
    ),
    Check(
        "totals_match_flows",
        "supply_share",
        "ERROR",
        "The exports of all chapters and exporters together are the world's trade.",
        (not_empty(), no_rows(_TOTALS.format(value="export_value_usd"))),
    ),
    Check(
        "recomputed_from_flows",
        "supply_share",
        "ERROR",
        f"Shares, ranks and changes of all exporters of {GROUPS} chapters and sectors are recomputed from their flows.",
        (
            equals(
                _SHARES,
                f"{_KEYS}, exporter_code",
                numbers=("export_value_usd", "value_share", "quantity_share", "share_change_5y"),
                others=("export_rank",),
                sample=("sampled_supply", _KEYS),
            ),
        ),
    ),
)
