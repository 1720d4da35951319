"""The network of a good: hand-worked cases, identities, and 200 goods against networkx.

Not here: that dbt builds it year by year (`test_yearly_python`), and the mart over it (`test_dbt_models`).
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import asdict
from fractions import Fraction
from math import nan
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from dagster_project.datasets.trade.network import SCHEMA, Network, network, networks, pagerank
from dagster_project.sample.reporting import YEARS
from dagster_project.sample.truth import truth
from tests.helpers.plain_networks import plain_network

Flows = Mapping[tuple[int, int], float]

PATH_AND_TRIANGLE = {(1, 2): 1, (1, 3): 2, (2, 3): 4, (3, 4): 8}
CYCLE = {(1, 2): 10, (2, 3): 10, (3, 1): 10}
STAR = {(1, 2): 5, (1, 3): 5, (1, 4): 5}
TWO_PARTS = {(1, 2): 3, (2, 1): 1, (3, 4): 1, (4, 5): 1}
ONE_LINK = {(1, 2): 7}
EQUAL_PARTS = {(1, 2): 1, (2, 3): 1, (4, 5): 1, (5, 6): 1, (6, 4): 1}


def measured(flows: Flows, scale: float = 1.0) -> Network:
    exporter, importer = (np.array(each) for each in zip(*flows, strict=True))
    return network(exporter, importer, scale * np.array(list(flows.values()), dtype=float))


def matrix(flows: Flows) -> np.ndarray:
    """Values from exporter (row) to importer (column); countries are numbered from 1."""
    n = max(max(pair) for pair in flows)
    weights = np.zeros((n, n))
    for (exporter, importer), value in flows.items():
        weights[exporter - 1, importer - 1] = value
    return weights


def comparable(row: Mapping[str, Any]) -> dict[str, Any]:
    """The row with NaN for what is not there."""
    return {name: nan if value is None else value for name, value in row.items()}


def approximately(row: Mapping[str, Any], **tolerance: float) -> Any:
    return pytest.approx(comparable(row), nan_ok=True, **tolerance)


@pytest.mark.parametrize(
    ("flows", "clustering", "diameter", "density", "reciprocity", "buyer", "rank"),
    [
        # c_1 = (1+2)/3 = 1, c_2 = (1+4)/5 = 1, c_3 = (2+4)/(14·2) = 3/14; country 4 has one partner.
        (PATH_AND_TRIANGLE, Fraction(31, 42), 2, Fraction(1, 3), 0, 4, 3.258875 / 8.199708333333334),
        (CYCLE, 1, 1, Fraction(1, 2), 0, 1, Fraction(1, 3)),
        (STAR, 0, 2, Fraction(1, 4), 0, 2, (1 + 0.85 / 3) / 4.85),
        (TWO_PARTS, 0, 2, Fraction(1, 5), Fraction(1, 2), 1, (20 / 3) / 18.755833333333335),
        (ONE_LINK, None, 1, Fraction(1, 2), 0, 2, 1.85 / 2.85),
        (EQUAL_PARTS, Fraction(3, 4), 2, Fraction(1, 6), 0, 4, (20 / 3) / 25.4225),
    ],
    ids=["triangle with a tail", "cycle", "star", "two parts", "one link", "two equal parts"],
)
def test_hand_worked(
    flows: Flows,
    clustering: Fraction | None,
    diameter: int,
    density: Fraction,
    reciprocity: Fraction,
    buyer: int,
    rank: float,
) -> None:
    found = measured(flows)
    assert found.clustering == (None if clustering is None else pytest.approx(float(clustering), abs=1e-15))
    assert found.diameter == diameter
    assert found.density == pytest.approx(float(density))
    assert found.reciprocity == pytest.approx(float(reciprocity))
    assert found.top_buyer_pagerank_code == buyer
    assert found.top_buyer_pagerank == pytest.approx(float(rank), abs=1e-14)


def test_supplier_power_is_pagerank_against_the_flow() -> None:
    """The star's exporter: y_1 = 1 + 3 · 0.85, and 1 for each of the three that only buy."""
    found = measured(STAR)
    assert (found.top_pagerank_code, found.top_pagerank) == (1, pytest.approx(3.55 / 6.55, abs=1e-15))


def test_two_equal_parts_of_which_the_wider_one_counts() -> None:
    found = measured(EQUAL_PARTS)
    assert (found.n_components, found.largest_component, found.diameter) == (2, 3, 2)


