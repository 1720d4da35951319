"""Value chains of one input-output table: lengths, participation, look-through shares and shocks, in double precision.

Z flows, x output, A = Z x̂^-1, of which A^D is the part within countries and A^F the rest; B = (I - A)^-1,
L = (I - A^D)^-1, y = x - Z1, v = 1 - 1'A. No inverse is made: (I - A) is factored once, L is a block for each country.
One BLAS thread, so that a table gives the same numbers however many processors there are. Not here: tables of rows
(see `models`), and which sectors make goods.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np
from scipy.linalg import lu_factor, lu_solve
from threadpoolctl import threadpool_limits

_NO_CHAIN = 1e-12  # what remains of a chain where there is none


@dataclass
class Flows:
    """A table's sectors with output: Z as `z` (row delivers), x, and final use at home and abroad where it is known.

    `country` is the number of each sector's country; the countries are 0 to n_countries - 1, and sorted by it.
    """

    z: np.ndarray
    x: np.ndarray
    country: np.ndarray
    n_countries: int
    abroad: np.ndarray | None = None

    @cached_property
    def blocks(self) -> list[slice]:
        """The sectors of each country."""
        edges = np.searchsorted(self.country, np.arange(self.n_countries + 1))
        return [slice(int(begin), int(end)) for begin, end in pairwise(edges)]

    @cached_property
    def inputs(self) -> np.ndarray:
        """What each sector uses of all products."""
        return self.z.sum(axis=0)

    @cached_property
    def home_inputs(self) -> np.ndarray:
        """What each sector uses of its own country's products."""
        return np.concatenate([self.z[block, block].sum(axis=0) for block in self.blocks])

    @cached_property
    def home_sales(self) -> np.ndarray:
        """What each sector delivers to sectors of its own country."""
        return np.concatenate([self.z[block, block].sum(axis=1) for block in self.blocks])

    @cached_property
    def sales(self) -> np.ndarray:
        """What each sector delivers to all sectors."""
        return self.z.sum(axis=1)

    @cached_property
    def y(self) -> np.ndarray:
        """Final use of each sector's product, anywhere."""
        return self.x - self.sales

    @cached_property
    def exports(self) -> np.ndarray | None:
        """What each sector delivers abroad, to sectors and to final use; None where the latter is not known."""
        return None if self.abroad is None else self.sales - self.home_sales + self.abroad

    @cached_property
    def by_source(self) -> np.ndarray:
        """Countries x sectors: what each sector uses of each country's products."""
        return np.stack([self.z[block].sum(axis=0) for block in self.blocks])

    @cached_property
    def coefficients(self) -> np.ndarray:
        """A."""
        return self.z / self.x


@contextmanager
def one_thread() -> Iterator[None]:
    """BLAS with one thread: on a busy machine two take longer, and sums must not depend on their number."""
    with threadpool_limits(limits=1, user_api="blas"):
        yield


class Leontief:
    """Products with B and its transpose, from one factoring of I - A."""

    def __init__(self, coefficients: np.ndarray) -> None:
        system = -coefficients.T  # as LAPACK reads it: no copy is made of what is in its order
        np.fill_diagonal(system, system.diagonal() + 1.0)
        self._factors = lu_factor(system, overwrite_a=True, check_finite=False)

    def times(self, right: np.ndarray) -> np.ndarray:
        """B right."""
        return lu_solve(self._factors, right, trans=1, check_finite=False)

    def transposed(self, right: np.ndarray) -> np.ndarray:
        """B' right."""
        return lu_solve(self._factors, right, trans=0, check_finite=False)


class Local:
    """Products with L and its transpose, block by block."""

    def __init__(self, flows: Flows) -> None:
        self._blocks = flows.blocks
        a = flows.coefficients
        self._own = [a[block, block] for block in self._blocks]
        self._inverses = [np.linalg.inv(np.eye(len(own)) - own) for own in self._own]

    def times(self, right: np.ndarray) -> np.ndarray:
        """L right."""
        return self._each(self._inverses, right)

    def transposed(self, right: np.ndarray) -> np.ndarray:
        """L' right."""
        return self._each([inverse.T for inverse in self._inverses], right)

    def home(self, right: np.ndarray) -> np.ndarray:
        """A^D right."""
        return self._each(self._own, right)

    def home_transposed(self, right: np.ndarray) -> np.ndarray:
        """A^D' right."""
        return self._each([own.T for own in self._own], right)

    def _each(self, matrices: Sequence[np.ndarray], right: np.ndarray) -> np.ndarray:
        parts = [matrix @ right[block] for matrix, block in zip(matrices, self._blocks, strict=True)]
        return np.concatenate(parts)


KNOWN_WITH_FINAL = (
    *("at_home", "abroad", "l_at_home", "l_abroad", "crossing", "simple", "embodied", "exports", "iv", "fv"),
)


def sectors(flows: Flows) -> dict[str, np.ndarray]:
    """What the measures of sectors and of countries are made of, by its name in the formulas.

    What needs final use by country (KNOWN_WITH_FINAL) is NaN where that is not known.
    """
    with one_thread():
        local, world = Local(flows), Leontief(flows.coefficients)
        x, y = flows.x, flows.y
        v = 1.0 - flows.inputs / x
        ones_b, v_b, own_b = _columns(flows, world, v)
        ly, v_l = local.times(y), local.transposed(v)
        solved = world.times(np.column_stack([x, y]))
        found = {
            **{"v": v, "y": y, "ly": ly, "lly": local.times(ly), "v_l": v_l, "v_ll": local.transposed(v_l)},
            **{"ones_b": ones_b, "v_b": v_b, "own_b": own_b, "b_x": solved[:, 0], "b_y": solved[:, 1]},
            **dict.fromkeys(KNOWN_WITH_FINAL, np.full(len(x), np.nan)),
        }
        if flows.abroad is not None:
            found |= _with_final(flows, local, world, found)
    return found


