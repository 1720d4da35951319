"""The dbt project against brute force: a small random world, every trade mart recomputed in plain Python.

What belongs here: that the SQL computes what the marts' definitions say, that one year can be replaced alone, that two
runs agree bit for bit.
Not here: hand-worked values of single formulas (unit tests beside the models) and the Dagster graph.
"""

from __future__ import annotations

import csv
import shutil
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from itertools import groupby
from math import isclose, isnan, sqrt
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pytest

from dagster_project.places import DBT_PROJECT
from tests.helpers import dbt_command
from tests.helpers.dbt_command import Done
from tests.helpers.plain_complexity import plain_complexity
from tests.helpers.plain_networks import plain_network
from tests.helpers.tiny_landing import Report, World, random_world, write_landing

INTERMEDIATE_BEC4 = {"111", "121", "21", "22", "31", "322", "42", "53"}
YEARS = (2017, 2018)
ABSOLUTE = 2e-12  # some measures are published to 12 decimal places
# The European Union as one economy, and the countries of the small world that are its members.
UNION, MEMBERS = 97, (40, 56)

Row = dict[str, Any]
Key = tuple[Any, ...]


# --- running dbt ------------------------------------------------------------------------------------------------------


class Dbt:
    """One warehouse beside one landing folder."""

    def __init__(self, root: Path) -> None:
        self.root, self.landing, self.warehouse = root, root / "landing", root / "warehouse.duckdb"

    def __call__(self, *arguments: str, **options: Any) -> Done:
        return dbt_command.dbt(self.root, *arguments, **options)

    def build(self, *arguments: str, years: str = "") -> Done:
        return dbt_command.build(self.root, "--selector", "trade", *arguments, years=years)

    def table(self, name: str) -> list[Row]:
        with duckdb.connect(str(self.warehouse), read_only=True) as connection:
            found = connection.execute(f"select * from {name}")
            names = [column[0] for column in found.description]
            return [dict(zip(names, row, strict=True)) for row in found.fetchall()]


@pytest.fixture(scope="module")
def world() -> World:
    return random_world(1, YEARS)


@pytest.fixture(scope="module")
def dbt(tmp_path_factory: pytest.TempPathFactory, world: World) -> Dbt:
    """A warehouse with every year built once. Tests that change it work on years or copies of their own."""
    runner = Dbt(tmp_path_factory.mktemp("dbt"))
    write_landing(runner.landing, world)
    runner.build()
    return runner


# --- the formulas, brute force ----------------------------------------------------------------------------------------


def expected_flows(world: World, factor: float = 1.0) -> tuple[dict[Key, Row], dict[Key, int]]:
    """Flows by (year, exporter, importer, hs6), and how many reports or flows fell under each rule."""
    reported = {(year, country) for year, country, flow in world.reporters if flow == "M"}
    weights: dict[Key, list[tuple[str, float]]] = defaultdict(list)
    for revision, source_code, hs6, weight in world.conversion:
        weights[revision, source_code].append((hs6, weight))
    counts: dict[Key, int] = defaultdict(int)
    parts: dict[Key, list[tuple[Report, float]]] = defaultdict(list)
    for report in world.flows:
        exporter, importer = (
            (report.partner, report.reporter) if report.flow == "M" else (report.reporter, report.partner)
        )
        counts[report.year, "report"] += 1
        if report.flow == "X" and (report.year, importer) in reported:
            counts[report.year, "export_report_unused"] += 1
            continue
        counts[report.year, "import_report" if report.flow == "M" else "export_report_used"] += 1
        targets = [(report.code, 1.0)]
        if report.revision != "H5" and report.code != "999999" and not report.assumed:
            counts[report.year, "converted"] += 1
            targets = weights[report.revision, report.code]
        for hs6, weight in targets:
            parts[report.year, exporter, importer, hs6].append((report, weight))
    flows: dict[Key, Row] = {}
    for key, found in parts.items():
        value = sum(r.value * w * (factor if r.flow == "X" else 1.0) for r, w in found)
        if value < 0.01:
            counts[key[0], "ghost_flow"] += 1
            continue
        units = {r.unit for r, _ in found}
        known = len(units) == 1 and None not in units and all(r.quantity is not None for r, _ in found)
        flows[key] = {
            "value_usd": value,
            "quantity": sum((r.quantity or 0.0) * w for r, w in found) if known else None,
            "quantity_unit": units.pop() if known else None,
            **amounts(found, weights),
            "is_split_conversion": any(is_split(r, weights) for r, _ in found),
            "is_mirror": found[0][0].flow == "X",
        }
        counts[key[0], "flow"] += 1
        counts[key[0], "mirrored"] += found[0][0].flow == "X"
    return flows, counts


