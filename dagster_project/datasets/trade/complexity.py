"""Economic complexity: which goods a country exports more than its share of, and how rare and how varied company is.

Pure functions over a matrix of exports. Hidalgo and Hausmann (PNAS 106, 2009), solved as an eigenproblem on the side of
the countries; standardised as in The Atlas of Economic Complexity (2011). Not here: where the exports come from (dbt,
`int_exporter_products`), and the networks of goods (`network`).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from threadpoolctl import threadpool_limits

# Commodities not specified: no good.
NOT_SPECIFIED = "999999"
# Two eigenvalues that differ by less have no direction of their own.
_GAP = 1e-9
# Goods whose densities are computed at once: a block of 512 x 5,200 doubles takes 21 MB.
_BLOCK = 512
# The last digits depend on the machine's linear algebra; a release's content must not.
_DECIMALS = 12

COUNTRIES = pa.schema(
    [
        ("year", pa.int32()),
        ("country_code", pa.int32()),
        ("eci", pa.float64()),
        ("diversity", pa.int64()),
    ]
)
PRODUCTS = pa.schema([("year", pa.int32()), ("hs6", pa.string()), ("pci", pa.float64()), ("ubiquity", pa.int64())])
SPACE = pa.schema(
    [
        ("year", pa.int32()),
        ("country_code", pa.int32()),
        ("hs6", pa.string()),
        ("rca", pa.float64()),
        ("density", pa.float64()),
    ]
)


@dataclass(frozen=True)
class Exports:
    """A year's exports in USD: `value[c, p]` is what country `countries[c]` exports of good `goods[p]`, 0 for nothing.

    Both are sorted; every country and every good exports something.
    """

    countries: np.ndarray
    goods: np.ndarray
    value: np.ndarray


@dataclass(frozen=True)
class Complexity:
    """ECI by country and PCI by good; NaN for those without part, and for all where there is no single solution."""

    eci: np.ndarray
    pci: np.ndarray


def exports_of(country: np.ndarray, hs6: pa.ChunkedArray, value: np.ndarray) -> Exports:
    """The matrix of a year's exports: country codes, goods as a dictionary of texts, values; all of one length.

    In any order. Exports of 999999 and those not above 0 are left out.
    """
    found = hs6.combine_chunks()
    names, number = np.array(found.dictionary.to_pylist(), dtype=object), found.indices.to_numpy()
    counted = np.flatnonzero((value > 0) & (names != NOT_SPECIFIED)[number])
    countries, rows = np.unique(country[counted], return_inverse=True)
    goods = np.unique(names[np.unique(number[counted])])
    columns = np.searchsorted(goods, names)[number[counted]]
    matrix = np.zeros((len(countries), len(goods)))
    np.add.at(matrix, (rows, columns), value[counted])
    return Exports(countries, goods, matrix)


def rca(value: np.ndarray) -> np.ndarray:
    """Revealed comparative advantage (Balassa 1965), (x_cp / X_c) / (X_p / X), of a matrix countries x goods.

    Rounded to 12 decimal places, so that a country that exports exactly its share has 1 on every machine.
    """
    total = value.sum()
    if total == 0:
        return np.zeros_like(value)
    expected = np.outer(value.sum(axis=1), value.sum(axis=0)) / total
    return np.round(np.divide(value, expected, out=np.zeros_like(value), where=expected > 0), _DECIMALS)


def complexity(advantage: np.ndarray) -> Complexity:
    """ECI and PCI of a matrix M_cp of advantages (booleans, countries x goods).

    With diversity k_c and ubiquity k_p, S = D^-1/2 M U^-1 M' D^-1/2; v belongs to its second-largest eigenvalue λ, and
    y = D^-1/2 v, with the sign that y and k_c are positively correlated. ECI = (y - mean) / sd of y. PCI is the mean of
    y over the good's exporters / λ, less the same mean and over the same sd; so a country's ECI is the mean of the PCI
    of its goods. Countries and goods without an advantage take no part. There is no single solution for fewer than
    three countries, where λ equals the eigenvalue above or below it, and where the sign is open.
    """
    diverse, held = advantage.any(axis=1), advantage.any(axis=0)
    eci, pci = (np.full(length, np.nan) for length in advantage.shape)
    taking_part = advantage[diverse][:, held].astype(np.float64)
    if len(taking_part) >= 3:
        diversity, ubiquity = taking_part.sum(axis=1), taking_part.sum(axis=0)
        scaled = taking_part / np.sqrt(diversity)[:, None]
        with threadpool_limits(limits=1, user_api="blas"):
            eigenvalues, vectors = np.linalg.eigh((scaled / ubiquity) @ scaled.T)
        below, second, first = eigenvalues[-3:]
        y = vectors[:, -2] / np.sqrt(diversity)
        apart = y - y.mean()
        slope = float(apart @ (diversity - diversity.mean()))
        alone = first - second > _GAP and second - below > _GAP
        if alone and abs(slope) > _GAP * np.linalg.norm(apart) * np.linalg.norm(diversity):
            spread = np.sign(slope) * y.std()
            eci[diverse] = apart / spread
            pci[held] = ((taking_part.T @ y) / ubiquity / second - y.mean()) / spread
    return Complexity(eci, pci)


def densities(advantage: np.ndarray) -> np.ndarray:
    """Density of every country around every good: Σ_q M_cq φ_pq / Σ_q φ_pq, the good itself included.

    φ_pq = Σ_c M_cp M_cq / max(k_p, k_q) is the proximity of two goods, 1 of a good to itself. NaN for goods without an
    advantage anywhere. Memory is bounded by a block of goods against all.
    """
    held = advantage.any(axis=0)
    density = np.full(advantage.shape, np.nan)
    density[:, held] = np.concatenate([*_blocks(advantage[:, held])] or [np.empty((len(advantage), 0))], axis=1)
    return density


def _blocks(advantage: np.ndarray) -> Iterator[np.ndarray]:
    """Densities of one block of goods after the other. Every good has an advantage somewhere."""
    held = advantage.astype(np.float64)
    # Counts are exact in single precision; what is divided is not.
    counted, ubiquity = advantage.astype(np.float32), advantage.sum(axis=0)
    with threadpool_limits(limits=1, user_api="blas"):
        for begin in range(0, advantage.shape[1], _BLOCK):
            block = slice(begin, begin + _BLOCK)
            together = (counted.T @ counted[:, block]).astype(np.float64)
            proximity = together / np.maximum.outer(ubiquity, ubiquity[block])
            yield (held @ proximity) / proximity.sum(axis=0)


def economic_complexity(year: int, exports: Exports) -> pa.Table:
    """One row (COUNTRIES) per country that exports a good."""
    advantage = rca(exports.value) >= 1
    return pa.table(
        {
            "year": np.full(len(exports.countries), year),
            "country_code": exports.countries,
            "eci": _numbers(complexity(advantage).eci),
            "diversity": advantage.sum(axis=1),
        },
        COUNTRIES,
    )


def product_complexity(year: int, exports: Exports) -> pa.Table:
    """One row (PRODUCTS) per good that is exported."""
    advantage = rca(exports.value) >= 1
    return pa.table(
        {
            "year": np.full(len(exports.goods), year),
            "hs6": pa.array(exports.goods, pa.string()),
            "pci": _numbers(complexity(advantage).pci),
            "ubiquity": advantage.sum(axis=0),
        },
        PRODUCTS,
    )


def product_space(year: int, exports: Exports) -> pa.Table:
    """One row (SPACE) per exporting country and exported good, exported by it or not."""
    advantages = rca(exports.value)
    n_countries, n_goods = advantages.shape
    return pa.table(
        {
            "year": np.full(n_countries * n_goods, year),
            "country_code": np.repeat(exports.countries, n_goods),
            "hs6": pa.array(exports.goods, pa.string()).take(pa.array(np.tile(np.arange(n_goods), n_countries))),
            "rca": advantages.ravel(),
            "density": _numbers(densities(advantages >= 1).ravel()),
        },
        SPACE,
    )


def _numbers(values: np.ndarray) -> pa.Array:
    """Doubles as they are published, null for NaN."""
    rounded = np.round(values, _DECIMALS) + 0.0  # no -0.0
    return pa.array(rounded, pa.float64(), from_pandas=True)
