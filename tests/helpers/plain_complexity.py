"""Economic complexity once more, as plainly as it can be written: the eigenvectors of the countries' own matrix.

No symmetric form, and every proximity by itself. Not here: which exports are compared.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

Rows = dict[str, list[dict[str, Any]]]


def plain_complexity(year: int, exports: Mapping[tuple[int, str], float], place: int = 1) -> Rows:
    """The rows of the three marts of a year, by mart, from exports in USD by (country, good) without 999999."""
    countries, goods = sorted({country for country, _ in exports}), sorted({good for _, good in exports})
    value = np.array([[exports.get((country, good), 0.0) for good in goods] for country in countries])
    rca = value / value.sum(axis=1, keepdims=True) / (value.sum(axis=0) / value.sum())
    advantage = np.where(np.round(rca, 12) >= 1, 1.0, 0.0)
    diversity, ubiquity = advantage.sum(axis=1), advantage.sum(axis=0)
    means = (advantage / diversity[:, None]) @ (advantage / ubiquity).T
    eigenvalues, vectors = np.linalg.eig(means)
    # `place` 1 is the second-largest, which is the index; another one solves the same equations and is none.
    chosen = np.argsort(-eigenvalues.real)[place]
    y, second = vectors[:, chosen].real, eigenvalues[chosen].real
    y = y * np.sign(np.corrcoef(y, diversity)[0, 1])
    eci = (y - y.mean()) / y.std()
    pci = ((advantage / ubiquity).T @ y / second - y.mean()) / y.std()
    together = advantage.T @ advantage
    proximity = np.array(
        [[together[p, q] / max(ubiquity[p], ubiquity[q]) for q in range(len(goods))] for p in range(len(goods))]
    )
    density = advantage @ proximity / proximity.sum(axis=0)
    return {
        "economic_complexity": [
            {
                "year": year,
                "country_code": country,
                "eci": float(eci[c]),
                "diversity": int(diversity[c]),
                "export_value_usd": float(value[c].sum()),
                "n_products": int(np.count_nonzero(value[c])),
            }
            for c, country in enumerate(countries)
        ],
        "product_complexity": [
            {"year": year, "hs6": good, "pci": float(pci[p]), "ubiquity": int(ubiquity[p])}
            for p, good in enumerate(goods)
        ],
        "product_space": [
            {
                "year": year,
                "country_code": country,
                "hs6": good,
                "rca": float(rca[c, p]),
                "density": float(density[c, p]),
            }
            for c, country in enumerate(countries)
            for p, good in enumerate(goods)
        ],
    }
