"""The checks of import_suppliers: does another road, from the flows, give the suppliers of a good and what they sell?

Not here: that the rows of a good are all of its imports, which dbt tests against import_vulnerability.
"""

from __future__ import annotations

from dagster_project.checks.declarations import Check
from dagster_project.checks.recomputed import equals, sampled

SUPPLIED = 400

_FLOWS = """
    select year, hs6, exporter_code, importer_code, value_usd
    from trade_flows semi join sampled_supplies using (year, hs6)
"""
# A place is one more than the number of those ahead; of a good's suppliers, all from the eleventh on are one row.
_SUPPLIERS = """
    with bought as (
        select *, round(value_usd, 2) as cents
        from supplied_flows semi join sampled_supplies using (year, importer_code, hs6)
    ),
    places as (
        select one.*, count(ahead.exporter_code) as n_ahead
        from bought as one left join bought as ahead
            on (one.year, one.importer_code, one.hs6) = (ahead.year, ahead.importer_code, ahead.hs6)
            and (ahead.cents > one.cents or (ahead.cents = one.cents and ahead.exporter_code < one.exporter_code))
        group by all
    ),
    sold as (select year, hs6, exporter_code, sum(value_usd) as sold_usd from supplied_flows group by all),
    ranked as (
        select one.*, 1 + count(larger.exporter_code) as export_rank
        from sold as one left join sold as larger on (one.year, one.hs6) = (larger.year, larger.hs6)
            and round(larger.sold_usd, 2) > round(one.sold_usd, 2)
        group by all
    ),
    elsewhere as (
        select b.year, b.importer_code, b.hs6, b.exporter_code, sum(f.value_usd) as elsewhere_usd
        from bought as b join supplied_flows as f using (year, hs6, exporter_code)
        where f.importer_code <> b.importer_code group by all
    ),
    goods as (
        select g.year, g.importer_code, g.hs6, sum(f.value_usd) as world_usd,
            sum(f.value_usd) filter (f.importer_code = g.importer_code) as imports_usd,
            sum(f.value_usd) filter (f.importer_code <> g.importer_code) as outside_usd
        from sampled_supplies as g join supplied_flows as f using (year, hs6) group by all
    )
    select year, importer_code, hs6, supplier_code, least(min(n_ahead) + 1, 11) as supplier_rank,
        count(*) as n_suppliers, sum(value_usd) as value_usd, sum(value_usd) / any_value(imports_usd) as share,
        sum(sold_usd) as world_exports_usd, sum(sold_usd) / any_value(world_usd) as world_export_share,
        if(supplier_code = 0, null, max(export_rank)) as world_export_rank,
        coalesce(sum(elsewhere_usd), 0) as exports_to_others_usd, count(elsewhere_usd) > 0 as supplies_others,
        any_value(outside_usd) as outside_usd,
        coalesce(sum(elsewhere_usd), 0) / any_value(outside_usd) as outside_share
    from (select *, if(n_ahead < 10, exporter_code, 0) as supplier_code from places)
    join ranked using (year, hs6, exporter_code) join goods using (year, importer_code, hs6)
    left join elsewhere using (year, importer_code, hs6, exporter_code)
    group by year, importer_code, hs6, supplier_code
"""
SUPPLIERS_PREPARED = {
    "sampled_supplies": sampled(
        "import_vulnerability",
        "year, importer_code, hs6",
        SUPPLIED,
        where="(year, importer_code) in (select (year, importer_code) from sampled_importers)",
    ),
    "supplied_flows": _FLOWS,
    "recomputed_suppliers": _SUPPLIERS,
}
_KEY, _GOOD = "year, importer_code, hs6, supplier_code", ("sampled_supplies", "year, importer_code, hs6")

SUPPLIERS = (
    Check(
        "recomputed_from_flows",
        "import_suppliers",
        "ERROR",
        f"The suppliers of {SUPPLIED} goods of importers, and what they sell to others, are recomputed from the flows.",
        (
            equals(
                "from recomputed_suppliers",
                _KEY,
                numbers=("value_usd", "share", "world_exports_usd", "world_export_share"),
                others=("supplier_rank", "n_suppliers", "world_export_rank", "supplies_others"),
                sample=_GOOD,
            ),
            # Differences of money: of what is sold almost whole to one importer, only cents can be compared.
            equals(
                "from recomputed_suppliers",
                _KEY,
                numbers=("exports_to_others_usd",),
                sample=_GOOD,
                tolerance="1e-9 * abs({value}) + 0.01",
            ),
            equals(
                "from recomputed_suppliers",
                _KEY,
                numbers=("outside_share",),
                sample=_GOOD,
                tolerance="1e-9 * abs({value}) + 0.01 / again.outside_usd",
            ),
        ),
    ),
)
