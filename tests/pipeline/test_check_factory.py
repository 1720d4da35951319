"""Checks as Dagster and a terminal show them: what a failure, a warning and a crash stop, and what each shows.

Not here: how outcomes come about (test_check_engine.py).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import dagster as dg
import pytest

from dagster_project.assets.common import markdown_table
from dagster_project.checks import factory
from dagster_project.checks.benchmarks import BENCHMARKS
from dagster_project.checks.declarations import Check, Expect, Outcome, Stage, no_rows, not_null
from dagster_project.checks.views import CheckedData
from dagster_project.datasets.registry import DATASETS, figures_stage
from dagster_project.progress import print_failure
from tests.helpers.check_cases import scripted

STAGES = {f"check_{each.name}_{part.layer}": part.stage for each in DATASETS for part in each.checks}
BY_YEAR = dg.TimeWindowPartitionsDefinition(cron_schedule="0 0 1 1 *", fmt="%Y", start="2015", end="2020")


def graph(
    stage: Stage, data: Callable[[dg.AssetCheckExecutionContext], CheckedData], shared: bool = False
) -> tuple[dg.Definitions, list[str]]:
    """The way a stage check is put to use: a yearly asset -> its checks -> an asset downstream that notes its years."""
    done: list[str] = []
    policy = dg.BackfillPolicy.single_run()

    @dg.asset(partitions_def=BY_YEAR, backfill_policy=policy)
    def landed() -> None: ...

    @dg.asset
    def reference() -> None: ...

    @dg.asset(deps=[landed, reference], partitions_def=BY_YEAR, backfill_policy=policy)
    def downstream(context) -> None:
        done.extend(context.partition_keys)

    key = dg.AssetKey("landed")
    keys = {table: key if shared or table != "r" else dg.AssetKey("reference") for table in stage.tables}
    check = factory.make_stage_check("landing_checks", stage, keys, data)
    job = dg.define_asset_job("everything", "*")
    return dg.Definitions(assets=[landed, reference, downstream], asset_checks=[check], jobs=[job]), done


def execute(definitions: dg.Definitions, **arguments: Any) -> dg.ExecuteInProcessResult:
    job = definitions.resolve_job_def("everything")
    instance = dg.DagsterInstance.ephemeral()
    return job.execute_in_process(instance=instance, raise_on_error=False, **arguments)


RANGE = {"dagster/asset_partition_range_start": "2016", "dagster/asset_partition_range_end": "2018"}


def evaluations(result: dg.ExecuteInProcessResult) -> dict[str, Any]:
    return {evaluation.check_name: evaluation for evaluation in result.get_asset_check_evaluations()}


def small_stage(severity: Any, expect: Expect) -> Stage:
    passing = Check("passes", "t", "ERROR", "There is a number.", (not_null("n"),), facts="select 7 as rows_seen")
    other = Check("passes", "r", "ERROR", "There is a number.", (not_null("n"),))
    return Stage("landing", (passing, Check("decides", "t", severity, "The rule.", (expect,)), other))


TWO_TABLES = "create table t as select 1 as n; create table r as select 1 as n"
BAD = no_rows("select n, null as empty, 2.5 as half from {batch}")


def test_failed_error_check_shows_its_rows_and_stops_everything_downstream() -> None:
    definitions, done = graph(small_stage("ERROR", BAD), lambda _: scripted(TWO_TABLES))
    result = execute(definitions, partition_key="2017")
    assert not result.success
    assert done == []
    failed = evaluations(result)["decides"]
    assert not failed.passed and failed.blocking and failed.severity is dg.AssetCheckSeverity.ERROR
    assert failed.description == "1 failing row. Rule: The rule."
    assert [record.data for record in failed.metadata["first_failing_rows"].records] == [
        {"n": 1, "empty": None, "half": 2.5}
    ]
    assert failed.metadata["failing_rows"].value == 1
    assert failed.metadata["years"].value == "2017"
    assert "from {batch}" in failed.metadata["expectation"].value
    passed = [evaluation for evaluation in result.get_asset_check_evaluations() if evaluation.check_name == "passes"]
    assert [evaluation.passed for evaluation in passed] == [True, True]
    assert passed[0].metadata["rows_seen"].value == 7


def test_failed_warning_is_shown_and_stops_nothing() -> None:
    definitions, done = graph(small_stage("WARN", BAD), lambda _: scripted(TWO_TABLES))
    result = execute(definitions, partition_key="2017")
    assert result.success
    assert done == ["2017"]
    warned = evaluations(result)["decides"]
    assert not warned.passed and warned.severity is dg.AssetCheckSeverity.WARN


def test_crashed_check_stops_and_reads_as_a_crash() -> None:
    crash = no_rows("select no_such_function(n) from {batch}")
    definitions, done = graph(small_stage("ERROR", crash), lambda _: scripted(TWO_TABLES))
    result = execute(definitions, partition_key="2017")
    assert not result.success
    assert done == []
    crashed = evaluations(result)["decides"]
    assert not crashed.passed and crashed.severity is dg.AssetCheckSeverity.ERROR
    assert crashed.description.startswith("check crashed: ")
    assert crashed.metadata["crashed"].value is True
    assert "no_such_function" in crashed.metadata["exception"].value
    assert "first_failing_rows" not in crashed.metadata


def test_crash_of_a_warning_is_an_error() -> None:
    crash = no_rows("select no_such_function(n) from {batch}")
    definitions, _ = graph(small_stage("WARN", crash), lambda _: scripted(TWO_TABLES))
    crashed = evaluations(execute(definitions, partition_key="2017"))["decides"]
    assert crashed.severity is dg.AssetCheckSeverity.ERROR
    assert crashed.description.startswith("check crashed: ")


def test_a_run_of_several_years_is_one_step_that_knows_its_years() -> None:
    seen: list[tuple[int, ...]] = []

    def data(context: dg.AssetCheckExecutionContext) -> CheckedData:
        seen.append(factory.years_of_run(context))
        return scripted(TWO_TABLES)

    definitions, done = graph(small_stage("ERROR", not_null("n")), data)
    result = execute(definitions, tags=RANGE)
    assert result.success
    assert seen == [(2016, 2017, 2018)]
    assert done == ["2016", "2017", "2018"]


def test_of_a_range_with_gaps_only_the_years_that_were_meant_are_checked() -> None:
    seen: list[tuple[int, ...]] = []

    def data(context: dg.AssetCheckExecutionContext) -> CheckedData:
        seen.append(factory.years_of_run(context))
        return scripted(TWO_TABLES)

    definitions, _ = graph(small_stage("ERROR", not_null("n")), data)
    assert execute(definitions, tags={**RANGE, factory.YEARS_MEANT: "2016,2018"}).success
    assert seen == [(2016, 2018)]


def test_data_that_cannot_be_had_is_a_crash_of_every_check() -> None:
    def data(_context: dg.AssetCheckExecutionContext) -> CheckedData:
        raise FileNotFoundError("landing is gone")

    definitions, done = graph(small_stage("ERROR", not_null("n")), data)
    result = execute(definitions, partition_key="2017")
    assert done == []
    assert all("landing is gone" in e.description for e in result.get_asset_check_evaluations())


def test_tables_that_share_an_asset_keep_their_checks_apart() -> None:
    definitions, _ = graph(small_stage("ERROR", not_null("n")), lambda _: scripted(TWO_TABLES), shared=True)
    assert set(evaluations(execute(definitions, partition_key="2017"))) == {"t_passes", "t_decides", "r_passes"}


def test_a_stage_check_needs_an_asset_for_every_table() -> None:
    with pytest.raises(ValueError, match="no asset key for the tables r"):
        factory.make_stage_check("c", small_stage("ERROR", BAD), {"t": dg.AssetKey("a")}, lambda _: scripted(""))


@pytest.mark.parametrize(("name", "stage"), [*STAGES.items(), ("check_figures", figures_stage())])
def test_declared_stages_make_definitions(name: str, stage: Stage) -> None:
    keys = {table: dg.AssetKey(table) for table in stage.tables}
    check = factory.make_stage_check(name, stage, keys, lambda _: scripted(""))
    specs = list(check.check_specs)
    assert len(specs) == len(stage.checks)
    assert [spec.blocking for spec in specs] == [check.severity == "ERROR" for check in stage.checks]
    assert all(spec.description for spec in specs)


def test_markdown_rows_survive_bars_and_lost_columns() -> None:
    rows = [{"a": 1, "b": "x|y"}, {"a": 2, "c": None}]
    assert factory.as_markdown(rows) == "| a | b | c |\n| --- | --- | --- |\n| 1 | x\\|y |  |\n| 2 |  | None |"


def test_html_in_data_is_shown_and_does_nothing() -> None:
    """In failing rows, in previews and in messages: the UI renders Markdown, HTML inside included."""
    rows = [{"requester": "<img src=x onerror=alert(1)> & Co.", "<b>": "[x](https://x.y)"}]
    for table in (factory.as_markdown(rows), markdown_table(rows).md_str):
        assert table and not re.search(r"(?<!\\)[<&\[]", table)
    check = next(iter(BENCHMARKS.checks))
    outcome = Outcome(check.name, check.table, check.severity, "failed", "<script>x</script>")
    assert factory._description(check, outcome).startswith("\\<script>x\\</script>. Rule: ")


def test_a_failed_check_says_its_reason_once_and_shows_no_column_without_a_value(
    capsys: pytest.CaptureFixture[str],
) -> None:
    rows = dg.MetadataValue.table(
        [dg.TableRecord({"file": "drop:x.csv", "flow": None, "rows_lost": 2, "why": "2 rows are lost. Mend them."})]
    )
    evaluation = SimpleNamespace(
        passed=False,
        severity=SimpleNamespace(value="ERROR"),
        check_name="little_lost",
        asset_key=dg.AssetKey(["landing", "losses"]),
        description="1 failing row: 2 rows of \\[x] are lost. Mend them. Rule: few are.",
        metadata={"first_failing_rows": rows},
    )
    result: Any = SimpleNamespace(get_asset_check_evaluations=lambda: [evaluation], all_events=[])
    print_failure(result)
    assert capsys.readouterr().err.splitlines()[3:] == [
        "Check failed: little_lost of landing/losses",
        "  1 failing row: 2 rows of [x] are lost. Mend them. Rule: few are.",
        "  file drop:x.csv, rows_lost 2",
    ]
