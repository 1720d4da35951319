"""Slopes, errors and tests against statsmodels and values by hand. Not here: what is regressed (test_paradox)."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from dagster_project.regression import (
    Lines,
    Observations,
    Results,
    difference_of_ranks,
    difference_results,
    lines,
    rank_correlation,
    slope_results,
    wild_p_value,
)

E = np.array([1, -1, 0, 0, -1, 1.0])
X = np.arange(6.0)


def rows(x: object, y: object, cell: object = None, *, second: object = None, cluster: object = None) -> Observations:
    """Rows of one group."""
    values = np.asarray(x, float)
    zeros = np.zeros(values.size, np.int64)
    return Observations(
        1,
        zeros,
        zeros if cell is None else np.asarray(cell),
        values,
        np.asarray(y, float),
        None if second is None else np.asarray(second),
        None if cluster is None else np.asarray(cluster),
    )


def first(result: Results) -> tuple[float, float, float]:
    return float(result.slope[0]), float(result.std_error[0]), float(result.p_value[0])


def test_hand_worked_case() -> None:
    """Technology 2x + e, labour 5 + e: slopes 2 and 0; 17.5 squares of x, .17 of x times e."""
    technology, labour = (lines(rows(X, y)) for y in (2 * X + E / 10, 5 + E / 10))
    for line, slope in ((technology, 2), (labour, 0)):
        found, error, _ = first(slope_results(line))
        assert found == pytest.approx(slope, abs=1e-12)
        assert error == pytest.approx(np.sqrt(0.17 / 306.25 * 1.5), rel=1e-12)
    difference, error, _ = first(difference_results(technology, labour))
    assert difference == pytest.approx(2, abs=1e-12)
    assert error == pytest.approx(np.sqrt(2 * 0.17 / 306.25 * 1.5), rel=1e-12)
    assert rank_correlation(rows(X, 2 * X + E / 10))[1][0] == 1


def drawn(seed: int, n_cells: int = 9) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """x, y, cells of unequal size (some of one row), and a second effect that not every cell has every level of."""
    random = np.random.default_rng(seed)
    cell = np.repeat(np.arange(n_cells), [1, *random.integers(1, 12, n_cells - 1)])
    second = random.integers(0, 5, cell.size)
    x = random.normal(size=cell.size) + 0.3 * cell
    return x, 0.7 * x + cell + second + random.normal(size=cell.size) * (1 + abs(x)), cell, second


def by_statsmodels(parts: list[Lines], *, clustered: bool) -> tuple[float, float, float]:
    """The last slope of one model of all rows that were used, with a dummy for every level of every effect."""
    import statsmodels.api as sm

    used = [each.rows for each in parts]
    part = np.repeat(np.arange(len(used)), [each.x.size for each in used])
    x, y = (np.concatenate([getattr(each, name) for each in used]) for name in ("x", "y"))
    effects = [np.concatenate([each.cell for each in used])]
    if used[0].second is not None:
        effects.append(np.concatenate([each.second for each in used if each.second is not None]))
    dummies = [
        (names == level) & (part == own) for names in effects for own in range(len(used)) for level in set(names)
    ]
    columns = [x, *([x * (part == 0)] if len(used) > 1 else [])]
    design = np.column_stack([*columns, *(each.astype(float) for each in dummies)])
    kept = list(range(len(columns)))
    for column in range(len(columns), design.shape[1]):
        if np.linalg.matrix_rank(design[:, [*kept, column]]) > len(kept):
            kept.append(column)
    options: dict[str, object] = {"cov_type": "HC1"}
    if clustered:
        groups = np.concatenate([each.cluster for each in used if each.cluster is not None])
        options = {"cov_type": "cluster", "cov_kwds": {"groups": groups}}
    fit = sm.OLS(y, design[:, kept]).fit(use_t=True, **options)
    place = len(columns) - 1
    return float(fit.params[place]), float(fit.bse[place]), float(fit.pvalues[place])


@pytest.mark.parametrize("seed", [1, 2, 3])
@pytest.mark.parametrize(("two_effects", "clustered"), list(product([False, True], repeat=2)))
def test_slopes_and_errors_are_statsmodels(seed: int, two_effects: bool, clustered: bool) -> None:
    x, y, cell, second = drawn(seed)
    of = {"second": second if two_effects else None, "cluster": cell if clustered else None}
    line = lines(rows(x, y, cell, **of))
    assert line.n[0] == x.size and line.n_used[0] < x.size
    assert first(slope_results(line)) == pytest.approx(by_statsmodels([line], clustered=clustered), rel=1e-8)


@pytest.mark.parametrize("clustered", [False, True])
def test_a_difference_of_two_classes_is_one_model_with_effects_by_class(clustered: bool) -> None:
    parts = []
    for seed in (4, 5):
        x, y, cell, _ = drawn(seed)
        # The clusters of the two classes are the same ones, as importers are.
        parts.append(lines(rows(x, seed * y, cell, cluster=cell if clustered else None)))
    result = difference_results(*parts)
    assert first(result) == pytest.approx(by_statsmodels(parts, clustered=clustered), rel=1e-8)
    slopes = [slope_results(each).slope[0] for each in parts]
    assert result.slope[0] == pytest.approx(slopes[0] - slopes[1], abs=1e-12)


def test_many_groups_at_once_are_each_group_alone() -> None:
    alone = [lines(rows(*drawn(seed)[:3])) for seed in range(4)]
    start, joined = 0, []
    for number, seed in enumerate(range(4)):
        x, y, cell, _ = drawn(seed)
        joined.append((np.full(x.size, number), cell + start, x, y))
        start += cell.max() + 1
    group, cell, x, y = (np.concatenate(parts) for parts in zip(*joined, strict=True))
    together = slope_results(lines(Observations(4, group, cell, x, y)))
    for number, each in enumerate(alone):
        single = slope_results(each)
        assert together.slope[number] == pytest.approx(single.slope[0], rel=1e-12)
        assert together.std_error[number] == pytest.approx(single.std_error[0], rel=1e-12)
        assert together.n_used[number] == single.n_used[0]


def test_where_there_is_nothing_to_estimate_there_is_no_number() -> None:
    few = slope_results(lines(rows([1, 2, 3], [1, 3, 2])))
    assert np.isnan([few.slope[0], few.std_error[0], few.p_value[0]]).all() and few.n_used[0] == 3
    flat = slope_results(lines(rows([2, 2, 2, 2, 2], [1, 3, 2, 5, 4])))
    assert np.isnan([flat.slope[0], flat.std_error[0]]).all()
    exact = slope_results(lines(rows(X, 3 * X)))
    assert exact.slope[0] == pytest.approx(3) and np.isnan([exact.std_error[0], exact.p_value[0]]).all()
    two_clusters = slope_results(lines(rows(X, X + E, cluster=[0, 0, 0, 1, 1, 1])))
    assert two_clusters.n_clusters is not None and two_clusters.n_clusters[0] == 2
    assert np.isnan([two_clusters.slope[0], two_clusters.std_error[0]]).all()
    none = slope_results(lines(rows([], [])))
    assert none.n[0] == 0 and np.isnan(none.slope[0])


def test_rows_alone_in_an_effect_are_dropped_until_none_is() -> None:
    # Without row 5, alone in its cell, row 4 is alone in its level.
    line = lines(rows(X, X + E, [0, 0, 0, 0, 0, 1], second=[0, 0, 1, 1, 2, 2]))
    assert (line.n[0], line.n_used[0]) == (6, 4)
    missing = lines(rows([0, 1, np.nan, 3, 4, 5], [0, 1, 2, np.nan, 4, 7.0]))
    assert (missing.n[0], missing.n_used[0]) == (4, 4)


def by_hand_wild(technology: Lines, labour: Lines, clusters: int) -> float:
    """Every vector of signs, one regression after the other."""
    slope = (technology.slope * technology.sxx + labour.slope * labour.sxx) / (technology.sxx + labour.sxx)
    found = []
    for signs in product((1.0, -1.0), repeat=clusters):
        moved = []
        for line in (technology, labour):
            assert line.rows.cluster is not None
            kept = line.y - slope * line.x
            y = line.rows.y - kept + np.array(signs)[line.rows.cluster] * kept
            moved.append(
                lines(rows(line.rows.x, y, line.rows.cell, second=line.rows.second, cluster=line.rows.cluster))
            )
        found.append(abs(difference_results(*moved).t_value[0]))
    return float(np.mean(np.array(found) >= found[0] * (1 - 1e-10)))


@pytest.mark.parametrize("seed", [1, 7])
def test_the_wild_bootstrap_tries_every_vector_of_signs(seed: int) -> None:
    random = np.random.default_rng(seed)
    parts = []
    # A panel: industries are cells and clusters, years the second effect; three industries of each class.
    for own, slope in ((np.arange(3), 1.5), (np.arange(3, 6), 0.2)):
        cell, second = np.repeat(own, 5), np.tile(np.arange(5), 3)
        x = random.normal(size=15)
        parts.append(lines(rows(x, slope * x + cell + random.normal(size=15), cell, second=second, cluster=cell)))
    found = wild_p_value(*parts)
    assert found == by_hand_wild(*parts, clusters=6)
    assert 2**6 * found == pytest.approx(round(2**6 * found)) and found >= 2 / 2**6


def test_without_enough_clusters_there_is_no_wild_bootstrap() -> None:
    few = [lines(rows(X, X + E, cluster=[0, 0, 1, 1, 2, 2])) for _ in range(2)]
    assert np.isnan(wild_p_value(*few))
    assert np.isnan(wild_p_value(*(lines(rows(X, X + E)) for _ in range(2))))


def test_ranks_are_scipys_and_their_difference_is_fishers() -> None:
    from scipy import stats

    x, y, _, _ = drawn(6)
    x = np.round(x, 0)  # ties
    n, rho, p = rank_correlation(rows(x, y))
    expected = stats.spearmanr(x, y)
    assert (rho[0], p[0]) == pytest.approx((expected.statistic, expected.pvalue), rel=1e-9)
    other = (np.array([28]), np.array([0.1]), np.array([0.6]))
    difference, p_value = difference_of_ranks((n, rho, p), other)
    z = (np.arctanh(rho[0]) - np.arctanh(0.1)) / np.sqrt(1.06 / (x.size - 3) + 1.06 / 25)
    assert difference[0] == pytest.approx(rho[0] - 0.1)
    assert p_value[0] == pytest.approx(2 * stats.norm.sf(abs(z)), rel=1e-9)
    constant = rank_correlation(rows(np.ones(6), X))
    assert np.isnan([constant[1][0], constant[2][0]]).all()
