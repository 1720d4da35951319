"""The measures of value chains by their textbook definitions, with the inverses written out. Not here: expectations."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Plain:
    """A table as plain matrices: Z, x, the country of each sector, and final use by country (None: not known)."""

    z: np.ndarray
    x: np.ndarray
    country: np.ndarray
    final: np.ndarray | None = None

    @property
    def a(self) -> np.ndarray:
        return self.z / self.x

    @property
    def home(self) -> np.ndarray:
        """1 where row and column are of one country."""
        return (self.country[:, None] == self.country).astype(float)

    @property
    def abroad(self) -> np.ndarray | None:
        if self.final is None:
            return None
        own = self.final[np.arange(len(self.x)), self.country]
        return self.final.sum(axis=1) - own


def random_table(seed: int, countries: int = 4, sectors: int = 3) -> Plain:
    """A table of random flows with final use left over everywhere."""
    draw = np.random.default_rng(seed)
    n = countries * sectors
    country = np.repeat(np.arange(countries), sectors)
    z = draw.lognormal(0, 2, (n, n)) * (draw.random((n, n)) < 0.7)
    final = draw.lognormal(2, 1, (n, countries))
    return Plain(z, z.sum(axis=1) + final.sum(axis=1), country, final)


def textbook(table: Plain) -> dict[str, np.ndarray]:
    """Every measure of a sector from its definition (measures-chains section 1, second column)."""
    a, x, z, home = table.a, table.x, table.z, table.home
    a_d, identity = a * home, np.eye(len(x))
    a_f = a - a_d
    b, local = np.linalg.inv(identity - a), np.linalg.inv(identity - a_d)
    y, v = x - z.sum(axis=1), 1 - a.sum(axis=0)
    hat_v, hat_y = np.diag(v), np.diag(y)
    whole, chained = hat_v @ b @ hat_y, hat_v @ local @ a_f @ b @ hat_y
    long = hat_v @ b @ b @ hat_y
    long_chain = hat_v @ local @ local @ a_f @ b @ hat_y + hat_v @ local @ a_f @ b @ b @ hat_y
    rest = b - identity
    abroad = table.abroad
    assert abroad is not None
    at_home = y - abroad
    exports = (z * (1 - home)).sum(axis=1) + abroad
    crossing = a_f @ local @ at_home
    return {
        "forward_participation": chained.sum(axis=1) / whole.sum(axis=1),
        "backward_participation": chained.sum(axis=0) / whole.sum(axis=0),
        "plv": long.sum(axis=1) / whole.sum(axis=1),
        "ply": long.sum(axis=0) / whole.sum(axis=0),
        "plv_gvc": long_chain.sum(axis=1) / chained.sum(axis=1),
        "ply_gvc": long_chain.sum(axis=0) / chained.sum(axis=0),
        "lookthrough_foreign_share": 1 - (rest * home).sum(axis=0) / rest.sum(axis=0),
        "forward_domestic": local @ at_home / x,
        "forward_traditional": local @ abroad / x,
        "forward_simple": local @ crossing / x,
        "backward_domestic": v @ local * at_home / (v @ b * y),
        "backward_traditional": v @ local * abroad / (v @ b * y),
        "backward_simple": v @ local @ a_f @ local * at_home / (v @ b * y),
        "exports": exports,
        "bm_backward_share": 1 - v @ local,
        "bm_participation": 1 - v @ local * (abroad + crossing) / exports,
    }


def koopman(table: Plain) -> tuple[np.ndarray, np.ndarray]:
    """Value added in others' exports, and foreign value added in own exports, by country and in money."""
    a, x, country = table.a, table.x, table.country
    b, v = np.linalg.inv(np.eye(len(x)) - a), 1 - a.sum(axis=0)
    abroad = table.abroad
    assert abroad is not None
    exports = (table.z * (1 - table.home)).sum(axis=1) + abroad
    indirect, foreign = np.zeros(country.max() + 1), np.zeros(country.max() + 1)
    for one in range(country.max() + 1):
        own = country == one
        for other in range(country.max() + 1):
            of_other = np.where(country == other, exports, 0.0)
            if other != one:
                indirect[one] += v[own] @ (b @ of_other)[own]
        foreign[one] = (1 - v[own] @ b[np.ix_(own, own)]) @ exports[own]
    return indirect, foreign


def ghosh(table: Plain, exporter: int, goods: np.ndarray, cut: float) -> tuple[np.ndarray, np.ndarray]:
    """Direct and propagated losses of all sectors but the exporter's."""
    others = table.country != exporter
    direct = cut * table.z[np.ix_(~others & goods, others)].sum(axis=0)
    h = table.z[np.ix_(others, others)] / table.x[others][:, None]
    return direct, direct @ np.linalg.inv(np.eye(int(others.sum())) - h)
