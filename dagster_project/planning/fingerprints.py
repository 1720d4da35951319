"""Fingerprints of code: which Python, SQL and seeds a dataset's tables and marts depend on, and a name for them.

Found by following imports from the function that lands the dataset, and `ref`, macro calls and seeds from its dbt
folders. Words do not count: docstrings, comments, descriptions and unit tests may change without anything being
computed anew. What belongs here: that search. Not here: what a changed fingerprint leads to (see `state`).
"""

from __future__ import annotations

import ast
import hashlib
import json
import re
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from dagster_project.datasets.declaration import Dataset
from dagster_project.places import DBT_PROJECT as DBT
from dagster_project.places import PACKAGE as FOLDER

PACKAGE = "dagster_project"
# Settings count by their values, and the texts of errors are words.
_NO_SHAPE = frozenset(f"{PACKAGE}.{name}" for name in ("settings", "errors", "durable", "locks"))
_WORDS = frozenset({"description", "unit_tests", "question", "picture"})
_REF = re.compile(r"\bref\(\s*['\"](\w+)['\"]")
_NAME = re.compile(r"\b([a-z_]\w*)\b")
_MACRO = re.compile(r"{%-?\s*(?:macro|materialization|test)\s+(\w+)")
_JINJA_COMMENT = re.compile(r"{#.*?#}", re.DOTALL)
# libyaml's form of the safe loader is eight times as fast, and not there on every machine.
_YAML = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
# How every model is built, whether or not its text says so.
_ALWAYS = ("macros/materializations", "macros/generate_schema_name.sql")


@cache
def code_fingerprint(dataset: Dataset) -> str:
    """Names the code that a dataset's landing tables and marts come from."""
    parts = {name: _python(path) for name, path in sorted(python_modules(dataset).items())}
    parts |= {str(path.relative_to(DBT)): _dbt(path) for path in sorted(dbt_files(dataset.name))}
    return _hashed(parts)


@cache
def folder_fingerprint(folder: str) -> str:
    """Names the code of a dbt folder that belongs to no dataset, and what its own Python models import."""
    files = sorted(dbt_files(folder))
    models = [path for path in files if path.suffix == ".py" and path.parent.name == folder]
    roots = {name for path in models for name in _imports(ast.parse(path.read_text(encoding="utf-8")), path)}
    parts = {name: _python(path) for name, path in sorted(_closure(roots).items())}
    return _hashed(parts | {str(path.relative_to(DBT)): _dbt(path) for path in files})


def python_modules(dataset: Dataset) -> dict[str, Path]:
    """Module -> file of all that the dataset's landing imports from this project, and its Python models."""
    roots = {dataset.land.__module__}
    if dataset.yearly is not None:
        roots.add(dataset.yearly.identities.__module__)
    for path in dbt_files(dataset.name):
        if path.suffix == ".py":
            roots |= set(_imports(ast.parse(path.read_text(encoding="utf-8")), path))
    return _closure(roots)


def dbt_files(folder: str) -> set[Path]:
    """The models of a folder, those that they read through `ref`, and the macros, seeds and YAML of all of them."""
    named = {path.stem: path for path in DBT.rglob("*") if path.suffix in (".sql", ".py", ".csv") and _is_source(path)}
    macros = _macros()
    found: set[Path] = {DBT / "dbt_project.yml"}
    waiting = [*(DBT / "models").glob(f"*/{folder}/*"), *(path for each in _ALWAYS for path in _files(DBT / each))]
    while waiting:
        path = waiting.pop()
        if path in found or path.suffix not in (".sql", ".py", ".csv", ".yml"):
            continue
        found.add(path)
        if path.suffix in (".sql", ".py"):
            text = _JINJA_COMMENT.sub("", path.read_text(encoding="utf-8"))
            waiting += [named[name] for name in _REF.findall(text) if name in named]
            waiting += [macros[name] for name in set(_NAME.findall(text)) if name in macros]
        beside = path.with_suffix(".yml")
        waiting += [beside] if beside.exists() else []
    return found


def _closure(roots: Iterable[str]) -> dict[str, Path]:
    found: dict[str, Path] = {}
    waiting = list(roots)
    while waiting:
        name = waiting.pop()
        path = _file_of(name)
        if path is None or name in found or name in _NO_SHAPE:
            continue
        found[name] = path
        waiting += _imports(ast.parse(path.read_text(encoding="utf-8")), path)
    return found


def _imports(tree: ast.Module, path: Path) -> Iterator[str]:
    """The modules of this project that a file imports when it runs, inside functions too."""
    typing_only = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"
        for inner in ast.walk(node)
    }
    for node in ast.walk(tree):
        if id(node) in typing_only:
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name.startswith(PACKAGE))
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith(PACKAGE):
            yield str(node.module)
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


@cache
def _file_of(module: str) -> Path | None:
    path = FOLDER.parent.joinpath(*module.split("."))
    for candidate in (path.with_suffix(".py"), path / "__init__.py"):
        if candidate.exists():
            return candidate
    return None


@cache
def _macros() -> dict[str, Path]:
    """Macro -> file; the forms of a dispatched macro are found by its plain name too."""
    found: dict[str, Path] = {}
    for path in (DBT / "macros").rglob("*.sql"):
        for name in _MACRO.findall(path.read_text(encoding="utf-8")):
            found[name] = path
            found.setdefault(name.partition("__")[2] or name, path)
    return found


def _files(path: Path) -> list[Path]:
    return [path] if path.is_file() else sorted(path.rglob("*.sql"))


def _is_source(path: Path) -> bool:
    return not {"target", "logs"} & set(path.relative_to(DBT).parts)


@cache
def _python(path: Path) -> str:
    """A module without comments and docstrings."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) and (
            ast.get_docstring(node, clean=False) is not None
        ):
            node.body = node.body[1:]
    return ast.dump(tree)


@cache
def _dbt(path: Path) -> str:
    """A file of the dbt project without comments and descriptions."""
    if path.suffix == ".py":
        return _python(path)
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".yml":
        content = yaml.load(text, _YAML)
        return json.dumps(_without_words(content), sort_keys=True, default=str)
    if path.suffix == ".sql":
        lines = (_without_comment(line).strip() for line in _JINJA_COMMENT.sub("", text).splitlines())
        return "\n".join(line for line in lines if line)
    return text


def _without_words(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_words(each) for key, each in value.items() if key not in _WORDS}
    return [_without_words(each) for each in value] if isinstance(value, list) else value


def _without_comment(line: str) -> str:
    """The line up to a `--` that stands outside of quotes."""
    for match in re.finditer("--", line):
        if line.count("'", 0, match.start()) % 2 == 0:
            return line[: match.start()]
    return line


def _hashed(parts: Any) -> str:
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:20]
