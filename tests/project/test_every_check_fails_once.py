"""Every check that is declared anywhere has a case that makes it fail: a check that never fails checks nothing.

Not here: the cases, which stand in the modules `test_*_checks.py` beside their datasets.
"""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest

from dagster_project.checks.declarations import Stage
from dagster_project.datasets.registry import DATASETS, figures_stage
from dagster_project.places import CHECKOUT
from tests.helpers.check_cases import Case

STAGES = [*(part.stage for each in DATASETS for part in each.checks), figures_stage()]


def cases(path: Path) -> Iterator[Case]:
    """The cases of the lists that a module holds."""
    module = import_module(".".join(path.relative_to(CHECKOUT).with_suffix("").parts))
    lists = [value for value in vars(module).values() if isinstance(value, list)]
    return (each for values in lists for each in values if isinstance(each, Case))


@pytest.fixture(scope="module")
def failing() -> set[str]:
    """The checks (table.check) that a case makes fail."""
    return {case.fails for path in CHECKOUT.glob("tests/**/test_*_checks.py") for case in cases(path)}


@pytest.mark.parametrize("stage", STAGES, ids=lambda stage: stage.name)
def test_every_check_has_a_case_that_makes_it_fail(stage: Stage, failing: set[str]) -> None:
    assert {f"{check.table}.{check.name}" for check in stage.checks} - failing == set()
