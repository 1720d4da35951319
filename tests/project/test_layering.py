"""Who may import whom. One direction: source, archive, landing, dbt, release; Dagster and GX only at the top."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from dagster_project.places import CHECKOUT

PACKAGE = CHECKOUT / "dagster_project"
FRAMEWORKS = {"dagster", "dagster_dbt", "dbt", "great_expectations"}
# Package -> packages of the project that it must not know of.
ABOVE = {
    "sources": {"archive", "landing", "checks", "assets", "publish"},
    "archive": {"landing", "checks", "assets", "publish"},
    "landing": {"checks", "assets", "publish"},
    "publish": {"checks", "assets"},
}
# The ledger of calls notes archive entry ids, and resumed pulls read them back: a live source sits on the archive.
LIVE = {
    "live.py",
    "http.py",
    "ledger.py",
    "comtrade_api.py",
    "baci_web.py",
    "reference_web.py",
    "ustr_web.py",
    "uspto.py",
}


def imports(path: Path, *, top_level_only: bool = False) -> Iterator[str]:
    tree = ast.parse(path.read_text())
    for node in tree.body if top_level_only else ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def modules(folder: str) -> list[Path]:
    return sorted((PACKAGE / folder).rglob("*.py"))


@pytest.mark.parametrize("folder", ABOVE)
def test_lower_layers_know_no_framework_and_no_layer_above(folder: str) -> None:
    assert modules(folder)
    for path in modules(folder):
        for name in imports(path):
            assert name.split(".")[0] not in FRAMEWORKS, f"{path} imports {name}"
            parts = name.split(".")
            if parts[0] == "dagster_project" and not (path.name in LIVE and parts[1] == "archive"):
                assert parts[1] not in ABOVE[folder], f"{path} imports {name}"


def test_great_expectations_is_imported_in_functions_only() -> None:
    for path in sorted(PACKAGE.rglob("*.py")):
        for name in imports(path, top_level_only=True):
            assert name.split(".")[0] != "great_expectations", f"{path} imports {name} for everybody"


def loaded_by(code: str) -> set[str]:
    """The modules that a fresh Python has loaded after the code."""
    script = f"{code}\nimport sys; print('\\n'.join(sys.modules))"
    run = subprocess.run([sys.executable, "-c", script], cwd=CHECKOUT, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    return {name.split(".")[0] for name in run.stdout.split()}


def test_definitions_load_without_what_only_a_run_needs() -> None:
    """These take seconds to import, and every start of the UI, a schedule or a run would pay for them."""
    loaded = loaded_by("import dagster_project.definitions")
    assert "dagster" in loaded and not {"great_expectations", "pandas", "statsmodels"} & loaded


def test_fast_tests_stay_fast() -> None:
    names = sorted(path.stem for path in (CHECKOUT / "tests/unit").glob("test_*.py"))
    assert names
    loaded = loaded_by(
        "import importlib, sys\nsys.path.insert(0, 'tests/unit')\n"
        + "\n".join(f"importlib.import_module('{n}')" for n in names)
    )
    assert not FRAMEWORKS & loaded


def test_commands_start_without_the_frameworks() -> None:
    """A run with nothing to do must not wait for imports."""
    assert not FRAMEWORKS & loaded_by("import dagster_project.cli")


def test_settings_are_read_in_one_place() -> None:
    for path in sorted(PACKAGE.rglob("*.py")):
        if path.name != "settings.py":
            names = {name for name in imports(path) if name.split(".")[0] == "dotenv"}
            assert not names, f"{path} reads .env itself"
