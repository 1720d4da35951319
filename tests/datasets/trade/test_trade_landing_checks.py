"""The checks of landed trade: all pass on sound tables, and each fails on the fault it is there for."""

from __future__ import annotations

import pytest

from dagster_project.datasets.trade.landing_checks import TRADE_LANDING
from tests.helpers.check_cases import (
    Case,
    add,
    assert_empty_tables_fail,
    assert_fails,
    assert_first_release_passes,
    assert_passes,
    case,
    each,
    holding,
    not_passed,
    outcome,
    rows,
    spoiled,
    sql,
)
from tests.helpers.sound_reference import BATTERIES, CHN, EU, HORSES, JPN, TWN, USA
from tests.helpers.sound_trade import finding, flow, landing_tables, loss, quarantined_trade, reporter, trade_count

SOUND = holding(landing_tables())

# What China reports of batteries from the United States in 2017: one flow, and the cell of World's row it is part of.
IN_2017 = {"year": 2017, "reporter_code": CHN, "partner_code": USA, "cmd_code": BATTERIES}
ONE_FLOW = rows("trade_flows", **IN_2017)
CHN_FROM_USA = sum(
    each["value_usd"]
    for each in landing_tables()["trade_flows"].to_pylist()
    if (each["year"], each["reporter_code"], each["partner_code"]) == (2017, CHN, USA)
)
BATTERIES_OF_JAPAN = {"year": 2017, "reporter_code": JPN, "cmd_code": BATTERIES}
JAPAN_IN_2017 = {"year": 2017, "reporter_code": JPN, "flow": "M"}
# A quarantined row that is accounted for.
QUARANTINED = (
    add("quarantine_trade", quarantined_trade("negative_value", year=2017, detail="value -5")),
    add("trade_rule_counts", trade_count("quarantined:negative_value", 1, year=2017)),
    rows("trade_rule_counts", rule="rows_read", year=2017).set(n=sql("n + 1")),
)

