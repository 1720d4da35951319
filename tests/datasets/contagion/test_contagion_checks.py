"""The checks of contagion: they pass on the built sample but for its traps, and each fails on its fault."""

from __future__ import annotations

import datetime as dt

import pytest

from dagster_project.checks.views import CheckedData, over_landing, over_warehouse
from dagster_project.datasets.contagion import sample
from dagster_project.datasets.contagion.checks import CONTAGION_LANDING
from dagster_project.datasets.contagion.recomputed import CONTAGION_MARTS
from tests.helpers.built_contagion import Built
from tests.helpers.check_cases import Case, add, assert_fails, assert_passes, case, each, not_passed, rows, sql
from tests.helpers.sound_reference import quarantined

STOCK, DAY = "SYN-AP2", dt.date(2019, 5, 16)
ONE_RETURN = rows("contagion_returns", security_id=STOCK, return_date=DAY)
RETURNS = "user_returns/returns"
BASELINE = "\"window\" = 'm1p1'"

LANDING_CASES = [
    case(
        "a return that is there twice",
        ONE_RETURN.repeat(),
        fails="contagion_returns.returns_plausible",
        shows={"security_id": STOCK, "n_rows": 2},
    ),
    case(
        "a loss of more than everything",
        ONE_RETURN.set(simple_return=-1.2),
        fails="contagion_returns.returns_plausible",
        shows={"security_id": STOCK, "simple_return": -1.2},
    ),
    case(
        "a day that has not been",
        ONE_RETURN.set(return_date=dt.date(2999, 1, 1)),
        fails="contagion_returns.returns_plausible",
        shows={"security_id": STOCK, "return_date": "2999-01-01"},
    ),
    case(
        "a day on which all prices were taken for returns",
        rows("contagion_returns", return_date=DAY).set(simple_return=12.5),
        fails="contagion_returns.no_wild_day",
        shows={"return_date": "2019-05-16"},
    ),
    case(
        "a stock that lost its returns",
        rows("contagion_returns", security_id=STOCK).remove(),
        fails="contagion_returns.stocks_have_returns",
        shows={"security_id": STOCK},
    ),
    case(
        "a role in an event that is not there",
        rows("contagion_roles", security_id="SYN-AS1").set(event_id="SYN-OTHER"),
        fails="contagion_roles.roles_known",
        shows={"event_id": "SYN-OTHER", "security_id": "SYN-AS1"},
    ),
    case(
        "an event after all returns",
        rows("contagion_events", event_id=sample.SANCTION).set(event_date=dt.date(2020, 1, 2)),
        fails="contagion_events.events_within_returns",
        shows={"event_id": sample.SANCTION, "event_date": "2020-01-02"},
    ),
    case(
        "more rows landed than were read",
        rows("contagion_rule_counts", source=RETURNS, rule="landed").set(n=sql("n + 1")),
        fails="contagion_rule_counts.rows_accounted_for",
        shows={"source": RETURNS},
    ),
    case(
        "market values that are no numbers",
        add("contagion_rule_counts", {"source": RETURNS, "rule": "noted:market_cap_unreadable", "n": 9000}),
        fails="contagion_rule_counts.few_noted",
        shows={"noted": "market_cap_unreadable", "n_noted": 9000},
    ),
    case(
        "a quarantined row of a new reason",
        add("quarantine_contagion", quarantined("unheard_of", dataset="contagion", source=RETURNS)),
        fails="quarantine_contagion.nothing_quarantined",
        shows={"reason": "unheard_of", "n_rows": 1},
    ),
    case(
        "a tenth of the rows in quarantine",
        rows("contagion_rule_counts", source=RETURNS, rule="quarantined:unknown_security").set(n=1300),
        fails="quarantine_contagion.few_quarantined",
        shows={"source": RETURNS, "rows_quarantined": 1304},
    ),
    case(
        "a quarantined row that was not counted",
        add("quarantine_contagion", quarantined("bad_return", dataset="contagion", source=RETURNS)),
        fails="quarantine_contagion.counts_match_rows",
        shows={"reason": "bad_return", "rows_counted": 1, "rows_found": 2},
    ),
]
MART_CASES = [
    case(
        "abnormal returns in per cent",
        rows("contagion_firms").set(car=sql("100 * car")),
        fails="contagion_firms.abnormal_returns_recomputed",
        shows={"event_id": sample.SANCTION, "security_id": STOCK},
    ),
    case(
        "one-sided probabilities",
        rows("contagion_firms").set(p_value=sql("p_value / 2"), q_value=sql("q_value / 2")),
        fails="contagion_firms.abnormal_returns_recomputed",
        shows={"security_id": STOCK},
    ),
    case(
        "q-values that are the p-values",
        rows("contagion_firms", BASELINE, event_id=sample.SANCTION, security_id=STOCK).set(q_value=sql("p_value")),
        fails="contagion_firms.abnormal_returns_recomputed",
        shows={"security_id": STOCK, "window": "m1p1"},
    ),
    case(
        "a supplier that counts as a peer",
        rows("contagion_firms", security_id="SYN-AS2").set(role=None),
        fails="contagion_firms.abnormal_returns_recomputed",
        shows={"security_id": "SYN-AS2", "role": None, "role_in_the_file": "supplier"},
    ),
    case(
        "a split that was not found",
        rows("contagion_firms", security_id=sample.SPLIT).set(reason=None),
        fails="contagion_firms.abnormal_returns_recomputed",
        shows={"security_id": sample.SPLIT, "reason": None, "reason_recomputed": "possible_split"},
    ),
    case(
        "portfolios' losses as gains",
        rows("contagion_industries").set(car=sql("-car"), t=sql("-t")),
        fails="contagion_industries.portfolios_recomputed",
        shows={"event_id": sample.SANCTION, "industry": "synthetic A"},
    ),
    case(
        "a verdict against its sign",
        rows("contagion_industries", "verdict = 'contagion'").set(verdict="competitive"),
        fails="contagion_industries.portfolios_recomputed",
        shows={"verdict": "competitive", "verdict_recomputed": "contagion"},
    ),
    case(
        "a test that takes peers for independent",
        rows("contagion_industries", "kp is not null").set(kp=sql("bmp")),
        fails="contagion_industries.portfolios_recomputed",
        shows={"event_id": sample.SANCTION, "industry": "synthetic A"},
    ),
    case(
        "all suppliers in industries with contagion",
        rows("contagion_summary", BASELINE).set(n_suppliers_in_contagion=sql("n_suppliers")),
        fails="contagion_summary.spread_recomputed",
        shows={"event_id": sample.SANCTION, "window": "m1p1", "n_suppliers_in_contagion": 9},
    ),
    case(
        "an event that lost a window",
        rows("contagion_summary", BASELINE, event_id=sample.SANCTION).remove(),
        fails="contagion_summary.spread_recomputed",
        shows={"event_id": sample.SANCTION, "window": "m1p1", "n_suppliers": None},
    ),
    case(
        "a mean correlation of nothing",
        rows("contagion_summary", event_id=sample.SANCTION).set(mean_correlation=0.0, kp=sql("bmp")),
        fails="contagion_summary.spread_recomputed",
        shows={"event_id": sample.SANCTION, "event_window": "d0", "in_the_mart": 0.0},
    ),
]


@pytest.fixture(scope="module")
def landed(built: Built) -> CheckedData:
    return over_landing(built.files())


@pytest.fixture(scope="module")
def marts(built: Built) -> CheckedData:
    return over_warehouse(built.warehouse)


def test_the_sample_passes_but_for_its_traps(landed: CheckedData, marts: CheckedData) -> None:
    assert not_passed(CONTAGION_LANDING, landed).keys() == {
        "contagion_returns.stocks_have_returns",
        "quarantine_contagion.nothing_quarantined",
    }
    assert_passes(CONTAGION_MARTS, marts)


@each(LANDING_CASES)
def test_a_fault_at_landing_is_found(case: Case, landed: CheckedData) -> None:
    assert_fails(case, CONTAGION_LANDING, landed)


@each(MART_CASES)
def test_a_fault_in_the_marts_is_found(case: Case, marts: CheckedData) -> None:
    assert_fails(case, CONTAGION_MARTS, marts)