def test_a_chain_is_as_wide_as_it_is_long() -> None:
    for length in range(1, 8):
        assert measured({(code, code + 1): 1.0 for code in range(length)}).diameter == length


@pytest.mark.parametrize("flows", [PATH_AND_TRIANGLE, CYCLE, STAR, TWO_PARTS, ONE_LINK, EQUAL_PARTS])
def test_identities(flows: Flows) -> None:
    """Ranks sum to 1 in both directions; no measure depends on the unit of value."""
    for weights in (matrix(flows), matrix(flows).T):
        assert pagerank(weights).sum() == pytest.approx(1, abs=1e-15)
    base = measured(flows)
    for scale in (1e-3, 1e9):
        assert comparable(asdict(measured(flows, scale))) == approximately(asdict(base), rel=1e-13, abs=1e-15)


def random_flows(draw: random.Random) -> dict[tuple[int, int], float]:
    """2 to 60 countries, sparse or dense, with values over eight orders of magnitude, ties among them."""
    codes = draw.sample(range(1, 999), draw.randint(2, 60))
    density = draw.choice((0.02, 0.1, 0.3))
    pairs = [(i, j) for i in codes for j in codes if i != j and draw.random() < density] or [(codes[0], codes[1])]
    return {pair: draw.choice((100.0, 10 ** draw.uniform(1, 9))) for pair in pairs}


@pytest.mark.slow
def test_equal_to_networkx_on_200_goods() -> None:
    draw = random.Random(12)
    goods = {f"{number:06}": random_flows(draw) for number in range(200)}
    found = {row.pop("hs6"): row for row in table(goods).to_pylist()}
    assert found.keys() == goods.keys()
    for hs6, flows in goods.items():
        expected = {"year": 2017, **plain_network(flows)}
        assert comparable(found[hs6]) == approximately(expected, rel=1e-9, abs=1e-12), hs6
    # The comparison is worth something only where the cases occur.
    assert {row["clustering"] is None for row in found.values()} == {True, False}
    assert {row["n_components"] > 1 for row in found.values()} == {True, False}
    assert max(row["diameter"] for row in found.values()) > 4


def table(goods: Mapping[str, Flows]) -> pa.Table:
    """The goods' flows in one year, good after good in turn, so that no good's flows lie together."""
    rows = [(hs6, *pair, value) for hs6, flows in goods.items() for pair, value in flows.items()]
    rows.sort(key=lambda row: hash(row[1:]))
    hs6, exporter, importer, value = zip(*rows, strict=True)
    text = pa.chunked_array([pa.array(hs6).dictionary_encode()])
    return networks(2017, text, *(np.array(each) for each in (exporter, importer, value)))


def test_rows_are_sorted_and_what_is_no_link_is_left_out() -> None:
    goods = {"850760": {(1, 1): 5.0, (1, 2): 7.0, (2, 3): 0.0}, "260300": ONE_LINK, "710812": {(4, 4): 2.0}}
    found = table(goods)
    assert found.schema == SCHEMA
    assert found["hs6"].to_pylist() == ["260300", "850760"]
    assert found["n_countries"].to_pylist() == [2, 2]


def test_a_year_without_flows_has_no_rows() -> None:
    nothing = pa.chunked_array([], pa.dictionary(pa.int32(), pa.string()))
    codes = np.empty(0, dtype=np.int32)
    assert networks(2017, nothing, codes, codes, np.empty(0)).num_rows == 0


@pytest.mark.slow
def test_the_sample_holds_every_kind_of_network() -> None:
    """A good of one link, one of two equal parts, one of a single exporter, and the usual one."""
    by_good: dict[tuple[int, str], dict[tuple[int, int], float]] = {}
    for (year, exporter, importer, hs6), (value, _) in truth().flows.items():
        by_good.setdefault((year, hs6), {})[exporter, importer] = value
    for year in YEARS:
        found = {hs6: measured(flows) for (of, hs6), flows in by_good.items() if of == year}
        kinds = {(each.n_links == 1, each.n_components, each.clustering is None) for each in found.values()}
        assert {(True, 1, True), (False, 1, False)} <= kinds
        assert any(each.n_components == 2 and each.n_countries == 2 * each.largest_component for each in found.values())
        assert any(each.clustering == 0 for each in found.values())
