"""The checks of what the paradox is tested on: chapters of a sample of importers, from the flows.

Not here: the tests of the paradox (`checks.paradox`), keys, types and formulas by hand, which dbt tests.
"""

from __future__ import annotations

from collections.abc import Mapping

from dagster_project.checks.declarations import Check, no_rows
from dagster_project.checks.recomputed import equals, sampled

# All flows of the sample's years are ranked: so few years.
IMPORTERS, YEARS = 8, 2

_WORLD = """
    select year, hs6, left(hs6, 2) as hs2, exporter_code, sum(value_usd) as usd, round(sum(value_usd), 2) as cents
    from trade_flows join goods_in_scope using (hs6)
    where in_scope and year in (select year from paradox_importers) group by all
"""
_CHAPTERS = """
    with bought as (
        select year, importer_code, hs6, left(hs6, 2) as hs2, sum(value_usd) as m,
            sum(value_usd ** 2) / sum(value_usd) as squared
        from trade_flows semi join paradox_importers using (year, importer_code)
        join goods_in_scope using (hs6) where in_scope group by all
    ),
    imports as (
        select year, importer_code, hs2, count(*) as n_goods, sum(m) as import_value_usd,
            sum(squared) / sum(m) as import_hhi_weighted
        from bought group by all
    ),
    own as (
        select one.year, one.exporter_code as importer_code, one.hs2, one.usd, 1 + count(other.exporter_code) as place
        from (select w.* from paradox_world as w join paradox_importers as p
            on p.year = w.year and p.importer_code = w.exporter_code) as one
        left join paradox_world as other on other.year = one.year and other.hs6 = one.hs6 and other.cents > one.cents
        group by one.year, one.exporter_code, one.hs2, one.hs6, one.usd
    ),
    exports as (
        select year, importer_code, hs2, sum(usd) as x, count(*) as n_goods_exported,
            count(*) filter (place <= 3) as n_top3
        from own group by all
    ),
    chapters as (
        select *, usd / sum(usd) over (partition by year) as world_share
        from (select year, hs2, sum(usd) as usd from paradox_world group by all)
    ),
    wholes as (select year, importer_code, sum(x) as whole from exports group by all),
    joined as (
        select i.*, coalesce(x, 0) as export_value_usd, coalesce(n_goods_exported, 0) as n_goods_exported,
            coalesce(n_top3, 0) as n_top3, world_share, whole
        from imports as i left join exports using (year, importer_code, hs2) left join chapters using (year, hs2)
        left join wholes using (year, importer_code)
    )
    select joined.*, v.vulnerability, v.vulnerability_mean, coalesce(sector_class, 'none') as sector_class,
        export_value_usd / whole / world_share as rca,
        1 - 2 / (1 + export_value_usd / whole / world_share) as rca_sym,
        case when n_goods_exported > 0 then n_top3 / n_goods_exported end as top3_share,
        1 - export_value_usd / (import_value_usd + export_value_usd) as net_import_ratio
    from joined join (
        select year, importer_code, hs2, vulnerability, vulnerability_mean from industry_vulnerability
    ) as v using (year, importer_code, hs2) left join hs2_classes using (hs2)
"""
# Of a chapter that it does not import, a country has no row: so the shares may sum to less than 1.
_WRONG_SHARES = """
    select p.year, p.importer_code, sum(export_value_usd) as chapters_usd, any_value(exports_usd) as exports_usd
    from {batch} as p left join (
        select year, exporter_code, sum(in_scope_value_usd) as exports_usd from bilateral_totals group by all
    ) as b on b.year = p.year and b.exporter_code = p.importer_code
    group by p.year, p.importer_code
    having chapters_usd > coalesce(any_value(exports_usd), 0) * (1 + 1e-9) + 0.01
"""
PARADOX_PREPARED: Mapping[str, str] = {
    "paradox_importers": sampled(
        "competitiveness_paradox",
        "year, importer_code",
        IMPORTERS,
        where=f"year in ({sampled('competitiveness_paradox', 'year', YEARS)})",
    ),
    "paradox_world": _WORLD,
}

PARADOX_CHECKS = (
    Check(
        "exports_within_totals",
        "competitiveness_paradox",
        "ERROR",
        "What a country exports of the chapters that it imports is no more than all that it exports in scope.",
        (no_rows(_WRONG_SHARES),),
    ),
    Check(
        "recomputed_from_flows",
        "competitiveness_paradox",
        "ERROR",
        f"Reliance and competitiveness of {IMPORTERS} importers by chapter are recomputed from the flows.",
        (
            equals(
                _CHAPTERS,
                "year, importer_code, hs2",
                numbers=(
                    *("import_value_usd", "vulnerability", "vulnerability_mean", "import_hhi_weighted"),
                    *("export_value_usd", "rca", "rca_sym", "top3_share", "net_import_ratio"),
                ),
                others=("n_goods", "n_goods_exported", "n_top3", "sector_class"),
                sample=("paradox_importers", "year, importer_code"),
            ),
        ),
    ),
)