def is_split(report: Report, weights: Mapping[Key, list[tuple[str, float]]]) -> bool:
    converted = report.revision != "H5" and report.code != "999999" and not report.assumed
    return converted and len(weights[report.revision, report.code]) > 1


def amounts(found: list[tuple[Report, float]], weights: Mapping[Key, list[tuple[str, float]]]) -> Row:
    """Kilograms and pieces of a flow: of all its parts, none of which is split, or of none."""
    kg: list[float | None] = [r.kg for r, _ in found]
    pieces: list[float | None] = [r.pieces for r, _ in found]
    whole = not any(is_split(r, weights) for r, _ in found)
    summed = {
        name: sum(x * w for x, (_, w) in zip(parts, found, strict=True) if x is not None)
        if whole and None not in parts
        else None
        for name, parts in (("kg", kg), ("pieces", pieces))
    }
    return {"net_weight_kg": summed["kg"], "quantity_kg": summed["kg"], "quantity_units": summed["pieces"]}


def in_scope(world: World, hs6: str, bec4: set[str] | None) -> bool:
    """`bec4` None stands for product_scope "all"."""
    return hs6 != "999999" and (bec4 is None or world.products.get(hs6, (None, None))[0] in bec4)


def competition_rank(value: float, values: list[float], places: int = 12) -> int:
    return 1 + sum(round(other, places) > round(value, places) for other in values)


def cume_dist(value: float, values: list[float]) -> float:
    return sum(round(other, 12) <= round(value, 12) for other in values) / len(values)


def in_top_quarter(value: float, values: list[float]) -> bool:
    return bool(round(value, 12) >= np.quantile([round(other, 12) for other in values], 0.75))


def expected_centrality(
    world: World, flows: Mapping[Key, Row], bec4: set[str] | None = INTERMEDIATE_BEC4
) -> dict[Key, Row]:
    """product_centrality by (year, hs6). Every year of the world is one of the pooled ones."""
    by_product: dict[Key, dict[Key, float]] = defaultdict(dict)
    for (year, exporter, importer, hs6), flow in flows.items():
        by_product[year, hs6][exporter, importer] = flow["value_usd"]
    products: dict[Key, Row] = {}
    for (year, hs6), w in by_product.items():
        exporters, importers = {i for i, _ in w}, {j for _, j in w}
        nodes = sorted(exporters | importers)
        n = len(nodes)
        outdegree, shares = [], []
        for i in nodes:
            c = s = 0.0
            for j in importers:
                suppliers = [w[i2, j] for i2 in nodes if (i2, j) in w]
                c += w.get((i, j), 0.0) / (sum(suppliers) / len(suppliers))  # the formula as printed: over the mean
                s += w.get((i, j), 0.0) / sum(suppliers)
            outdegree.append(c / (n - 1))
            shares.append(s / (n - 1))
        exports = {i: sum(v for (i2, _), v in w.items() if i2 == i) for i in exporters}
        world_exports = sum(exports.values())
        order = sorted(exports, key=lambda i: (-round(exports[i], 2), i))
        products[year, hs6] = {
            "in_scope": in_scope(world, hs6, bec4),
            "hs2": hs6[:2],
            "world_exports_usd": world_exports,
            "n_exporters": len(exporters),
            "n_importers": len(importers),
            "n_countries": n,
            "export_centrality": float(np.std(outdegree)) if n >= 3 else None,
            "export_centrality_share": float(np.std(shares)) if n >= 3 else None,
            "export_hhi": sum((x / world_exports) ** 2 for x in exports.values()),
            "top_exporter_code": order[0],
            "top_exporter_iso3": world.countries[order[0]],
            "top_exporter_share": exports[order[0]] / world_exports,
            "top3_exporter_share": sum(exports[i] for i in order[:3]) / world_exports,
            "exports": exports,
        }
    for year in {year for year, _ in products}:
        rows = [row for (y, _), row in products.items() if y == year]
        scope = [r["export_centrality"] for r in rows if r["in_scope"] and r["export_centrality"] is not None]
        for row in rows:
            c = row["export_centrality"]
            measured = row["in_scope"] and c is not None
            row["high_centrality"] = (measured and in_top_quarter(c, scope)) if row["in_scope"] else None
            row["centrality_percentile"] = cume_dist(c, scope) if measured else None
    in_all = [row for row in products.values() if row["in_scope"]]
    pooled = [row["export_centrality"] for row in in_all if row["export_centrality"] is not None]
    for row in products.values():
        row["high_centrality_pooled"] = None
    for row in in_all:
        c = row["export_centrality"]
        row["high_centrality_pooled"] = c is not None and in_top_quarter(c, pooled)
    return products


