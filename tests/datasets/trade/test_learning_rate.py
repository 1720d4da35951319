"""Learning rates from sums: by hand, against statsmodels, and under the check that recomputes them from the flows.

Not here: how the sums come about (unit tests beside `int_learning_sums`), and faults of the mart (the tests of checks).
"""

from __future__ import annotations

from math import log
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
import statsmodels.api as sm

from dagster_project.checks.declarations import Stage
from dagster_project.datasets.trade.learning import SCHEMA, fitted
from dagster_project.datasets.trade.learning_checks import LEARNING_CHECKS, LEARNING_PREPARED
from tests.helpers.check_cases import Tables, assert_passes, holding, outcome

YEARS = range(2015, 2021)
CHN, BATTERIES = 156, "850760"

Row = dict[str, Any]


def sums(x: np.ndarray, y: np.ndarray, exporter: int = CHN, cumulative: str = "own", reason: str | None = None) -> Row:
    """What int_learning_sums says of these points."""
    dx, dy = x - x.mean(), y - y.mean()
    slope = (dx @ dy) / (dx @ dx)
    return {
        "exporter_code": exporter,
        "product_level": "hs6",
        "product_code": BATTERIES,
        "cumulative": cumulative,
        "n": len(x),
        "sum_xx": dx @ dx,
        "sum_xy": dx @ dy,
        "sum_yy": dy @ dy,
        "sum_residuals": ((dy - slope * dx) ** 2).sum(),
        "reason": reason,
    }


def table(*rows: Row) -> pa.Table:
    """The rows; reasons are texts also where there is none."""
    made = pa.Table.from_pylist(list(rows))
    return made.drop_columns("reason").append_column("reason", made["reason"].cast(pa.string()))


def test_the_price_falls_by_a_fifth_with_every_doubling() -> None:
    x = np.log(100 * 2.0 ** np.arange(6))
    [row] = fitted(table(sums(x, log(50) - np.log2(1.25) * x))).to_pylist()
    assert row["learning_rate"] == pytest.approx(0.2, abs=1e-12)
    assert (row["r2"], row["b_se"], row["p_value"]) == (1, 0, 0)  # a perfect fit is allowed
    assert row["learning_rate_low"] == row["learning_rate"] == row["learning_rate_high"]


def test_the_same_as_statsmodels() -> None:
    random = np.random.default_rng(7)
    for n in (5, 6, 12, 30):
        x = np.sort(random.normal(10, 2, n))
        y = 3 - 0.3 * x + random.normal(0, 0.4, n)
        [row] = fitted(table(sums(x, y))).to_pylist()
        fit = sm.OLS(y, sm.add_constant(x)).fit()
        low, high = sorted(-fit.conf_int()[1])
        expected = {
            "b": -fit.params[1], "b_se": fit.bse[1], "r2": fit.rsquared, "p_value": fit.pvalues[1],
            "learning_rate": 1 - 2 ** fit.params[1], "learning_rate_low": 1 - 2**-low,
            "learning_rate_high": 1 - 2**-high, "learning_rate_se": log(2) * 2 ** fit.params[1] * fit.bse[1],
        }  # fmt: skip
        assert {name: row[name] for name in expected} == pytest.approx(expected, rel=1e-9, abs=1e-11)


def test_a_price_that_never_moves_has_no_share_to_explain() -> None:
    x = np.arange(6.0)
    [row] = fitted(table(sums(x, np.zeros(6)))).to_pylist()
    assert (row["learning_rate"], row["r2"], row["p_value"]) == (0, None, 1)


def test_rows_with_a_reason_are_left_out_and_the_others_are_in_order() -> None:
    x, y = np.arange(6.0), -np.arange(6.0)
    rows = [sums(x, y, 842), sums(x, y, reason="too_few_years"), sums(x, y, cumulative="world"), sums(x, y)]
    found = fitted(table(*rows))
    assert [(row["exporter_code"], row["cumulative"]) for row in found.to_pylist()] == [
        (156, "own"), (156, "world"), (842, "own")
    ]  # fmt: skip
    nothing = fitted(table(sums(x, y, reason="no_price")))
    assert nothing.num_rows == 0 and nothing.schema == SCHEMA


def made_tables() -> dict[str, pa.Table]:
    """Two exporters of batteries in six years, China's price chain, and its learning rates as they should be."""
    own, other = np.array([100.0, 150, 250, 400, 900, 1600]), np.full(6, 300.0)
    prices = np.array([1, 0.9, 0.85, 0.7, 0.6, 0.45])
    earlier = own[0] / (np.exp(np.log(own[2] / own[0]) / 2) - 1)
    stocks = {
        "own": own.cumsum(),
        "own_with_initial": own.cumsum() + earlier,
        "world": (own + other).cumsum(),
    }
    points = table(*(sums(np.log(stock), np.log(prices), cumulative=kind) for kind, stock in stocks.items()))
    rates = [
        {
            **row, "n": 6, "first_year": 2015, "last_year": 2020, "reason": None, "small_sample": True,
            "doublings": float(np.log2(stocks[row["cumulative"]][-1] / stocks[row["cumulative"]][0])),
        }
        for row in fitted(points).to_pylist()
    ]  # fmt: skip
    flows = [
        {"year": year, "exporter_code": exporter, "hs6": BATTERIES, "value_usd": 10.0 * kg, "quantity_kg": kg,
         "quantity_units": None}
        for exporter, amounts in ((CHN, own), (842, other))
        for year, kg in zip(YEARS, amounts.tolist(), strict=True)
    ]  # fmt: skip
    chain = [
        {"year": year, "exporter_code": CHN, "product_level": "hs6", "product_code": BATTERIES, "basis": "baseline",
         "chain_start_year": 2015, "chain_tornqvist": price}
        for year, price in zip(YEARS, prices.tolist(), strict=True)
    ]  # fmt: skip
    sectors = {"sector_id": ["li"], "hs_revision": ["H5"], "hs6": [BATTERIES], "from_year": [2012]}
    return {
        "learning_rate": table(*rates),
        "all_years.trade_flows": pa.Table.from_pylist(flows),
        "all_prices": pa.Table.from_pylist(chain),
        "price_basis": pa.table({"heading": ["8703"]}),
        "price_sectors": pa.table(sectors),
        "stg_products": pa.table({"hs_revision": ["H5"]}),
    }


STAGE = Stage(name="learning", checks=LEARNING_CHECKS, prepare=LEARNING_PREPARED)


def spoiled(tables: Tables, column: str, factor: float) -> Tables:
    rates = [{**row, column: factor * row[column]} for row in tables["learning_rate"].to_pylist()]
    return {**tables, "learning_rate": table(*rates)}


def test_the_check_finds_the_same_rates() -> None:
    assert_passes(STAGE, holding(made_tables()))


@pytest.mark.parametrize(
    ("column", "check"),
    [
        *((name, "recomputed_from_prices") for name in ("b", "learning_rate", "r2", "doublings")),
        *((name, "intervals_follow_from_errors") for name in ("b_se", "learning_rate_se", "learning_rate_low", "r2")),
    ],
)
def test_the_checks_find_another_rate(column: str, check: str) -> None:
    found = outcome(STAGE, holding(spoiled(made_tables(), column, 1.01)), f"learning_rate.{check}")
    assert found.status == "failed" and found.n_failed == 3
