"""The event study: held to statsmodels, to the matrix form of the literature, and to cases worked out by hand."""

from __future__ import annotations

import datetime as dt
import math
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
import statsmodels.api as sm
from scipy import stats

from dagster_project.datasets.contagion import event_study as study

N_DAYS, DAY_ZERO = 300, 280
START = dt.date(2018, 1, 1)
DAYS = [START + dt.timedelta(days=n) for n in range(N_DAYS)]
KEY = ("event_id", "security_id", "event_window")


class Market:
    """A market and some stocks whose returns are drawn, to be changed; each stock is its market's beta 1 and noise."""

    def __init__(self, *stocks: str, seed: int = 7) -> None:
        draw = np.random.default_rng(seed)
        market = draw.normal(0, 0.01, N_DAYS)
        self.returns: dict[str, np.ndarray[Any, Any]] = {"MKT": market}
        self.returns |= {stock: market + draw.normal(0, 0.02, N_DAYS) for stock in stocks}
        self.stocks = dict.fromkeys(stocks, "industry")
        self.roles = {"S": "supplier"}
        self.events = [("E", DAYS[DAY_ZERO], False)]
        self.caps: dict[str, float] = {}

    def tables(self) -> tuple[pa.Table, pa.Table, pa.Table, pa.Table]:
        rows = [
            {"security_id": name, "return_date": day, "simple_return": float(value), "market_cap": self.caps.get(name)}
            for name, values in self.returns.items()
            for day, value in zip(DAYS, values, strict=True)
            if not math.isnan(value)
        ]
        kinds = [("return_date", pa.date32()), ("simple_return", pa.float64()), ("market_cap", pa.float64())]
        returns = pa.Table.from_pylist(rows, pa.schema([("security_id", pa.string()), *kinds]))
        listed = [{"security_id": "MKT", "industry": None, "market_id": "MKT", "kind": "index"}]
        listed += [
            {"security_id": name, "industry": industry, "market_id": "MKT", "kind": "stock"}
            for name, industry in self.stocks.items()
        ]
        events = [{"event_id": name, "event_date": day, "after_close": late} for name, day, late in self.events]
        roles = [
            {"event_id": name, "security_id": s, "role": r} for name, _, _ in self.events for s, r in self.roles.items()
        ]
        schema = pa.schema([("event_id", pa.string()), ("security_id", pa.string()), ("role", pa.string())])
        return returns, pa.Table.from_pylist(listed), pa.Table.from_pylist(events), pa.Table.from_pylist(roles, schema)

    def firms(self) -> dict[tuple[str, ...], dict[str, Any]]:
        return {tuple(row[name] for name in KEY): row for row in study.firms(*self.tables()).to_pylist()}

    def firm(self, security_id: str, window: str) -> dict[str, Any]:
        return self.firms()["E", security_id, window]

    def group(self, window: str, kind: str = "industry") -> dict[str, Any]:
        rows = study.groups(*self.tables()).to_pylist()
        (row,) = (each for each in rows if (each["event_window"], each["group_kind"]) == (window, kind))
        return row


def days(first: int, last: int) -> slice:
    """Trading days relative to day 0."""
    return slice(DAY_ZERO + first, DAY_ZERO + last + 1)


@pytest.mark.parametrize("window", study.WINDOWS)
def test_the_market_model_is_that_of_statsmodels_and_the_error_that_of_the_matrix_form(window: str) -> None:
    """Campbell, Lo and MacKinlay: V = s² (I + X* (X'X)^-1 X*'), and the variance of the CAR is the sum of all of V."""
    market = Market("S")
    own, index = market.returns["S"], market.returns["MKT"]
    own[DAY_ZERO - 100] = np.nan  # a day of the estimation is missing
    own[DAY_ZERO + 1] = np.nan  # and one of the longer windows
    row = market.firm("S", window)
    inside = days(*study.WINDOWS[window])
    there = ~np.isnan(own)
    estimation = np.zeros(N_DAYS, bool)
    estimation[days(*study.ESTIMATION)] = True
    fit = sm.OLS(own[estimation & there], sm.add_constant(index[estimation & there])).fit()
    observed = there[inside]
    design = sm.add_constant(index[inside], has_constant="add")[observed]
    variance = fit.mse_resid * (
        np.eye(len(design)) + design @ np.linalg.inv(fit.model.exog.T @ fit.model.exog) @ design.T
    )
    car = (own[inside][observed] - fit.predict(design)).sum()
    t = car / math.sqrt(variance.sum())
    assert (row["n_obs"], row["n_window"]) == (239, observed.sum())
    expected = {
        "alpha": fit.params[0], "beta": fit.params[1], "sigma": math.sqrt(fit.mse_resid), "car": car,
        "car_se": math.sqrt(variance.sum()), "t": t, "p_value": 2 * stats.t.sf(abs(t), 237),
    }  # fmt: skip
    assert {name: row[name] for name in expected} == {
        name: pytest.approx(value, rel=1e-9) for name, value in expected.items()
    }


