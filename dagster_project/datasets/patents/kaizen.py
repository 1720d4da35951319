"""Chains of improvement, and what later documents made of them: what one pass over arrays does better than SQL.

A chain has no fixed length: SQL would follow every path, of which there are more than citations. And who cites a
publication or what it builds on are many hundred million pairs: here they are counted block by block, in a tenth of the
memory. Not here: which citations are own ones, and what a document is (dbt).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

Ints = npt.NDArray[np.int64]

DEPTHS = pa.schema([("place", pa.int32()), ("depth", pa.int32())])
DISRUPTION = pa.schema(
    [
        ("place", pa.int32()),
        ("n_focal_only", pa.int64()),
        ("n_both", pa.int64()),
        ("n_predecessor_only", pa.int64()),
    ]
)
# Pairs of a publication and a document that are sorted at a time: 8 bytes each, some five times over.
BLOCK = 8_000_000
# Two numbers in one, the second from 0: days from far before the first patent, documents below 0.
_SHIFT, _DAYS, _DOCUMENTS = 32, 1 << 20, 1 << 31


def depths(own: pa.Table) -> pa.Table:
    """One row per citing publication of a citation within five years: 1 + the largest depth of those that it cites.

    `own` has the columns citing, cited, citing_filed and within_5y, in any order of rows. The cited ones were filed
    strictly earlier, so that their depths are final when their turn comes; those that cite none have 0.
    """
    used = own.filter(own["within_5y"])
    citing, cited = (used[name].to_numpy().astype(np.int64) for name in ("citing", "cited"))
    day = _days(used["citing_filed"])
    order = np.argsort(day, kind="stable")
    citing, cited, day = citing[order], cited[order], day[order]
    depth = np.zeros(1 + max(int(citing.max(initial=0)), int(cited.max(initial=0))), np.int32)
    for first, end in pairwise([*np.flatnonzero(np.diff(day, prepend=-_DAYS)).tolist(), len(day)]):
        np.maximum.at(depth, citing[first:end], depth[cited[first:end]] + 1)
    found = _distinct(citing)
    return pa.table([found.astype(np.int32), depth[found]], schema=DEPTHS)


@dataclass(frozen=True)
class _Citing:
    """Who cites what, sorted by the cited publication and the date of the document: `key` holds both."""

    key: Ints
    document: npt.NDArray[np.int32]

    def between(self, cited: Ints, after: Ints, before: Ints) -> tuple[Ints, Ints]:
        """For each cited publication, where its documents dated strictly between two days begin and end."""
        first = np.searchsorted(self.key, (cited << _SHIFT) + after + _DAYS + 1)
        end = np.searchsorted(self.key, (cited << _SHIFT) + before + _DAYS)
        return first, np.maximum(first, end)


def disruption(documents: pa.Table, places: pa.Table) -> pa.Table:
    """One row per publication that cites landed ones, where a document of its window cites it or one of those.

    documents  document, cited, document_date: a document is a place or a number below 0; in any order of rows
    places     place (from 1), window_start, window_end of every publication
    """
    start, end = _windows(places)
    document, cited = (documents[name].to_numpy() for name in ("document", "cited"))
    citing = _sorted(document, cited, _days(documents["document_date"]))
    is_own = (document > 0) & (document != cited)
    focal, predecessor = document[is_own].astype(np.int64), cited[is_own].astype(np.int64)
    order = np.argsort(focal, kind="stable")
    focal, predecessor = focal[order], predecessor[order]
    known = start[focal] > -_DAYS
    focal, predecessor = focal[known], predecessor[known]
    blocks = [
        _counted(citing, focal[part], predecessor[part], start, end) for part in _blocks(citing, focal, predecessor)
    ]
    counts = np.concatenate([np.empty((0, 4), np.int64), *blocks])
    counts = counts[counts[:, 1:].any(axis=1)]
    return pa.table([counts[:, 0].astype(np.int32), *counts[:, 1:].T], schema=DISRUPTION)


def _days(dates: pa.ChunkedArray) -> Ints:
    return dates.to_numpy().astype("datetime64[D]").astype(np.int64)


def _windows(places: pa.Table) -> tuple[Ints, Ints]:
    """First and last day of every place's window, neither within it; days before all others where there is none."""
    known = places.filter(pc.is_valid(places["window_start"]))
    at = known["place"].to_numpy()
    start, end = (np.full(1 + int(places["place"].to_numpy().max(initial=0)), -_DAYS, np.int64) for _ in range(2))
    start[at], end[at] = _days(known["window_start"]), _days(known["window_end"])
    return start, end


def _sorted(document: npt.NDArray[np.int32], cited: npt.NDArray[np.int32], day: Ints) -> _Citing:
    key = (cited.astype(np.int64) << _SHIFT) + day + _DAYS
    order = np.argsort(key)
    return _Citing(key[order], document[order])


def _blocks(citing: _Citing, focal: Ints, predecessor: Ints) -> Iterator[slice]:
    """Parts of the citations, whole publications each, that have about as many pairs as are sorted at a time."""
    n = np.searchsorted(citing.key, (predecessor + 1) << _SHIFT) - np.searchsorted(citing.key, predecessor << _SHIFT)
    firsts = np.flatnonzero(np.diff(focal, prepend=0))
    block = (np.cumsum(n) - n)[firsts] // BLOCK
    bounds = [*firsts[np.flatnonzero(np.diff(block, prepend=-1))].tolist(), len(focal)]
    return (slice(first, end) for first, end in pairwise(bounds))


def _counted(citing: _Citing, focal: Ints, predecessor: Ints, start: Ints, end: Ints) -> Ints:
    """place, i, j, k of the publications of a block."""
    of_predecessors = _distinct(_pairs(citing, focal, predecessor, start, end))
    places = _distinct(focal)
    direct = _pairs(citing, places, places, start, end)
    at = np.searchsorted(of_predecessors, direct)
    is_both = at < len(of_predecessors)
    is_both[is_both] = of_predecessors[at[is_both]] == direct[is_both]
    n_direct, n_both, n_indirect = (
        np.bincount((pairs >> _SHIFT) - places[0], minlength=int(places[-1] - places[0]) + 1)[places - places[0]]
        for pairs in (direct, direct[is_both], of_predecessors)
    )
    return np.column_stack([places, n_direct - n_both, n_both, n_indirect - n_both])


def _distinct(values: Ints) -> Ints:
    """Sorted and without repetitions: by sorting, which is many times faster than NumPy's `unique`, a hash table."""
    ordered = np.sort(values)
    return ordered[np.diff(ordered, prepend=-1) != 0]


def _pairs(citing: _Citing, focal: Ints, cited: Ints, start: Ints, end: Ints) -> Ints:
    """Each publication with each document that cites what is beside it, within the publication's window.

    The publication itself is none of its documents.
    """
    first, last = citing.between(cited, start[focal], end[focal])
    n = last - first
    place = np.repeat(focal, n)
    document = citing.document[np.arange(n.sum()) + np.repeat(first - (np.cumsum(n) - n), n)].astype(np.int64)
    apart = document != place
    return np.asarray((place[apart] << _SHIFT) + document[apart] + _DOCUMENTS, np.int64)
