"""Depths of chains: by hand, in any order of rows, and against a recursion that follows every path."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from functools import cache

import numpy as np
import pyarrow as pa

from dagster_project.datasets.patents.kaizen import SCHEMA, depths

START = dt.date(2010, 1, 1)
OWN = pa.schema(
    [("citing", pa.int32()), ("cited", pa.int32()), ("citing_filed", pa.date32()), ("within_5y", pa.bool_())]
)


def own(rows: Sequence[tuple[int, int, int, bool]]) -> pa.Table:
    """Citations as (citing, cited, day on which the citing one was filed, whether within five years)."""
    columns = list(zip(*rows, strict=True)) or [()] * 4
    days = [START + dt.timedelta(days=day) for day in columns[2]]
    return pa.table([columns[0], columns[1], days, columns[3]], schema=OWN)


def found(rows: Sequence[tuple[int, int, int, bool]]) -> dict[int, int]:
    table = depths(own(rows))
    assert table.schema == SCHEMA
    return dict(zip(*(column.to_pylist() for column in table.columns), strict=True))


def test_hand_worked_chain() -> None:
    """B (2012) follows A (2010), C (2014) follows B and A; E (2020) cites A ten years later: depths 0, 1, 2, 0."""
    rows = [(3, 2, 1461, True), (3, 1, 1461, True), (2, 1, 730, True), (5, 1, 3652, False)]
    assert found(rows) == {2: 1, 3: 2}


def test_the_longest_way_counts() -> None:
    """4 cites 1 directly and by way of 3 and 2."""
    rows = [(4, 1, 30, True), (4, 3, 30, True), (3, 2, 20, True), (2, 1, 10, True)]
    assert found(rows) == {2: 1, 3: 2, 4: 3}


def test_numbers_of_publications_say_nothing_of_their_order() -> None:
    assert found([(1, 2, 20, True), (2, 3, 10, True)]) == {2: 1, 1: 2}


def test_nothing_to_follow() -> None:
    assert found([]) == {}
    assert found([(2, 1, 10, False)]) == {}


def test_against_every_path() -> None:
    draw = np.random.default_rng(5)
    filed = draw.integers(0, 200, 400)
    pairs = {(int(a), int(b)) for a, b in draw.integers(0, 400, (1500, 2)) if filed[b] < filed[a]}

    @cache
    def longest(place: int) -> int:
        return max((1 + longest(cited) for citing, cited in pairs if citing == place), default=0)

    rows = [(citing, cited, int(filed[citing]), True) for citing, cited in pairs]
    expected = {citing: longest(citing) for citing, _ in pairs}
    assert found(rows) == expected
    assert max(expected.values()) > 5
    assert found(rows[::-1]) == expected