CASES = [
    case(
        "a flow without its partner",
        ONE_FLOW.set(partner_code=None),
        fails="trade_flows.keys_not_null",
        shows={**IN_2017, "partner_code": None},
    ),
    case(
        "a flow that is there twice",
        ONE_FLOW.repeat(),
        fails="trade_flows.key_unique",
        shows={**IN_2017, "n_rows": 2},
    ),
    case(
        "a value below zero",
        ONE_FLOW.set(value_usd=-5),
        fails="trade_flows.values_plausible",
        shows={**IN_2017, "broken_rule": "value is negative", "value_usd": -5.0},
    ),
    case(
        "an infinite value",
        ONE_FLOW.set(value_usd=float("inf")),
        fails="trade_flows.values_plausible",
        shows={**IN_2017, "broken_rule": "value is not a finite number", "value_usd": "inf"},
    ),
    case(
        "a quantity below zero",
        ONE_FLOW.set(quantity=-1),
        fails="trade_flows.values_plausible",
        shows={**IN_2017, "broken_rule": "quantity is negative"},
    ),
    case(
        "kilograms that are unknown, written as 0",
        ONE_FLOW.set(quantity_kg=0.0),
        fails="trade_flows.values_plausible",
        shows={**IN_2017, "broken_rule": "kilograms or pieces are no finite number above zero", "quantity_kg": 0.0},
    ),
    case(
        "a code that lost its leading zero",
        rows("trade_flows", cmd_code=HORSES, year=2017).set(cmd_code="10121"),
        fails="trade_flows.codes_well_formed",
        shows={"broken_rule": "code is not six digits", "cmd_code": "10121"},
    ),
    case(
        "an unknown HS revision",
        rows("trade_flows").set(hs_revision="H9"),
        fails="trade_flows.codes_well_formed",
        shows={"broken_rule": "unknown HS revision"},
    ),
    case(
        "the European Union as partner",
        rows("trade_flows", partner_code=USA, year=2018).set(partner_code=EU),
        fails="trade_flows.areas_are_countries",
        shows={"side": "partner", "country_code": EU, "name": "European Union", "year": 2018},
    ),
    case(
        "a product that is in no code list",
        ONE_FLOW.set(cmd_code="123456"),
        fails="trade_flows.products_known",
        shows={"cmd_code": "123456", "hs_revision": "H5", "n_rows": 1},
    ),
    case(
        "a re-import among the flows",
        ONE_FLOW.set(partner_code=CHN),
        fails="trade_flows.no_reimports",
        shows={"year": 2017, "reporter_code": CHN, "partner_code": CHN, "n_rows": 1},
    ),
    case(
        "a year that was not asked for",
        rows("trade_flows", year=2018).set(year=2016),
        fails="trade_flows.years_as_requested",
        shows={"year": 2016},
    ),
    case(
        "no flow of a year that was asked for",
        rows("trade_flows", year=2018).remove(),
        fails="trade_flows.years_as_requested",
        shows={"year": 2018},
    ),
    case(
        "a year that fell by 31 %",
        rows("trade_flows", year=2018).set(value_usd=sql("value_usd * 0.69")),
        fails="trade_flows.coverage_value",
        shows={"year": 2018, "change": pytest.approx(-0.31)},
    ),
    case(
        "a country among the partners that are none",
        rows("trade_unallocated", cmd_code=BATTERIES, year=2018).set(partner_code=USA),
        fails="trade_unallocated.rows_plausible",
        shows={"partner_code": USA, "cmd_code": BATTERIES, "year": 2018},
    ),
    case(
        "a re-import from another country",
        rows("trade_reimports", reporter_code=CHN, year=2017).set(partner_code=USA),
        fails="trade_reimports.rows_plausible",
        shows={"reporter_code": CHN, "partner_code": USA},
    ),
    case(
        "a World row of a chapter",
        rows("trade_control_totals", cmd_code=BATTERIES, year=2017).set(cmd_code="85"),
        fails="trade_control_totals.rows_plausible",
        shows={"cmd_code": "85", "year": 2017},
    ),
    case(
        "one cell whose partners exceed World by a thousandth",
        rows("trade_control_totals", **BATTERIES_OF_JAPAN).set(value_usd=sql("value_usd * 0.999")),
        fails="trade_control_totals.partners_within_world",
        shows=BATTERIES_OF_JAPAN,
    ),
    case(
        "every cell of a year off by a thousandth",
        rows("trade_control_totals", year=2018).set(value_usd=sql("value_usd * 0.999")),
        fails="trade_control_totals.partners_within_world_overall",
        shows={"year": 2018, "cells": 24, "cells_off": 24},
    ),
    case(
        "few cells that are off by all they hold",
        rows("trade_control_totals", year=2018, cmd_code=BATTERIES).set(value_usd=1),
        fails="trade_control_totals.partners_within_world_overall",
        shows={"year": 2018, "cells_off": 3},
    ),
    case(
        "a country whose partners sum to 3 % of its World rows",
        rows("trade_control_totals", reporter_code=JPN, year=2018).set(value_usd=sql("value_usd / 0.03")),
        fails="trade_control_totals.partners_cover_world_overall",
        shows={"year": 2018, "reporter_code": JPN, "flow": "M", "coverage": pytest.approx(0.03)},
    ),
    case(
        "a cell without a partner",
        rows("trade_flows", **BATTERIES_OF_JAPAN).set(value_usd=0),
        fails="trade_control_totals.partners_cover_world",
        shows=BATTERIES_OF_JAPAN,
    ),
    case(
        "a country that reports a thousand times what its partner reports",
        add("trade_flows", {**flow(value_usd=CHN_FROM_USA / 1000, reporter=USA, partner=CHN), "flow": "X"}),
        fails="trade_flows.units_agree_with_partners",
        shows={"year": 2017, "reporter_code": CHN, "flow": "M", "ratio": pytest.approx(1000)},
    ),
    case(
        "a country that reports in thousands what its partner reports in dollars",
        add("trade_flows", {**flow(value_usd=CHN_FROM_USA * 900, reporter=USA, partner=CHN), "flow": "X"}),
        fails="trade_flows.units_agree_with_partners",
        shows={"year": 2017, "reporter_code": CHN, "flow": "M", "ratio": pytest.approx(1 / 900)},
    ),
    case(
        "a country of which five partners report a quarter",
        *(
            add("trade_flows", {**flow(value_usd=value, reporter=side[0], partner=side[1]), "flow": side[2]})
            for partner in (36, 76, 124, 276, 360)
            for value, side in ((4e6, (TWN, partner, "M")), (1e6, (partner, TWN, "X")))
        ),
        fails="trade_flows.values_agree_with_partners",
        shows={"year": 2017, "reporter_code": TWN, "flow": "M", "ratio": pytest.approx(4), "witnesses": 5},
    ),
    case(
        "a year in which the world trades more than it has",
        rows("trade_flows", year=2018).set(value_usd=sql("value_usd * 1e5")),
        fails="trade_flows.world_trade_plausible",
        shows={"year": 2018, "flow": "M"},
    ),
    case(
        "tons that cost a million dollars and more",
        rows("trade_flows", year=2018).set(quantity_unit="t", value_usd=sql("quantity * 2e6")),
        fails="trade_flows.ton_prices_plausible",
        shows={"year": 2018, "median_usd_per_ton": pytest.approx(2e6)},
    ),
    case(
        "a country that reported nothing usable",
        add("trade_findings", finding("reported_nothing_usable", detail="control_total 3")),
        fails="trade_findings.reports_usable",
        shows={"year": 2017, "reporter_code": CHN, "name": "China", "detail": "control_total 3"},
    ),
    case(
        "breakdown rows without their total",
        add("trade_findings", finding("breakdown_summed", code=BATTERIES)),
        fails="trade_findings.breakdowns_have_totals",
        shows={"year": 2017, "reporter_code": CHN, "code": BATTERIES, "n_rows": 3},
    ),
    case(
        "weights that are no numbers",
        add("trade_findings", finding("unreadable_quantity", detail="read as unknown, such as netWgt 'n/a'")),
        fails="trade_findings.quantities_readable",
        shows={"year": 2017, "reporter_code": CHN, "detail": "read as unknown, such as netWgt 'n/a'", "n_rows": 3},
    ),
    case(
        "a heading without a good below it",
        add("trade_findings", finding("heading_only", code="2510")),
        fails="trade_findings.headings_have_goods",
        shows={"year": 2017, "reporter_code": CHN, "code": "2510"},
    ),
    case(
        "few rows that hold most of a reporter's value",
        add("trade_losses", loss(reason="unknown_hs_code", n_rows=1, value_usd=1e9)),
        fails="trade_losses.little_lost",
        shows={"year": 2017, "reporter_code": CHN, "flow": "M", "reasons": "unknown_hs_code 1", "rows_lost": 1},
    ),
    case(
        "rows of a file of which each is lost for one of two reasons",
        add("trade_losses", {**loss(reason="hs_code_length", n_rows=40, value_usd=1), "file": "drop:comtrade/d.csv"}),
        add("trade_losses", {**loss(reason="negative_value", n_rows=2, value_usd=0), "file": "drop:comtrade/d.csv"}),
        fails="trade_losses.little_lost",
        shows={
            "file": "drop:comtrade/d.csv",
            "reasons": "hs_code_length 40, negative_value 2",
            "rows_read": 42,
            "example": f"reporter {CHN}, …",
        },
    ),
    case(
        "flows of a country that is not among the reporters",
        rows("trade_reporters", **JAPAN_IN_2017).remove(),
        fails="trade_reporters.reporters_plausible",
        shows={**JAPAN_IN_2017, "n_rows": 24},
    ),
    case(
        "the European Union as reporter",
        add("trade_reporters", reporter(year=2017, code=EU, n_rows=5)),
        fails="trade_reporters.reporters_plausible",
        shows={"reporter_code": EU},
    ),
    case(
        "a reporter without a row",
        rows("trade_reporters", **JAPAN_IN_2017).set(n_rows=0),
        fails="trade_reporters.reporters_plausible",
        shows={**JAPAN_IN_2017, "n_rows": 0},
    ),
    case(
        "a country that reported in the release before and no longer does",
        rows("trade_reporters", reporter_code=JPN, year=2018).remove(),
        fails="trade_reporters.coverage_reporters",
        shows={"year": 2018, "reporter_code": JPN, "name": "Japan"},
    ),
    case(
        "three rows read that went nowhere",
        rows("trade_rule_counts", rule="rows_read", year=2018).set(n=sql("n + 3")),
        fails="trade_rule_counts.rows_accounted_for",
        shows={"year": 2018, "source": "comtrade", "rows_read": 126, "rows_accounted_for": 123},
    ),
    case(
        "a flow that was counted and is not there",
        ONE_FLOW.remove(),
        fails="trade_rule_counts.counts_match_tables",
        shows={"year": 2017, "rule": "landed", "rows_counted": 72, "rows_found": 71},
    ),
    case(
        "one quarantined row",
        *QUARANTINED,
        fails="quarantine_trade.nothing_quarantined",
        shows={"reason": "negative_value", "year": 2017, "n_rows": 1, "example": "value -5"},
    ),
    case(
        "a quarter of a year's rows quarantined",
        add("trade_rule_counts", trade_count("quarantined:negative_value", 40, year=2018)),
        add("trade_rule_counts", trade_count("quarantined:bad_hs_code", 2, year=2018)),
        add("quarantine_trade", quarantined_trade("negative_value", year=2018, detail="value -5")),
        fails="quarantine_trade.few_quarantined",
        shows={
            "year": "2018",
            "rows_quarantined": 42,
            "reasons": "negative_value 40, bad_hs_code 2",
            "example": "value -5",
        },
    ),
    case(
        "a third of a year's rows under codes of another publisher",
        add("trade_rule_counts", trade_count("noted:area_alias", 40, year=2018)),
        fails="trade_rule_counts.seldom_noted",
        shows={"year": 2018, "noted": "area_alias", "n_noted": 40},
    ),
    case(
        "something noted that has no limit",
        add("trade_rule_counts", trade_count("noted:unheard_of", 1, year=2018)),
        fails="trade_rule_counts.few_noted",
        shows={"year": 2018, "noted": "unheard_of"},
    ),
    case(
        "a row that was counted as quarantined and is not there",
        add("trade_rule_counts", trade_count("quarantined:negative_value", 1, year=2018)),
        fails="quarantine_trade.counts_match_rows",
        shows={"reason": "negative_value", "rows_counted": 1, "rows_found": 0},
    ),
]


