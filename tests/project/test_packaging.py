"""The wheel: what is in it, and that it works outside a checkout. Built with the locked backend, without a network."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from dagster_project.places import CHECKOUT

PIP = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check", "--no-input"]
OFFLINE = ["--no-index", "--no-deps", "--no-cache-dir"]
# Files that the program reads and that are no modules, as the checkout has them.
DATA_FILES = ("*.html", "*.css", "*.js", "*.json", "*.csv", "*.sql", "*.yml", "*.yaml", "*.py")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The checkout's wheel."""
    folder = tmp_path_factory.mktemp("wheel")
    build = [*PIP, "wheel", *OFFLINE, "--no-build-isolation", "--wheel-dir", str(folder), str(CHECKOUT)]
    subprocess.run(build, check=True, timeout=120)
    [found] = folder.glob("chokepoint-*.whl")
    return found


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that the wheel is installed into."""
    folder = tmp_path_factory.mktemp("installed")
    subprocess.run([*PIP, "install", *OFFLINE, "--target", str(folder), str(wheel)], check=True, timeout=120)
    return folder


def chokepoint(installed: Path, cwd: Path, *arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
    """Run the installed command in a folder, under this environment and no other settings."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("CHOKEPOINT_", "DAGSTER_"))}
    return subprocess.run(
        [sys.executable, str(installed / "bin" / "chokepoint"), *arguments],
        cwd=cwd, env={**kept, "PYTHONPATH": str(installed), **environ},
        capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip


def test_the_wheel_holds_every_file_that_the_program_reads(wheel: Path) -> None:
    listed = subprocess.run(
        ["git", "ls-files", "dagster_project", "dbt", "dagster.yaml", "workspace.yaml"],
        cwd=CHECKOUT, capture_output=True, text=True, check=True,
    ).stdout.split()  # fmt: skip
    wanted = {
        name if name.startswith("dagster_project/") else f"dagster_project/{name}"
        for name in listed
        if any(Path(name).match(pattern) for pattern in DATA_FILES) and (CHECKOUT / name).exists()
    }
    held = set(zipfile.ZipFile(wheel).namelist())
    assert {
        f"dagster_project/{name}" for name in ("brief/web/shell.html", "dbt/dbt_project.yml", "dagster.yaml")
    } <= wanted
    assert not wanted - held
    assert not [name for name in held if "/target/" in name or name.startswith(("tests/", "bi/", "bench/"))]


def test_the_command_says_what_there_is(installed: Path, tmp_path: Path) -> None:
    shown = chokepoint(installed, tmp_path, "--help")
    assert shown.returncode == 0
    names = ("demo", "run", "ui", "explore", "brief", "rebuild", "pin", "doctor", "docs", "dbt-docs")
    assert all(f"    {name} " in shown.stdout for name in names)
    assert chokepoint(installed, tmp_path, "--version").stdout == "chokepoint 0.1.0\n"


def test_a_mistake_is_reported_without_a_stack_trace(installed: Path, tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("CHOKEPOINT_TRADE_SOURCE=file\n")
    run = chokepoint(installed, tmp_path, "run")
    assert run.returncode == 1 and "Did you mean files?" in run.stderr and "Traceback" not in run.stderr


def test_the_users_files_are_those_of_the_current_folder(installed: Path, tmp_path: Path) -> None:
    code = (
        "from dagster_project.settings import load_settings; from dagster_project import places; "
        "read = load_settings(); print(read.data_dir, read.drop_dir, read.years, places.INSTALLED, sep='\\n'); "
        "assert read.reference_list.is_file() and places.DBT_PROJECT.is_dir() and places.WORKSPACE_YAML.is_file()"
    )
    (tmp_path / ".env").write_text("CHOKEPOINT_YEARS=2018\n")
    environ = {name: value for name, value in os.environ.items() if not name.startswith("CHOKEPOINT_")}
    run = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, env={**environ, "PYTHONPATH": str(installed)},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert run.stdout.splitlines() == [str(tmp_path / "data"), str(tmp_path / "drop"), "(2018,)", "True"], run.stderr


def test_what_would_write_into_the_installation_is_refused(installed: Path, tmp_path: Path) -> None:
    pin, docs = chokepoint(installed, tmp_path, "pin"), chokepoint(installed, tmp_path, "docs")
    assert (pin.returncode, docs.returncode) == (1, 1)
    assert "set CHOKEPOINT_REFERENCE_LIST" in pin.stderr and "checkout" in docs.stderr
    assert not list(tmp_path.rglob("reference_list.json"))


def test_outside_a_checkout_messages_name_the_command(installed: Path, tmp_path: Path) -> None:
    run = chokepoint(installed, tmp_path, "brief")
    assert run.returncode == 1 and "chokepoint demo" in run.stderr and "make" not in run.stderr
