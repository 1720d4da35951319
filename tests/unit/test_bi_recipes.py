"""The recipes of docs/bi.md that are marked as tested, as they stand there, over a published release."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable
from datetime import date
from pathlib import Path

import duckdb
import pandas
import polars
import pyarrow.dataset
import pyarrow.parquet
import pytest

from dagster_project.places import CHECKOUT
from dagster_project.publish.marts import MartSpec
from dagster_project.publish.release import publish
from tests.helpers.publish_helpers import make_context

PAGE = (CHECKOUT / "docs" / "bi.md").read_text()
MARTS = {
    "product_centrality": "select 2017 as year, '010121' as hs6, 'Horses' as hs6_name, 0.5e0 as export_centrality, "
    "true as high_centrality",
    "vulnerability_summary": "select 2017 as year, 'USA' as importer_iso3, 'USA' as importer_name, v.* from "
    "(values (1, 1, 0.5e0, 0.25e0, 1e0), (4, 1, 0.5e0, 0.75e0, 3e0)) as v "
    "(category, n_goods, goods_share, value_share, import_value_usd)",
    "exclusion_rates": "select '3' as list_id, 0.05e0 as approval_share",
    "trade_flows": "select unnest([2017, 2018]) as year, '010121' as hs6, 1e0 as value_usd",
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    warehouse = tmp_path / "warehouse.duckdb"
    with duckdb.connect(str(warehouse)) as connection:
        connection.execute("create schema marts")
        for name, query in MARTS.items():
            connection.execute(f"create table marts.{name} as {query}")
    flows = "trade_flows"
    keys = {"exclusion_rates": ("list_id",), "vulnerability_summary": ("year", "importer_iso3", "category")}
    specs = [
        MartSpec(name, keys.get(name, ("hs6",)), "Grain.", {},
                 year_column="year" if name == flows else None, in_database=name != flows)
        for name in MARTS
    ]  # fmt: skip
    publish(warehouse, tmp_path / "published", specs, make_context(), retain=1)
    return tmp_path / "published"


@pytest.mark.parametrize("recipe", re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL))
def test_python_recipe(folder: Path, recipe: str) -> None:
    lines = "\n".join(f"print({line})" if line.startswith("con.sql") else line for line in recipe.splitlines())
    run = subprocess.run([sys.executable, "-c", lines], cwd=folder, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr


@pytest.mark.parametrize(
    "read",
    [
        lambda folder: pandas.read_parquet(folder)["year"].tolist(),
        lambda folder: polars.read_parquet(folder)["year"].to_list(),
        lambda folder: pyarrow.parquet.read_table(folder)["year"].to_pylist(),
        lambda folder: pyarrow.dataset.dataset(folder).to_table()["year"].to_pylist(),
        lambda folder: duckdb.sql(f"select year from '{folder}/*/*.parquet'").fetchnumpy()["year"].tolist(),
    ],
    ids=["pandas", "polars", "pyarrow", "pyarrow.dataset", "duckdb"],
)
def test_a_mart_by_year_is_read_by_the_plain_call(folder: Path, read: Callable[[str], list[int]]) -> None:
    assert sorted(read(str(folder / "current" / "parquet" / "trade_flows"))) == [2017, 2018]


def test_sql_recipes(folder: Path) -> None:
    table, series = re.findall(r"```sql\n(.*?)```", PAGE, re.DOTALL)
    with duckdb.connect(str(folder / "current" / "chokepoint.duckdb"), read_only=True) as connection:
        assert connection.sql(table).fetchall() == [(2017, "USA", 1, 1, 0.5, 0.25), (2017, "USA", 4, 1, 0.5, 0.75)]
        assert connection.sql(series).fetchall() == [(date(2017, 1, 1), 0.25)]


def test_csv_recipe_keeps_leading_zeros_and_every_row(folder: Path) -> None:
    (command,) = re.findall(r"```sh\npython (-c .*)\n```", PAGE)
    subprocess.run(f"{sys.executable} {command}", shell=True, cwd=folder, check=True)
    assert (folder / "exclusion_rates.csv").read_text().splitlines() == ["list_id,approval_share", "3,0.05"]
