"""How checks are run: failed, missing and crashed differ; quiet, offline, and no import of Great Expectations before.

Not here: what any declared check finds (the tests beside its dataset).
"""

from __future__ import annotations

import socket
import subprocess
import sys
from typing import Any

import pytest

from dagster_project.checks import engine
from dagster_project.checks.declarations import (
    Check,
    Expect,
    Outcome,
    Stage,
    between,
    no_rows,
    not_null,
    prepared,
    together,
    unique,
)
from dagster_project.checks.views import CheckedData
from dagster_project.datasets.trade.landing_checks import TRADE_LANDING
from dagster_project.datasets.trade.mart_checks import TRADE_MARTS
from dagster_project.datasets.trade.staging_checks import TRADE_STAGING
from tests.helpers.check_cases import assert_passes, holding, not_passed, scripted
from tests.helpers.sound_trade import landing_tables, mart_tables, staging_tables

TABLE = "create table t as select 1 as n, 'a' as name"


def one(expect: Expect, sql: str = TABLE, **more: Any) -> Outcome:
    stage = Stage("s", (Check("c", "t", "ERROR", "A rule.", (expect,), **more),), keys={"t": ("n",)})
    (outcome,) = engine.run(stage, scripted(sql))
    return outcome


def test_failed_data() -> None:
    outcome = one(between("n", 2, None))
    assert (outcome.status, outcome.n_failed, outcome.rows) == ("failed", 1, ({"n": 1},))


@pytest.mark.parametrize(
    "expect",
    [
        not_null("lost"),
        between("lost", 0, 1),
        no_rows("select * from {batch} where lost > 1"),
        no_rows("from {batch}, u"),
    ],
    ids=["column of one expectation", "of another", "of a query", "table of a query"],
)
def test_missing_column_or_table_is_neither_failed_nor_crashed(expect: Expect) -> None:
    outcome = one(expect)
    assert outcome.status == "missing"
    assert not outcome.passed and not outcome.crashed
    assert outcome.message.startswith("table or column missing: ")
    assert "lost" in outcome.message or "u" in outcome.message


def test_missing_table_under_check() -> None:
    assert one(not_null("n"), sql="create table other as select 1 as n").status == "missing"


@pytest.mark.parametrize(
    "expect",
    [
        no_rows("select no_such_function(n) from {batch}"),
        no_rows("select * from {batch} where name::integer > 0"),
        no_rows("this is no query of {batch}"),
        Expect("ExpectSomethingUnknown", {}),
        Expect("ExpectColumnValuesToBeBetween", {"column": "n"}),
        Expect("ExpectColumnValuesToMatchRegex", {"column": "name", "regex": "a"}),
    ],
    ids=["function", "conversion", "syntax", "no such expectation", "arguments", "not on this database"],
)
def test_crash_is_neither_failed_nor_passed(expect: Expect) -> None:
    outcome = one(expect)
    assert outcome.status == "crashed"
    assert outcome.crashed and not outcome.passed
    assert outcome.message.startswith("check crashed: ")
    assert outcome.rows == ()


def test_a_crash_leaves_the_other_checks_of_the_table_their_outcomes() -> None:
    checks = (
        Check("crashes", "t", "ERROR", "", (no_rows("select no_such_function(n) from {batch}"),)),
        Check("fails", "t", "ERROR", "", (between("n", 2, None),)),
        Check("passes", "t", "ERROR", "", (not_null("n"),)),
    )
    outcomes = engine.run(Stage("s", checks), scripted(TABLE))
    assert [outcome.status for outcome in outcomes] == ["crashed", "failed", "passed"]


def test_a_check_is_as_bad_as_the_worst_of_its_expectations() -> None:
    crashing, failing, passing = no_rows("select f(n) from {batch}"), between("n", 2, None), not_null("n")
    checks = (
        Check("both", "t", "ERROR", "", (passing, failing, crashing)),
        Check("fails", "t", "ERROR", "", (passing, failing)),
    )
    outcomes = engine.run(Stage("s", checks), scripted(TABLE))
    assert [outcome.status for outcome in outcomes] == ["crashed", "failed"]


