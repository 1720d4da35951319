"""Memory and threads of the settings reach DuckDB in dbt, the checks and publishing, and change nothing else."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import duckdb
import pytest

from dagster_project.checks.views import over_landing
from dagster_project.dbt_project import manifest_path
from dagster_project.machine import Resources
from dagster_project.publish.read import Release
from dagster_project.settings import Settings, load_settings
from tests.helpers.dbt_command import dbt

RESOURCES = Resources(1_250_000_000, 3)
ASK = "select current_setting('memory_limit'), current_setting('threads')"


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return load_settings({"CHOKEPOINT_DATA_DIR": str(tmp_path)}, dotenv=None)


def test_dbt(tmp_path: Path) -> None:
    shown = dbt(tmp_path, "show", "--inline", ASK, "--limit", "-1", memory=RESOURCES.memory, threads=RESOURCES.threads)
    assert re.search(r"\| 1\.1 GiB +\| +3 \|", shown.output), shown.output


def test_checks() -> None:
    with duckdb.connect() as connection:
        over_landing({}, resources=RESOURCES).setup(connection)
        assert connection.execute(ASK).fetchone() == ("1.0 GiB", 3)  # 1,125 MB


def test_readers_of_a_release(tmp_path: Path) -> None:
    duckdb.connect(str(tmp_path / "chokepoint.duckdb")).close()
    with Release(tmp_path, {"marts": {}}, resources=RESOURCES).connect() as connection:
        assert connection.execute(ASK).fetchone() == ("715.2 MiB", 3)  # 750 MB


def test_the_manifest_is_not_parsed_anew_for_them(settings: Settings) -> None:
    before = manifest_path(settings).stat().st_mtime_ns
    assert manifest_path(replace(settings, memory=RESOURCES.memory, threads=7)).stat().st_mtime_ns == before
    assert manifest_path(replace(settings, product_scope="all")).stat().st_mtime_ns != before
