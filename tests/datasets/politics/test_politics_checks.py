"""The checks of ideal points: all pass on sound tables, and each fails on the fault it is there for."""

from __future__ import annotations

from pathlib import Path

import pytest

from dagster_project.checks.views import CheckedData
from dagster_project.datasets.politics import sample
from dagster_project.datasets.politics.checks import POLITICS_LANDING
from dagster_project.datasets.politics.dataset import POLITICS
from tests.helpers.check_cases import (
    Case,
    Row,
    add,
    assert_empty_tables_fail,
    assert_fails,
    assert_passes,
    case,
    each,
    holding,
    outcome,
    rows,
    scripted,
    spoiled,
)
from tests.helpers.politics_desk import Desk
from tests.helpers.real_files import DROP
from tests.helpers.sound_reference import COUNTS_SCHEMA, QUARANTINE_SCHEMA, quarantined, rule_count, table

SOURCE = "sample/ideal_points"
POINTS_SCHEMA = (
    "ccode integer, session integer, iso3c varchar, iso3 varchar, year integer, ideal_point double, n_votes integer, "
    "archive_entry varchar, source_row bigint"
)
FIRST, LAST = 43, 74
# A session that is neither the first nor the last, and two of the states in it.
SOME = 60
ONE, OTHER = 3, 4


def point(ccode: int, session: int, iso3: str) -> Row:
    return {
        "ccode": ccode,
        "session": session,
        "iso3c": iso3,
        "iso3": iso3,
        "year": session + 1945,
        "ideal_point": float(ccode % 7 - 3),
        "n_votes": 70,
        "archive_entry": "entry",
        "source_row": 2,
    }


def code(ccode: int) -> str:
    return f"{chr(65 + ccode // 26)}{chr(65 + ccode % 26)}X"


# 40 states in all sessions, and two Yemens in the first two: 1988 and 1989.
POINTS = [
    *(point(ccode, session, code(ccode)) for ccode in range(40) for session in range(FIRST, LAST + 1)),
    *(point(ccode, session, "YAR") for ccode in (678, 680) for session in (43, 44)),
]
COUNTS = [
    rule_count("rows_read", len(POINTS) + 2, source=SOURCE),
    rule_count("landed", len(POINTS), source=SOURCE),
    rule_count("no_point", 2, source=SOURCE),
    rule_count("noted:repaired_YUG", 6, source=SOURCE),
]
TABLES = {
    "ideal_points": table(POINTS_SCHEMA, POINTS),
    "quarantine_politics": table(QUARANTINE_SCHEMA, []),
    "politics_rule_counts": table(COUNTS_SCHEMA, COUNTS),
}
SOUND = holding(TABLES)

