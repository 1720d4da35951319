"""Depths of chains and what became of publications: by hand, and against recursion and sets that follow all of them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from functools import cache

import numpy as np
import pyarrow as pa
import pytest

from dagster_project.datasets.patents import kaizen
from dagster_project.datasets.patents.kaizen import DEPTHS, DISRUPTION, depths, disruption

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
    assert table.schema == DEPTHS
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


DOCUMENTS = pa.schema([("document", pa.int32()), ("cited", pa.int32()), ("document_date", pa.date32())])
PLACES = pa.schema([("place", pa.int32()), ("window_start", pa.date32()), ("window_end", pa.date32())])


def counted(
    documents: Sequence[tuple[int, int, dt.date]], windows: Mapping[int, tuple[dt.date, dt.date] | None]
) -> dict[int, tuple[int, ...]]:
    """Documents as (document, cited, date); the windows of places, None where no date is known: place -> i, j, k."""
    cites = pa.table(list(zip(*documents, strict=True)) or [()] * 3, schema=DOCUMENTS)
    rows = [(place, *(window or (None, None))) for place, window in windows.items()]
    table = disruption(cites, pa.table(list(zip(*rows, strict=True)), schema=PLACES))
    assert table.schema == DISRUPTION
    return {row[0]: row[1:] for row in zip(*(column.to_pylist() for column in table.columns), strict=True)}


def test_documents_that_cite_a_publication_its_predecessors_or_both() -> None:
    """B (2) cites A (1). C (3) cites both (j), document -9 cites B (i), -8 cites A (k): 1, 1, 1.

    Outside the window of B: -7 on the day of its publication, -6 on the fifth anniversary. B itself, which cites A too,
    is none of its documents. -6 is in the window of C, and cites B, on which C builds (k). A has no predecessor, D (4),
    which cites A within the window of C, no date.
    """
    windows = {
        1: (dt.date(2010, 6, 1), dt.date(2015, 6, 1)),
        2: (dt.date(2012, 6, 1), dt.date(2017, 6, 1)),
        3: (dt.date(2014, 6, 1), dt.date(2019, 6, 1)),
        4: None,
    }
    documents = [
        (2, 1, dt.date(2013, 1, 1)), (3, 1, dt.date(2014, 5, 1)), (3, 2, dt.date(2014, 5, 1)),
        (-9, 2, dt.date(2014, 1, 1)), (-8, 1, dt.date(2014, 2, 1)), (-7, 1, dt.date(2012, 6, 1)),
        (-6, 2, dt.date(2017, 6, 1)),
    ]  # fmt: skip
    assert counted(documents, windows) == {2: (1, 1, 1), 3: (0, 0, 1)}
    assert counted([*documents, (4, 1, dt.date(2018, 1, 1))], windows) == {2: (1, 1, 1), 3: (0, 0, 2)}
    assert counted([], windows) == {}


@pytest.mark.parametrize("block", [1, 50, 10**6])
def test_counts_are_those_of_sets_whatever_the_blocks(block: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kaizen, "BLOCK", block)
    draw = np.random.default_rng(9)
    days = [START + dt.timedelta(days=int(day)) for day in draw.integers(-20_000, 4_000, 60)]
    windows = {place: (day, day + dt.timedelta(days=1826)) for place, day in enumerate(days, start=1)}
    dates = {document: START + dt.timedelta(days=int(draw.integers(-15_000, 6_000))) for document in range(-80, 61)}
    pairs = {(int(a), int(b)) for a, b in zip(draw.integers(-80, 61, 900), draw.integers(1, 61, 900), strict=True) if a}
    cited_by = {place: {document for document, cited in pairs if cited == place} for place in windows}
    expected = {}
    for place, (start, end) in windows.items():
        predecessors = [cited for document, cited in pairs if document == place != cited]
        if not predecessors:
            continue
        inside = {document for document, date in dates.items() if start < date < end and document != place}
        focal, others = cited_by[place] & inside, set().union(*(cited_by[each] for each in predecessors)) & inside
        if focal | others:
            expected[place] = (len(focal - others), len(focal & others), len(others - focal))
    assert counted([(document, cited, dates[document]) for document, cited in pairs], windows) == expected
    assert len(expected) > 20
