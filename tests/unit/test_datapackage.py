"""What a release says of itself to other tools: the data package, Parquet's metadata, keys in the DuckDB file."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import duckdb
import pandas
import polars
import pyarrow.parquet as pq
import pytest

from dagster_project.publish.marts import MartSpec
from dagster_project.publish.release import Published, publish
from tests.helpers.publish_helpers import FLOWS, MARTS, VULNERABILITY, add_years, make_context, make_warehouse

FILE = "parquet/import_vulnerability/2017/part-0.parquet"


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_warehouse(tmp_path_factory.mktemp("warehouse") / "warehouse.duckdb")


@pytest.fixture(scope="module")
def release(warehouse: Path, tmp_path_factory: pytest.TempPathFactory) -> Published:
    return publish(warehouse, tmp_path_factory.mktemp("published"), MARTS, make_context(), retain=1)


def test_the_reference_library_finds_the_package_valid(release: Published) -> None:
    """Package and schemas, and of one table every row against its schema."""
    from frictionless import Package

    package = Package(str(release.path / "datapackage.json"))
    assert not Package.validate_descriptor(package.to_descriptor()).errors
    assert {resource.name for resource in package.resources} == {
        "exclusion_rates", "import_vulnerability-2017", "import_vulnerability-2018",
        "trade_flows-2017", "trade_flows-2018",
    }  # fmt: skip
    table = package.get_resource("import_vulnerability-2018")
    report = table.validate()
    assert report.valid, report.flatten(["message"])
    assert report.tasks[0].stats["rows"] == 40 == table.to_descriptor()["rows"]
    assert table.schema.primary_key == list(VULNERABILITY.key)


def test_the_package_says_units_terms_sources_and_how_to_cite(release: Published) -> None:
    package = json.loads((release.path / "datapackage.json").read_text())
    assert package["synthetic"] and package["description"].startswith("SYNTHETIC")
    assert package["licenses"] == [{"name": "other", "title": "none needed"}]
    assert package["sources"][0]["title"] == "this project: trade" and "path" not in package["sources"][0]
    assert package["citation"].startswith("Chokepoint 0.1.0+test, release ") and "synthetic" in package["citation"]
    schema = json.loads((release.path / "schemas/trade_flows.json").read_text())
    fields = {field["name"]: field for field in schema["fields"]}
    assert fields["value_usd"] == {
        "name": "value_usd", "type": "number", "storage": "DOUBLE", "unit": "USD",
        "description": FLOWS.columns["value_usd"],
    }  # fmt: skip
    assert (fields["year"]["type"], fields["year"]["storage"]) == ("integer", "INTEGER")
    assert fields["hs6"]["constraints"] == {"required": True} and "unit" not in fields["hs6"]


def test_parquet_files_describe_their_columns_to_arrow_and_to_others(release: Published) -> None:
    file = release.path / FILE
    schema = pq.read_schema(file)
    assert schema.field("import_hhi").metadata == {
        b"description": VULNERABILITY.columns["import_hhi"].encode(), b"unit": b"1",
    }  # fmt: skip
    assert json.loads(schema.metadata[b"primary_key"]) == list(VULNERABILITY.key)
    query = f"select decode(key), decode(value) from parquet_kv_metadata('{file}')"
    plain = dict(duckdb.sql(query).fetchall())
    assert plain["description"] == VULNERABILITY.description
    assert json.loads(plain["columns"])["import_hhi"]["unit"] == "1"
    # Said types are those that are there: every reader takes them.
    for frame in (pandas.read_parquet(file), polars.read_parquet(file).to_pandas()):
        assert str(frame["year"].dtype) == "int32" and len(frame) == 40


def test_another_description_or_unit_is_written_into_the_files_of_unchanged_years(tmp_path: Path) -> None:
    warehouse, published = make_warehouse(tmp_path / "warehouse.duckdb"), tmp_path / "published"
    publish(warehouse, published, MARTS, make_context("a"), retain=1)
    again = publish(warehouse, published, MARTS, make_context("b"), retain=1)
    assert FILE in again.linked and not again.written
    said = replace(VULNERABILITY, units={"import_hhi": "none"})
    third = publish(warehouse, published, (MARTS[0], said, MARTS[2]), make_context("c"), retain=1)
    assert set(third.written) == {FILE, FILE.replace("2017", "2018")}
    assert pq.read_schema(third.path / FILE).field("import_hhi").metadata[b"unit"] == b"none"


def keys_of(release: Published) -> dict[str, list[str]]:
    query = "select table_name, constraint_column_names from duckdb_constraints() where constraint_type = 'PRIMARY KEY'"
    with duckdb.connect(str(release.path / "chokepoint.duckdb"), read_only=True) as con:
        return dict(con.execute(query).fetchall())


def test_the_database_has_primary_keys_on_small_marts_without_years(
    release: Published, warehouse: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    assert keys_of(release) == {"exclusion_rates": ["list_id"]}
    with duckdb.connect(str(release.path / "chokepoint.duckdb"), read_only=True) as con:
        columns = con.execute("select column_name, comment from duckdb_columns()").fetchall()
    comment = dict(columns)["import_hhi"]
    assert comment == VULNERABILITY.columns["import_hhi"]  # a share has no unit worth a word
    monkeypatch.setattr("dagster_project.publish.marts.KEYED_ROWS", 3)
    assert keys_of(publish(warehouse, tmp_path, MARTS, make_context(), retain=1)) == {}


def test_a_mart_that_grew_too_large_for_a_key_loses_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whether the file grew or was written anew, its tables are the same."""
    warehouse, published = make_warehouse(tmp_path / "warehouse.duckdb"), tmp_path / "published"
    assert keys_of(publish(warehouse, published, MARTS, make_context("a"), retain=1))
    add_years(warehouse, [2019])
    monkeypatch.setattr("dagster_project.publish.marts.KEYED_ROWS", 3)
    assert keys_of(publish(warehouse, published, MARTS, make_context("b"), retain=1)) == {}


def test_types_that_arrow_is_not_told_of_are_still_described() -> None:
    spec = MartSpec("odd", ("a",), "One row per a.", {"b": "A span."})
    said = spec.key_values({"a": "INTEGER", "b": "INTERVAL"})
    assert "ARROW:schema" not in said and json.loads(said["columns"])["b"]["description"] == "A span."
    assert "ARROW:schema" in spec.key_values({"a": "INTEGER", "b": "INTEGER[]"})