def expected_networks(products: Mapping[Key, Row], flows: Mapping[Key, Row]) -> dict[Key, Row]:
    """product_network by (year, hs6): a good that only countries with themselves trade has no network."""
    by_product: dict[Key, dict[Key, float]] = defaultdict(dict)
    for (year, exporter, importer, hs6), flow in flows.items():
        if exporter != importer:
            by_product[year, hs6][exporter, importer] = flow["value_usd"]
    networks: dict[Key, Row] = {}
    for key, product in products.items():
        found = plain_network(by_product[key]) if key in by_product else {"n_countries": 0, "clustering": None}
        clustering = found["clustering"]
        networks[key] = {
            **found,
            "in_scope": product["in_scope"],
            "clustering_component": None if clustering is None else clustering * found["diameter"],
        }
    return networks


def expected_complexity(world: World, flows: Mapping[Key, Row]) -> dict[str, dict[Key, Row]]:
    """economic_complexity, product_complexity and product_space, by mart and key."""
    exports: dict[int, dict[Key, float]] = defaultdict(lambda: defaultdict(float))
    for (year, exporter, _, hs6), flow in flows.items():
        if hs6 != "999999":
            exports[year][exporter, hs6] += flow["value_usd"]
    marts: dict[str, dict[Key, Row]] = defaultdict(dict)
    for year, of_year in exports.items():
        for mart, rows in plain_complexity(year, of_year).items():
            for row in rows:
                marts[mart][tuple(row[name] for name in _key_of(mart))] = row
        for mart, index in (("economic_complexity", "eci"), ("product_complexity", "pci")):
            of_mart = [row for key, row in marts[mart].items() if key[0] == year]
            for row in of_mart:
                row[f"{index}_rank"] = competition_rank(row[index], [other[index] for other in of_mart])
    for (_, hs6), row in marts["product_complexity"].items():
        row["in_scope"] = in_scope(world, hs6, INTERMEDIATE_BEC4)
    return marts


def values_with_union(flows: Mapping[Key, Row]) -> dict[Key, float]:
    """Values of the flows, and of what the union's members trade with others, added up under its code."""
    values: dict[Key, float] = defaultdict(float)
    for (year, exporter, importer, hs6), flow in flows.items():
        values[year, exporter, importer, hs6] = flow["value_usd"]
        if exporter in MEMBERS and importer not in MEMBERS:
            values[year, UNION, importer, hs6] += flow["value_usd"]
        if importer in MEMBERS and exporter not in MEMBERS:
            values[year, exporter, UNION, hs6] += flow["value_usd"]
    return values


def exports_of_the_union(flows: Mapping[Key, Row]) -> dict[Key, float]:
    """Its exports by (year, hs6)."""
    exports: dict[Key, float] = defaultdict(float)
    for (year, exporter, _, hs6), value in values_with_union(flows).items():
        if exporter == UNION:
            exports[year, hs6] += value
    return exports


