"""Straight lines through groups of observations: slopes within effects, their errors, ranks, and a test of two slopes.

Many small regressions at once: every sum is taken over all groups in one pass, where one call of an estimation library
for each would take minutes. The tests hold the numbers against statsmodels'. What belongs here: estimation, over plain
arrays. Not here: what is regressed on what, and what a number means.

The model of a group is y = effects + slope * x. Effects are dropped by subtracting means (one effect) or by regression
on dummies (a second one). Small-sample factors count every dummy: n/(n - k) for errors that allow for unequal variance
(HC1), G/(G - 1) * (n - 1)/(n - k) for those by G clusters (CR1).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

LEAST_USED, LEAST_CLUSTERS = 4, 3
# Below this part of what there was, a sum of squares is what rounding left.
NOTHING = 1e-20
# All sign vectors are tried: 2^12 at most. With four clusters the smallest share that can be had is 1/8.
WILD_CLUSTERS = range(5, 13)
# Fieller, Hartley and Pearson: the variance of Fisher's z of a rank correlation.
RANK_VARIANCE = 1.06


@dataclass(frozen=True)
class Observations:
    """Rows of several groups, numbered from 0 without gaps: a group is one regression.

    cell      the first effect, numbered over all groups: no cell is in two groups
    second    the second effect; only where there is one group
    cluster   numbered over all groups; None: errors allow for unequal variance only
    """

    n_groups: int
    group: Ints
    cell: Ints
    x: Floats
    y: Floats
    second: Ints | None = None
    cluster: Ints | None = None

    def where(self, kept: npt.NDArray[np.bool_]) -> Observations:
        """These rows alone."""
        return Observations(
            self.n_groups,
            self.group[kept],
            self.cell[kept],
            self.x[kept],
            self.y[kept],
            None if self.second is None else self.second[kept],
            None if self.cluster is None else self.cluster[kept],
        )

    def complete(self) -> Observations:
        """The rows that have both values."""
        return self.where(np.isfinite(self.x) & np.isfinite(self.y))

    def usable(self) -> Observations:
        """Without rows that are alone in an effect, which say nothing of the slope; again, until none is left."""
        used = self
        while True:
            alone = np.bincount(used.cell)[used.cell] < 2 if used.cell.size else np.zeros(0, bool)
            if used.second is not None and used.second.size:
                alone |= np.bincount(used.second)[used.second] < 2
            if not alone.any():
                return used
            used = used.where(~alone)

    def without_effects(self, values: Floats) -> Floats:
        """What the effects leave of the columns."""
        left = _less_means(values, self.cell)
        if self.second is None or not self.cell.size:
            return left
        levels = np.unique(self.second, return_inverse=True)[1]
        dummies = _less_means(np.eye(levels.max() + 1)[levels], self.cell)
        result: Floats = left - dummies @ np.linalg.lstsq(dummies, left, rcond=None)[0]
        return result

    def rank_of_effects(self) -> Ints:
        """Independent dummies, by group: the levels of both effects less the parts that hang together."""
        cells = np.unique(self.cell, return_index=True)[1]
        levels = np.bincount(self.group[cells], minlength=self.n_groups).astype(np.int64)
        if self.second is None or not self.cell.size:
            return levels
        return levels + np.unique(self.second).size - _parts(self.cell, self.second)


@dataclass(frozen=True)
class Lines:
    """One line per group, and what is left of the rows that it was drawn through."""

    rows: Observations
    x: Floats
    y: Floats
    residual: Floats
    n: Ints
    n_used: Ints
    k: Ints
    slope: Floats
    sxx: Floats
    syy: Floats
    rss: Floats

    def only(self, number: int) -> Lines:
        """The line of one group as if there were no other."""
        inside = self.rows.group == number
        rows = self.rows.where(inside)
        alone = Observations(1, np.zeros_like(rows.group), rows.cell, rows.x, rows.y, rows.second, rows.cluster)
        of_group = slice(number, number + 1)
        return Lines(
            alone,
            self.x[inside],
            self.y[inside],
            self.residual[inside],
            self.n[of_group],
            self.n_used[of_group],
            self.k[of_group],
            self.slope[of_group],
            self.sxx[of_group],
            self.syy[of_group],
            self.rss[of_group],
        )


@dataclass(frozen=True)
class Results:
    """By group: the slope (or the difference of two), its error, and the test that it is 0. NaN where there is none."""

    n: Ints
    n_used: Ints
    n_clusters: Ints | None
    slope: Floats
    std_error: Floats
    t_value: Floats
    p_value: Floats


def lines(rows: Observations) -> Lines:
    """The line of every group."""
    complete = rows.complete()
    used = complete.usable()
    left = used.without_effects(np.column_stack([used.x, used.y]))
    x, y = left[:, 0], left[:, 1]
    sxx, sxy, syy = (_sums(used, each) for each in (x * x, x * y, y * y))
    # A level that is the same for all rows leaves rounding alone.
    flat = sxx <= NOTHING * _sums(used, used.x**2)
    with np.errstate(divide="ignore", invalid="ignore"):
        slope = np.where(flat, np.nan, sxy / sxx)
    residual = y - np.nan_to_num(slope)[used.group] * x
    counted = np.bincount(complete.group, minlength=rows.n_groups)
    return Lines(
        used,
        x,
        y,
        residual,
        counted,
        np.bincount(used.group, minlength=rows.n_groups),
        1 + used.rank_of_effects(),
        slope,
        sxx,
        syy,
        _sums(used, residual**2),
    )


def slope_results(line: Lines) -> Results:
    """Whether each group's slope is 0."""
    with np.errstate(divide="ignore", invalid="ignore"):
        scores = line.x * line.residual / line.sxx[line.rows.group]
    return _tested(line.slope, (line,), (scores,))


