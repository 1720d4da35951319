"""The checks of the price marts: unit values recomputed from the flows of two years, chains from their links.

They look at all years of the warehouse, not at those of the run alone: a changed year also changes the link of the year
after it, and every later year of a chain.
Not here: what is made of prices (`import_price_checks`, `learning_checks`, `involution_checks`), and the other trade
marts (`mart_checks`, `recomputed`).
"""

from __future__ import annotations

from collections.abc import Mapping

from dagster_project.checks.declarations import Check, no_rows, not_empty
from dagster_project.checks.recomputed import equals, sampled

GROUPS = 60  # of prices
IMPORTERS = 4  # of whom price contributions are recomputed
GOODS = 100  # of exporters whose involution is recomputed
_KEYS = "year, exporter_code, product_level, product_code, basis"

# One year of the run, or the year after one, that has prices; the same for the same data.
_YEAR = """
    select year from (
        select year, count(*) as n from all_prices where n_cells > 0 group by year
    )
    where not exists (select 1 from run_years) or year in (select year from run_years)
        or year - 1 in (select year from run_years)
    order by hash(year, n), year limit 1
"""
_OF_YEAR = "year in (select year from price_year)"
_GROUPS = sampled("all_prices", _KEYS, GROUPS, where=f"n_cells > 0 and {_OF_YEAR}")
# The goods of the sampled products, and those sampled of involution.
_GOODS = """
    with traded as (
        select distinct hs6 from all_years.trade_flows
        where year in (select unnest([year - 1, year]) from price_year)
    ),
    products as (select distinct product_level, product_code from sampled_prices)
    select distinct hs6 from traded join products on case product_level
        when 'hs6' then hs6 = product_code when 'hs2' then left(hs6, 2) = product_code
        else (product_code, hs6) in (
            select (sector_id, hs6) from price_sectors where hs_revision = (select max(hs_revision) from stg_products)
        )
    end
    union select hs6 from sampled_involution
"""


def _flows_of(year: str) -> str:
    return f"""
        from all_years.trade_flows where year in (select {year} from price_year) and (
            hs6 in (select hs6 from sampled_price_goods)
            or importer_code in (select importer_code from sampled_price_importers)
        )
    """


