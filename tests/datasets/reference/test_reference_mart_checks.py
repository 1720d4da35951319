"""The check of the dimension of countries: it passes on a sound table, and fails on the faults it is there for."""

from __future__ import annotations

from datetime import date

from dagster_project.datasets.reference.mart_checks import REFERENCE_MARTS
from tests.helpers.check_cases import (
    Case,
    assert_empty_tables_fail,
    assert_fails,
    assert_passes,
    case,
    each,
    holding,
    rows,
)
from tests.helpers.sound_reference import TWN, USA, country_tables

SOUND = holding(country_tables())
CHECK = "countries.recomputed_from_lists"

CASES = [
    case(
        "Taiwan left out",
        rows("countries", country_code=TWN).remove(),
        fails=CHECK,
        shows={"country_code": TWN, "name": None, "name_recomputed": "Taiwan (Other Asia, nes)"},
    ),
    case(
        "a country in the region of another one",
        rows("countries", country_code=USA).set(trade_region="Europe"),
        fails=CHECK,
        shows={"country_code": USA, "trade_region": "Europe", "trade_region_recomputed": "North America"},
    ),
    case(
        "a member that joined at another time",
        rows("countries", country_code=USA).set(g7_since=date(1976, 6, 27)),
        fails=CHECK,
        shows={"country_code": USA, "g7_since": "1976-06-27", "g7_since_recomputed": "1975-11-15"},
    ),
]


def test_sound_tables_pass() -> None:
    assert_passes(REFERENCE_MARTS, SOUND)


@each(CASES)
def test_a_fault_is_found_and_shown(case: Case) -> None:
    assert_fails(case, REFERENCE_MARTS, SOUND)


def test_empty_tables_fail_and_crash_nothing() -> None:
    assert_empty_tables_fail(REFERENCE_MARTS, country_tables())