def difference_results(first: Lines, second: Lines) -> Results:
    """Whether the slope of the first is that of the second, in one model of both with effects of their own.

    NaN where either has no slope.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        scores = tuple(
            sign * each.x * each.residual / each.sxx[each.rows.group] for sign, each in ((1, first), (-1, second))
        )
    slopes = [slope_results(each).slope for each in (first, second)]
    return _tested(slopes[0] - slopes[1], (first, second), scores)


def wild_p_value(first: Lines, second: Lines) -> float:
    """The same for one group by the wild cluster bootstrap: slopes alike, all vectors of signs, share as far from 0.

    NaN where there are too few clusters for it, or too many to try all of them.
    """
    clusters = [np.empty(0, np.int64) if each.rows.cluster is None else each.rows.cluster for each in (first, second)]
    names = np.unique(np.concatenate(clusters))
    if names.size not in WILD_CLUSTERS or not np.isfinite(first.slope - second.slope).all():
        return float("nan")
    common = (first.slope * first.sxx + second.slope * second.sxx) / (first.sxx + second.sxx)
    signs = 1.0 - 2.0 * ((np.arange(2**names.size)[:, None] >> np.arange(names.size)) & 1)
    # By class: the slope less the common one and the clusters' scores, for every vector of signs.
    differences, scores = np.zeros(len(signs)), np.zeros((names.size, len(signs)))
    for sign, line, own in ((1.0, first, clusters[0]), (-1.0, second, clusters[1])):
        kept = line.y - common * line.x
        inside = own[:, None] == names
        moved = line.rows.without_effects(inside * kept[:, None]) @ signs.T
        slopes = line.x @ moved / line.sxx[0]
        left = moved - line.x[:, None] * slopes
        differences += sign * slopes
        scores += sign * (inside.T @ (line.x[:, None] * left)) / line.sxx[0]
    with np.errstate(divide="ignore", invalid="ignore"):
        t = np.abs(differences) / np.sqrt((scores**2).sum(axis=0))
    # The first vector leaves all signs as they are.
    return float(np.mean(t >= t[0] * (1 - 1e-10)))


def rank_correlation(rows: Observations) -> tuple[Ints, Floats, Floats]:
    """By group: rows, Spearman's correlation of x and y, and its p-value by Student's t."""
    import pandas as pd
    from scipy import stats

    complete = rows.complete()
    ranks = pd.DataFrame({"x": complete.x, "y": complete.y}).groupby(complete.group).rank().to_numpy(float)
    centred = _less_means(ranks.reshape(-1, 2), complete.group)
    sxx, sxy, syy = (_sums(complete, centred[:, a] * centred[:, b]) for a, b in ((0, 0), (0, 1), (1, 1)))
    n = np.bincount(complete.group, minlength=rows.n_groups)
    with np.errstate(divide="ignore", invalid="ignore"):
        rho = np.clip(np.where((sxx > 0) & (syy > 0), sxy / np.sqrt(sxx * syy), np.nan), -1, 1)
        t = np.abs(rho) * np.sqrt((n - 2) / (1 - rho**2))
    return n, rho, np.where(n > 2, 2 * stats.t.sf(t, np.maximum(n - 2, 1)), np.nan)


def difference_of_ranks(first: tuple[Ints, Floats, Floats], second: tuple[Ints, Floats, Floats]) -> Any:
    """By group: the difference of two rank correlations, and its p-value by Fisher's z."""
    from scipy import stats

    with np.errstate(divide="ignore", invalid="ignore"):
        variance = sum(np.where(n > 3, RANK_VARIANCE / (n - 3.0), np.nan) for n, _, _ in (first, second))
        z = (np.arctanh(first[1]) - np.arctanh(second[1])) / np.sqrt(variance)
    return first[1] - second[1], 2 * stats.norm.sf(np.abs(z))