def expected_vulnerability(world: World, flows: Mapping[Key, Row], products: Mapping[Key, Row]) -> dict[Key, Row]:
    """import_vulnerability by (year, importer, hs6)."""
    reported = {(year, country) for year, country, flow in world.reporters if flow == "M"}
    reported |= {(year, UNION) for year, country in reported if country in MEMBERS}
    unallocated = expected_unallocated(world)
    for (year, reporter, hs6), nowhere in list(unallocated.items()):
        if reporter in MEMBERS:
            unallocated[year, UNION, hs6] = unallocated.get((year, UNION, hs6), 0.0) + nowhere
    union_exports = exports_of_the_union(flows)
    suppliers: dict[Key, dict[int, float]] = defaultdict(dict)
    for (year, exporter, importer, hs6), value in values_with_union(flows).items():
        if exporter != UNION:
            suppliers[year, importer, hs6][exporter] = value
    goods: dict[Key, Row] = {}
    for (year, importer, hs6), values in suppliers.items():
        total = sum(values.values())
        top = min(values, key=lambda i: (-round(values[i], 2), i))
        exported = (products[year, hs6]["exports"] | {UNION: union_exports.get((year, hs6))}).get(importer)
        hhi = sum((v / total) ** 2 for v in values.values())
        nowhere = unallocated.get((year, importer, hs6), 0.0)
        goods[year, importer, hs6] = {
            "economy_kind": "union" if importer == UNION else "country",
            "hs2": hs6[:2],
            "in_scope": products[year, hs6]["in_scope"],
            "is_mirror": (year, importer) not in reported,
            "import_value_usd": total,
            "n_suppliers": len(values),
            "import_hhi": hhi,
            "effective_suppliers": 1 / hhi,
            "top_supplier_code": top,
            "top_supplier_iso3": world.countries[top],
            "top_supplier_share": values[top] / total,
            "cdi3": total / exported if exported else None,
            "net_import_ratio": total / (total + (exported or 0.0)),
            "eu_dependent": hhi > 0.4 and (not exported or (total / (total + exported) > 0.5 and total / exported > 1)),
            "unallocated_share": nowhere / (nowhere + total),
        }
    for (year, importer, hs6), row in goods.items():
        row |= {"high_concentration": None, "high_centrality": None, "category": None, "vulnerability_index": None}
        if not row["in_scope"]:
            continue
        peers = [r["import_hhi"] for (y, m, _), r in goods.items() if (y, m) == (year, importer) and r["in_scope"]]
        central, concentrated = products[year, hs6]["high_centrality"], in_top_quarter(row["import_hhi"], peers)
        row["high_centrality"], row["high_concentration"] = central, concentrated
        row["category"] = {(True, True): 1, (True, False): 2, (False, True): 3, (False, False): 4}[
            central, concentrated
        ]
        percentile = products[year, hs6]["centrality_percentile"]
        if percentile is not None:
            row["vulnerability_index"] = sqrt(percentile * cume_dist(row["import_hhi"], peers))
    return goods


def expected_unallocated(world: World) -> dict[Key, float]:
    """Value from areas that are no country by (year, importer, hs6), converted as flows are."""
    values: dict[Key, float] = defaultdict(float)
    for report in world.unallocated:
        if report.flow != "M":
            continue
        targets = [
            (hs6, weight) for *source, hs6, weight in world.conversion if source == [report.revision, report.code]
        ]
        if report.revision == "H5" or report.code == "999999":
            targets = [(report.code, 1.0)]
        for hs6, weight in targets:
            values[report.year, report.reporter, hs6] += report.value * weight
    return values


def expected_positions(products: Mapping[Key, Row], flows: Mapping[Key, Row]) -> dict[Key, Row]:
    """exporter_position by (year, exporter)."""
    positions: dict[Key, Row] = {}
    union_exports = exports_of_the_union(flows)
    for (year, hs6), product in products.items():
        countries = product["exports"]
        others = {exporter: value for exporter, value in countries.items() if exporter not in MEMBERS}
        union = {UNION: union_exports[year, hs6]} if (year, hs6) in union_exports else {}
        for exporter, value in (countries | union).items():
            row = positions.setdefault((year, exporter), defaultdict(float))
            row["export_value_usd"] += value
            if not product["in_scope"]:
                continue
            beside = (others | union) if exporter == UNION else countries
            rank = competition_rank(value, list(beside.values()), places=2)
            for prefix, counted in (("n_", True), ("n_high_centrality_", product["high_centrality"])):
                row["n_goods" if prefix == "n_" else "n_high_centrality"] += counted
                row[prefix + "rank1"] += counted and rank == 1
                row[prefix + "top3"] += counted and rank <= 3
    positions = {key: row for key, row in positions.items() if row["n_goods"]}
    for (year, exporter), row in positions.items():
        row["top3_share"] = row["n_top3"] / row["n_goods"]
        high = row["n_high_centrality"]
        row["high_centrality_top3_share"] = row["n_high_centrality_top3"] / high if high else None
        aside = MEMBERS if exporter == UNION else (UNION,)
        row["high_centrality_rank"] = competition_rank(
            high, [other["n_high_centrality"] for (y, i), other in positions.items() if y == year and i not in aside]
        )
    return positions