def test_sound_tables_pass() -> None:
    assert_passes(TRADE_LANDING, SOUND)


@each(CASES)
def test_a_fault_is_found_and_shown(case: Case) -> None:
    assert_fails(case, TRADE_LANDING, SOUND)


def test_empty_tables_fail_and_crash_nothing() -> None:
    assert_empty_tables_fail(TRADE_LANDING, landing_tables())


def test_a_few_cells_off_warn_and_are_listed_while_the_rest_passes() -> None:
    two_cells = rows("trade_control_totals", f"reporter_code in ({CHN}, {USA})", year=2017, cmd_code=BATTERIES)
    found = not_passed(TRADE_LANDING, spoiled(SOUND, two_cells.set(value_usd=sql("value_usd * 0.999"))))
    assert found.keys() == {"trade_control_totals.partners_within_world"}
    (warned,) = found.values()
    assert warned.severity == "WARN"
    assert warned.n_failed == 2


def test_partners_a_little_below_world_are_legal_and_their_ratio_is_told() -> None:
    raised = spoiled(SOUND, rows("trade_control_totals").set(value_usd=sql("value_usd / 0.96")))
    found = outcome(TRADE_LANDING, raised, "trade_control_totals.partners_within_world")
    assert found.passed
    assert found.facts["partners_over_world"] == pytest.approx(0.96)
    assert found.facts["cells"] == 48
    assert not_passed(TRADE_LANDING, raised).keys() == set()


