"""A Spark cluster for the tests of this folder, and releases of the same inputs from both engines."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest
from standalone import Cluster

from tests.helpers.real_files import DROP

COMMAND = Path(sys.executable).with_name("chokepoint")


@dataclass(frozen=True)
class Both:
    """The data directories in which DuckDB and Spark published a release of the same landing."""

    duckdb: Path
    spark: Path


@pytest.fixture(scope="session")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """A master and two workers."""
    pytest.importorskip("pyspark")
    started = Cluster(tmp_path_factory.mktemp("cluster"))
    try:
        started.start()
        yield started
    finally:
        started.stop()


@pytest.fixture(scope="session")
def sample(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Both:
    """The embedded sample."""
    return _published(cluster, tmp_path_factory.mktemp("sample"), {})


@pytest.fixture(scope="session")
def real(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Both:
    """The real files beside the checkout."""
    if not (DROP / "comtrade").is_dir():
        pytest.skip("no real files beside the checkout")
    sources = {f"CHOKEPOINT_{name}_SOURCE": "files" for name in ("TRADE", "TARIFF", "POLITICS", "REFERENCE")}
    # There are no patents among them, and of the years before 2018 only a part that the checks refuse.
    others = {"CHOKEPOINT_PATENT_SOURCE": "off", "CHOKEPOINT_YEARS": "2018-2024", "CHOKEPOINT_DROP_DIR": str(DROP)}
    return _published(cluster, tmp_path_factory.mktemp("real"), {**sources, **others})


def _published(cluster: Cluster, root: Path, settings: Mapping[str, str]) -> Both:
    """A release from each engine, made by the command as a user gives it; Spark finds the same landing."""
    both = Both(root / "duckdb", root / "spark")
    run(both.duckdb, settings)
    both.spark.mkdir()
    for name in ("archive", "landing"):
        shutil.copytree(both.duckdb / name, both.spark / name)
    run(both.spark, {**settings, "CHOKEPOINT_ENGINE": "spark", "CHOKEPOINT_SPARK_CONF": str(cluster.profile)})
    return both


def run(data: Path, settings: Mapping[str, str]) -> None:
    """The command, with these settings and no others."""
    plain = {name: value for name, value in os.environ.items() if not name.startswith("CHOKEPOINT_")}
    environment = {**plain, "DAGSTER_HOME": str(data.with_name(f"dagster-{data.name}")), **settings}
    done = subprocess.run(
        [str(COMMAND), "run"],
        env={**environment, "CHOKEPOINT_DATA_DIR": str(data)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]