@pytest.mark.parametrize("key", [("n",), ()], ids=["with a key", "without"])
def test_rows_that_agree_in_several_columns_fail_and_are_shown(key: tuple[str, ...]) -> None:
    """Before, `unique` of several columns crashed where it should have failed."""
    check = Check("c", "t", "ERROR", "A rule.", (unique("n", "name"),))
    stage = Stage("s", (check,), keys={"t": key} if key else {})
    values = "(1, 'a'), (1, 'a'), (1, 'b'), (2, 'a')"
    (outcome,) = engine.run(stage, scripted(f"create table t as select * from (values {values}) as v(n, name)"))
    assert (outcome.status, outcome.n_failed, outcome.rows) == ("failed", 2, ({"n": 1, "name": "a"},))
    (outcome,) = engine.run(
        stage, scripted("create table t as select * from (values (1, 'a'), (1, 'b')) as v(n, name)")
    )
    assert outcome.passed


def test_what_a_failing_row_says_in_words_is_in_the_message() -> None:
    outcome = one(no_rows("select n, 'file x: no good. Mend it.' as why from {batch} where name = 'a'"))
    assert outcome.message == "1 failing row: file x: no good. Mend it."


def test_checks_know_which_files_were_archived_or_that_nobody_told() -> None:
    query = no_rows("select n, f.file from {batch} left join archive_files as f on f.archive_entry = name")
    known = f"{TABLE}; create table archive_files as select 'a' as archive_entry, 'drop:x.csv' as file"
    assert [one(query).rows, one(query, known).rows] == [({"n": 1, "file": None},), ({"n": 1, "file": "drop:x.csv"},)]


def test_what_cannot_be_looked_at_crashes_every_check() -> None:
    def refuse(_connection: Any) -> None:
        raise OSError("no such disk")

    outcomes = engine.run(TRADE_LANDING, CheckedData(refuse))
    assert len(outcomes) == len(TRADE_LANDING.checks)
    assert all(outcome.crashed and "no such disk" in outcome.message for outcome in outcomes)


def test_a_shared_query_that_cannot_be_computed_breaks_only_the_checks_that_read_it() -> None:
    lost = {**landing_tables()}
    lost["trade_reimports"] = lost["trade_reimports"].drop_columns("value_usd")
    found = not_passed(TRADE_LANDING, holding(lost))
    assert {check: each.status for check, each in found.items()} == {
        "trade_reimports.rows_plausible": "missing",
        "trade_control_totals.partners_within_world": "missing",
        "trade_control_totals.partners_within_world_overall": "missing",
        "trade_control_totals.partners_cover_world": "missing",
        "trade_control_totals.partners_cover_world_overall": "missing",
    }


@pytest.mark.parametrize(
    ("info", "text"),
    [
        ({"raised_exception": False, "exception_message": None}, None),
        ({"raised_exception": True, "exception_message": "one shape"}, "one shape"),
        ({"metric": {"raised_exception": True, "exception_message": "the other"}}, "the other"),
        ({}, None),
    ],
)
def test_both_shapes_of_exception_info_are_understood(info: dict[str, Any], text: str | None) -> None:
    class Result:
        exception_info = info

    assert engine._exception_of(Result()) == text


def test_many_failing_rows_are_counted_but_only_the_first_are_shown() -> None:
    stage = Stage("s", (Check("c", "t", "ERROR", "No rows.", (no_rows("select * from {batch}"),)),))
    (outcome,) = engine.run(stage, scripted("create table t as select range as n from range(100000)"))
    assert outcome.n_failed == 100_000
    assert len(outcome.rows) == engine.ROWS_SHOWN
    assert outcome.message == "100,000 failing rows"


def test_checks_reach_for_no_network_and_print_nothing(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse(*_arguments: Any) -> None:
        raise AssertionError("a check reached for the network")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    assert_passes(TRADE_LANDING, holding(landing_tables()))
    assert_passes(TRADE_STAGING, holding(staging_tables()))
    assert_passes(TRADE_MARTS, holding(mart_tables()))
    assert capsys.readouterr() == ("", "")


def test_importing_the_checks_imports_no_great_expectations() -> None:
    code = "import sys, dagster_project.asset_checks; sys.exit('great_expectations' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_two_prepared_queries_of_one_name_are_refused_unless_they_are_the_same() -> None:
    both = prepared({"goods": "select 1", "years": "select 2"}, {"goods": "select 1"})
    assert both == {"goods": "select 1", "years": "select 2"}
    with pytest.raises(ValueError, match="two different prepared queries are called goods: rename one of them"):
        prepared({"goods": "select 1"}, {"goods": "select 2"})
    with pytest.raises(ValueError, match="called goods"):
        together("s", [Stage("a", (), {"goods": "select 1"}), Stage("b", (), {"goods": "select 2"})])
