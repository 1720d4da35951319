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

from dagster_project.settings import SPARK
from tests.helpers.real_files import DROP

RETURNS = DROP.with_name("contagion")

# Every dataset, also the one that is off by default.
SAMPLE = {"CHOKEPOINT_RETURNS_SOURCE": "sample"}
COMMAND = Path(sys.executable).with_name("chokepoint")


@dataclass(frozen=True)
class Both:
    """Data directories in which DuckDB and Spark published a release of the same landing, and what Spark's run said.

    Spark's was a copy of DuckDB's when Spark came to it.
    """

    duckdb: Path
    spark: Path
    said: str


@pytest.fixture(scope="session")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """A master and two workers."""
    pytest.importorskip("pyspark")
    # For the cluster and all that use it: what Java's second compiler takes, programs of minutes do not get back.
    # Without it, Java keeps a fifth of the usual space for compiled code, which the driver of these tests can fill.
    os.environ["JAVA_TOOL_OPTIONS"] = "-XX:TieredStopAtLevel=1 -XX:ReservedCodeCacheSize=240m"
    started = Cluster(tmp_path_factory.mktemp("cluster"))
    try:
        started.start()
        yield started
    finally:
        started.stop()


@pytest.fixture(scope="session")
def sample(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Both:
    """The embedded sample, all of it: returns are off where nobody asks for them."""
    return _published(cluster, tmp_path_factory.mktemp("sample"), SAMPLE)


@pytest.fixture(scope="session")
def real(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Both:
    """The real files beside the checkout."""
    if not (DROP / "comtrade").is_dir() or not RETURNS.is_dir():
        pytest.skip("no real files beside the checkout")
    drop = tmp_path_factory.mktemp("drop")
    for folder in (*DROP.iterdir(), RETURNS):
        (drop / folder.name).symlink_to(folder)
    names = ("TRADE", "TARIFF", "POLITICS", "REFERENCE", "CHAINS", "RETURNS")
    sources = {f"CHOKEPOINT_{name}_SOURCE": "files" for name in names}
    # There are no patents among them. An input-output table there is for 2022 alone.
    others = {"CHOKEPOINT_PATENT_SOURCE": "off", "CHOKEPOINT_YEARS": "2017,2022", "CHOKEPOINT_DROP_DIR": str(drop)}
    return _published(cluster, tmp_path_factory.mktemp("real"), {**sources, **others})


def _published(cluster: Cluster, root: Path, settings: Mapping[str, str]) -> Both:
    """A release from each engine, made by the command as a user gives it; Spark comes to what DuckDB left."""
    ours, theirs = root / "duckdb", root / "spark"
    run(ours, settings)
    shutil.copytree(ours, theirs, symlinks=True)
    return Both(ours, theirs, run(theirs, settings | on_spark(cluster)))


def on_spark(cluster: Cluster) -> dict[str, str]:
    """The settings of the engine."""
    return {"CHOKEPOINT_ENGINE": SPARK, "CHOKEPOINT_SPARK_CONF": str(cluster.profile)}


def run(data: Path, settings: Mapping[str, str]) -> str:
    """What the command says, with these settings and no others."""
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
    return done.stdout
