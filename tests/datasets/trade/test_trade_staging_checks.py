"""The checks of staged trade: all pass on sound tables, and each fails on the fault it is there for."""

from __future__ import annotations

from dagster_project.datasets.trade.staging_checks import TRADE_STAGING
from tests.helpers.check_cases import (
    Case,
    add,
    assert_empty_tables_fail,
    assert_fails,
    assert_passes,
    case,
    each,
    holding,
    rows,
)
from tests.helpers.sound_reference import BATTERIES, CHN, USA
from tests.helpers.sound_trade import reporter, staging_tables

SOUND = holding(staging_tables())
USA_BEFORE_1981 = 841

CASES = [
    case(
        "flows that were landed and not staged",
        rows("stg_trade_flows", year=2017, reporter_code=CHN, partner_code=USA).remove(),
        fails="stg_trade_flows.all_rows_arrived",
        shows={"year": 2017, "rows_staged": 64, "rows_landed": 72},
    ),
    case(
        "unallocated rows of another value than was landed",
        rows("stg_trade_unallocated").set(value_usd=1),
        fails="stg_trade_unallocated.all_rows_arrived",
        shows={"year": 2018, "staged_usd": 24.0, "landed_usd": 24 * 5e5},
    ),
    case(
        "a traded good without a BEC code",
        rows("stg_products", hs6=BATTERIES).set(bec4=None),
        fails="stg_trade_flows.bec_covers_trade",
        shows={"hs6": BATTERIES, "hs6_name": f"good {BATTERIES}"},
    ),
    case(
        "the United States reporting under an old code too",
        add("stg_countries", {"country_code": USA_BEFORE_1981, "iso3": "USA", "name": "USA (before 1981)"}),
        add("stg_trade_reporters", reporter(year=2017, code=USA_BEFORE_1981, n_rows=1)),
        fails="stg_trade_reporters.one_code_per_country",
        shows={"year": 2017, "iso3": "USA", "codes": "841, 842"},
    ),
]


def test_sound_tables_pass() -> None:
    assert_passes(TRADE_STAGING, SOUND)


@each(CASES)
def test_a_fault_is_found_and_shown(case: Case) -> None:
    assert_fails(case, TRADE_STAGING, SOUND)


def test_empty_tables_fail_and_crash_nothing() -> None:
    assert_empty_tables_fail(TRADE_STAGING, staging_tables())