def _with_final(flows: Flows, local: Local, world: Leontief, found: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """What needs to know which final use is abroad."""
    assert flows.abroad is not None and flows.exports is not None
    home, a = found["y"] - flows.abroad, flows.coefficients
    l_home = local.times(home)
    crossing = a @ l_home - local.home(l_home)
    embodied = a.T @ found["v_l"] - local.home_transposed(found["v_l"])
    of_country = world.times(_indicators(flows) * flows.exports[:, None])
    of_others = of_country.sum(axis=1) - of_country[np.arange(len(home)), flows.country]
    return {
        "at_home": home,
        "abroad": flows.abroad,
        "l_at_home": l_home,
        "l_abroad": local.times(flows.abroad),
        "crossing": crossing,
        "simple": local.times(crossing),
        "embodied": local.transposed(embodied),
        "exports": flows.exports,
        "iv": found["v"] * of_others,
        "fv": (1.0 - _own_value_added(flows, world, found["v"])) * flows.exports,
    }


def _columns(flows: Flows, world: Leontief, v: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """1'B, v'B, and the sum of each column of B over its own country's rows."""
    sums = world.transposed(_indicators(flows))
    of_v = world.transposed(v)
    return sums.sum(axis=1), of_v, sums[np.arange(len(v)), flows.country]


def _own_value_added(flows: Flows, world: Leontief, v: np.ndarray) -> np.ndarray:
    """v_r'B_rr of each column of a country r."""
    right = _indicators(flows) * v[:, None]
    return world.transposed(right)[np.arange(len(v)), flows.country]


def _indicators(flows: Flows) -> np.ndarray:
    """Sectors x countries: 1 where the sector is the country's."""
    return (flows.country[:, None] == np.arange(flows.n_countries)).astype(np.float64)


def supplier_shares(flows: Flows) -> tuple[np.ndarray, np.ndarray]:
    """Countries x sectors: the part that a country's rows have in a column of A, and of B - I; NaN for an empty one."""
    with one_thread():
        total = Leontief(flows.coefficients).transposed(_indicators(flows)).T
    total[flows.country, np.arange(len(flows.x))] -= 1.0
    return _parts(flows.by_source), _parts(total)


@dataclass(frozen=True)
class Carbon:
    """Carbon behind a USD of each sector's product, in the unit of the intensities; see `carbon`."""

    by_emitter: np.ndarray
    at_home: np.ndarray
    covered: np.ndarray


def carbon(flows: Flows, intensity: np.ndarray) -> Carbon:
    """What was emitted for a USD of each product, by country that emitted it; intensities that are NaN count as 0.

    by_emitter  countries x sectors: e_r'B, e_r the intensities of country r's sectors and 0 elsewhere
    at_home     e_r'L of the product's own country: without what came back from abroad
    covered     the part of all output behind the product (1'B) that has an intensity
    """
    known = np.isfinite(intensity)
    e = np.where(known, intensity, 0.0)
    with one_thread():
        right = np.column_stack([_indicators(flows) * e[:, None], known, np.ones(len(e))])
        solved = Leontief(flows.coefficients).transposed(right)
        at_home = Local(flows).transposed(e)
    return Carbon(solved[:, :-2].T, at_home, solved[:, -2] / solved[:, -1])


def _parts(values: np.ndarray) -> np.ndarray:
    sums = values.sum(axis=0)
    return np.divide(values, sums, out=np.full(values.shape, np.nan), where=sums > 0)


def ratio(over: np.ndarray, under: np.ndarray) -> np.ndarray:
    """The quotient, NaN where there is nothing below or it is 0."""
    usable = np.isfinite(under) & (under != 0)
    return np.divide(over, under, out=np.full(np.shape(over), np.nan), where=usable)


def is_chain(remainder: np.ndarray, scale: np.ndarray | float = 1.0) -> np.ndarray:
    """Whether what remains is more than the rounding of what it was taken from."""
    return np.abs(remainder) > _NO_CHAIN * np.maximum(scale, 1.0)


@dataclass(frozen=True)
class Shock:
    """What a cut of one exporter's goods costs the sectors of the others, in USD; see `shock`."""

    members: np.ndarray
    direct: np.ndarray
    propagated: np.ndarray


def shock(flows: Flows, exporter: int, makes_goods: np.ndarray, cut: float) -> Shock:
    """Deliveries of the exporter's goods to the sectors of all other countries fall by `cut`.

    direct is δ = cut · Σ_i Z_ij over the exporter's sectors i that make goods; propagated is δ'(I - H)^-1 with
    H = x̂^-1 Z without the exporter: the value of output that embodies the missing inputs, each stage counted again.
    """
    members = np.flatnonzero(flows.country != exporter)
    lacking = (flows.country == exporter) & makes_goods
    direct = cut * flows.z[np.ix_(lacking, members)].sum(axis=0)
    with one_thread():
        x = flows.x[members]
        others = Leontief(flows.coefficients[np.ix_(members, members)])
        # (I - H)' = x̂ (I - A)' x̂^-1
        propagated = x * others.transposed(direct / x)
    return Shock(members, direct, propagated)
