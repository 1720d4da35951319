"""The trade in one good as a network: how dense it is, how clustered, how wide, and who is central in it.

Pure functions over arrays. Clustering is Barrat's (PNAS 101, 2004), PageRank is Brin's and Page's (1998).
Not here: where the flows come from (dbt, `int_product_network`), and economic complexity (`complexity`).
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
import pyarrow as pa
from threadpoolctl import threadpool_limits

DAMPING = 0.85
# Two countries whose ranks differ by less are equally central: the lower code leads.
_TIE = 1e-12
# The last digits depend on the machine's linear algebra; a release's content must not.
_DECIMALS = 12

SCHEMA = pa.schema(
    [
        ("year", pa.int32()),
        ("hs6", pa.string()),
        ("n_countries", pa.int64()),
        ("n_links", pa.int64()),
        ("n_components", pa.int64()),
        ("largest_component", pa.int64()),
        ("clustering", pa.float64()),
        ("diameter", pa.int32()),
        ("density", pa.float64()),
        ("reciprocity", pa.float64()),
        ("top_pagerank_code", pa.int32()),
        ("top_pagerank", pa.float64()),
        ("top_buyer_pagerank_code", pa.int32()),
        ("top_buyer_pagerank", pa.float64()),
    ]
)


@dataclass(frozen=True)
class Network:
    """The measures of one good. Counts are countries or flows; all else but codes lies in [0, 1], diameter in hops.

    clustering          mean of Barrat's c over countries with at least two partners; None where there is none
    diameter            longest shortest path in the largest component (of several equally large, the greatest)
    top_pagerank        of the greatest supplier: rank flows from importer to exporter
    top_buyer_pagerank  of the greatest buyer: rank flows from exporter to importer
    """

    n_countries: int
    n_links: int
    n_components: int
    largest_component: int
    clustering: float | None
    diameter: int
    density: float
    reciprocity: float
    top_pagerank_code: int
    top_pagerank: float
    top_buyer_pagerank_code: int
    top_buyer_pagerank: float


def networks(
    year: int, hs6: pa.ChunkedArray, exporter: np.ndarray, importer: np.ndarray, value: np.ndarray
) -> pa.Table:
    """One row (SCHEMA) per good with a flow between two countries, sorted by hs6.

    The flows of a year in any order, all of one length: goods as a dictionary of texts, country codes (integers) and
    values (USD). Flows that are not above 0 and those of a country with itself are no links.
    """
    linked = np.flatnonzero((value > 0) & (exporter != importer))
    goods = hs6.combine_chunks()
    number = goods.indices.to_numpy()[linked].astype(np.min_scalar_type(len(goods.dictionary)))
    order = linked[np.argsort(number, kind="stable")]  # of numbers of two bytes in one pass
    sizes = np.bincount(number, minlength=len(goods.dictionary))
    ends = np.cumsum(sizes)
    rows = []
    # Two threads on matrices of this size wait for each other: seven times the processor time on a busy machine.
    with threadpool_limits(limits=1, user_api="blas"):
        for begin, end, name in zip(ends - sizes, ends, goods.dictionary.to_pylist(), strict=True):
            own = order[begin:end]
            if len(own):
                rows.append((name, network(exporter[own], importer[own], value[own])))
    return _table(year, sorted(rows, key=lambda row: row[0]))


def network(exporter: np.ndarray, importer: np.ndarray, value: np.ndarray) -> Network:
    """The measures of one good from its flows: country codes and values above 0, at least one, none to itself."""
    codes, ends = np.unique(np.concatenate([exporter, importer]), return_inverse=True)
    n, m = len(codes), len(value)
    weights = np.bincount(ends[:m] * n + ends[m:], value, minlength=n * n).reshape(n, n)
    both_ways = weights + weights.T
    linked = (both_ways > 0).astype(np.float32)
    links = weights > 0
    # Numbers of common partners: whole numbers below 2^24, exact in single precision.
    common = linked @ linked
    n_components, largest, diameter = _extent(linked, common)
    supplier, supplier_rank = _top(pagerank(weights.T))
    buyer, buyer_rank = _top(pagerank(weights))
    n_links = int(np.count_nonzero(links))
    return Network(
        n_countries=n,
        n_links=n_links,
        n_components=n_components,
        largest_component=largest,
        clustering=_clustering(both_ways, linked, common),
        diameter=diameter,
        density=n_links / (n * (n - 1)),
        reciprocity=int(np.count_nonzero(links & links.T)) / n_links,
        top_pagerank_code=int(codes[supplier]),
        top_pagerank=supplier_rank,
        top_buyer_pagerank_code=int(codes[buyer]),
        top_buyer_pagerank=buyer_rank,
    )


def pagerank(weights: np.ndarray) -> np.ndarray:
    """PageRank over a matrix of weights (from row to column), n x n, not negative: n numbers that sum to 1.

    Uniform teleport; the rank of a row without weight is spread evenly. That term only scales the result, so the ranks
    are the solution of (I - 0.85 P') y = 1, divided by their sum.
    """
    sums = weights.sum(axis=1)
    system = weights.T * np.divide(-DAMPING, sums, out=np.zeros_like(sums), where=sums > 0)
    system[np.diag_indices_from(system)] += 1.0
    ranks = np.linalg.solve(system, np.ones(len(weights)))
    return ranks / ranks.sum()


def _top(ranks: np.ndarray) -> tuple[int, float]:
    """Place and rank of the greatest; of equal ones the first."""
    greatest = float(ranks.max())
    return int(np.argmax(ranks >= greatest * (1 - _TIE))), greatest


def _clustering(both_ways: np.ndarray, linked: np.ndarray, common: np.ndarray) -> float | None:
    """Barrat's c_i = Σ_j s_ij (A²)_ij / (s_i (k_i - 1)), the mean over k_i >= 2; A² are the common partners."""
    degrees = linked.sum(axis=1, dtype=np.float64)
    counted = degrees >= 2
    if not counted.any():
        return None
    closed = np.einsum("ij,ij->i", both_ways, common, dtype=np.float64)
    strengths = both_ways.sum(axis=1)
    return float(np.mean(closed[counted] / (strengths[counted] * (degrees[counted] - 1))))


def _extent(linked: np.ndarray, common: np.ndarray) -> tuple[int, int, int]:
    """Components, countries in the largest, and its diameter. Direction does not count.

    Reach grows by one hop at a time, for those rows alone that grew in the hop before.
    """
    n = len(linked)
    itself = np.eye(n, dtype=bool)
    reached = (linked > 0) | itself
    hops = np.ones(n, dtype=np.int32)
    growing = np.flatnonzero(~reached.all(axis=1))
    further = reached[growing] | (common[growing] > 0)
    hop = 1
    while len(growing):
        hop += 1
        grew = further.sum(axis=1) > reached[growing].sum(axis=1)
        growing, further = growing[grew], further[grew]
        reached[growing] = further
        hops[growing] = hop
        unfinished = ~further.all(axis=1)
        growing, further = growing[unfinished], further[unfinished]
        further = further | (further.astype(np.float32) @ linked > 0)
    sizes = reached.sum(axis=1)
    largest = int(sizes.max())
    return round(float((1.0 / sizes).sum())), largest, int(hops[sizes == largest].max())


def _table(year: int, rows: list[tuple[str, Network]]) -> pa.Table:
    columns = {each.name: [getattr(found, each.name) for _, found in rows] for each in fields(Network)}
    for name, values in columns.items():
        if pa.types.is_floating(SCHEMA.field(name).type):
            columns[name] = [None if value is None else round(value, _DECIMALS) for value in values]
    return pa.table({"year": [year] * len(rows), "hs6": [name for name, _ in rows], **columns}, SCHEMA)
