"""Economic complexity: hand-worked cases, identities, and the Growth Lab's own package.

Not here: that dbt builds it year by year, and the marts over it (`test_dbt_models`).
"""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from dagster_project.datasets.trade.complexity import (
    NOT_SPECIFIED,
    Exports,
    complexity,
    densities,
    economic_complexity,
    exports_of,
    product_complexity,
    product_space,
    rca,
)
from dagster_project.sample.reporting import UNSPECIFIED_ONLY, YEARS
from dagster_project.sample.truth import truth

NESTED = np.array([[1, 1, 1], [1, 1, 0], [1, 0, 0]], dtype=bool)
ROOT = np.sqrt(6)


def test_hand_worked_index() -> None:
    """Eigenvalues 1, 1/4, 1/9; y = (2, -1, -4), of mean -1 and deviation √6; PCI = (means of y · 4 + 1) / √6."""
    found = complexity(NESTED)
    assert found.eci * ROOT == pytest.approx([3, 0, -3], abs=1e-14)
    assert found.pci * ROOT == pytest.approx([-3, 3, 9], abs=1e-13)


def test_hand_worked_density() -> None:
    """Proximities 2/3, 1/3 and 1/2; the third country exports the first good alone: 1/2, (2/3)/(13/6), (1/3)/(11/6)."""
    assert densities(NESTED)[2] == pytest.approx([1 / 2, 4 / 13, 2 / 11])
    assert densities(NESTED)[0] == pytest.approx([1, 1, 1])


def test_hand_worked_advantage() -> None:
    assert rca(np.array([[80.0, 20.0], [20.0, 80.0]])) == pytest.approx(np.array([[1.6, 0.4], [0.4, 1.6]]))


def test_an_exact_share_is_an_advantage() -> None:
    """Thirds of a cent: what is 1 by rule must not be a little less by the last digit."""
    value = np.outer([0.1, 0.2, 0.7], [1 / 3, 1 / 7, 0.3])
    assert (rca(value) == 1).all()


def test_countries_and_goods_without_an_advantage_take_no_part() -> None:
    wider = np.zeros((4, 5), dtype=bool)
    wider[:3, 1:4] = NESTED
    found, plain = complexity(wider), complexity(NESTED)
    assert found.eci == pytest.approx([*plain.eci, np.nan], nan_ok=True)
    assert found.pci == pytest.approx([np.nan, *plain.pci, np.nan], nan_ok=True)
    density = densities(wider)
    assert density[:3, 1:4] == pytest.approx(densities(NESTED)) and (density[3, 1:4] == 0).all()
    assert np.isnan(density[:, [0, 4]]).all()


@pytest.mark.parametrize(
    "advantage",
    [
        np.array([[1, 1], [1, 0]]),
        np.ones((4, 3)),
        np.eye(4),
        np.kron(np.eye(2), np.ones((2, 2))),
        np.array([[1, 1, 0], [0, 1, 1], [1, 0, 1]]),
        np.zeros((3, 3)),
    ],
    ids=["two countries", "all alike", "a good each", "two blocks", "a ring", "no advantage"],
)
def test_without_a_single_solution_there_is_no_index(advantage: np.ndarray) -> None:
    found = complexity(advantage.astype(bool))
    assert np.isnan(found.eci).all() and np.isnan(found.pci).all()


def random_exports(seed: int, n_countries: int, n_goods: int) -> Exports:
    """Goods that fewer and fewer countries can make, with values over ten orders of magnitude."""
    draw = np.random.default_rng(seed)
    able = draw.random(n_countries)[:, None] > draw.random(n_goods) ** 2 * draw.random((n_countries, n_goods))
    value = np.where(able, 10 ** draw.uniform(0, 10, able.shape), 0.0)
    value[:, 0] = 1.0  # every country exports something, and so does every good below
    value[0] += 1.0
    goods = np.array([f"{number:06}" for number in range(n_goods)], dtype=object)
    return Exports(np.arange(1, n_countries + 1), goods, value)


@pytest.mark.parametrize("seed", range(5))
def test_a_country_s_index_is_the_mean_of_its_goods(seed: int) -> None:
    advantage = rca(random_exports(seed, 40, 150).value) >= 1
    found = complexity(advantage)
    means = [found.pci[row].mean() for row in advantage]
    assert found.eci == pytest.approx(means, abs=1e-11)
    assert (found.eci.mean(), found.eci.std()) == (pytest.approx(0, abs=1e-13), pytest.approx(1))
    assert np.corrcoef(found.eci, advantage.sum(axis=1))[0, 1] > 0


