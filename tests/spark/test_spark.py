"""Spark on a standalone cluster gives what DuckDB gives, year by year, and survives a worker that is killed.

Run by `make test-spark`, not by `make test`: it needs PySpark's environment (.venv-spark) and Java.
"""

from __future__ import annotations

import json
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from conftest import Both, run
from standalone import Cluster

from dagster_project import spark
from dagster_project.dbt_project import mart_specs, plain_manifest, run_dbt
from dagster_project.publish.read import open_release
from dagster_project.settings import SPARK, Settings, load_settings
from dagster_project.sql import identifier

pytestmark = [pytest.mark.spark, pytest.mark.timeout(3600)]
WITHIN = 1e-12
# Marts whose numbers come of logarithms, whose last digit is the C library's on DuckDB and Java's on Spark. They need
# not have the same content hash, and near 0, such as a drift between two logarithms, WITHIN is absolute.
OF_LOGARITHMS = {
    *("export_price_index", "import_price_contribution", "involution", "involution_summary", "learning_rate"),
}
# The tables by year from landed flows to what a country exports of a good.
BEHIND_EXPORTS = [
    f"int_{name}"
    for name in ("converted_reporters", "converted_flows", "trade_flows", "importer_products", "exporter_products")
]


def differences(both: Both) -> list[str]:
    """What of the marts differs: a missing row or another value in a column, doubles by more than WITHIN."""
    found = []
    with open_release(both.duckdb / "published") as ours, open_release(both.spark / "published") as theirs:
        assert ours.manifest["marts"].keys() == theirs.manifest["marts"].keys()
        with duckdb.connect() as connection:
            for name, mart in ours.manifest["marts"].items():
                there = theirs.manifest["marts"][name]
                if mart["columns"] != there["columns"] or list(mart["columns"]) != list(there["columns"]):
                    found.append(f"{name}: other columns or types")
                    continue
                left, right = (
                    [str(release.path / file) for file in facts["files"]]
                    for release, facts in ((ours, mart), (theirs, there))
                )
                least = 1 if name in OF_LOGARITHMS else 0
                found += [f"{name}.{each}" for each in _apart(connection, left, right, mart, least)]
    return found


def _apart(connection: Any, left: list[str], right: list[str], mart: dict[str, Any], least: int) -> list[str]:
    """WITHIN is relative to the greater of two values, and to `least` where both are less."""
    types = {name: column["type"] for name, column in mart["columns"].items()}
    keys = mart["key"]
    connection.execute(f"create or replace temp table ours as select * from read_parquet({left})")
    connection.execute(f"create or replace temp table theirs as select * from read_parquet({right})")
    same_key = " and ".join(f"ours.{identifier(key)} is not distinct from theirs.{identifier(key)}" for key in keys)
    joined = f"from ours full join theirs on {same_key}"
    counts = {"rows without a counterpart": f"count(*) filter (ours.{keys[0]} is null or theirs.{keys[0]} is null)"}
    for name, kind in types.items():
        a, b = f"ours.{identifier(name)}", f"theirs.{identifier(name)}"
        near = f" and not coalesce(abs({a} - {b}) <= {WITHIN} * greatest(abs({a}), abs({b}), {least}), false)"
        counts[name] = f"count(*) filter ({a} is distinct from {b}{near if kind == 'DOUBLE' else ''})"
    row = connection.execute(f"select {', '.join(counts.values())} {joined}").fetchone()
    return [f"{what}: {n}" for what, n in zip(counts, row, strict=True) if n]


def hashes(data: Path) -> dict[str, str]:
    manifest = json.loads((data / "published" / "current" / "manifest.json").read_text())
    return {name: mart["content_hash"] for name, mart in manifest["marts"].items()}


def settings_of(data: Path, cluster: Cluster) -> Settings:
    return load_settings(
        {
            "CHOKEPOINT_DATA_DIR": str(data),
            "CHOKEPOINT_ENGINE": SPARK,
            "CHOKEPOINT_SPARK_CONF": str(cluster.profile),
        },
        dotenv=None,
    )


def build(settings: Settings, *models: str, years: str = "", **options: Any) -> None:
    """Build these models alone, without their tests."""
    command = ["run", "--select", *models, *([] if years else ["--full-refresh"])]
    events: list[str] = []
    on_event = options.get("on_event", lambda event: events.append(event["info"]["msg"]))
    result = run_dbt(settings, command, years=years, on_event=on_event)
    assert result.success, "\n".join([*events, str(result.exception)])


def rows(settings: Settings, relation: str) -> list[tuple[Any, ...]]:
    """All rows as readers of the warehouse see them."""
    with duckdb.connect(str(settings.warehouse), read_only=True) as connection:
        return connection.execute(f"select * from {relation} order by all").fetchall()


def files(settings: Settings, table: str) -> dict[int, dict[str, int]]:
    """Year -> file -> the moment when it was written, of a table by year."""
    found: dict[int, dict[str, int]] = {}
    for path in spark.folder(settings).glob(f"*.db/{table}/year=*/*.parquet"):
        year = int(path.parent.name.removeprefix("year="))
        found.setdefault(year, {})[path.name] = path.stat().st_mtime_ns
    return found


