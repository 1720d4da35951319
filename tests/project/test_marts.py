"""Every mart: an enforced contract, a description that begins with its grain, described columns, a check."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest

from dagster_project.datasets.registry import DATASETS, figures_stage
from dagster_project.dbt_project import mart_specs, plain_manifest
from dagster_project.places import DBT_PROJECT

LAYERS = ("staging", "intermediate", "marts")
STAGES = [figures_stage(), *(part.stage for each in DATASETS for part in each.checks)]
CHECKED = {check.table for stage in STAGES for check in stage.checks}
# The names that readers rely on.
CONTRACTED = {
    "trade_flows", "bilateral_totals", "product_centrality", "exporter_position", "import_vulnerability",
    "vulnerability_summary", "industry_vulnerability", "product_network",
    "economic_complexity", "product_complexity", "product_space",
}  # fmt: skip


@pytest.fixture(scope="module")
def models() -> dict[str, dict[str, Any]]:
    """Model name -> what dbt's manifest says of it."""
    nodes = plain_manifest()["nodes"].values()
    return {node["name"]: node for node in nodes if node["resource_type"] == "model"}


@pytest.fixture(scope="module")
def marts(models: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    return {name: node for name, node in models.items() if layer(node) == "marts"}


def layer(node: dict[str, Any]) -> str:
    return str(node["original_file_path"].split("/")[1])


def domain(node: dict[str, Any]) -> str:
    return str(node["original_file_path"].split("/")[2])


def test_the_contracted_marts_are_there(marts: dict[str, dict[str, Any]]) -> None:
    assert marts.keys() >= CONTRACTED


def test_every_mart_is_recomputed_by_a_check_that_blocks(marts: dict[str, dict[str, Any]]) -> None:
    """Plausible values and agreeing totals can still be wrong by a factor."""
    recomputing = {
        check.table
        for stage in STAGES
        for check in stage.checks
        if check.severity == "ERROR" and ("recomputed" in check.name or check.name == "estimates_are_the_maximum")
    }
    assert marts.keys() - recomputing == set()


def test_contracts_are_enforced(marts: dict[str, dict[str, Any]]) -> None:
    assert not {name for name, node in marts.items() if not node["config"]["contract"]["enforced"]}
    assert not {name for name, column in columns(marts) if not column["data_type"]}


def columns(nodes: dict[str, dict[str, Any]]) -> Iterator[tuple[str, dict[str, Any]]]:
    """(model.column, what the manifest says of it)."""
    for name, node in nodes.items():
        yield from ((f"{name}.{column['name']}", column) for column in node["columns"].values())


def test_descriptions_begin_with_the_grain(marts: dict[str, dict[str, Any]]) -> None:
    for name, node in marts.items():
        first_line = node["description"].strip().split("\n")[0]
        assert first_line.startswith("One row per "), f"{name}: {first_line}"
        key = node["config"]["meta"]["key"]
        assert key and set(key) <= node["columns"].keys(), name


def test_all_columns_are_described(marts: dict[str, dict[str, Any]]) -> None:
    assert not {name for name, column in columns(marts) if not column["description"].strip()}


def test_what_is_described_as_money_has_its_unit(marts: dict[str, dict[str, Any]]) -> None:
    """Units are known from names; where a name does not say it, its declaration must."""
    wrong = []
    for spec in mart_specs(plain_manifest()):
        types = {name: column["data_type"] for name, column in marts[spec.name]["columns"].items()}
        for name, column in spec.described(types).items():
            money = re.search(r"\b(in|,) USD\b|, in USD\b", column["description"])
            if column["type"] == "double" and money and column["unit"] != "USD":
                wrong.append(f"{spec.name}.{name}: {column['unit']}")
    assert not wrong


def test_models_below_the_marts_are_described_too(models: dict[str, dict[str, Any]]) -> None:
    assert not {name for name, node in models.items() if not node["description"].strip()}


def test_every_mart_has_a_check(marts: dict[str, dict[str, Any]]) -> None:
    """Its key by dbt, and for the marts that others are made from, plausibility by Great Expectations."""
    nodes = plain_manifest()["nodes"].values()
    tested = {node.get("attached_node") for node in nodes if node["resource_type"] == "test"}
    assert not {name for name, node in marts.items() if node["unique_id"] not in tested}
    assert not CONTRACTED - CHECKED


def test_one_direction_staging_intermediate_marts(models: dict[str, dict[str, Any]]) -> None:
    assert {layer(node) for node in models.values()} == set(LAYERS)
    by_id = {node["unique_id"]: node for node in models.values()}
    for name, node in models.items():
        for parent in node["depends_on"]["nodes"]:
            kind = parent.split(".")[0]
            if kind == "source":
                assert layer(node) == "staging", f"{name} reads the source {parent}: only staging does"
            elif kind == "model":
                above = LAYERS.index(layer(by_id[parent])) > LAYERS.index(layer(node))
                # The finished marts of another domain are an input like any other; those of its own are not.
                foreign = layer(by_id[parent]) == "marts" and domain(by_id[parent]) != domain(node)
                allowed = not above or (foreign and layer(node) == "intermediate")
                assert allowed, f"{name} ({layer(node)}) reads {parent} ({layer(by_id[parent])})"


def test_each_model_has_a_yaml_of_its_own(models: dict[str, dict[str, Any]]) -> None:
    for name, node in models.items():
        path = DBT_PROJECT / node["original_file_path"]
        assert path.with_suffix(".yml").exists(), f"{name}: no {path.stem}.yml beside it"
        assert path.stem == name


def test_owner_and_question(marts: dict[str, dict[str, Any]]) -> None:
    for name, node in marts.items():
        assert node["config"]["meta"].get("question", "").endswith("?"), f"{name}: which question does it answer?"


def test_codes_have_their_names_beside_them(marts: dict[str, dict[str, Any]]) -> None:
    """A reader need not join anything to know which good and which economy a row is about."""
    nameless = []
    for name, node in marts.items():
        # The dimension of countries is what the names come from; a product's code has its level beside it.
        economies = [column for column in node["columns"] if column.endswith("_code") and column != "product_code"]
        wanted = {f"{code.removesuffix('_code')}_{kind}" for code in economies for kind in ("iso3", "name")}
        if "hs6" in node["columns"]:
            wanted.add("hs6_name")
        if name != "countries":
            nameless += [f"{name}.{column}" for column in sorted(wanted - node["columns"].keys())]
    assert not nameless


def test_who_reads_marts_with_the_union_takes_one_kind_of_economy(models: dict[str, dict[str, Any]]) -> None:
    """Beside its members the European Union is an importer and exporter too: added up, it would count them twice."""
    with_kind = [node for node in models.values() if layer(node) == "marts" and "economy_kind" in node["columns"]]
    with_union = {node["unique_id"] for node in with_kind}
    assert len(with_union) == 5
    for name, node in models.items():
        if with_union & set(node["depends_on"]["nodes"]) and "economy_kind" not in node["columns"]:
            chosen = ("economy_kind = ", "importer_code = ", "importer_iso3 ")
            assert any(condition in node["raw_code"] for condition in chosen), name
