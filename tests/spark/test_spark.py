"""Spark on a standalone cluster gives what DuckDB gives, year by year, and survives a worker that is killed.

Run by `make test-spark`, not by `make test`: it needs PySpark's environment (.venv-spark) and Java.
"""

from __future__ import annotations

import json
import random
import shutil
import threading
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from conftest import SAMPLE, Both, on_spark, run
from standalone import Cluster

from dagster_project import spark
from dagster_project.dbt_project import mart_specs, plain_manifest, run_dbt
from dagster_project.publish.read import open_release
from dagster_project.settings import SPARK, Settings, load_settings
from dagster_project.sql import identifier
from tests.helpers.served_ui import served, until

pytestmark = [pytest.mark.spark, pytest.mark.timeout(3600)]
WITHIN = 1e-12
# Marts whose numbers come of logarithms, whose last digit is the C library's on DuckDB and Java's on Spark. They need
# not have the same content hash, and near 0, such as a drift between two logarithms, WITHIN is absolute.
OF_LOGARITHMS = {
    *("export_price_index", "import_price_contribution", "involution", "involution_summary", "learning_rate"),
    "gvc_position_country",  # its kww_position
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
                if not left or not right:  # no year of the mart has a row
                    found += [f"{name}: rows of one engine alone"] if left or right else []
                    continue
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


def manifest_of(data: Path) -> dict[str, Any]:
    """The current release's."""
    content: dict[str, Any] = json.loads((data / "published" / "current" / "manifest.json").read_text())
    return content


def hashes(data: Path) -> dict[str, str]:
    return {name: mart["content_hash"] for name, mart in manifest_of(data)["marts"].items()}


def hashes_apart(both: Both) -> set[str]:
    """The marts whose content hashes differ."""
    ours, theirs = hashes(both.duckdb), hashes(both.spark)
    return {name for name in ours if ours[name] != theirs[name]}


def settings_of(data: Path, cluster: Cluster) -> Settings:
    return load_settings({"CHOKEPOINT_DATA_DIR": str(data), **SAMPLE, **on_spark(cluster)}, dotenv=None)


def build(settings: Settings, *models: str, years: str = "", **options: Any) -> None:
    """Build these models alone, without their tests."""
    command = ["run", "--select", *models, *([] if years else ["--full-refresh"])]
    events: list[str] = []
    on_event = options.get("on_event", lambda event: events.append(event["info"]["msg"]))
    result = run_dbt(settings, command, years=years, on_event=on_event)
    assert result.success, "\n".join([*events, str(result.exception)])


def compiled(settings: Settings, query: str) -> str:
    """A query with macros of the project, as the engine of these settings gets it."""
    result = run_dbt(settings, ["compile", "--inline", query], on_event=lambda event: None)
    assert result.success, result.exception
    text: str = result.result.results[0].node.compiled_code
    return text


def rows(settings: Settings, relation: str) -> list[tuple[Any, ...]]:
    """All rows as readers of the warehouse see them, the year first."""
    with duckdb.connect(str(settings.warehouse), read_only=True) as connection:
        return connection.execute(f"select year, * exclude (year) from {relation} order by all").fetchall()


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
    assert hashes_apart(sample) <= OF_LOGARITHMS


def test_the_manifest_says_which_engine_built_the_release(sample: Both) -> None:
    ours, theirs = (manifest_of(data) for data in (sample.duckdb, sample.spark))
    assert [each["settings"]["engine"] for each in (ours, theirs)] == ["duckdb", "spark"]
    assert theirs["packages"].keys() - ours["packages"].keys() == {"dbt-spark", "pyspark"}
    assert theirs["packages"]["pyspark"] == version("pyspark")
    apart = {name for name in ours["settings"] if ours["settings"][name] != theirs["settings"][name]}
    assert apart == {"engine"}


def test_after_a_change_to_spark_every_model_is_computed_anew(sample: Both) -> None:
    """In the data directory that DuckDB had published from: what it landed is used, what it computed is not."""
    assert "was computed by duckdb, and CHOKEPOINT_ENGINE is spark: it is cleared away" in sample.said
    assert "to compute: 2017, 2018, 2019." in sample.said
    assert not list(sample.spark.glob("warehouse.duckdb.*.parquet"))
    landed = [
        sorted(path.relative_to(data) for path in (data / "landing").rglob("*"))
        for data in (sample.duckdb, sample.spark)
    ]
    assert landed[0] == landed[1]
    nodes = plain_manifest()["nodes"].values()
    models = {node["name"] for node in nodes if node["config"]["materialized"] not in ("view", "test")}
    assert {path.name for path in (sample.spark / "spark").glob("*.db/*")} == models
    releases = sample.spark / "published" / "releases"
    assert (releases / (sample.duckdb / "published" / "current").resolve().name).is_dir()


def test_the_same_engine_again_has_nothing_to_compute(sample: Both, cluster: Cluster) -> None:
    said = run(sample.spark, SAMPLE | on_spark(cluster))
    assert "Nothing has changed since the last release" in said
    assert "was computed by" not in said


def test_the_real_files_give_the_same_marts_and_content_hashes(real: Both) -> None:
    """Before the tests that compute in this process, whose session keeps the cluster's cores: a command would wait."""
    assert differences(real) == []
    assert hashes_apart(real) <= OF_LOGARITHMS


# Sums of signed numbers, some of which nearly cancel: per group, of the others, and up to here.
SUMS = [
    "select g, {{ exact_sum('x') }} as x, {{ exact_sum('y', bits=90) }} as y from numbers group by g order by g",
    "select i, {{ exact_window_sum('x', 'g', less_own=true) }} as others, "
    "{{ exact_window_sum('y', 'g', bits=90, up_to='i') }} as so_far from numbers order by i",
]


@pytest.mark.parametrize("query", SUMS, ids=["groups", "windows"])
def test_sums_are_those_of_duckdb_bit_for_bit(query: str, sample: Both, cluster: Cluster) -> None:
    drawn = random.Random(20)
    x = [drawn.choice((-1, 1)) * 2 ** drawn.uniform(-12, 50) for _ in range(4000)]
    x[1::4] = [-value + drawn.uniform(-1, 1) for value in x[0::4]]
    y = [drawn.uniform(-1, 1) * 2 ** -drawn.uniform(0, 40) for _ in x]
    numbers = pa.table({"i": list(range(len(x))), "g": [row // 4 for row in range(len(x))], "x": x, "y": y})
    theirs = settings_of(sample.spark, cluster)
    active = spark.session(theirs)
    active.createDataFrame(numbers).createOrReplaceTempView("numbers")
    found = [tuple(row) for row in active.sql(compiled(theirs, query)).collect()]
    with duckdb.connect() as connection:
        connection.register("numbers", numbers)
        ours = load_settings({"CHOKEPOINT_DATA_DIR": str(sample.duckdb)}, dotenv=None)
        assert found == connection.execute(compiled(ours, query)).fetchall()
    assert sum(value < 0 for row in found for value in row[1:]) > len(found) / 2


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


def test_python_models_run_one_at_a_time(sample: Both, cluster: Cluster, tmp_path: Path) -> None:
    """Though dbt has threads: a model sets BLAS to one thread, which is the process's and not its own thread's."""
    from dbt.adapters.spark import SparkAdapter

    spark.session(settings_of(sample.spark, cluster))
    job, log = SparkAdapter.python_submission_helpers.fget(None)["driver"], tmp_path / "log"
    steps = ["print('begins', file=log, flush=True)", "time.sleep(0.2)", "print('ends', file=log)"]
    code = f"import time\nwith open({str(log)!r}, 'a') as log:\n    " + "; ".join(steps)
    with ThreadPoolExecutor(2) as threads:
        for done in [threads.submit(job({"alias": f"model_{n}"}, None).submit, code) for n in range(2)]:
            done.result()
    assert log.read_text().split() == ["begins", "ends"] * 2


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


LAUNCH = """mutation ($params: ExecutionParams!) { launchPipelineExecution(executionParams: $params) {
    __typename ... on LaunchRunSuccess { run { runId } } ... on Error { message } } }"""
STATUS = "query ($run: ID!) { runOrError(runId: $run) { ... on Run { status } } }"


def test_the_ui_runs_models_on_spark_under_the_prefix_that_is_set(sample: Both, tmp_path: Path) -> None:
    """What its button "Materialize selected" asks of its server, for a model and all that it comes of; Spark is in the
    run's own process. The catalog has the prefix, and the warehouse file the names as ever.
    """
    landed = ["landing/ideal_points", "landing/politics_rule_counts", "landing/quarantine_politics"]
    models = ["staging/ideal_point_areas", "staging/stg_ideal_points", "intermediate/int_ideal_points"]
    chosen = [{"path": name.split("/")} for name in ("raw/politics", *landed, *models)]
    job = {"repositoryLocationName": "chokepoint", "repositoryName": "__repository__", "jobName": "__ASSET_JOB"}
    data, profile = tmp_path / "data", tmp_path / "spark.conf"
    profile.write_text("spark.master local[1]\nspark.sql.shuffle.partitions 1\n")
    given = {
        "CHOKEPOINT_DATA_DIR": str(data),
        "CHOKEPOINT_ENGINE": SPARK,
        "CHOKEPOINT_SPARK_CONF": str(profile),
        "CHOKEPOINT_SPARK_SCHEMA": "mine_",
    }
    with served(tmp_path, given) as address:
        launched = ask(address, LAUNCH, params={"selector": {**job, "assetSelection": chosen}, "mode": "default"})
        assert launched["launchPipelineExecution"]["__typename"] == "LaunchRunSuccess", launched
        run_id = launched["launchPipelineExecution"]["run"]["runId"]
        seen: list[str] = []

        def ended() -> bool:
            seen.append(ask(address, STATUS, run=run_id)["runOrError"]["status"])
            return seen[-1] in ("SUCCESS", "FAILURE", "CANCELED")

        until(ended, 900, lambda: seen[-1])
    assert seen[-1] == "SUCCESS", (tmp_path / "log").read_text()[-4000:]
    tables = {str(path.relative_to(data / "spark")) for path in (data / "spark").glob("*.db/*")}
    assert tables == {"mine_staging.db/ideal_point_areas", "mine_intermediate.db/int_ideal_points"}
    settings, ours = (
        load_settings({"CHOKEPOINT_DATA_DIR": str(folder)}, dotenv=None) for folder in (data, sample.duckdb)
    )
    relation = "intermediate.int_ideal_points"
    assert rows(settings, relation) == rows(ours, relation) != []


def ask(address: str, query: str, **variables: Any) -> Any:
    """The answer of the UI's server to a GraphQL query."""
    body = json.dumps({"query": query, "variables": variables}).encode()
    request = urllib.request.Request(f"{address}/graphql", body, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=60) as response:
        answer = json.load(response)
    assert "errors" not in answer, answer["errors"]
    return answer["data"]


def test_after_a_change_back_to_duckdb_every_model_is_computed_anew(sample: Both) -> None:
    """Last, because it ends what Spark has in this data directory."""
    said = run(sample.spark, SAMPLE)
    assert "was computed by spark, and CHOKEPOINT_ENGINE is duckdb: it is cleared away" in said
    assert not (sample.spark / "spark").exists()
    assert manifest_of(sample.spark)["settings"]["engine"] == "duckdb"
    with duckdb.connect(str(sample.spark / "warehouse.duckdb"), read_only=True) as connection:
        tables = connection.execute("select table_name from duckdb_tables() where schema_name = 'marts'").fetchall()
        over_spark = f"{sample.spark / 'spark'}/"  # not any path with the word: this data directory is called so too
        views = connection.execute(
            "select view_name from duckdb_views() where contains(sql, ?)", [over_spark]
        ).fetchall()
    assert len(tables) == len(hashes(sample.duckdb)) - 2  # trade_flows and import_suppliers are views
    assert views == []
    assert hashes(sample.spark) == hashes(sample.duckdb)
