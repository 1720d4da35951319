"""The checks of the dimensions of countries and goods: they pass on sound tables, and fail on what they are for."""

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
from tests.helpers.sound_reference import BATTERIES, CRUDE_OIL, TWN, USA, country_tables, product_tables

TABLES = {**country_tables(), **product_tables()}
SOUND = holding(TABLES)
CHECK = "countries.recomputed_from_lists"
GOODS_CHECK = "products.recomputed_from_lists"

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
    case(
        "a good left out",
        rows("products", hs6=BATTERIES).remove(),
        fails=GOODS_CHECK,
        shows={"hs6": BATTERIES, "hs6_name": None, "hs6_name_recomputed": "good 850760"},
    ),
    case(
        "a good in the section of another one",
        rows("products", hs6=BATTERIES).set(hs_section=17),
        fails=GOODS_CHECK,
        shows={"hs6": BATTERIES, "hs_section": 17, "hs_section_recomputed": 16},
    ),
    case(
        "motor spirit taken for an intermediate good",
        rows("products", hs6=CRUDE_OIL).set(bec4_end_use="intermediate", in_scope=True),
        fails=GOODS_CHECK,
        shows={"hs6": CRUDE_OIL, "in_scope": True, "in_scope_recomputed": False, "bec4_end_use_recomputed": "other"},
    ),
]


def test_sound_tables_pass() -> None:
    assert_passes(REFERENCE_MARTS, SOUND)


@each(CASES)
def test_a_fault_is_found_and_shown(case: Case) -> None:
    assert_fails(case, REFERENCE_MARTS, SOUND)


def test_empty_tables_fail_and_crash_nothing() -> None:
    assert_empty_tables_fail(REFERENCE_MARTS, TABLES)