@contextmanager
def without_rows(path: Path) -> Iterator[None]:
    """A landing file of the same columns without any row, inside the block."""
    before = path.with_suffix(".before")
    shutil.copyfile(path, before)
    pq.write_table(pa.Table.from_batches([], pq.read_schema(path)), path)
    try:
        yield
    finally:
        before.replace(path)


def test_the_sample_gives_the_same_marts(sample: Both) -> None:
    assert differences(sample) == []


def test_every_mart_of_the_project_is_among_them(sample: Both) -> None:
    assert set(hashes(sample.spark)) == {mart.name for mart in mart_specs(plain_manifest())}


def test_the_sample_gives_the_same_content_hashes(sample: Both) -> None:
    ours, theirs = hashes(sample.duckdb), hashes(sample.spark)
    assert {name for name in ours if ours[name] != theirs[name]} <= OF_LOGARITHMS


def test_the_real_files_give_the_same_marts(real: Both) -> None:
    assert differences(real) == []


def test_the_manifest_says_which_engine_built_the_release(sample: Both) -> None:
    for data, engine in ((sample.duckdb, "duckdb"), (sample.spark, "spark")):
        manifest = json.loads((data / "published" / "current" / "manifest.json").read_text())
        assert manifest["settings"]["engine"] == engine
        assert ("pyspark" in manifest["packages"]) == (engine == "spark")


def test_a_year_again_rewrites_that_year_alone(sample: Both, cluster: Cluster) -> None:
    """In SQL and in Python."""
    settings = settings_of(sample.spark, cluster)
    models = ("int_trade_flows", "int_exporter_products", "int_product_network", "int_product_space")
    before = {name: files(settings, name) for name in models}
    content = {name: rows(settings, f"intermediate.{name}") for name in models}
    build(settings, *models, years="2018")
    for name in models:
        after = files(settings, name)
        assert {year for year in after if after[year] != before[name][year]} == {2018}, name
        assert rows(settings, f"intermediate.{name}") == content[name]


def test_a_year_that_became_empty_is_emptied(sample: Both, cluster: Cluster) -> None:
    settings, relation = settings_of(sample.spark, cluster), "intermediate.int_unallocated_imports"
    before = rows(settings, relation)
    year = max({row[0] for row in before})
    landed = settings.landing_dir / "trade_unallocated" / f"year={year}" / "part-0.parquet"
    with without_rows(landed):
        build(settings, "int_unallocated_imports", years=str(year))
        assert rows(settings, relation) == [row for row in before if row[0] != year]
    build(settings, "int_unallocated_imports", years=str(year))
    assert rows(settings, relation) == before


def test_a_year_of_a_python_model_that_became_empty_is_emptied(sample: Both, cluster: Cluster) -> None:
    settings, relation = settings_of(sample.spark, cluster), "intermediate.int_economic_complexity"
    models = [*BEHIND_EXPORTS, "int_economic_complexity"]
    before = rows(settings, relation)
    year = max({row[0] for row in before})
    landed = settings.landing_dir / "trade_flows" / f"year={year}" / "part-0.parquet"
    with without_rows(landed):
        build(settings, *models, years=str(year))
        assert rows(settings, relation) == [row for row in before if row[0] != year]
    build(settings, *models, years=str(year))
    assert rows(settings, relation) == before


def test_a_worker_killed_in_the_midst_of_a_model_costs_a_retry_and_no_wrong_row(sample: Both, cluster: Cluster) -> None:
    settings, model = settings_of(sample.spark, cluster), "int_product_centrality"
    before = rows(settings, f"intermediate.{model}")
    context = spark.session(settings).sparkContext
    tracker = context._jsc.sc().statusTracker()
    killed: list[bool] = []

    def running() -> dict[int, int]:
        return {each.port(): each.numRunningTasks() for each in tracker.getExecutorInfos()}

    def on_event(event: dict[str, Any]) -> None:
        if event["info"]["name"] == "LogStartLine":
            killer.start()

    killer = threading.Thread(target=lambda: killed.append(cluster.kill_a_worker_at_work(running, 120)))
    try:
        build(settings, model, on_event=on_event)
        killer.join()
        assert killed == [True], "no task ran on the worker that was to be killed"
        store = context._jsc.sc().statusStore()
        stages = store.stageList(None, False, False, context._gateway.new_array(context._jvm.double, 0), None)
        again = [stages.apply(n) for n in range(stages.length())]
        assert any(each.numFailedTasks() or each.attemptId() for each in again), "nothing had to be computed again"
        assert rows(settings, f"intermediate.{model}") == before
    finally:
        cluster.add_worker("worker-after")


def test_after_a_change_of_the_engine_every_model_is_computed_anew(sample: Both) -> None:
    run(sample.spark, {})
    with duckdb.connect(str(sample.spark / "warehouse.duckdb"), read_only=True) as connection:
        tables = connection.execute("select table_name from duckdb_tables() where schema_name = 'marts'").fetchall()
        views = connection.execute(
            "select view_name from duckdb_views() where schema_name <> 'staging' and sql ilike '%spark%'"
        ).fetchall()
    assert len(tables) == len(hashes(sample.duckdb)) - 1  # trade_flows is a view
    assert views == []
    assert hashes(sample.spark) == hashes(sample.duckdb)
