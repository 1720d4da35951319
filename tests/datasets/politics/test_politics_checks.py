"""The checks of ideal points: all pass on plausible tables, and each fails on the fault it is there for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from dagster_project.checks import engine
from dagster_project.checks.declarations import Outcome
from dagster_project.checks.views import CheckedData
from dagster_project.datasets.politics import sample
from dagster_project.datasets.politics.checks import POLITICS_LANDING
from dagster_project.datasets.politics.dataset import POLITICS
from tests.helpers.politics_desk import Desk
from tests.helpers.real_files import DROP

Key = tuple[str, str]

# 40 states in sessions 43 to 74; two Yemens in the first two.
TABLES = """
    create table ideal_points as
        select state::integer as ccode, session::integer as session, iso3 as iso3c, iso3,
            (session + 1945)::integer as year, (state % 7 - 3)::double as ideal_point, 70::integer as n_votes,
            'entry' as archive_entry, 1::bigint as source_row
        from (
            select state, session, chr((65 + state // 26)::integer) || chr((65 + state % 26)::integer) || 'X' as iso3
            from range(40) as states (state), range(43, 75) as sessions (session)
            union all
            select state, session, 'YAR' from range(678, 680) as states (state), range(43, 45) as sessions (session)
        );
    create table quarantine_politics as
        select 'politics' as dataset, 'sample' as source, null::integer as year, 'ccode_unreadable' as reason,
            'x' as detail, 'entry' as archive_entry, 1::bigint as source_row, 'ccode=x' as raw where false;
    create table politics_rule_counts as
        select 'sample' as source, 'rows_read' as rule, 1286::bigint as n
        union all select 'sample', 'landed', 1284 union all select 'sample', 'no_point', 2
        union all select 'sample', 'noted:repaired_YUG', 6;
"""
FAULTS = {
    ("ideal_points", "points_plausible"): [
        "delete from ideal_points",
        "update ideal_points set ideal_point = null where ccode = 3 and session = 50",
        "update ideal_points set ideal_point = -6.5 where ccode = 3 and session = 50",
        "update ideal_points set n_votes = -1 where ccode = 3 and session = 50",
        "update ideal_points set ccode = 4 where ccode = 3 and session = 50",
        "update ideal_points set year = 1950 where ccode = 3 and session = 50",
        "update ideal_points set session = 300, year = 2245 where ccode = 3 and session = 74",
    ],
    ("ideal_points", "codes_are_of_today"): ["update ideal_points set iso3 = 'YUG' where ccode = 3 and session = 50"],
    ("ideal_points", "one_state_per_code"): ["update ideal_points set iso3 = 'AAX' where ccode = 3 and session = 45"],
    ("ideal_points", "codes_known"): ["update ideal_points set iso3 = null where ccode = 3"],
    ("ideal_points", "sessions_complete"): [
        "delete from ideal_points where session = 60",
        "delete from ideal_points where session = 60 and ccode < 5",
    ],
    ("quarantine_politics", "nothing_quarantined"): [
        "insert into quarantine_politics values ('politics', 'sample', null, 'ccode_unreadable', 'x', 'e', 1, 'x')"
    ],
    ("quarantine_politics", "few_quarantined"): [
        "insert into politics_rule_counts values ('sample', 'quarantined:contradictory', 70)"
    ],
    ("quarantine_politics", "counts_match_rows"): [
        "insert into politics_rule_counts values ('sample', 'quarantined:contradictory', 1)"
    ],
    ("politics_rule_counts", "rows_accounted_for"): ["update politics_rule_counts set n = 1283 where rule = 'landed'"],
}
WARNINGS = {"codes_known", "sessions_complete", "nothing_quarantined"}


def outcomes(sql: str, fault: str = "", only: Key | None = None) -> dict[Key, Outcome]:
    def setup(connection: Any) -> None:
        connection.execute(sql)
        if fault:
            connection.execute(fault)

    found = engine.run(POLITICS_LANDING, CheckedData(setup, {}), only=None if only is None else {only})
    return {(each.table, each.check): each for each in found}


def over_landing(landing: Path) -> str:
    """SQL that shows the landing's tables under their declared names."""
    return ";".join(
        f"create table {table.name} as from read_parquet('{table.files(landing)}')" for table in POLITICS.tables
    )


def failures(sql: str) -> dict[Key, str]:
    return {key: each.message for key, each in outcomes(sql).items() if each.status != "passed"}


def test_plausible_tables_pass() -> None:
    assert failures(TABLES) == {}


@pytest.mark.parametrize(("key", "fault"), [(key, fault) for key, faults in FAULTS.items() for fault in faults])
def test_a_fault_is_found(key: Key, fault: str) -> None:
    assert outcomes(TABLES, fault, key)[key].status == "failed"


def test_every_check_has_a_fault_and_only_what_harms_no_mart_warns() -> None:
    assert {(check.table, check.name) for check in POLITICS_LANDING.checks} == FAULTS.keys()
    assert {check.name for check in POLITICS_LANDING.checks if check.severity == "WARN"} == WARNINGS


def test_before_1990_two_states_may_share_a_code() -> None:
    fault = "update ideal_points set iso3 = 'AAX' where ccode = 3 and year < 1990"
    assert outcomes(TABLES, fault, ("ideal_points", "one_state_per_code"))["ideal_points", "one_state_per_code"].passed


def test_the_19th_session_may_be_missing() -> None:
    fault = (
        "update ideal_points set session = session - 25, year = year - 25; delete from ideal_points where session = 19"
    )
    assert outcomes(TABLES, fault, ("ideal_points", "sessions_complete"))["ideal_points", "sessions_complete"].passed


def test_the_sample_passes_every_check(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.write_sample()
    desk.land()
    assert failures(over_landing(desk.landing)) == {}
    facts = outcomes(over_landing(desk.landing))["ideal_points", "points_plausible"].facts
    assert facts["last_year"] == sample.LAST_YEAR and facts["points"] == desk.counted()["landed"]


def test_the_authors_real_table_passes_every_check(tmp_path: Path) -> None:
    real = DROP / "reference" / "IdealpointestimatesAll_Jun2024.csv"
    if not real.is_file():
        pytest.skip("no real file beside the checkout")
    desk = Desk(tmp_path)
    desk.write(real.read_bytes(), real.name)
    desk.land()
    assert failures(over_landing(desk.landing)) == {}
