"""The files of the repository: sizes, addresses, versions, the documented settings."""

from __future__ import annotations

import re
import subprocess
import tomllib
from functools import cache
from pathlib import Path

import pytest

from dagster_project.places import CHECKOUT
from dagster_project.settings import DEFINITIONS, Definition

MAX_BYTES = 1 << 20
MACHINE_PATH = re.compile(r"(^|[^A-Za-z0-9_.])/(work|farm|root)/", re.MULTILINE)
ADDRESS = re.compile(r"https?://")
INDEX = re.compile(r"(index-url|find-links)[ =]+https?:")


@cache
def tracked() -> list[Path]:
    run = subprocess.run(["git", "ls-files", "-z"], cwd=CHECKOUT, capture_output=True, text=True, check=False)
    if run.returncode:
        pytest.skip("no git checkout")
    return [path for name in run.stdout.split("\0") if name and (path := CHECKOUT / name).is_file()]


def text_of(path: Path) -> str:
    content = path.read_bytes()
    return "" if b"\0" in content[:8000] else content.decode()


def test_files_are_small() -> None:
    assert not [str(path) for path in tracked() if path.stat().st_size >= MAX_BYTES]


def test_no_machine_path() -> None:
    found = {f"{path}: {match[0]}" for path in tracked() if (match := MACHINE_PATH.search(text_of(path)))}
    assert not found


def test_no_registry_address() -> None:
    locks = [path for path in tracked() if path.suffix == ".lock"]
    assert CHECKOUT / "requirements.lock" in locks
    assert not [path for path in locks if ADDRESS.search(path.read_text())]
    assert not [path for path in tracked() if INDEX.search(text_of(path)) and path != Path(__file__)]


def test_no_data_directory_and_no_secret_file() -> None:
    names = {path.relative_to(CHECKOUT).as_posix() for path in tracked()}
    assert not [name for name in names if re.match(r"(data|demo|drop|\.venv|\.dagster)/|\.env$", name)]


def locked() -> dict[str, str]:
    lines = (CHECKOUT / "requirements.lock").read_text().splitlines()
    return {
        m[1].lower().replace("_", "-"): m[2]
        for line in lines
        if (m := re.match(r"([A-Za-z0-9._-]+)(?:\[\S*\])?==(\S+)", line))
    }


def required() -> list[str]:
    project = tomllib.loads((CHECKOUT / "pyproject.toml").read_text())
    groups = project.get("dependency-groups", {}).values()
    return [*project["project"]["dependencies"], *(each for group in groups for each in group)]


@pytest.mark.parametrize("requirement", required())
def test_what_pyproject_asks_for_is_what_is_locked(requirement: str) -> None:
    name = re.split(r"[<>=!~\[; ]", requirement)[0].lower().replace("_", "-")
    version = locked().get(name)
    assert version, f"{name} is not in requirements.lock"
    pinned = re.search(r"==([^,;\s]+)", requirement)
    assert pinned is None or pinned[1] == version


@pytest.mark.parametrize("lock", ["requirements.lock", "bi/requirements.lock", "docs/requirements.lock"])
def test_every_locked_file_has_a_hash(lock: str) -> None:
    blocks = re.split(r"\n(?=[a-z0-9])", (CHECKOUT / lock).read_text(), flags=re.IGNORECASE)
    assert not [block.split()[0] for block in blocks if "==" in block.split("\n")[0] and "--hash=sha256:" not in block]


def test_python_versions_agree() -> None:
    project = tomllib.loads((CHECKOUT / "pyproject.toml").read_text())
    lowest = re.search(r">=(\d+\.\d+)", project["project"]["requires-python"])
    assert lowest is not None
    assert project["tool"]["mypy"]["python_version"] == lowest[1]
    assert project["tool"]["ruff"]["target-version"] == "py" + lowest[1].replace(".", "")
    assert f"Python {lowest[1]}" in (CHECKOUT / "README.md").read_text()


def test_licence_and_changelog() -> None:
    assert "Apache License" in (CHECKOUT / "LICENSE").read_text()
    assert "0.1.0" in (CHECKOUT / "CHANGELOG.md").read_text()


@pytest.mark.parametrize("definition", DEFINITIONS, ids=lambda each: each.variable)
def test_setting_is_documented_with_its_values_and_default(definition: Definition) -> None:
    page = (CHECKOUT / "docs/settings.md").read_text().splitlines()
    rows = [line for line in page if line.startswith(f"| `{definition.variable}` |")]
    assert len(rows) == 1, "one row of the table of settings"
    assert f"| `{definition.default}` |" in rows[0]
    assert all(f"`{value}`" in rows[0] for value in definition.choices)
    assert ("**secret**" in rows[0]) == definition.secret


def test_ci_runs_the_readmes_test_command() -> None:
    ci = CHECKOUT / ".ci/run"
    assert ci.stat().st_mode & 0o111 and "make test" in ci.read_text()
    readme = (CHECKOUT / "README.md").read_text()
    targets = set(re.findall(r"^([a-z-]+):", (CHECKOUT / "Makefile").read_text(), re.MULTILINE))
    named = set(re.findall(r"`?make ([a-z-]+)", readme))
    assert {"demo", "run", "test", "ui", "bench"} <= named & targets
    assert named <= targets, "the README names commands that do not exist"