def test_one_cell_without_partners_warns_and_is_listed() -> None:
    one_cell = rows("trade_control_totals", **BATTERIES_OF_JAPAN).set(value_usd=sql("value_usd * 1.5"))
    found = not_passed(TRADE_LANDING, spoiled(SOUND, one_cell))
    assert {check: each.severity for check, each in found.items()} == {
        "trade_control_totals.partners_cover_world": "WARN"
    }


def test_world_rows_of_a_country_that_is_mirrored_are_held_against_nothing() -> None:
    without = [rows(table, **JAPAN_IN_2017).remove() for table in ("trade_flows", "trade_reporters")]
    found = outcome(TRADE_LANDING, spoiled(SOUND, *without), "trade_control_totals.partners_cover_world_overall")
    assert found.passed


def test_the_single_row_of_an_unknown_area_is_no_loss_to_stop_for() -> None:
    """Services answer for each area by itself, so such a row is a whole file."""
    row_alone = {**loss(reason="unknown_country", n_rows=1, value_usd=1250), "reporter_is_country": False}
    alone, dear = ({**row_alone, "file": "http://service/778", "value_usd": usd} for usd in (1250, 1e12))
    assert outcome(TRADE_LANDING, spoiled(SOUND, add("trade_losses", alone)), "trade_losses.little_lost").passed
    assert not outcome(TRADE_LANDING, spoiled(SOUND, add("trade_losses", dear)), "trade_losses.little_lost").passed


def test_a_footer_in_a_small_file_is_no_loss() -> None:
    small = {**loss(n_rows=2), "file": "drop:comtrade/d.csv"}
    footer = {**loss(None, reason="malformed_row", n_rows=1, value_usd=0), "file": "drop:comtrade/d.csv"}
    rest = {**small, "year": None}
    data = spoiled(SOUND, *(add("trade_losses", row) for row in (small, footer, rest)))
    assert outcome(TRADE_LANDING, data, "trade_losses.little_lost").passed


def test_one_quarantined_row_warns_and_blocks_nothing() -> None:
    found = not_passed(TRADE_LANDING, spoiled(SOUND, *QUARANTINED))
    assert {check: each.severity for check, each in found.items()} == {"quarantine_trade.nothing_quarantined": "WARN"}


def test_quarantined_rows_without_a_year_are_measured_against_all_rows() -> None:
    malformed = add("quarantine_trade", quarantined_trade("malformed_row", year=None))
    unread = spoiled(
        SOUND,
        malformed,
        malformed,
        add("trade_rule_counts", trade_count("rows_read", 2, year=None)),
        add("trade_rule_counts", trade_count("quarantined:malformed_row", 2, year=None)),
    )
    assert not_passed(TRADE_LANDING, unread).keys() == {"quarantine_trade.nothing_quarantined"}


def test_without_a_previous_release_there_is_nothing_to_compare_with() -> None:
    assert_first_release_passes(TRADE_LANDING, SOUND)