# Cells of the two years that any sample needs: all of a sampled good, and all of a sampled importer. With both
# quantities, and whether their unit values may be compared.
_CELLS = f"""
    with this as ({_flows_of("year")}), before as ({_flows_of("year - 1")}),
    base as (select max(hs_revision) as hs_revision from stg_products),
    cells as (
        select (select year from price_year) as year, exporter_code, importer_code, hs6,
            coalesce(before.value_usd, 0) as v0, coalesce(this.value_usd, 0) as v1,
            before.quantity_kg as kg0, this.quantity_kg as kg1, before.quantity_units as n0, this.quantity_units as n1,
            before.is_mirror = this.is_mirror as is_alike,
            importer_code in (
                select importer_code from all_years.trade_flows where year in (select year from price_year)
            )
            and importer_code in (
                select importer_code from all_years.trade_flows where year in (select year - 1 from price_year)
            )
            and hs6 in (select hs6 from all_years.trade_flows where year in (select year from price_year))
            and hs6 in (select hs6 from all_years.trade_flows where year in (select year - 1 from price_year))
            and not exists (
                select 1 from price_sectors as s join base using (hs_revision)
                where s.hs6 = coalesce(this.hs6, before.hs6) and s.from_year >= (select year from price_year)
            ) as is_seen,
            left(hs6, 4) in (select heading from price_basis) as is_counted
        from this full join before using (exporter_code, importer_code, hs6)
    ),
    measured as (
        select *, 'kg' as basis, kg0 as q0, kg1 as q1 from cells
        union all select *, 'unit', n0, n1 from cells
    )
    select *, (basis = 'unit') = is_counted as is_baseline, v1 / q1 as p1, v0 / q0 as p0, ln(p1 / p0) as r,
        coalesce(is_seen and is_alike and v0 > 0 and v1 > 0 and r is not null, false) as is_compared,
        is_compared and abs(r) <= ln((select max(price_trim) from int_year_settings)) + 1e-12 as is_kept
    from measured
"""
_PRICES = """
    with others as (
        select a.exporter_code, a.importer_code, a.hs6, a.basis,
            (sum(b.v0 * b.r) / sum(b.v0) + sum(b.v1 * b.r) / sum(b.v1)) / 2 as others_r
        from price_cells as a join price_cells as b using (importer_code, hs6, basis)
        where a.is_kept and b.is_kept and a.exporter_code <> b.exporter_code
            and a.exporter_code in (select exporter_code from sampled_prices)
        group by all
    ),
    levels as (
        select a.exporter_code, a.importer_code, a.hs6, a.basis, ln(any_value(a.p1) / (sum(b.v1) / sum(b.q1))) as gap
        from price_cells as a join price_cells as b using (importer_code, hs6, basis)
        where a.p1 is not null and b.p1 is not null and a.exporter_code <> b.exporter_code
            and a.exporter_code in (select exporter_code from sampled_prices)
        group by all having abs(gap) <= ln(10) + 1e-12
    ),
    members as (
        select g.product_level, g.product_code, g.basis as group_basis, c.*, others_r, gap
        from sampled_prices as g
        join price_cells as c on c.exporter_code = g.exporter_code
        and case g.product_level
            when 'hs6' then c.hs6 = g.product_code when 'hs2' then left(c.hs6, 2) = g.product_code
            else (g.product_code, c.hs6) in (
                select (sector_id, hs6) from price_sectors
                where hs_revision = (select max(hs_revision) from stg_products) and coalesce(from_year, 0) <= g.year
            )
        end
        left join others as o on o.exporter_code = c.exporter_code and o.importer_code = c.importer_code
            and o.hs6 = c.hs6 and o.basis = c.basis
        left join levels as l on l.exporter_code = c.exporter_code and l.importer_code = c.importer_code
            and l.hs6 = c.hs6 and l.basis = c.basis
        where case g.basis when 'baseline' then c.is_baseline else c.basis = g.basis end
    ),
    sums as (
        select year, exporter_code, product_level, product_code, group_basis as basis, sum(v1) as value_usd,
            sum(v0) as value_before, count(*) filter (is_kept) as n_cells,
            count(*) filter (is_compared and not is_kept) as n_trimmed,
            coalesce(sum(v1) filter (q1 is not null), 0) / nullif(sum(v1), 0) as quantity_coverage,
            sum(v0) filter (is_kept) as kept0, sum(v1) filter (is_kept) as kept1,
            sum(v0 * p1 / p0) filter (is_kept) / kept0 as laspeyres,
            kept1 / sum(v1 * p0 / p1) filter (is_kept) as paasche,
            exp(sum((v0 / total0 + v1 / total1) / 2 * r) filter (is_kept)) as tornqvist,
            coalesce(sum(v1) filter (is_compared and not is_kept), 0) / nullif(sum(v1), 0) as trimmed_share,
            sum(v0) filter (is_kept and others_r is not null) as matched0,
            sum(v1) filter (is_kept and others_r is not null) as matched1,
            exp((sum(v0 * r) filter (is_kept and others_r is not null) / matched0
                + sum(v1 * r) filter (is_kept and others_r is not null) / matched1) / 2) as own_matched,
            exp((sum(v0 * others_r) filter (is_kept) / matched0
                + sum(v1 * others_r) filter (is_kept) / matched1) / 2) as others,
            count(*) filter (is_kept and others_r is not null) as n_relative,
            exp(sum(v1 * gap) / sum(v1) filter (gap is not null)) as relative_level
        from members
        join (
            select exporter_code, product_level, product_code, group_basis, sum(v0) as total0, sum(v1) as total1
            from members where is_kept group by all
        ) as kept using (exporter_code, product_level, product_code, group_basis)
        group by all
    )
    select *, sqrt(laspeyres * paasche) as fisher, kept1 / kept0 as value_ratio,
        value_ratio / fisher as quantity_fisher, kept1 / nullif(value_usd, 0) as link_coverage,
        kept0 / nullif(value_before, 0) as link_coverage_prev,
        own_matched / others as relative, coalesce(matched1, 0) / nullif(value_usd, 0) as relative_coverage
    from sums
"""
_BAD_PRICES = """
    select year, exporter_code, product_level, product_code, basis, quality, fisher, n_cells, value_usd, link_coverage,
        link_coverage_prev, trimmed_share, split_share, panel_coverage, relative
    from {batch}
    where not isfinite(fisher) or fisher <= 0 or value_usd < 0 or n_cells < 0 or n_relative > n_cells
        or not least(link_coverage, link_coverage_prev, trimmed_share, split_share, panel_coverage) >= 0
        or greatest(link_coverage, link_coverage_prev, trimmed_share, split_share, panel_coverage) > 1 + 1e-6
        or (quality = 'none') <> (n_cells = 0) or (fisher is null) <> (n_cells = 0)
        or quality is distinct from case
            when n_cells = 0 then 'none'
            when round(least(link_coverage, link_coverage_prev), 12) < 0.3
                or n_cells < (select max(price_min_cells) from int_year_settings) then 'poor'
            when quality = 'good' and round(least(link_coverage, link_coverage_prev), 12) >= 0.6 and n_cells >= 10
                then 'good'
            when n_cells < 10 or round(least(link_coverage, link_coverage_prev), 12) < 0.6
                or (select bool_or(source = 'baci') from trade_flows) then 'fair'
            else 'good'
        end
"""
_VALUES = """
    with flows as (
        select year, exporter_code, sum(value_usd) as flows_usd from all_years.bilateral_totals group by all
    ),
    mart as (
        select year, exporter_code, product_level, sum(value_usd) as mart_usd from {batch}
        where product_level in ('hs6', 'hs2') and basis = 'baseline' group by all having mart_usd > 0
    )
    select year, exporter_code, product_level, flows_usd, mart_usd from flows full join mart using (year, exporter_code)
    where flows_usd is null or mart_usd is null or abs(mart_usd - flows_usd) > 1e-9 * flows_usd + 0.01
"""
_CHAINS = """
    with chained as (
        select *, lag(year) over line as year_before, lag(chain_fisher) over line as fisher_before,
            lag(chain_tornqvist) over line as tornqvist_before
        from {batch}
        window line as (partition by exporter_code, product_level, product_code, basis order by year)
    )
    select year, exporter_code, product_level, product_code, basis, fisher, chain_start_year, chain_fisher,
        chain_tornqvist, fisher_before
    from chained
    where case
        when fisher is not null then year_before is distinct from year - 1
            or not coalesce(abs(chain_fisher / (fisher_before * fisher) - 1) < 1e-9, false)
            or not coalesce(abs(chain_tornqvist / (tornqvist_before * tornqvist) - 1) < 1e-9, false)
            or not coalesce(chain_start_year < year, false)
        else chain_fisher <> 1 or chain_tornqvist <> 1 or chain_start_year <> year
            or (chain_fisher is null) <> (chain_start_year is null)
    end
"""
_FACTS = """
    select count(*) filter (fisher is not null) as links, count(*) filter (quality = 'good') as good,
        count(*) filter (quality = 'poor') as poor, sum(n_trimmed) as trimmed_cells
    from {batch} where product_level = 'hs6' and basis = 'baseline'
"""