CASES = [
    case(
        "a row without a point",
        rows("ideal_points", ccode=ONE, session=SOME).set(ideal_point=None),
        fails="ideal_points.points_plausible",
        shows={"ccode": ONE, "session": SOME},
    ),
    case(
        "a point far beyond any that was published",
        rows("ideal_points", ccode=ONE, session=SOME).set(ideal_point=-6.5),
        fails="ideal_points.points_plausible",
        shows={"ccode": ONE, "session": SOME, "ideal_point": -6.5},
    ),
    case(
        "fewer than no votes",
        rows("ideal_points", ccode=ONE, session=SOME).set(n_votes=-1),
        fails="ideal_points.points_plausible",
        shows={"ccode": ONE, "session": SOME, "n_votes": -1},
    ),
    case(
        "a state that is in a session twice",
        rows("ideal_points", ccode=ONE, session=SOME).repeat(),
        fails="ideal_points.points_plausible",
        shows={"ccode": ONE, "session": SOME, "n_rows": 2},
    ),
    case(
        "a year that is not the session's",
        rows("ideal_points", ccode=ONE, session=SOME).set(year=1950),
        fails="ideal_points.points_plausible",
        shows={"ccode": ONE, "session": SOME, "year": 1950},
    ),
    case(
        "a session that has not been",
        rows("ideal_points", ccode=ONE, session=LAST).set(session=300, year=2245),
        fails="ideal_points.points_plausible",
        shows={"ccode": ONE, "session": 300},
    ),
    case(
        "a code that ISO has withdrawn",
        rows("ideal_points", ccode=ONE, session=SOME).set(iso3="YUG"),
        fails="ideal_points.codes_are_of_today",
        shows={"ccode": ONE, "session": SOME, "iso3": "YUG"},
    ),
    case(
        "two states under one code in 1990",
        rows("ideal_points", ccode=ONE, session=45).set(iso3=code(OTHER)),
        fails="ideal_points.one_state_per_code",
        shows={"iso3": code(OTHER), "year": 1990, "n_states": 2},
    ),
    case(
        "a state without a code",
        rows("ideal_points", ccode=ONE).set(iso3=None),
        fails="ideal_points.codes_known",
        shows={"ccode": ONE, "n_rows": LAST - FIRST + 1},
    ),
    case(
        "a session that is missing",
        rows("ideal_points", session=SOME).remove(),
        fails="ideal_points.sessions_complete",
        shows={"session": SOME},
    ),
    case(
        "a session that has lost an eighth of its states",
        rows("ideal_points", "ccode between 3 and 7", session=SOME).remove(),
        fails="ideal_points.sessions_complete",
        shows={"session": SOME, "states": 35, "states_before": 40},
    ),
    case(
        "a row that was read and is under no rule",
        rows("politics_rule_counts", rule="landed").set(n=1),
        fails="politics_rule_counts.rows_accounted_for",
        shows={"source": SOURCE, "rows_accounted_for": 3},
    ),
    case(
        "a fiftieth of the points without a country code, and more",
        add("politics_rule_counts", rule_count("noted:without_iso3", 40, source=SOURCE)),
        fails="politics_rule_counts.few_noted",
        shows={"source": SOURCE, "noted": "without_iso3", "n_noted": 40},
    ),
    case(
        "a tenth of the points under codes that were repaired",
        add("politics_rule_counts", rule_count("noted:repaired_ZAR", 150, source=SOURCE)),
        fails="politics_rule_counts.few_noted",
        shows={"noted": "repaired_ZAR", "n_noted": 150},
    ),
    case(
        "something noted that has no limit",
        add("politics_rule_counts", rule_count("noted:unheard_of", 1, source=SOURCE)),
        fails="politics_rule_counts.few_noted",
        shows={"noted": "unheard_of", "meaning": None},
    ),
    case(
        "a row in quarantine",
        add("quarantine_politics", quarantined("contradictory", dataset="politics", source=SOURCE)),
        fails="quarantine_politics.nothing_quarantined",
        shows={"source": SOURCE, "reason": "contradictory", "n_rows": 1},
    ),
    case(
        "more than a twentieth of the rows in quarantine",
        add("politics_rule_counts", rule_count("quarantined:contradictory", 70, source=SOURCE)),
        fails="quarantine_politics.few_quarantined",
        shows={"source": SOURCE, "rows_quarantined": 70},
    ),
    case(
        "a row that is counted as quarantined and is not there",
        add("politics_rule_counts", rule_count("quarantined:contradictory", 1, source=SOURCE)),
        fails="quarantine_politics.counts_match_rows",
        shows={"source": SOURCE, "reason": "contradictory", "rows_counted": 1, "rows_found": 0},
    ),
]


def over_landing(desk: Desk) -> CheckedData:
    """The landing's tables under their declared names."""
    views = [f"create view {one.name} as from read_parquet('{one.files(desk.landing)}')" for one in POLITICS.tables]
    return scripted("; ".join(views))


def test_sound_tables_pass() -> None:
    assert_passes(POLITICS_LANDING, SOUND)


@each(CASES)
def test_a_fault_is_found_and_shown(case: Case) -> None:
    assert_fails(case, POLITICS_LANDING, SOUND)


def test_empty_tables_fail_and_crash_nothing() -> None:
    assert_empty_tables_fail(POLITICS_LANDING, TABLES)


def test_faults_that_harm_no_mart_only_warn() -> None:
    warning = {check.name for check in POLITICS_LANDING.checks if check.severity == "WARN"}
    assert warning == {"codes_known", "sessions_complete", "nothing_quarantined"}


def test_before_1990_two_states_may_share_a_code() -> None:
    shared = rows("ideal_points", "year < 1990", ccode=ONE).set(iso3=code(OTHER))
    assert outcome(POLITICS_LANDING, spoiled(SOUND, shared), "ideal_points.one_state_per_code").passed


def test_the_19th_session_may_be_missing() -> None:
    early = scripted("""
        create table ideal_points as
            select states.ccode, sessions.session from range(40) as states (ccode), range(10, 30) as sessions (session)
            where sessions.session <> 19
    """)
    assert outcome(POLITICS_LANDING, early, "ideal_points.sessions_complete").passed


def test_the_sample_passes_every_check(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.write_sample()
    desk.land()
    assert_passes(POLITICS_LANDING, over_landing(desk))
    facts = outcome(POLITICS_LANDING, over_landing(desk), "ideal_points.points_plausible").facts
    assert facts["last_year"] == sample.LAST_YEAR
    assert facts["points"] == desk.counted()["landed"]


def test_the_authors_real_table_passes_every_check(tmp_path: Path) -> None:
    real = DROP / "reference/IdealpointestimatesAll_Jun2024.csv"
    if not real.is_file():
        pytest.skip("no real file beside the checkout")
    desk = Desk(tmp_path)
    desk.write(real.read_bytes(), real.name)
    desk.land()
    assert_passes(POLITICS_LANDING, over_landing(desk))