def expected_summary(goods: Mapping[Key, Row]) -> dict[Key, Row]:
    """vulnerability_summary by (year, importer, category)."""
    scope = {key: row for key, row in goods.items() if row["in_scope"]}
    summary: dict[Key, Row] = {}
    for (year, importer), keys in groupby(sorted(scope), key=lambda key: key[:2]):
        rows = [scope[key] for key in keys]
        for category in {row["category"] for row in rows}:
            chosen = [row for row in rows if row["category"] == category]
            value = sum(row["import_value_usd"] for row in chosen)
            summary[year, importer, category] = {
                "n_goods": len(chosen),
                "goods_share": len(chosen) / len(rows),
                "import_value_usd": value,
                "value_share": value / sum(row["import_value_usd"] for row in rows),
            }
    return summary


def expected_industries(goods: Mapping[Key, Row]) -> dict[Key, Row]:
    """industry_vulnerability by (year, importer, hs2)."""
    scope = {key: row for key, row in goods.items() if row["in_scope"]}
    industries: dict[Key, Row] = {}
    for (year, importer), keys in groupby(sorted(scope), key=lambda key: key[:2]):
        rows = [scope[key] for key in keys]
        total = sum(row["import_value_usd"] for row in rows)
        of_importer: dict[str, Row] = {}
        for hs2 in {row["hs2"] for row in rows}:
            chosen = [row for row in rows if row["hs2"] == hs2]
            value = sum(row["import_value_usd"] for row in chosen)
            indexed = [row for row in chosen if row["vulnerability_index"] is not None]
            of_importer[hs2] = {
                "n_goods": len(chosen),
                "import_value_usd": value,
                "vulnerability": sum(r["import_value_usd"] / total * (r["vulnerability_index"] or 0) for r in chosen),
                "vulnerability_mean": sum(r["vulnerability_index"] for r in indexed) / len(indexed)
                if indexed
                else None,
                "n_goods_without_index": len(chosen) - len(indexed),
                "indexed_value_share": sum(r["import_value_usd"] for r in indexed) / value,
                "n_category1": sum(row["category"] == 1 for row in chosen),
            }
        scores = [row["vulnerability"] for row in of_importer.values()]
        for hs2, row in of_importer.items():
            row["rank"] = competition_rank(row["vulnerability"], scores)
            industries[year, importer, hs2] = row
    return industries


def groups_of(world: World, hs6: str) -> list[Key]:
    """The groups of goods that a good is in: (product_level, product_code)."""
    rows = seed("price_sectors", "trade")
    sectors = [row["sector_id"] for row in rows if (row["hs_revision"], row["hs6"]) == ("H5", hs6)]
    groups = [("hs4", hs6[:4]), ("hs2", hs6[:2]), ("all", "all"), *(("sector", sector) for sector in sectors)]
    return [*groups, ("scope", "scope")] if in_scope(world, hs6, INTERMEDIATE_BEC4) else groups


def expected_diversification(
    world: World, flows: Mapping[Key, Row], goods: Mapping[Key, Row]
) -> tuple[dict[Key, Row], dict[Key, Row]]:
    """diversification by (year, importer, level, code), and diversification_regions by that and the region."""
    region = {int(row["country_code"]): row["trade_region"] for row in seed("country_regions")}
    suppliers: dict[Key, dict[int, float]] = defaultdict(lambda: defaultdict(float))
    for (year, exporter, importer, hs6), flow in flows.items():
        for group in groups_of(world, hs6):
            suppliers[year, importer, *group][exporter] += flow["value_usd"]
    bought: dict[Key, list[Row]] = defaultdict(list)
    for (year, importer, hs6), good in goods.items():
        for group in groups_of(world, hs6):
            bought[year, importer, *group].append(good)
    groups: dict[Key, Row] = {}
    regions: dict[Key, Row] = {}
    for key, values in suppliers.items():
        total = sum(values.values())
        own = region.get(key[1])
        of_region: dict[str, dict[int, float]] = defaultdict(dict)
        for exporter, value in values.items():
            of_region[region.get(exporter, "no region")][exporter] = value
        top = min(values, key=lambda i: (-round(values[i], 2), i))
        groups[key] = {
            "importer_region": own,
            "n_goods": len(bought[key]),
            "n_suppliers": len(values),
            "import_value_usd": total,
            "effective_suppliers": sum(g["import_value_usd"] / g["import_hhi"] for g in bought[key]) / total,
            "own_region_share": sum(of_region.get(own, {}).values()) / total if own else None,
            "top_supplier_code": top,
            "top_supplier_iso3": world.countries[top],
            "top_supplier_share": values[top] / total,
            "effective_suppliers_change_5y": None,
        }
        for name, there in of_region.items():
            first = min(there, key=lambda i: (-round(there[i], 2), i))
            regions[*key, name] = {
                "is_own_region": name == own,
                "n_suppliers": len(there),
                "import_value_usd": sum(there.values()),
                "import_share": sum(there.values()) / total,
                "top_supplier_code": first,
                "top_supplier_share": there[first] / total,
            }
    return groups, regions


