"""The checks of published_benchmarks: all pass on a plausible table, and each fails on the fault it is there for."""

from __future__ import annotations

from typing import Any

import pytest

from dagster_project.checks import engine
from dagster_project.checks.benchmarks import BENCHMARKS
from dagster_project.checks.declarations import Outcome
from dagster_project.checks.views import CheckedData

# One figure of each tolerance kind, at its edge, one that differs and one without real inputs.
SQL = """
    create table published_benchmarks as from (values
        ('absolute', 'tariffs', 0.338::double, 0.339::double, 0.001::double, 0.001::double, 'absolute', 'reproduced'),
        ('relative', 'tariffs', 53000, 52746, -254, 0.01, 'relative', 'reproduced'),
        ('exact', 'tariffs', 85, 85, 0, 0, 'exact', 'reproduced'),
        ('bound', 'tariffs', 3, 3.5, 0.5, 0, 'lower_bound', 'reproduced'),
        ('differs', 'tariffs', 200, 159, -41, 0.15, 'relative', 'differs'),
        ('synthetic', 'trade', 3556, null, null, 0.05, 'relative', 'not computable from these inputs')
    ) as t (benchmark_id, dataset, published_value, computed_value, difference, tolerance, tolerance_kind, verdict);
    alter table published_benchmarks add column inputs varchar default 'tariffs: source files (real)';
    create table published_figures as
        select benchmark_id, published_value, tolerance, tolerance_kind from published_benchmarks;
    create table stg_inputs as from (values ('tariffs', 'files', false), ('trade', 'sample', true)
    ) as t (dataset, source, is_synthetic);
"""
FAULTS = {
    "one_row_per_figure": [
        "delete from published_benchmarks where benchmark_id = 'exact'",
        "delete from published_figures where benchmark_id = 'exact'",
        "insert into published_benchmarks from published_benchmarks",
        "update published_figures set published_value = 86 where benchmark_id = 'exact'",
        "update published_figures set tolerance = 0.5 where benchmark_id = 'exact'",
        "delete from published_benchmarks",
    ],
    "verdicts_are_known": [
        "update published_benchmarks set verdict = 'close' where benchmark_id = 'exact'",
        "update published_benchmarks set verdict = null where benchmark_id = 'exact'",
        "update published_benchmarks set inputs = null where benchmark_id = 'exact'",
    ],
    "values_and_verdicts_go_together": [
        "update published_benchmarks set computed_value = null, difference = null where benchmark_id = 'exact'",
        "update published_benchmarks set computed_value = 3556, difference = 0 where benchmark_id = 'synthetic'",
        "update published_benchmarks set difference = -1 where benchmark_id = 'exact'",
        "update published_benchmarks set difference = null where benchmark_id = 'exact'",
    ],
    "verdicts_follow_from_differences": [
        "update published_benchmarks set verdict = 'reproduced' where benchmark_id = 'differs'",
        "update published_benchmarks set verdict = 'differs' where benchmark_id = 'relative'",
        "update published_benchmarks set computed_value = 0.3391, difference = 0.0011 where benchmark_id = 'absolute'",
        "update published_benchmarks set computed_value = 84, difference = -1 where benchmark_id = 'exact'",
        "update published_benchmarks set computed_value = 3, difference = 0 where benchmark_id = 'bound'",
    ],
    "nothing_from_synthetic_inputs": [
        "update stg_inputs set is_synthetic = true",
        "delete from stg_inputs where dataset = 'tariffs'",
    ],
}


def outcomes(fault: str = "", only: str | None = None) -> dict[str, Outcome]:
    def setup(connection: Any) -> None:
        connection.execute(SQL)
        if fault:
            connection.execute(fault)

    selected = None if only is None else {("published_benchmarks", only)}
    return {each.check: each for each in engine.run(BENCHMARKS, CheckedData(setup), only=selected)}


def test_a_plausible_table_passes() -> None:
    assert {name: each.message for name, each in outcomes().items() if each.status != "passed"} == {}


@pytest.mark.parametrize(("name", "fault"), [(name, fault) for name, faults in FAULTS.items() for fault in faults])
def test_a_fault_is_found(name: str, fault: str) -> None:
    assert outcomes(fault, name)[name].status == "failed"


def test_every_check_has_a_fault() -> None:
    assert {check.name for check in BENCHMARKS.checks} == FAULTS.keys()