PRICE_PREPARED: Mapping[str, str] = {
    "all_prices": "from all_years.export_price_index",
    "price_year": _YEAR,
    "sampled_prices": _GROUPS,
    "all_contributions": "from all_years.import_price_contribution",
    "sampled_price_importers": sampled("all_contributions", "importer_code", IMPORTERS, where=_OF_YEAR),
    "all_involution": "from all_years.involution",
    "sampled_involution": sampled("all_involution", "year, exporter_code, hs6", GOODS, where=_OF_YEAR),
    "sampled_price_goods": _GOODS,
    "price_cells": _CELLS,
    "checked_prices": "select * from all_prices semi join sampled_prices using (" + _KEYS + ")",
}

PRICE_CHECKS = (
    Check(
        "measures_plausible",
        "export_price_index",
        "ERROR",
        "There are rows; indices are above zero, coverages lie in [0, 1], quality is what coverage and cells allow.",
        (not_empty(), no_rows(_BAD_PRICES)),
        on="all_prices",
        facts=_FACTS,
    ),
    Check(
        "totals_match_flows",
        "export_price_index",
        "ERROR",
        "An exporter's goods, and its chapters, sum to its flows, priced or not.",
        (no_rows(_VALUES),),
        on="all_prices",
    ),
    Check(
        "chains_match_links",
        "export_price_index",
        "ERROR",
        "Every chain is its value of the year before times the year's link, and 1 where it starts.",
        (no_rows(_CHAINS),),
        on="all_prices",
    ),
    Check(
        "recomputed_from_flows",
        "export_price_index",
        "ERROR",
        f"The links of {GROUPS} exporters and products of one year are recomputed from the flows of both years.",
        (
            equals(
                _PRICES,
                _KEYS,
                numbers=(
                    *("laspeyres", "paasche", "fisher", "tornqvist", "value_ratio", "quantity_fisher", "value_usd"),
                    *("quantity_coverage", "link_coverage", "link_coverage_prev", "trimmed_share", "own_matched"),
                    *("others", "relative", "relative_coverage", "relative_level"),
                ),
                others=("n_cells", "n_trimmed", "n_relative"),
            ),
        ),
        on="checked_prices",
    ),
)
