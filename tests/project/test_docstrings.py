"""Docstrings of modules say what belongs there and what does not, and what they name exists.

Not here: whether the words are plain.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from dagster_project.places import CHECKOUT

PROGRAM = CHECKOUT / "dagster_project"
MODULES = sorted(PROGRAM.rglob("*.py"))
# Whole packages and declarations explain themselves.
NEED_NO_BORDER = {"dataset.py"}
# What stands after "see": a module, a package, or something that is defined in one.
SEEN = re.compile(r"\bsee ((?:(?:, | and |, and )?`[^`/]+`)+)")
# `module.NAME` anywhere. Attributes of objects, tables and files look alike and are no references.
DOTTED = re.compile(r"`([a-z_]+(?:\.\w+)+)`")
OTHERS = ("release.", "config.", "patents.publications", "duckdb.", "dataclasses.")
ENDINGS = (".py", ".json", ".yaml", ".md")


def docstrings(path: Path) -> Iterator[str]:
    """The docstrings of a module and of all that is defined in it, each in one line."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            yield " ".join((ast.get_docstring(node) or "").split())


@cache
def defined(path: Path) -> frozenset[str]:
    """The names that a module defines."""
    found = set()
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.ClassDef | ast.FunctionDef):
            found.add(node.name)
        elif isinstance(node, ast.Assign):
            found |= {target.id for target in node.targets if isinstance(target, ast.Name)}
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            found.add(node.target.id)
    return frozenset(found)


def exists(name: str, path: Path) -> bool:
    """Whether a module names itself, a module or package beside or above it, or something defined in one of these."""
    if name in defined(path):
        return True
    parts = name.split(".")
    folders = [folder for folder in path.parents if folder == PROGRAM or PROGRAM in folder.parents]
    return any(_leads_somewhere(folder, parts) for folder in folders)


def _leads_somewhere(folder: Path, parts: list[str]) -> bool:
    place = folder.joinpath(*parts)
    if place.is_dir() or place.with_suffix(".py").is_file():
        return True
    holder = folder.joinpath(*parts[:-1]).with_suffix(".py")
    return len(parts) > 1 and holder.is_file() and parts[-1] in defined(holder)


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.relative_to(PROGRAM).as_posix())
def test_a_module_says_what_belongs_there(path: Path) -> None:
    text = next(docstrings(path))
    assert text, "a docstring says what the module is for"
    if path.name not in NEED_NO_BORDER:
        assert re.search(r"Not here: \w|, not here", text) or path == PROGRAM / "__init__.py", text


def test_what_a_docstring_refers_to_exists() -> None:
    wrong = []
    for path in MODULES:
        for text in docstrings(path):
            names = [name for match in SEEN.findall(text) for name in re.findall(r"`([^`]+)`", match)]
            names += [name for name in DOTTED.findall(text) if not (name.startswith(OTHERS) or name.endswith(ENDINGS))]
            wrong += [f"{path.relative_to(CHECKOUT)}: `{name}`" for name in names if not exists(name, path)]
    assert not wrong