def seed(name: str, folder: str = "reference") -> list[Row]:
    """The rows of a seed."""
    with (DBT_PROJECT / "seeds" / folder / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def expected_bilateral(world: World, flows: Mapping[Key, Row]) -> dict[Key, Row]:
    """bilateral_totals by (year, exporter, importer)."""
    totals: dict[Key, Row] = {}
    for (year, exporter, importer, hs6), flow in flows.items():
        row = totals.setdefault(
            (year, exporter, importer), {"value_usd": 0.0, "in_scope_value_usd": 0.0, "n_goods": 0, "is_mirror": False}
        )
        row["value_usd"] += flow["value_usd"]
        row["in_scope_value_usd"] += flow["value_usd"] * in_scope(world, hs6, INTERMEDIATE_BEC4)
        row["n_goods"] += 1
        row["is_mirror"] = flow["is_mirror"]
    return totals


@cache
def _key_of(mart: str) -> tuple[str, ...]:
    return {
        "trade_flows": ("year", "exporter_code", "importer_code", "hs6"),
        "bilateral_totals": ("year", "exporter_code", "importer_code"),
        "product_centrality": ("year", "hs6"),
        "product_network": ("year", "hs6"),
        "economic_complexity": ("year", "country_code"),
        "product_complexity": ("year", "hs6"),
        "product_space": ("year", "country_code", "hs6"),
        "exporter_position": ("year", "exporter_code"),
        "import_vulnerability": ("year", "importer_code", "hs6"),
        "vulnerability_summary": ("year", "importer_code", "category"),
        "industry_vulnerability": ("year", "importer_code", "hs2"),
        "diversification": ("year", "importer_code", "product_level", "product_code"),
        "diversification_regions": ("year", "importer_code", "product_level", "product_code", "trade_region"),
    }[mart]


def assert_equal(mart: str, found: list[Row], expected: Mapping[Key, Row]) -> None:
    by_key = {tuple(row[name] for name in _key_of(mart)): row for row in found}
    assert len(by_key) == len(found), f"{mart}: the key is not unique"
    assert by_key.keys() == expected.keys(), by_key.keys() ^ expected.keys()
    compared = 0
    for key, row in expected.items():
        for name, value in row.items():
            if name == "exports":  # the brute force's own
                continue
            got = by_key[key][name]
            same = got == value or (
                isinstance(value, float) and got is not None and isclose(got, value, rel_tol=1e-9, abs_tol=ABSOLUTE)
            )
            assert same, f"{mart} {key} {name}: found {got}, expected {value}"
            compared += 1
    assert compared > 0


# --- tests ------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def expected(world: World) -> dict[str, dict[Key, Row]]:
    flows, _ = expected_flows(world)
    products = expected_centrality(world, flows)
    goods = expected_vulnerability(world, flows, products)
    countries = {key: good for key, good in goods.items() if good["economy_kind"] == "country"}
    groups, regions = expected_diversification(world, flows, countries)
    return {
        "trade_flows": flows,
        "bilateral_totals": expected_bilateral(world, flows),
        "product_centrality": products,
        "product_network": expected_networks(products, flows),
        **expected_complexity(world, flows),
        "exporter_position": expected_positions(products, flows),
        "import_vulnerability": goods,
        "vulnerability_summary": expected_summary(goods),
        "industry_vulnerability": expected_industries(goods),
        "diversification": groups,
        "diversification_regions": regions,
    }


MARTS = (
    "trade_flows",
    "bilateral_totals",
    "product_centrality",
    "product_network",
    "economic_complexity",
    "product_complexity",
    "product_space",
    "exporter_position",
    "import_vulnerability",
    "vulnerability_summary",
    "industry_vulnerability",
    "diversification",
    "diversification_regions",
)


@pytest.mark.parametrize("mart", MARTS)
def test_mart_equals_brute_force(dbt: Dbt, expected: dict[str, dict[Key, Row]], mart: str) -> None:
    assert_equal(mart, dbt.table(f"marts.{mart}"), expected[mart])


def test_random_world_holds_every_case(expected: dict[str, dict[Key, Row]]) -> None:
    """The comparison above is worth something only where the cases occur."""
    flows, products, goods = expected["trade_flows"], expected["product_centrality"], expected["import_vulnerability"]
    assert any(row["is_mirror"] for row in flows.values())
    assert any(row["quantity"] is None for row in flows.values()) and any(row["quantity"] for row in flows.values())
    assert any(row["quantity_kg"] for row in flows.values()) and any(row["quantity_units"] for row in flows.values())
    assert any(row["is_split_conversion"] for row in flows.values())
    assert any(key[3] == "999999" for key in flows)
    assert any(row["export_centrality"] is None and row["in_scope"] for row in products.values())
    assert any(not row["in_scope"] for row in products.values())
    assert {1, 2, 3, 4, None} == {row["category"] for row in goods.values()}
    assert any(row["cdi3"] is None for row in goods.values()) and any(row["eu_dependent"] for row in goods.values())
    assert any(row["unallocated_share"] > 0 for row in goods.values())
    assert any(row["economy_kind"] == "union" and row["unallocated_share"] > 0 for row in goods.values())
    assert any(exporter in MEMBERS and importer in MEMBERS for _, exporter, importer, _ in flows)
    without_index = {row["vulnerability_mean"] is None for row in expected["industry_vulnerability"].values()}
    assert without_index == {True, False}


def test_every_report_is_accounted_for(dbt: Dbt, world: World) -> None:
    _, counts = expected_flows(world)
    found = {(row["year"], row["rule"]): row["n"] for row in dbt.table("intermediate.int_flow_accounting")}
    assert all(counts[year, rule] > 0 for year in YEARS for rule in ("ghost_flow", "mirrored", "export_report_unused"))
    assert {key: n for key, n in found.items() if n and not key[1].startswith("unallocated")} == dict(counts)


def test_sole_supplier_has_the_whole_share(dbt: Dbt) -> None:
    """Exactly 1, not almost: quartile and percentile would otherwise part goods that are equal."""
    sole = [row for row in dbt.table("marts.import_vulnerability") if row["n_suppliers"] == 1]
    assert sole and all(row["import_hhi"] == row["top_supplier_share"] == 1.0 for row in sole)


def test_unit_tests_of_the_models(dbt: Dbt) -> None:
    folders = ("intermediate/trade", "marts/trade", "marts/reference")
    done = dbt("test", "--select", *(f"test_type:unit,path:models/{folder}" for folder in folders))
    assert "Nothing to do" not in done.output and "PASS=0" not in done.output, done.output


@pytest.fixture
def copied(dbt: Dbt, tmp_path: Path) -> Dbt:
    """A copy of the built warehouse and its landing, to be changed at will."""
    return Dbt(shutil.copytree(dbt.root, tmp_path / "copy"))


def test_replacing_one_year_leaves_the_others(copied: Dbt, dbt: Dbt, world: World) -> None:
    """Values bit for bit: the untouched year keeps its own, the replaced one is as if all had been built at once.

    All but one: the goods of all pooled years together decide about those of every year.
    """
    changed = replace(
        world, flows=[replace(r, value=r.value * 3) if r.year == 2018 and r.partner == 56 else r for r in world.flows]
    )
    write_landing(copied.landing, changed)
    copied.build(years="2018")
    assert _without_pooled(copied, 2017) == _without_pooled(dbt, 2017)
    before, after = _values(dbt), _values(copied)
    flows, _ = expected_flows(changed)
    assert_equal("product_centrality", copied.table("marts.product_centrality"), expected_centrality(changed, flows))
    for mart in MARTS:
        if mart != "product_centrality":
            assert _of_year(after[mart], 2017) == _of_year(before[mart], 2017), mart
        assert _of_year(after[mart], 2018) != _of_year(before[mart], 2018), mart
    copied.build("--full-refresh")
    assert _values(copied) == after


def test_a_repeated_key_is_found_in_the_years_of_the_run_alone(copied: Dbt) -> None:
    """All years, one after the other; or the years that a run computes: the others were tested when they were."""
    with duckdb.connect(str(copied.warehouse)) as connection:
        connection.execute(
            "insert into marts.import_vulnerability from marts.import_vulnerability where year = 2018 limit 2"
        )
    selection = ("--select", "import_vulnerability,test_name:unique_key")
    for years, found in (("", True), ("2018", True), ("2017,2018", True), ("2017", False)):
        done = copied("test", *selection, years=years, check=False)
        assert "unique_key" in done.output and done.success is not found, (years, done.output)
        assert not found or "Got 2 results" in done.output, done.output


def test_a_changed_year_changes_the_prices_of_the_next_one_too(copied: Dbt, world: World) -> None:
    """The link of 2018 reads both years: it is made anew with 2017, and as if all had been built at once."""
    changed = replace(world, flows=[replace(r, value=r.value * 1.4) if r.year == 2017 else r for r in world.flows])
    before = _prices(copied)
    write_landing(copied.landing, changed)
    copied.build(years="2017")
    after = _prices(copied)
    assert all(
        after[mart] != before[mart] for mart in ("export_price_index", "import_price_contribution", "involution")
    )
    copied.build("--full-refresh")
    assert _prices(copied) == after


def _prices(dbt: Dbt) -> dict[str, list[str]]:
    """The rows of 2018 of the marts that compare a year with the one before, and of what is estimated from them."""
    assert any(row["fisher"] for row in dbt.table("marts.export_price_index"))
    of_two_years = ("export_price_index", "import_price_contribution", "involution", "involution_summary")
    return {
        mart: sorted(repr(row) for row in dbt.table(f"marts.{mart}") if row.get("year", 2018) == 2018)
        for mart in (*of_two_years, "learning_rate")
    }


def test_the_other_settings(copied: Dbt, world: World) -> None:
    settings: dict[str, Any] = {"product_scope": "all", "keep_reimports": True, "mirror_cif_fob_factor": 1.25}
    copied("run", "--selector", "trade", **settings)
    flows, _ = expected_flows(replace(world, flows=world.flows + world.reimports), factor=1.25)
    products = expected_centrality(world, flows, bec4=None)
    assert any(exporter == importer for _, exporter, importer, _ in flows)
    assert_equal("product_network", copied.table("marts.product_network"), expected_networks(products, flows))
    assert_equal("trade_flows", copied.table("marts.trade_flows"), flows)
    assert_equal("product_centrality", copied.table("marts.product_centrality"), products)
    assert_equal("exporter_position", copied.table("marts.exporter_position"), expected_positions(products, flows))


def test_what_a_run_may_not_ask_for(copied: Dbt) -> None:
    """Each is refused and says what was expected. On one copy, because other settings cost dbt a parse."""
    refusals: list[tuple[str, dict[str, Any], str]] = [
        ("2019", {}, "expected years that are landed: [2017, 2018]"),
        ("17", {}, "expected years separated by commas"),
        ("2018", {"mirror_cif_fob_factor": 1.1}, "one_set_of_settings"),
        ("2018", {"product_scope": "everything"}, "expected one of bec4_intermediate"),
    ]
    models = ("int_year_settings", "int_product_centrality")
    for years, settings, message in refusals:
        done = copied("build", "--select", *models, "--fail-fast", years=years, check=False, **settings)
        assert not done.success and message in done.output, (years, settings, done.output)


def _values(dbt: Dbt) -> dict[str, list[str]]:
    return {mart: sorted(map(repr, dbt.table(f"marts.{mart}"))) for mart in MARTS}


def _without_pooled(dbt: Dbt, year: int) -> list[str]:
    rows = [row for row in dbt.table("marts.product_centrality") if row["year"] == year]
    return sorted(
        repr({name: value for name, value in row.items() if name != "high_centrality_pooled"}) for row in rows
    )


def _of_year(rows: list[str], year: int) -> list[str]:
    chosen = [row for row in rows if f"'year': {year}" in row]
    assert chosen
    return chosen


def test_no_value_is_not_a_number(dbt: Dbt) -> None:
    for mart in MARTS:
        for row in dbt.table(f"marts.{mart}"):
            assert not any(isinstance(value, float) and isnan(value) for value in row.values()), (mart, row)