@pytest.mark.parametrize("seed", range(3))
def test_no_value_depends_on_the_unit_or_on_the_order(seed: int) -> None:
    exports = random_exports(seed, 20, 60)
    plain, scaled = rca(exports.value) >= 1, rca(1e-3 * exports.value) >= 1
    assert (plain == scaled).all()
    order = np.random.default_rng(seed).permutation(60)
    assert complexity(plain[:, order]).eci == pytest.approx(complexity(plain).eci, abs=1e-11)
    assert densities(plain[:, order]) == pytest.approx(densities(plain)[:, order], abs=1e-14)


def test_blocks_of_goods_give_what_all_at_once_gives(monkeypatch: pytest.MonkeyPatch) -> None:
    advantage = rca(random_exports(1, 20, 60).value) >= 1
    whole = densities(advantage)
    monkeypatch.setattr("dagster_project.datasets.trade.complexity._BLOCK", 7)
    assert densities(advantage) == pytest.approx(whole, abs=1e-15)


@pytest.mark.slow
@pytest.mark.parametrize(("seed", "n_countries", "n_goods"), [(1, 30, 80), (2, 60, 200), (3, 109, 500)])
def test_equal_to_the_growth_lab_s_package(seed: int, n_countries: int, n_goods: int) -> None:
    from ecomplexity import ecomplexity

    exports = random_exports(seed, n_countries, n_goods)
    rows, columns = np.indices(exports.value.shape)
    frame = pd.DataFrame({"t": 2017, "c": rows.ravel(), "p": columns.ravel(), "x": exports.value.ravel()})
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        made = ecomplexity(
            frame, {"time": "t", "loc": "c", "prod": "p", "val": "x"}, presence_test="rca", verbose=False
        )
    made = made.sort_values(["c", "p"])
    ours, advantage = complexity(rca(exports.value) >= 1), rca(exports.value) >= 1
    shape = exports.value.shape
    assert made["eci"].to_numpy().reshape(shape)[:, 0] == pytest.approx(ours.eci, abs=1e-9)
    assert made["pci"].to_numpy().reshape(shape)[0] == pytest.approx(ours.pci, abs=1e-9)
    assert made["density"].to_numpy().reshape(shape) == pytest.approx(densities(advantage), abs=1e-9)


def test_the_rows_of_a_year() -> None:
    """A country that exports 999999 alone is in no row, and neither is that good."""
    hs6 = pa.chunked_array([pa.array(["260300", "850760", "999999", "260300", "999999"]).dictionary_encode()])
    country, value = np.array([2, 2, 2, 1, 3]), np.array([20.0, 80.0, 7.0, 100.0, 5.0])
    exports = exports_of(country, hs6, value)
    assert economic_complexity(2017, exports).to_pylist() == [
        {"year": 2017, "country_code": 1, "eci": None, "diversity": 1},
        {"year": 2017, "country_code": 2, "eci": None, "diversity": 1},
    ]
    assert product_complexity(2017, exports).to_pylist() == [
        {"year": 2017, "hs6": "260300", "pci": None, "ubiquity": 1},
        {"year": 2017, "hs6": "850760", "pci": None, "ubiquity": 1},
    ]
    pairs = product_space(2017, exports).select(["country_code", "hs6", "rca", "density"])
    assert [tuple(row.values()) for row in pairs.to_pylist()] == [
        (1, "260300", 1.666666666667, 1.0),
        (1, "850760", 0.0, 0.0),
        (2, "260300", 0.333333333333, 0.0),
        (2, "850760", 2.0, 1.0),
    ]


def test_a_year_without_exports_has_no_rows() -> None:
    nothing = pa.chunked_array([], pa.dictionary(pa.int32(), pa.string()))
    exports = exports_of(np.empty(0, dtype=np.int32), nothing, np.empty(0))
    for made in (economic_complexity, product_complexity, product_space):
        assert made(2017, exports).num_rows == 0


@pytest.mark.slow
def test_the_sample_holds_a_country_of_which_no_good_is_known() -> None:
    for year in YEARS:
        goods: dict[int, set[str]] = {}
        for of, exporter, _, hs6 in truth().flows:
            if of == year:
                goods.setdefault(exporter, set()).add(hs6)
        assert [exporter for exporter, sold in goods.items() if sold == {NOT_SPECIFIED}] == [UNSPECIFIED_ONLY[0]]
