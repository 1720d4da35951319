"""The checks of published_benchmarks: all pass on a sound table, and each fails on the fault it is there for."""

from __future__ import annotations

from typing import Any

import pyarrow as pa

from dagster_project.checks.benchmarks import BENCHMARKS
from tests.helpers.check_cases import Case, Row, Rows, assert_fails, assert_passes, case, each, holding, rows


def figure(
    benchmark_id: str,
    *,
    kind: str,
    published: float,
    computed: float | None,
    tolerance: float = 0,
    verdict: str = "reproduced",
    dataset: str = "tariffs",
) -> dict[str, Any]:
    """A row of published_benchmarks."""
    return {
        "benchmark_id": benchmark_id,
        "dataset": dataset,
        "published_value": float(published),
        "computed_value": computed if computed is None else float(computed),
        "difference": computed if computed is None else float(computed) - published,
        "tolerance": float(tolerance),
        "tolerance_kind": kind,
        "verdict": verdict,
        "inputs": "tariffs: source files (real)",
    }


def source(dataset: str, name: str, *, is_synthetic: bool) -> Row:
    return {"dataset": dataset, "source": name, "is_synthetic": is_synthetic}


# One figure of each kind of tolerance, at its edge, one that differs and one without real inputs.
FIGURES = pa.Table.from_pylist(
    [
        {**figure("absolute", kind="absolute", published=0.338, computed=0.339, tolerance=0.001), "difference": 0.001},
        figure("relative", kind="relative", published=53000, computed=52746, tolerance=0.01),
        figure("exact", kind="exact", published=85, computed=85),
        figure("bound", kind="lower_bound", published=3, computed=3.5),
        figure("differs", kind="relative", published=200, computed=159, tolerance=0.15, verdict="differs"),
        figure(
            "synthetic",
            kind="relative",
            published=3556,
            computed=None,
            tolerance=0.05,
            verdict="not computable from these inputs",
            dataset="trade",
        ),
    ]
)
SOURCES = [source("tariffs", "files", is_synthetic=False), source("trade", "sample", is_synthetic=True)]
SOUND = holding(
    {
        "published_benchmarks": FIGURES,
        "published_figures": FIGURES.select(["benchmark_id", "published_value", "tolerance", "tolerance_kind"]),
        "stg_inputs": pa.Table.from_pylist(SOURCES),
    }
)


def of(benchmark_id: str, table: str = "published_benchmarks") -> Rows:
    return rows(table, benchmark_id=benchmark_id)


CASES = [
    case(
        "a figure that was not computed",
        of("exact").remove(),
        fails="published_benchmarks.one_row_per_figure",
        shows={"benchmark_id": "exact", "printed": 85.0, "in_the_mart": None},
    ),
    case(
        "a row of no published figure",
        of("exact", "published_figures").remove(),
        fails="published_benchmarks.one_row_per_figure",
        shows={"benchmark_id": "exact", "printed": None, "in_the_mart": 85.0},
    ),
    case(
        "every figure twice",
        rows("published_benchmarks").repeat(),
        fails="published_benchmarks.one_row_per_figure",
        shows={"benchmark_id": "exact"},
    ),
    case(
        "another value than was published",
        of("exact", "published_figures").set(published_value=86),
        fails="published_benchmarks.one_row_per_figure",
        shows={"benchmark_id": "exact", "printed": 86.0, "in_the_mart": 85.0},
    ),
    case(
        "another tolerance than was declared",
        of("exact", "published_figures").set(tolerance=0.5),
        fails="published_benchmarks.one_row_per_figure",
        shows={"benchmark_id": "exact"},
    ),
    case(
        "no row at all",
        rows("published_benchmarks").remove(),
        fails="published_benchmarks.one_row_per_figure",
        shows={"observed_value": 0},
    ),
    case(
        "an unknown verdict",
        of("exact").set(verdict="close"),
        fails="published_benchmarks.verdicts_are_known",
        shows={"benchmark_id": "exact", "verdict": "close"},
    ),
    case(
        "no verdict",
        of("exact").set(verdict=None),
        fails="published_benchmarks.verdicts_are_known",
        shows={"benchmark_id": "exact", "verdict": None},
    ),
    case(
        "no word on the inputs",
        of("exact").set(inputs=None),
        fails="published_benchmarks.verdicts_are_known",
        shows={"benchmark_id": "exact", "inputs": None},
    ),
    case(
        "a verdict without a value",
        of("exact").set(computed_value=None, difference=None),
        fails="published_benchmarks.values_and_verdicts_go_together",
        shows={"benchmark_id": "exact", "computed_value": None, "verdict": "reproduced"},
    ),
    case(
        "a value of a figure that is not computable",
        of("synthetic").set(computed_value=3556, difference=0),
        fails="published_benchmarks.values_and_verdicts_go_together",
        shows={"benchmark_id": "synthetic", "computed_value": 3556.0},
    ),
    case(
        "a difference that is not the values'",
        of("exact").set(difference=-1),
        fails="published_benchmarks.values_and_verdicts_go_together",
        shows={"benchmark_id": "exact", "computed_value": 85.0, "difference": -1.0},
    ),
    case(
        "a value without its difference",
        of("exact").set(difference=None),
        fails="published_benchmarks.values_and_verdicts_go_together",
        shows={"benchmark_id": "exact", "computed_value": 85.0, "difference": None},
    ),
    case(
        "reproduced, though beyond the tolerance",
        of("differs").set(verdict="reproduced"),
        fails="published_benchmarks.verdicts_follow_from_differences",
        shows={"benchmark_id": "differs", "verdict": "reproduced"},
    ),
    case(
        "differs, though within the tolerance",
        of("relative").set(verdict="differs"),
        fails="published_benchmarks.verdicts_follow_from_differences",
        shows={"benchmark_id": "relative", "verdict": "differs"},
    ),
    case(
        "reproduced, though an absolute tolerance is exceeded",
        of("absolute").set(computed_value=0.3391, difference=0.0011),
        fails="published_benchmarks.verdicts_follow_from_differences",
        shows={"benchmark_id": "absolute", "difference": 0.0011, "verdict": "reproduced"},
    ),
    case(
        "reproduced, though an exact figure is one off",
        of("exact").set(computed_value=84, difference=-1),
        fails="published_benchmarks.verdicts_follow_from_differences",
        shows={"benchmark_id": "exact", "difference": -1.0, "verdict": "reproduced"},
    ),
    case(
        "reproduced, though a lower bound is only reached",
        of("bound").set(computed_value=3, difference=0),
        fails="published_benchmarks.verdicts_follow_from_differences",
        shows={"benchmark_id": "bound", "difference": 0.0, "verdict": "reproduced"},
    ),
    case(
        "values from a synthetic dataset",
        rows("stg_inputs").set(is_synthetic=True),
        fails="published_benchmarks.nothing_from_synthetic_inputs",
        shows={"benchmark_id": "exact", "dataset": "tariffs", "source": "files", "computed_value": 85.0},
    ),
    case(
        "values from a dataset of unknown source",
        rows("stg_inputs", dataset="tariffs").remove(),
        fails="published_benchmarks.nothing_from_synthetic_inputs",
        shows={"benchmark_id": "exact", "dataset": "tariffs", "source": None, "computed_value": 85.0},
    ),
]


def test_sound_tables_pass() -> None:
    assert_passes(BENCHMARKS, SOUND)


@each(CASES)
def test_a_fault_is_found(case: Case) -> None:
    assert_fails(case, BENCHMARKS, SOUND)