def _tested(slope: Floats, parts: tuple[Lines, ...], scores: tuple[Floats, ...]) -> Results:
    from scipy import stats

    n_groups = parts[0].rows.n_groups
    n, n_used, k = (_total([getattr(each, name) for each in parts]) for name in ("n", "n_used", "k"))
    group = np.concatenate([each.rows.group for each in parts])
    score = np.concatenate(scores)
    named = [each.rows.cluster for each in parts if each.rows.cluster is not None]
    n_clusters: Ints | None = None
    factor: Floats
    df: Ints
    with np.errstate(divide="ignore", invalid="ignore"):
        if named:
            cluster = np.concatenate(named)
            names, first, numbers = np.unique(cluster, return_index=True, return_inverse=True)
            owner = group[first]
            meat = np.bincount(owner, np.bincount(numbers, score, names.size) ** 2, n_groups)
            n_clusters = np.bincount(owner, minlength=n_groups)
            factor = n_clusters / (n_clusters - 1) * (n_used - 1) / (n_used - k)
            df = n_clusters - 1
        else:
            meat = np.bincount(group, score**2, n_groups)
            factor, df = n_used / (n_used - k), n_used - k
        error = np.sqrt(meat * np.where(n_used > k, factor, np.nan))
    few = (n_used < LEAST_USED) | (n_clusters < LEAST_CLUSTERS if n_clusters is not None else False)
    slope = np.where(few, np.nan, slope)
    exact = sum(each.rss for each in parts) <= NOTHING * sum(each.syy for each in parts)
    error = np.where(np.isnan(slope) | exact, np.nan, error)
    with np.errstate(divide="ignore", invalid="ignore"):
        t = slope / error
        p = np.where(np.isfinite(t), 2 * stats.t.sf(np.abs(t), np.maximum(df, 1)), np.nan)
    return Results(n, n_used, n_clusters, slope, error, t, p)


def _total(parts: list[Ints]) -> Ints:
    total: Ints = np.sum(parts, axis=0)
    return total


def _sums(rows: Observations, values: Floats) -> Floats:
    sums: Floats = np.bincount(rows.group, values, rows.n_groups).astype(np.float64)
    return sums


def _less_means(values: Floats, cell: Ints) -> Floats:
    if not cell.size:
        return values
    count = np.maximum(np.bincount(cell), 1)
    means = np.column_stack([np.bincount(cell, column) / count for column in values.T])
    left: Floats = values - means[cell]
    return left


def _parts(cell: Ints, second: Ints) -> int:
    """Into how many parts the levels of two effects fall that share no row."""
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import connected_components

    one, other = np.unique(cell, return_inverse=True)[1], np.unique(second, return_inverse=True)[1]
    size = one.max() + other.max() + 2
    links = coo_matrix((np.ones(one.size), (one, other + one.max() + 1)), shape=(size, size))
    return int(connected_components(links, directed=False)[0])
