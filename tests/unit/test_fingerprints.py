"""A change of code makes stale exactly the datasets whose results depend on it; a change of words makes none."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from dagster_project.datasets.registry import DATASETS
from dagster_project.places import CHECKOUT, DBT_PROJECT, PACKAGE
from dagster_project.planning.fingerprints import dbt_files, python_modules

EVERY = {each.name for each in DATASETS}
SCRIPT = """
import json
from dagster_project.datasets.registry import DATASETS
from dagster_project.planning.fingerprints import code_fingerprint, folder_fingerprint
found = {each.name: code_fingerprint(each) for each in DATASETS}
print(json.dumps(found | {"figures": folder_fingerprint("benchmarks")}))
"""


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The program in a folder of its own, to be edited."""
    root = tmp_path_factory.mktemp("checkout")
    left_out = shutil.ignore_patterns("__pycache__", "target", "logs")
    shutil.copytree(PACKAGE, root / PACKAGE.name, ignore=left_out)
    shutil.copytree(DBT_PROJECT, root / DBT_PROJECT.name, ignore=left_out)
    shutil.copy(CHECKOUT / "pyproject.toml", root)
    return root


def fingerprints(root: Path) -> dict[str, str]:
    run = subprocess.run([sys.executable, "-c", SCRIPT], cwd=root, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    found: dict[str, str] = json.loads(run.stdout)
    return found


@pytest.fixture(scope="module")
def before(copy: Path) -> dict[str, str]:
    return fingerprints(copy)


def changed_by(copy: Path, before: dict[str, str], *edits: tuple[str, str, str]) -> set[str]:
    """What edits (file, old text, new text) make stale together; the files are put back."""
    texts = {copy / file: (copy / file).read_text() for file, _, _ in edits}
    try:
        for file, old, new in edits:
            text = (copy / file).read_text()
            assert old in text, file
            (copy / file).write_text(text.replace(old, new))
        after = fingerprints(copy)
    finally:
        for path, text in texts.items():
            path.write_text(text)
    return {name for name, value in after.items() if before[name] != value}


REGRESSION = "dagster_project/datasets/tariffs/exclusion_regression.py"
FLOWS = "dbt/models/intermediate/trade/int_trade_flows.sql"
COLLABORATION = "dbt/models/marts/patents/patent_collaboration.sql"
RATES = "dbt/seeds/tariffs/list_rate_history.csv"


@pytest.mark.parametrize(
    ("file", "old", "new", "stale"),
    [
        (REGRESSION, "\nSPECIFICATIONS", "\nADDED = 1\nSPECIFICATIONS", {"tariffs"}),
        ("dagster_project/sources/zip_member.py", "1 << 20", "1 << 21", {"patents"}),
        ("dagster_project/datasets/trade/baci_rows.py", "* 1000", "* 1001", {"trade"}),
        ("dagster_project/landing/tables.py", "compression zstd", "compression gzip", EVERY),
        (COLLABORATION, "share_of_joint", "share_of_all_joint", {"patents", "figures"}),
        (FLOWS, "select", "select distinct", {"trade", "tariffs", "politics", "figures"}),
        (RATES, "2018-07-06", "2018-07-07", {"tariffs", "figures"}),
    ],
)
def test_an_edit_of_code(copy: Path, before: dict[str, str], file: str, old: str, new: str, stale: set[str]) -> None:
    assert changed_by(copy, before, (file, old, new)) == stale


def test_edits_of_words_and_of_what_shapes_no_number(copy: Path, before: dict[str, str]) -> None:
    trade = "dagster_project/datasets/trade"
    edits = [
        ("dbt/models/marts/trade/bilateral_totals.yml", "One row per year", "A row for each year"),
        ("dbt/models/marts/trade/bilateral_totals.sql", "select", "-- other words\nselect"),
        (f"{trade}/landing.py", '"""Trade landing', '"""The landing of trade'),
        (f"{trade}/landing.py", "\nDATASET", "\n# a comment\nDATASET"),
        (f"{trade}/mart_checks.py", "_SHARE_TOLERANCE = 1e-6", "_SHARE_TOLERANCE = 1e-5"),
        ("dagster_project/errors.py", "class UserError", "class Other:\n    pass\n\n\nclass UserError"),
        ("dagster_project/assets/release.py", "import subprocess", "import os\nimport subprocess"),
    ]
    assert changed_by(copy, before, *edits) == set()


def test_what_is_found_is_what_is_read() -> None:
    for each in DATASETS:
        modules = python_modules(each)
        assert each.land.__module__ in modules and "dagster_project.landing.tables" in modules, each.name
        assert not {"dagster_project.settings", "dagster_project.assets"} & modules.keys()
        names = {path.relative_to(DBT_PROJECT).as_posix() for path in dbt_files(each.name)}
        assert "macros/materializations/yearly.sql" in names and "dbt_project.yml" in names
