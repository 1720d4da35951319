"""The checks of import_price_contribution: what suppliers add to import prices, recomputed from the flows of two years.

They look at one year of all in the warehouse, whose cells `price_checks` prepares. Not here: the price indices.
"""

from __future__ import annotations

from collections.abc import Mapping

from dagster_project.checks.declarations import Check, no_rows
from dagster_project.checks.recomputed import equals, sampled

GROUPS = 40
_GROUP = "year, importer_code, product_level, product_code"
_OF_SAMPLED = (
    "year in (select year from price_year) and importer_code in (select importer_code from sampled_price_importers)"
)

_MEMBERS = """
    with goods as (
        select importer_code, hs6, sum(v0) as good0, sum(v1) as good1,
            sum(v0 * (ln(p0) + ln(p1)) / 2) / sum(v0) / 2 + sum(v1 * (ln(p0) + ln(p1)) / 2) / sum(v1) / 2 as good_price
        from price_cells where is_kept and is_baseline group by all
    ),
    others as (
        select a.importer_code, a.hs6, a.exporter_code,
            (sum(b.v0 * b.r) / sum(b.v0) + sum(b.v1 * b.r) / sum(b.v1)) / 2 as others_r
        from price_cells as a join price_cells as b using (importer_code, hs6, basis)
        where a.is_kept and b.is_kept and a.is_baseline and a.exporter_code <> b.exporter_code
            and a.importer_code in (select importer_code from sampled_imports)
        group by all
    )
    select g.*, c.exporter_code, c.hs6, v0, v1, r, is_kept, good0, good1, others_r,
        (v1 / good1 - v0 / good0) * ((ln(p0) + ln(p1)) / 2 - good_price) as moved
    from sampled_imports as g
    join price_cells as c on c.importer_code = g.importer_code and c.is_baseline and case g.product_level
        when 'all' then true when 'hs2' then left(c.hs6, 2) = g.product_code
        else (g.product_code, c.hs6) in (
            select (sector_id, hs6) from price_sectors
            where hs_revision = (select max(hs_revision) from stg_products) and coalesce(from_year, 0) <= g.year
        )
    end
    left join goods on goods.importer_code = c.importer_code and goods.hs6 = c.hs6
    left join others as o
        on o.importer_code = c.importer_code and o.hs6 = c.hs6 and o.exporter_code = c.exporter_code
"""
_CONTRIBUTIONS = f"""
    with totals as (
        select {_GROUP}, sum(v0) filter (is_kept) as total0, sum(v1) filter (is_kept) as total1,
            total1 / sum(v1) as link_coverage
        from import_members group by all
    ),
    weighed as (
        select *, (v0 / total0 + v1 / total1) / 2 as w, (good0 / total0 + good1 / total1) / 2 as good_w
        from import_members join totals using ({_GROUP}) where is_kept
    )
    select {_GROUP}, exporter_code, sum(w * r) as within, sum(good_w * moved) as switching,
        coalesce(sum(w * (r - others_r)), 0) as relative_contribution, sum(w) as share, count(*) as n_cells,
        any_value(link_coverage) as link_coverage, any_value(change) as import_price_change
    from weighed join (select {_GROUP}, sum(w * r) as change from weighed group by all) using ({_GROUP})
    group by {_GROUP}, exporter_code
"""
_WRONG_SUMS = f"""
    select {_GROUP}, sum(share) as share, sum(within) as within, any_value(import_price_change) as import_price_change
    from {{batch}} group by all
    having abs(sum(share) - 1) > 1e-9 or abs(sum(within) - any_value(import_price_change)) > 1e-9
        or min(import_price_change) <> max(import_price_change) or min(link_coverage) <> max(link_coverage)
        or not min(link_coverage) > 0 or max(link_coverage) > 1 + 1e-9
"""

IMPORT_PRICE_PREPARED: Mapping[str, str] = {
    "sampled_imports": sampled("all_contributions", _GROUP, GROUPS, where=_OF_SAMPLED),
    "import_members": _MEMBERS,
    "checked_contributions": f"select * from all_contributions semi join sampled_imports using ({_GROUP})",
}

IMPORT_PRICE_CHECKS = (
    Check(
        "contributions_sum_to_change",
        "import_price_contribution",
        "ERROR",
        "The suppliers of an importer's group of goods have shares that sum to 1, and sum to its change of prices.",
        (no_rows(_WRONG_SUMS),),
        on="all_contributions",
    ),
    Check(
        "recomputed_from_flows",
        "import_price_contribution",
        "ERROR",
        f"The contributions to {GROUPS} importers' groups of goods of one year are recomputed from both years' flows.",
        (
            equals(
                _CONTRIBUTIONS,
                f"{_GROUP}, exporter_code",
                numbers=(
                    *("within", "switching", "relative_contribution", "import_price_change", "share"),
                    "link_coverage",
                ),
                others=("n_cells",),
            ),
        ),
        on="checked_contributions",
    ),
)
