"""Makes one Dagster asset check step per stage: each declared check an asset check, errors blocking what is downstream.

One step, because steps cost time and Great Expectations seconds to import. The check specs carry no partitions: Dagster
records no partition for a run of several years, while a check without partitions runs once per run, whatever the range,
and finds the run's years in its context. Not here: the checks, and which assets there are.
"""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from dagster import (
    AssetCheckExecutionContext,
    AssetCheckKey,
    AssetCheckResult,
    AssetChecksDefinition,
    AssetCheckSeverity,
    AssetCheckSpec,
    AssetKey,
    MetadataValue,
    TableColumn,
    TableRecord,
    TableSchema,
    multi_asset_check,
)

from dagster_project.checks.declarations import Check, Outcome, Stage
from dagster_project.checks.engine import run
from dagster_project.checks.views import CheckedData
from dagster_project.markdown import message, plain, table, without_html

Row = Mapping[str, Any]
# A tag of runs whose range of partitions has more years than were meant: it names those that were.
YEARS_MEANT = "chokepoint/years"


def make_stage_check(
    name: str,
    stage: Stage,
    asset_keys: Mapping[str, AssetKey],
    data: Callable[[AssetCheckExecutionContext], CheckedData],
    *,
    pool: str | None = None,
    on_results: Callable[[Sequence[AssetCheckResult]], None] = lambda results: None,
) -> AssetChecksDefinition:
    """The stage's checks as one step `name`.

    `asset_keys` names the asset of every table of the stage; several tables may share an asset, and their checks then
    carry the table's name. `data` says what a run's checks look at (`years_of_run` tells the years); `on_results` gets
    what came of them. A failed check of severity
    ERROR stops everything downstream, and so does one that crashed or found a column missing.
    """
    if unknown := [table for table in stage.tables if table not in asset_keys]:
        raise ValueError(f"stage check {name}: no asset key for the tables {', '.join(unknown)}")
    keys = {check_key(check, asset_keys): check for check in stage.checks}
    specs = [
        AssetCheckSpec(
            key.name,
            asset=key.asset_key,
            description=without_html(check.description),
            blocking=check.severity == "ERROR",
        )
        for key, check in keys.items()
    ]

    @multi_asset_check(name=name, specs=specs, can_subset=True, pool=pool)
    def stage_check(context: AssetCheckExecutionContext) -> Iterator[AssetCheckResult]:
        selected = {key: check for key, check in keys.items() if key in context.selected_asset_check_keys}
        names = {(check.table, check.name): (key, check) for key, check in selected.items()}
        started = time.monotonic()
        outcomes = run(stage, _data_or_error(data, context), only=names.keys())
        context.log.info(f"{stage.name}: {len(outcomes)} checks in {time.monotonic() - started:.1f} s")
        results = []
        for outcome in outcomes:
            key, check = names[outcome.table, outcome.check]
            results.append(as_result(key, check, outcome, years_of_run(context)))
            if not outcome.passed:
                log = context.log.warning if _severity(outcome) is AssetCheckSeverity.WARN else context.log.error
                said = plain(_description(check, outcome))
                log(f"{outcome.table}.{outcome.check}: {said}\n{as_markdown(outcome.rows)}")
        on_results(results)
        yield from results

    return stage_check


def years_of_run(context: AssetCheckExecutionContext) -> tuple[int, ...]:
    """The years of the run's partition or partition range, those of them that were meant; empty without partitions."""
    step = context.op_execution_context
    if not (step.has_partition_key or step.has_partition_key_range):
        return ()
    meant = step.run.tags.get(YEARS_MEANT)
    return tuple(int(key) for key in step.partition_keys if meant is None or key in meant.split(","))


def check_key(check: Check, asset_keys: Mapping[str, AssetKey]) -> AssetCheckKey:
    """The Dagster key of a check: named after its table too where the asset stands for several tables."""
    asset_key = asset_keys[check.table]
    shared = sum(other == asset_key for other in asset_keys.values()) > 1
    return AssetCheckKey(asset_key, f"{check.table}_{check.name}" if shared else check.name)


def as_result(key: AssetCheckKey, check: Check, outcome: Outcome, years: Sequence[int] = ()) -> AssetCheckResult:
    """An outcome as Dagster shows it: what was checked, what was found, and the failing rows."""
    metadata: dict[str, Any] = {
        "table": outcome.table,
        "outcome": outcome.status,
        "failing_rows": outcome.n_failed,
        "expectation": MetadataValue.md("\n\n".join(f"```sql\n{expect}\n```" for expect in check.expectations)),
    }
    if years:
        metadata["years"] = ", ".join(str(year) for year in years)
    if outcome.rows:
        metadata["first_failing_rows"] = _as_table(outcome.rows)
    if outcome.crashed:
        metadata |= {"crashed": True, "exception": MetadataValue.text(outcome.message)}
    metadata |= {name: _as_metadata(value) for name, value in outcome.facts.items()}
    return AssetCheckResult(
        passed=outcome.passed,
        asset_key=key.asset_key,
        check_name=key.name,
        severity=_severity(outcome),
        description=_description(check, outcome),
        metadata=metadata,
    )


def as_markdown(rows: Sequence[Row]) -> str:
    """The rows as a markdown table; empty text for no rows."""
    if not rows:
        return ""
    names = _columns(rows)
    return table(names, [[str(row.get(name, "")) for name in names] for row in rows])


def _data_or_error(
    data: Callable[[AssetCheckExecutionContext], CheckedData], context: AssetCheckExecutionContext
) -> CheckedData:
    """What the checks look at; where that fails, every check reports the reason as a crash."""
    try:
        return data(context)
    except Exception as error:
        reason = error

        def refuse(_connection: Any) -> None:
            raise reason

        return CheckedData(refuse)


def _severity(outcome: Outcome) -> AssetCheckSeverity:
    # A check that could not be decided is an error, even where its rule only warns.
    warns = outcome.severity == "WARN" and outcome.status in ("passed", "failed")
    return AssetCheckSeverity.WARN if warns else AssetCheckSeverity.ERROR


def _description(check: Check, outcome: Outcome) -> str:
    """What was found, then the rule. A crash starts with "check crashed", a lost column with "table or column …"."""
    return f"{message(outcome.message[:2000].removesuffix('.'))}. Rule: {without_html(check.description)}"


def _as_table(rows: Sequence[Row]) -> MetadataValue:
    names = _columns(rows)
    return MetadataValue.table(
        records=[TableRecord({name: row.get(name) for name in names}) for row in rows],
        schema=TableSchema(columns=[TableColumn(name, _column_type(rows, name)) for name in names]),
    )


def _columns(rows: Sequence[Row]) -> list[str]:
    return list(dict.fromkeys(name for row in rows for name in row))


def _column_type(rows: Sequence[Row], name: str) -> str:
    types = {type(row.get(name)) for row in rows if row.get(name) is not None}
    return {int: "int", float: "float", bool: "bool"}.get(types.pop(), "string") if len(types) == 1 else "string"


def _as_metadata(value: Any) -> Any:
    return "none" if value is None else value