def test_the_day_of_the_event_is_the_next_trading_day_and_the_one_after_where_the_market_was_closed() -> None:
    market = Market("S")
    market.events += [("late", DAYS[DAY_ZERO], True), ("closed", DAYS[DAY_ZERO], False)]
    market.events = [("E", DAYS[DAY_ZERO - 1], False), ("late", DAYS[DAY_ZERO - 1], True)]
    market.returns["MKT"][DAY_ZERO - 1] = np.nan  # no trading day: a return of the stock counts for nothing
    found = market.firms()
    assert found["E", "S", "d0"]["day_zero"] == found["late", "S", "d0"]["day_zero"] == DAYS[DAY_ZERO]
    market.events = [("late", DAYS[DAY_ZERO], True)]
    assert market.firms()["late", "S", "d0"]["day_zero"] == DAYS[DAY_ZERO + 1]


def test_reasons_and_that_the_first_one_holds() -> None:
    names = ("none", "short", "thin", "gone", "split", "sound")
    market = Market(*names)
    returns = market.returns
    del returns["none"]
    returns["short"][: DAY_ZERO - 11 - 118] = np.nan
    returns["thin"][days(-250, -130)] = 0.0
    returns["thin"][DAY_ZERO] = np.nan  # thin trading comes first
    returns["gone"][days(0, 1)] = np.nan
    returns["split"][DAY_ZERO - 60] = -0.495
    returns["sound"][DAY_ZERO - 60] = -0.45  # large, and like no split
    found = market.firms()
    reasons = {name: {window: found["E", name, window]["reason"] for window in study.WINDOWS} for name in names}
    whole = ("m1p1", "d0", "p0p1", "m5p5")
    assert reasons == {
        "none": dict.fromkeys(whole, "no_returns"),
        "short": dict.fromkeys(whole, "too_few_returns"),
        "thin": dict.fromkeys(whole, "thin_trading"),
        "gone": {"m1p1": None, "d0": "no_trade_in_window", "p0p1": "no_trade_in_window", "m5p5": None},
        "split": dict.fromkeys(whole, "possible_split"),
        "sound": dict.fromkeys(whole, None),
    }
    assert found["E", "none", "d0"]["zero_share"] == 1 and found["E", "none", "d0"]["n_obs"] == 0
    assert all(found["E", "split", "d0"][name] is None for name in ("alpha", "car", "p_value", "q_value"))


def test_a_split_counts_where_it_touches_the_window() -> None:
    market = Market("S")
    market.returns["S"][DAY_ZERO + 4] = 1.01  # 2 for 1, the wrong way round
    found = market.firms()
    assert {window: found["E", "S", window]["reason"] for window in study.WINDOWS} == {
        "m1p1": None, "d0": None, "p0p1": None, "m5p5": "possible_split"
    }  # fmt: skip


@pytest.mark.parametrize(
    ("day", "without"), [(N_DAYS - 1, {"m1p1", "p0p1", "m5p5"}), (N_DAYS + 5, set(study.WINDOWS)), (296, {"m5p5"})]
)
def test_windows_beyond_the_data(day: int, without: set[str]) -> None:
    market = Market("S")
    market.events = [("E", START + dt.timedelta(days=day), False)]
    found = market.firms()
    assert {w for w in study.WINDOWS if found["E", "S", w]["reason"] == "window_outside_data"} == without


def test_120_returns_are_enough() -> None:
    market = Market("S")
    market.returns["S"][: DAY_ZERO - 11 - 119] = np.nan
    row = market.firm("S", "d0")
    assert (row["n_obs"], row["reason"], row["zero_share"], row["thin"]) == (120, None, 0.5, True)


def test_a_thin_stock_has_dimsons_estimate_too() -> None:
    market = Market("S", "T")
    own, index = market.returns["T"], market.returns["MKT"]
    own[days(-250, -170)] = 0.0  # 81 of 240
    row = market.firm("T", "m1p1")
    at = np.arange(DAY_ZERO - 250, DAY_ZERO - 10)
    design = sm.add_constant(np.column_stack([index[at - 1], index[at], index[at + 1]]))
    alpha, *betas = sm.OLS(own[at], design).fit().params
    inside = days(-1, 1)
    assert row["thin"] and row["zero_share"] == 81 / 240
    assert row["car_dimson"] == pytest.approx((own[inside] - alpha - sum(betas) * index[inside]).sum(), rel=1e-9)
    assert market.firm("S", "m1p1")["car_dimson"] is None


def test_q_values_are_benjamini_and_hochbergs_within_a_role() -> None:
    names = [f"P{number}" for number in range(6)]
    market = Market("S", *names)
    found = market.firms()
    p = [found["E", name, "d0"]["p_value"] for name in names]
    expected = dict(zip(names, stats.false_discovery_control(p), strict=True))
    assert {name: found["E", name, "d0"]["q_value"] for name in names} == pytest.approx(expected, rel=1e-9)
    assert found["E", "S", "d0"]["q_value"] == found["E", "S", "d0"]["p_value"]  # the only supplier


