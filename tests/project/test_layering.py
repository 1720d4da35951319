"""Who may import whom, and who may name a dataset. One direction: source, archive, landing, marts, release, reader."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from dagster_project.datasets.registry import DATASETS
from dagster_project.places import CHECKOUT

PACKAGE = CHECKOUT / "dagster_project"
FRAMEWORKS = {"dagster", "dagster_dbt", "dbt", "great_expectations"}
# From below: a package or module imports itself and whatever stands in an earlier line, never its own line or a later.
LAYERS = (
    {"secret"},
    {"redaction"},
    {"errors", "hs", "sql", "places", "machine", "markdown", "economy_codes", "regression", "display"},
    {"installation", "postgres_address", "durable", "scenarios", "python_models", "paradox"},
    {"settings", "locks"},
    {"environment"},
    {"archive"},
    {"sample", "sources", "publish"},
    {"landing", "workbook"},
    {"checks"},
    {"datasets"},
    {"planning"},
    {"spark"},
    {"brief", "dbt_project", "export", "jobs", "partitions", "progress", "statements"},
    {"explore"},
    {"runs", "history"},
    {"assets", "asset_checks", "sensors"},
    {"schedules"},
    {"build"},
    {"definitions", "docs_pages", "summary"},
    {"cli"},
)
# Only these may know a framework; `checks` knows Great Expectations and Dagster in one module each.
KNOW_DAGSTER = {"assets", "asset_checks", "sensors", "schedules", "jobs", "partitions", "runs", "history"}
KNOW_DAGSTER |= {"build", "definitions", "cli"}
MAY_KNOW = {
    "dagster": {*KNOW_DAGSTER, "checks/factory.py", "progress", "summary"},
    "dagster_dbt": {"assets"},
    "dbt": {"dbt_project", "spark", "assets"},
    "great_expectations": {"checks/engine.py"},
}


def imports(path: Path, *, top_level_only: bool = False) -> Iterator[str]:
    tree = ast.parse(path.read_text())
    for node in tree.body if top_level_only else ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def modules() -> Iterator[tuple[str, str, Path]]:
    """Package (or top module), path inside the package folder, and file of every module of the program."""
    for path in sorted(PACKAGE.rglob("*.py")):
        inside = path.relative_to(PACKAGE)
        if inside.name != "__init__.py" or len(inside.parts) > 1:
            yield inside.parts[0].removesuffix(".py"), inside.as_posix(), path


def project_imports(path: Path) -> Iterator[str]:
    """What a module imports of this project, without `dagster_project.`"""
    for name in imports(path):
        if name.startswith("dagster_project."):
            yield name.removeprefix("dagster_project.")


def test_imports_go_one_way() -> None:
    place = {name: number for number, layer in enumerate(LAYERS) for name in layer}
    wrong = [
        f"{inside} imports {name}"
        for package, inside, path in modules()
        for name in project_imports(path)
        if (other := name.split(".")[0]) != package and place[other] >= place[package]
    ]
    assert not wrong


def test_there_is_no_circle_of_imports() -> None:
    known = {inside.removesuffix(".py").replace("/", ".").removesuffix(".__init__") for _, inside, _ in modules()}
    graph: dict[str, set[str]] = {}
    for _, inside, path in modules():
        module = inside.removesuffix(".py").replace("/", ".").removesuffix(".__init__")
        found = {name if name in known else name.rpartition(".")[0] for name in project_imports(path)}
        graph[module] = (found & known) - {module}
    left = dict(graph)
    while free := [name for name, needs in left.items() if not needs & left.keys()]:
        for name in free:
            del left[name]
    assert not left, f"these modules import each other: {', '.join(sorted(left))}"


def test_frameworks_are_known_in_few_places() -> None:
    wrong = [
        f"{inside} imports {name}"
        for package, inside, path in modules()
        for name in imports(path)
        if (framework := name.split(".")[0]) in FRAMEWORKS and not {package, inside} & MAY_KNOW[framework]
    ]
    assert not wrong


def test_no_dataset_imports_another_one() -> None:
    names = {each.name for each in DATASETS}
    wrong = []
    for package, inside, path in modules():
        own = inside.split("/")[1] if package == "datasets" else ""
        if own in names:
            others = {name for name in project_imports(path) if name.startswith("datasets.")}
            wrong += [f"{inside} imports {name}" for name in others if name.split(".")[1] in names - {own}]
    assert not wrong


def test_nothing_outside_its_package_and_the_settings_names_a_dataset() -> None:
    """In code and as whole texts. Brief and explorer are readers: they know the marts, and what they are about."""
    names = {each.name for each in DATASETS} | {each.setting.removesuffix("_source") for each in DATASETS}
    tables = {table.name for each in DATASETS for table in each.tables if "_" in table.name} - {"trade_flows"}
    wrong = []
    for package, inside, path in modules():
        if package not in ("datasets", "settings", "brief", "explore"):
            tree = ast.parse(path.read_text())
            wrong += [
                f"{inside}:{line} {word}"
                for word, line in words(tree)
                if word in names | tables
                or (word.isidentifier() and names & set(word.split("_")) and word != "trade_flows")
            ]
    assert not wrong


def words(tree: ast.AST) -> Iterator[tuple[str, int]]:
    """Every identifier and every text of a module, with its line."""
    for node in ast.walk(tree):
        line = getattr(node, "lineno", 0)
        match node:
            case ast.Name(id=word) | ast.Attribute(attr=word) | ast.arg(arg=word) | ast.alias(name=word):
                yield word, line
            case ast.FunctionDef(name=word) | ast.ClassDef(name=word):
                yield word, line
            case ast.keyword(arg=str(word)) | ast.Constant(value=str(word)):
                yield word, line


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
    """Those that `make check` runs: they need no framework."""
    paths = sorted((CHECKOUT / "tests/unit").glob("test_*.py"))
    assert paths
    names = [".".join(path.relative_to(CHECKOUT).with_suffix("").parts) for path in paths]
    loaded = loaded_by("import importlib\n" + "\n".join(f"importlib.import_module('{name}')" for name in names))
    assert not FRAMEWORKS & loaded


def test_commands_start_without_the_frameworks() -> None:
    """A run with nothing to do must not wait for imports."""
    assert not FRAMEWORKS & loaded_by("import dagster_project.cli")


def test_settings_are_read_in_one_place() -> None:
    for path in sorted(PACKAGE.rglob("*.py")):
        if path.name != "settings.py":
            names = {name for name in imports(path) if name.split(".")[0] == "dotenv"}
            assert not names, f"{path} reads .env itself"
