"""What a run needs of the machine is looked at before it works, and told with its remedy."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

from dagster_project import environment
from dagster_project.environment import prepare, require_place
from dagster_project.errors import EnvironmentProblem, SettingError
from dagster_project.settings import Settings, load_settings

OPEN = """
import sys, time, duckdb
connection = duckdb.connect(sys.argv[1])
print("open", flush=True)
time.sleep(60)
"""


def settings_in(folder: Path) -> Settings:
    return load_settings({"CHOKEPOINT_DATA_DIR": str(folder)}, dotenv=None)


def test_a_sound_place(tmp_path: Path) -> None:
    settings = settings_in(tmp_path / "it's [a] year=2024" / "ü")
    require_place(settings)
    prepare(settings)
    assert settings.data_dir.is_dir() and not list(settings.data_dir.iterdir())


@pytest.mark.parametrize("name", ["a?b", "a#b"])
def test_a_path_that_databases_cannot_take(tmp_path: Path, name: str) -> None:
    with pytest.raises(SettingError, match=r"found a path with .; .* Set CHOKEPOINT_DATA_DIR"):
        require_place(settings_in(tmp_path / name))


def test_a_file_where_the_directory_should_be(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(EnvironmentProblem, match=r"file/data: found Not a directory; .* Move the file"):
        require_place(settings_in(tmp_path / "file" / "data"))


def test_no_right_to_write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if os.getuid() == 0:  # root may write anywhere: the system's answer is played

        def refuse(path: object, *_: object, **__: object) -> int:
            raise PermissionError(13, "Permission denied", str(path))

        monkeypatch.setattr(environment, "write_whole", refuse)
    else:
        tmp_path.chmod(0o555)
    with pytest.raises(EnvironmentProblem, match=r"found Permission denied; .* Give this user the right"):
        require_place(settings_in(tmp_path))


def test_no_room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(environment.shutil, "disk_usage", lambda path: shutil._ntuple_diskusage(1, 1, 12_000_000))
    with pytest.raises(EnvironmentProblem, match=r"found 12 MB of free space; expected at least 100 MB. Free disk"):
        require_place(settings_in(tmp_path))


def test_a_warehouse_that_another_program_has_open(tmp_path: Path) -> None:
    settings = settings_in(tmp_path)
    duckdb.connect(str(settings.warehouse)).close()
    command = [sys.executable, "-c", OPEN, str(settings.warehouse)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None and process.stdout.readline() == b"open\n"
        with pytest.raises(EnvironmentProblem) as error:
            prepare(settings)
        process.kill()
    said = str(error.value)
    assert f"PID {process.pid}" in said and str(settings.warehouse) in said and "Close it there" in said
    assert len(said) < 500 and "\n" not in said


@pytest.mark.parametrize("content", [b"", b"no database at all" * 1000])
def test_a_warehouse_that_is_none_is_made_again(tmp_path: Path, content: bytes) -> None:
    settings = settings_in(tmp_path)
    settings.warehouse.write_bytes(content)
    prepare(settings)
    if content:  # DuckDB takes an empty file for a new database
        assert not settings.warehouse.exists()
        assert settings.warehouse.with_name("warehouse.duckdb.damaged").read_bytes() == content
    with duckdb.connect(str(settings.warehouse)) as connection:
        connection.execute("create table x as select 1")


def test_what_killed_runs_left_in_the_making_is_removed(tmp_path: Path) -> None:
    settings = settings_in(tmp_path)
    remains = [".spill-1/x", "trade_flows/.building-2/part-0.parquet", "quarantine/.old-3/x", ".incoming-4"]
    kept = ["trade_flows/year=2017/part-0.parquet", "countries.parquet"]
    for name in (*remains, *kept):
        path = settings.landing_dir / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("x")
    prepare(settings)
    found = {path.relative_to(settings.landing_dir).as_posix() for path in settings.landing_dir.rglob("*")}
    assert {name for name in found if (settings.landing_dir / name).is_file()} == set(kept)
