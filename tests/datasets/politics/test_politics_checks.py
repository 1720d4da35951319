"""The checks of ideal points: all pass on plausible tables, and each fails on the fault it is there for."""

from __future__ import annotations

from pathlib import Path

import pytest

from dagster_project.checks.views import CheckedData, over_landing
from dagster_project.datasets.politics import sample
from dagster_project.datasets.politics.checks import POLITICS_LANDING
from dagster_project.datasets.politics.dataset import POLITICS
from dagster_project.planning.loading import table_files
from tests.helpers.check_cases import (
    Case,
    add,
    assert_fails,
    assert_passes,
    case,
    each,
    outcome,
    rows,
    scripted,
    spoiled,
    sql,
)
from tests.helpers.politics_desk import Desk
from tests.helpers.real_files import DROP
from tests.helpers.sound_reference import quarantined, rule_count

# 40 states in sessions 43 to 74; two Yemens in the first two.
SOUND = scripted("""
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
""")
ONE_POINT = rows("ideal_points", ccode=3, session=50)

CASES = [
    case(
        "no point at all",
        rows("ideal_points").remove(),
        fails="ideal_points.points_plausible",
        shows={"observed_value": 0},
    ),
    case(
        "a state and session without their point",
        ONE_POINT.set(ideal_point=None),
        fails="ideal_points.points_plausible",
        shows={**ONE_POINT.values, "ideal_point": None},
    ),
    case(
        "a point further from 0 than any",
        ONE_POINT.set(ideal_point=-6.5),
        fails="ideal_points.points_plausible",
        shows={**ONE_POINT.values, "ideal_point": -6.5},
    ),
    case(
        "fewer votes than none",
        ONE_POINT.set(n_votes=-1),
        fails="ideal_points.points_plausible",
        shows={**ONE_POINT.values, "n_votes": -1},
    ),
    case(
        "two points of a state in a session",
        ONE_POINT.set(ccode=4),
        fails="ideal_points.points_plausible",
        shows={"ccode": 4, "session": 50, "n_rows": 2},
    ),
    case(
        "a year that is not the session's",
        ONE_POINT.set(year=1950),
        fails="ideal_points.points_plausible",
        shows={**ONE_POINT.values, "year": 1950},
    ),
    case(
        "a session that is still to come",
        rows("ideal_points", ccode=3, session=74).set(session=300, year=2245),
        fails="ideal_points.points_plausible",
        shows={"ccode": 3, "session": 300, "year": 2245},
    ),
    case(
        "a code that was withdrawn",
        ONE_POINT.set(iso3="YUG"),
        fails="ideal_points.codes_are_of_today",
        shows={**ONE_POINT.values, "iso3": "YUG"},
    ),
    case(
        "two states under a code in 1990",
        rows("ideal_points", ccode=3, session=45).set(iso3="AAX"),
        fails="ideal_points.one_state_per_code",
        shows={"iso3": "AAX", "year": 1990, "n_states": 2},
    ),
    case(
        "a state without a code",
        rows("ideal_points", ccode=3).set(iso3=None),
        fails="ideal_points.codes_known",
        shows={"ccode": 3, "n_rows": 32},
    ),
    case(
        "a session that is missing",
        rows("ideal_points", session=60).remove(),
        fails="ideal_points.sessions_complete",
        shows={"session": 60},
    ),
    case(
        "a session that lost an eighth of the states",
        rows("ideal_points", "ccode < 5", session=60).remove(),
        fails="ideal_points.sessions_complete",
        shows={"session": 60, "states": 35, "states_before": 40},
    ),
    case(
        "one quarantined row",
        add("quarantine_politics", quarantined("ccode_unreadable", dataset="politics", source="sample")),
        fails="quarantine_politics.nothing_quarantined",
        shows={"reason": "ccode_unreadable", "n_rows": 1},
    ),
    case(
        "70 of 1,286 rows quarantined",
        add("politics_rule_counts", rule_count("quarantined:contradictory", 70, source="sample")),
        fails="quarantine_politics.few_quarantined",
        shows={"source": "sample", "rows_quarantined": 70},
    ),
    case(
        "a row that was counted as quarantined and is not there",
        add("politics_rule_counts", rule_count("quarantined:contradictory", 1, source="sample")),
        fails="quarantine_politics.counts_match_rows",
        shows={"reason": "contradictory", "rows_counted": 1, "rows_found": 0},
    ),
    case(
        "a row read that went nowhere",
        rows("politics_rule_counts", rule="landed").set(n=1283),
        fails="politics_rule_counts.rows_accounted_for",
        shows={"source": "sample", "rows_read": 1286, "rows_accounted_for": 1285},
    ),
]
WARNINGS = {"codes_known", "sessions_complete", "nothing_quarantined"}


def test_sound_tables_pass() -> None:
    assert_passes(POLITICS_LANDING, SOUND)


@each(CASES)
def test_a_fault_is_found(case: Case) -> None:
    assert_fails(case, POLITICS_LANDING, SOUND)


def test_only_what_harms_no_mart_warns() -> None:
    assert {check.name for check in POLITICS_LANDING.checks if check.severity == "WARN"} == WARNINGS


def test_before_1990_two_states_may_share_a_code() -> None:
    shared = spoiled(SOUND, rows("ideal_points", "year < 1990", ccode=3).set(iso3="AAX"))
    assert outcome(POLITICS_LANDING, shared, "ideal_points.one_state_per_code").passed


def test_the_19th_session_may_be_missing() -> None:
    earlier = rows("ideal_points").set(session=sql("session - 25"), year=sql("year - 25"))
    without = spoiled(SOUND, earlier, rows("ideal_points", session=19).remove())
    assert outcome(POLITICS_LANDING, without, "ideal_points.sessions_complete").passed


def landed(desk: Desk) -> CheckedData:
    return over_landing(table_files(POLITICS, desk.landing))


def test_the_sample_passes_every_check(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.write_sample()
    desk.land()
    assert_passes(POLITICS_LANDING, landed(desk))
    facts = outcome(POLITICS_LANDING, landed(desk), "ideal_points.points_plausible").facts
    assert facts["last_year"] == sample.LAST_YEAR and facts["points"] == desk.counted()["landed"]


def test_the_authors_real_table_passes_every_check(tmp_path: Path) -> None:
    real = DROP / "reference" / "IdealpointestimatesAll_Jun2024.csv"
    if not real.is_file():
        pytest.skip("no real file beside the checkout")
    desk = Desk(tmp_path)
    desk.write(real.read_bytes(), real.name)
    desk.land()
    assert_passes(POLITICS_LANDING, landed(desk))