def test_peers_are_one_portfolio_of_those_that_trade_that_day() -> None:
    market = Market("A", "B", "C", "S")
    market.returns["B"][DAY_ZERO] = np.nan
    peers = np.array([market.returns[name] for name in "ABC"])
    portfolio = np.nanmean(peers, axis=0)
    alone = Market("A")
    alone.returns = {"MKT": market.returns["MKT"], "A": portfolio}
    row, single = market.group("m1p1"), alone.firm("A", "m1p1")
    assert row["n_firms"] == 3
    assert [row[name] for name in ("car", "car_se", "t", "p_value", "n_obs")] == [
        pytest.approx(single[name], rel=1e-9) for name in ("car", "car_se", "t", "p_value", "n_obs")
    ]
    assert row["car_vw"] is None


def test_weights_of_market_values_need_a_value_of_every_peer() -> None:
    market = Market("A", "B", "C", "S")
    market.caps = {"A": 1.0, "B": 1.0, "C": 2.0}
    doubled = Market("A", "B", "C", "D", "S")
    doubled.returns = {**market.returns, "D": market.returns["C"]}
    assert market.group("d0")["car_vw"] == pytest.approx(doubled.group("d0")["car"], rel=1e-9)
    del market.caps["B"]
    assert market.group("d0")["car_vw"] is None


def test_two_peers_are_too_few_and_a_supplier_is_none() -> None:
    market = Market("A", "B", "S")
    row = market.group("d0")
    assert (row["n_firms"], row["reason"], row["car"], row["p_value"]) == (2, "too_few_peers", None, None)
    assert row["caar"] is not None and row["kp"] is not None


def test_the_tests_over_many_firms() -> None:
    """By their formulas, from the firms' own estimates and residuals."""
    names = [f"P{number}" for number in range(5)]
    market = Market("S", *names)
    row, found = market.group("m1p1"), market.firms()
    firms = [found["E", name, "m1p1"] for name in names]
    car, scar = (np.array([each[name] for each in firms]) for name in ("car", "t"))
    at = days(*study.ESTIMATION)
    residuals = np.array(
        [
            market.returns[n][at] - f["alpha"] - f["beta"] * market.returns["MKT"][at]
            for n, f in zip(names, firms, strict=True)
        ]
    )
    r = np.corrcoef(residuals)[np.triu_indices(5, 1)].mean()
    bmp = scar.mean() / (scar.std(ddof=1) / math.sqrt(5))
    expected = {
        "caar": car.mean(), "t_cross": car.mean() / (car.std(ddof=1) / math.sqrt(5)), "bmp": bmp,
        "mean_correlation": r, "kp": bmp * math.sqrt((1 - r) / (1 + 4 * r)), "n_negative": (car < 0).sum(),
        "sign_p": stats.binomtest(int((car < 0).sum()), 5).pvalue,
    }  # fmt: skip
    assert {name: row[name] for name in expected} == {
        name: pytest.approx(value, rel=1e-8) for name, value in expected.items()
    }
    assert market.group("m1p1", "suppliers")["caar"] == pytest.approx(found["E", "S", "m1p1"]["car"])
    assert market.group("m1p1", "suppliers")["kp"] is None  # of one there is no spread


def test_correlations_are_over_the_days_that_two_have_in_common_and_need_60_of_them() -> None:
    draw = np.random.default_rng(3)
    residuals = draw.normal(size=(3, 240))
    residuals[0, :100] = np.nan
    residuals[1, 159:] = np.nan  # 59 days in common with the first
    both = [(a, b) for a, b in ((0, 2), (1, 2))]
    expected = [
        np.corrcoef(residuals[a][known], residuals[b][known])[0, 1]
        for a, b in both
        for known in [~np.isnan(residuals[a]) & ~np.isnan(residuals[b])]
    ]
    assert study.mean_correlation(residuals) == pytest.approx(np.mean(expected), rel=1e-12)


def test_hand_worked_abnormal_return() -> None:
    """R_m 1, 2, 3 and R 2, 2, 5: beta 1.5, alpha 0, residuals 0.5, -1, 0.5, s² = 1.5/1. In the window R_m 4 and R 5:
    AR = -1, variance = 1.5 (1 + 1/3 + (4 - 2)²/2) = 5.
    """
    fit = study.fitted(np.array([[2.0, 2.0, 5.0, np.nan]]), np.array([[1.0, 2.0, 3.0, 9.0]]))
    found = study.abnormal(fit, np.array([[5.0, np.nan]]), np.array([[4.0, 1.0]]))
    assert (fit.alpha[0], fit.beta[0], fit.variance[0]) == pytest.approx((0, 1.5, 1.5))
    assert (found.days[0], found.car[0], found.error[0], found.t[0]) == pytest.approx((1, -1, 5**0.5, -(5**-0.5)))


def test_the_order_of_rows_changes_nothing() -> None:
    market = Market("A", "B", "C", "S")
    returns, securities, events, roles = market.tables()
    order = np.random.default_rng(1).permutation(len(returns))
    shuffled = (returns.take(order), securities.take([3, 1, 4, 0, 2]), events, roles)
    assert study.firms(*shuffled).equals(study.firms(*market.tables()))
    assert study.groups(*shuffled).equals(study.groups(*market.tables()))
