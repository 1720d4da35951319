"""No function takes more than seven arguments: what belongs together comes as one value.

Not here: the number of a value's fields.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from dagster_project.places import CHECKOUT

MOST = 7
FOLDERS = ("dagster_project", "bench", "bi")
WORK = CHECKOUT / "bench" / "work"  # data of the benchmark, with models that dbt compiled there


def functions() -> Iterator[tuple[str, list[str]]]:
    """Place and arguments of every function, keyword arguments included; of methods without self or cls."""
    for folder in FOLDERS:
        for path in sorted(each for each in (CHECKOUT / folder).rglob("*.py") if WORK not in each.parents):
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                    given = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
                    names = [each.arg for each in given if each.arg not in ("self", "cls")]
                    yield f"{path.relative_to(CHECKOUT)}:{node.lineno} {node.name}", names


def test_no_function_takes_more_than_seven_arguments() -> None:
    wrong = [f"{place}: {', '.join(names)}" for place, names in functions() if len(names) > MOST]
    assert not wrong
