"""dbt as the pipeline runs it, over a landing folder and a warehouse of a test's own.

Not here: what is landed (tiny_landing), and what the models should give (the tests).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from dagster_project.dbt_project import run_dbt
from dagster_project.settings import load_settings


@dataclass(frozen=True)
class Done:
    """How a command ended, and what dbt printed."""

    success: bool
    output: str


def dbt(root: Path, *arguments: str, years: str = "", check: bool = True, **settings: Any) -> Done:
    """Run dbt on `root/landing` and `root/warehouse.duckdb`; `settings` replace the defaults, unchecked."""
    lines: list[str] = []
    chosen = replace(load_settings({"CHOKEPOINT_DATA_DIR": str(root)}, dotenv=None), **settings)
    try:
        result = run_dbt(chosen, arguments, years=years, on_event=lambda event: lines.append(event["info"]["msg"]))
    except RuntimeError as error:  # dbt could not parse the project
        success, failure = False, error
    else:
        success, failure = result.success, result.exception
    done = Done(success, "\n".join([*lines, str(failure or "")]))
    assert done.success or not check, done.output
    return done


def build(root: Path, *selection: str, **options: Any) -> Done:
    """`dbt build` without the unit tests."""
    return dbt(root, "build", "--exclude-resource-type", "unit_test", *selection, **options)
