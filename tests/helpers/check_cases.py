"""Cases of checks: what was spoiled in sound tables, which check must fail for it, and what its failing rows must say.

    case(
        "a value below zero",
        rows("trade_flows", year=2017, reporter_code=CHN).set(value_usd=-5),
        fails="trade_flows.values_plausible",
        shows={"broken_rule": "value is negative"},
    )

A module of cases is named `test_<...>_checks.py`: that is where tests/project looks for the case of every check.
Not here: any sound table, and any case.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pytest

from dagster_project.checks import engine
from dagster_project.checks.declarations import Outcome, Stage
from dagster_project.checks.views import PREVIOUS_RELEASE, CheckedData

Row = Mapping[str, Any]
Tables = Mapping[str, pa.Table]


class sql(str):
    """An SQL expression where a value may stand."""


@dataclass(frozen=True)
class Change:
    """One statement against a table. It must touch a row: a case that spoils nothing proves nothing."""

    table: str
    statement: str
    values: Sequence[Any] = ()

    def make(self, connection: Any) -> None:
        _hold(connection, self.table)
        (touched,) = connection.execute(self.statement, list(self.values)).fetchone()
        if not touched:
            raise ValueError(f"no row of {self.table} was spoiled: {self.statement} {list(self.values)}")


@dataclass(frozen=True)
class Rows:
    """The rows of a table that hold these values, and of which the condition is true."""

    table: str
    condition: str
    values: Row

    def set(self, **columns: Any) -> Change:
        """Other values in these columns; `sql(...)` where they follow from the old ones."""
        plain = {name: value for name, value in columns.items() if not isinstance(value, sql)}
        assigned = [f"{name} = {'?' if name in plain else value}" for name, value in columns.items()]
        return self._change(f"update {self.table} set {', '.join(assigned)}", *plain.values())

    def remove(self) -> Change:
        """Take the rows away."""
        return self._change(f"delete from {self.table}")

    def repeat(self) -> Change:
        """Each of the rows once more."""
        return self._change(f"insert into {self.table} from {self.table}")

    def _change(self, statement: str, *values: Any) -> Change:
        alike = [f"{name} is not distinct from ?" for name in self.values]
        return Change(
            self.table,
            f"{statement} where {' and '.join([self.condition, *alike])}",
            (*values, *self.values.values()),
        )


def rows(table: str, condition: str = "true", /, **values: Any) -> Rows:
    """The rows of `table` with these values, for which the SQL condition holds too; without either, all rows."""
    return Rows(table, condition, values)


def add(table: str, row: Row) -> Change:
    """One more row; columns that it does not name are null."""
    names, marks = ", ".join(row), ", ".join("?" for _ in row)
    return Change(table, f"insert into {table} ({names}) values ({marks})", tuple(row.values()))


@dataclass(frozen=True)
class Case:
    """What was spoiled, in words; how; the check that must fail, as table.check; and what one failing row must hold."""

    spoiled: str
    changes: Sequence[Change]
    fails: str
    shows: Row


def case(spoiled: str, *changes: Change, fails: str, shows: Row) -> Case:
    return Case(spoiled, changes, fails, shows)


def each(cases: Sequence[Case]) -> pytest.MarkDecorator:
    """The test once per case, under the words that say what was spoiled."""
    return pytest.mark.parametrize("case", [pytest.param(one, id=f"{one.fails}: {one.spoiled}") for one in cases])


def holding(tables: Tables) -> CheckedData:
    """The tables as what checks look at; a name may have a schema, as in `previous.bilateral_totals`."""

    def setup(connection: Any) -> None:
        for name, table in tables.items():
            if "." in name:
                connection.execute(f"create schema if not exists {name.split('.')[0]}")
            connection.register("arriving", table)
            connection.execute(f"create table {name} as from arriving")
            connection.unregister("arriving")

    return CheckedData(setup)


def scripted(script: str) -> CheckedData:
    """What an SQL script makes as what checks look at."""
    return CheckedData(lambda connection: connection.execute(script))


def spoiled(data: CheckedData, *changes: Change) -> CheckedData:
    """The same data after the changes."""

    def setup(connection: Any) -> None:
        data.setup(connection)
        for change in changes:
            change.make(connection)

    return CheckedData(setup, data.absent)


def outcome(stage: Stage, data: CheckedData, check: str) -> Outcome:
    """What becomes of one check (table.check) of the stage."""
    table, name = check.split(".")
    (found,) = engine.run(stage, data, only={(table, name)})
    return found


def assert_fails(case: Case, stage: Stage, data: CheckedData) -> None:
    """The check of the case fails (rather than passes or crashes) and shows a row that says what was spoiled."""
    found = outcome(stage, spoiled(data, *case.changes), case.fails)
    assert found.status == "failed", found.message
    assert found.n_failed >= 1
    assert any(case.shows.items() <= row.items() for row in found.rows), found.rows


def not_passed(stage: Stage, data: CheckedData) -> dict[str, Outcome]:
    """The checks of the stage (table.check) that do not pass, each with its outcome."""
    return {f"{found.table}.{found.check}": found for found in engine.run(stage, data) if not found.passed}


def assert_passes(stage: Stage, data: CheckedData) -> None:
    """Every check of the stage passes."""
    assert {check: found.message for check, found in not_passed(stage, data).items()} == {}


def assert_empty_tables_fail(stage: Stage, tables: Tables) -> None:
    """Without a row in the stage's tables checks fail: none crashes, and none misses a column.

    The years of the run and the release before are as they were.
    """
    kept = {name for name in tables if name == "run_years" or name.startswith("previous.")}
    found = not_passed(stage, holding({name: each if name in kept else each[:0] for name, each in tables.items()}))
    assert {check: each.message for check, each in found.items() if each.status != "failed"} == {}
    assert found


def assert_first_release_passes(stage: Stage, data: CheckedData) -> None:
    """Without a release before, the checks that compare with one have nothing to do, and say why."""

    def setup(connection: Any) -> None:
        data.setup(connection)
        connection.execute("drop schema previous cascade")

    compared = {(check.table, check.name) for check in stage.checks if check.requires == PREVIOUS_RELEASE}
    assert compared
    for found in engine.run(stage, CheckedData(setup, {PREVIOUS_RELEASE: "this is the first one"}), only=compared):
        assert found.passed
        assert found.message == "nothing to compare with: this is the first one"


def _hold(connection: Any, name: str) -> None:
    """Make a table of it where it is a view, so that its rows can be spoiled."""
    if connection.execute("select 1 from duckdb_views() where view_name = ?", [name]).fetchone():
        connection.execute(f"create table held as from {name}")
        connection.execute(f"drop view {name}")
        connection.execute(f"alter table held rename to {name}")
