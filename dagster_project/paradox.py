"""The paradox, tested: does an industry that competes well rely on few suppliers, the more so where technology rules?

What belongs here: which samples, effects and clusters each level of the test has (measures-chains section 2), over rows
of industries by year and country, and the table that comes of it. Not here: estimation (see `regression`), where the
rows come from, and what the chapter says of it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import product
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from dagster_project.regression import (
    WILD_CLUSTERS,
    Floats,
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

if TYPE_CHECKING:
    import pandas as pd

CLASSES = ("technology", "labour", "other")
ALL, DIFFERENCE = "all", "technology_minus_labour"
FEW_CLUSTERS = 20
EVERYBODY = "ALL"

# source of rows -> its measures of reliance, and of competitiveness.
MEASURES: Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "hs2": (("vulnerability", "vulnerability_mean", "import_hhi_weighted"), ("rca_sym", "top3_share")),
    "io": (
        ("input_source_hhi", "imported_input_share", "backward_participation"),
        ("position", "forward_participation"),
    ),
}
SCHEMA = pa.schema(
    [
        *((name, pa.string()) for name in ("level", "edition")),
        *((name, pa.int32()) for name in ("year_from", "year_to")),
        *((name, pa.string()) for name in ("country", "reliance", "competitiveness", "sector_class")),
        *((name, pa.int64()) for name in ("n", "n_used", "n_clusters")),
        ("few_clusters", pa.bool_()),
        *((name, pa.float64()) for name in ("slope", "std_error", "t_value", "p_value", "wild_p_value")),
        *((name, pa.float64()) for name in ("rank_correlation", "rank_p_value")),
    ]
)


@dataclass(frozen=True)
class Level:
    """Columns of a frame: what makes one regression, its effects, and its clusters (none: unequal variance only)."""

    name: str
    group: tuple[str, ...]
    cell: tuple[str, ...]
    second: tuple[str, ...] = ()
    cluster: tuple[str, ...] = ()


HS2_COUNTRY = Level("hs2_country", ("year", "country"), ("year", "country", "sector_class"))
HS2_POOLED = Level("hs2_pooled", ("year",), ("year", "country", "sector_class"), cluster=("year", "country"))
IO_COUNTRY = Level("io_country", ("edition", "year", "country"), ("edition", "year", "country", "sector_class"))
IO_CROSS_SECTION = Level(
    "io_cross_section", ("edition", "year"), ("country", "sector_class"), ("industry",), ("country",)
)
IO_PANEL = Level("io_panel", ("edition", "country"), ("industry",), ("year", "sector_class"), ("industry",))


def paradox_tests(rows: pa.Table) -> pa.Table:
    """Every test on rows of source, edition, year, country, industry, sector_class, is_chosen and the measures."""
    frame = rows.to_pandas().sort_values(["source", "edition", "year", "country", "industry"], ignore_index=True)
    frame = frame[frame["sector_class"].isin(CLASSES)]
    found = [row for level, part in _samples(frame) for row in _tests(level, part.reset_index(drop=True))]
    return pa.Table.from_pylist(found, schema=SCHEMA)


def _samples(frame: pd.DataFrame) -> Iterator[tuple[Level, pd.DataFrame]]:
    """Each level with its rows; where a second effect is, one regression at a time."""
    hs2, io = frame[frame["source"] == "hs2"], frame[frame["source"] == "io"]
    chosen = io[io["is_chosen"]]
    yield HS2_COUNTRY, hs2
    yield HS2_POOLED, hs2
    yield IO_COUNTRY, chosen
    for _, table in io.groupby(["edition", "year"], sort=True):
        yield IO_CROSS_SECTION, table
    for _, panel in chosen.groupby(["edition", "country"], sort=True):
        if panel["year"].nunique() > 1:
            yield IO_PANEL, panel


def _tests(level: Level, frame: pd.DataFrame) -> Iterator[dict[str, Any]]:
    if frame.empty:
        return
    keys, rows = list(_keys(level, frame)), _numbered(level, frame)
    classes = frame["sector_class"].to_numpy()
    kept = {**{name: classes == name for name in CLASSES}, ALL: np.ones(len(frame), bool)}
    for reliance, competitiveness in product(*MEASURES[frame["source"].iloc[0]]):
        valued = replace(rows, x=frame[competitiveness].to_numpy(float), y=frame[reliance].to_numpy(float))
        for sector_class, found in _results({name: valued.where(own) for name, own in kept.items()}).items():
            named = {"reliance": reliance, "competitiveness": competitiveness, "sector_class": sector_class}
            yield from (
                {**key, **named, **_row(found, number)} for number, key in enumerate(keys) if found.tests.n[number]
            )


@dataclass(frozen=True)
class Found:
    """What was found for every regression of a class, or for the difference of two."""

    tests: Results
    wild: Mapping[int, float]
    rank_correlation: Floats
    rank_p_value: Floats


def _results(rows: Mapping[str, Observations]) -> dict[str, Found]:
    drawn = {name: lines(each) for name, each in rows.items()}
    ranks = {name: rank_correlation(each) for name, each in rows.items()}
    found = {name: Found(slope_results(line), {}, *ranks[name][1:]) for name, line in drawn.items()}
    first, second = CLASSES[:2]
    tests = difference_results(drawn[first], drawn[second])
    wild = _wild(drawn[first], drawn[second], tests)
    found[DIFFERENCE] = Found(tests, wild, *difference_of_ranks(ranks[first], ranks[second]))
    return found


def _keys(level: Level, frame: pd.DataFrame) -> Iterator[dict[str, Any]]:
    """What names each regression, in the order of their numbers."""
    for _, part in frame.groupby(list(level.group), sort=True):
        yield {
            "level": level.name,
            "edition": part["edition"].iloc[0],
            "year_from": int(part["year"].min()),
            "year_to": int(part["year"].max()),
            "country": part["country"].iloc[0] if "country" in level.group else EVERYBODY,
        }


def _numbered(level: Level, frame: pd.DataFrame) -> Observations:
    """The rows of a level without values. Numbers are over all classes, so that two classes can be compared."""

    def numbers(columns: tuple[str, ...]) -> Any:
        return frame.groupby(list(columns), sort=True).ngroup().to_numpy(np.int64)

    group, none = numbers(level.group), np.full(len(frame), np.nan)
    return Observations(
        n_groups=int(group.max()) + 1,
        group=group,
        cell=numbers(level.cell),
        x=none,
        y=none,
        second=numbers(level.second) if level.second else None,
        cluster=numbers(level.cluster) if level.cluster else None,
    )


def _wild(first: Lines, second: Lines, tests: Results) -> dict[int, float]:
    """Number of a regression -> its p-value by the wild bootstrap; only where errors are by few clusters."""
    if tests.n_clusters is None:
        return {}
    tried = [
        number
        for number, clusters in enumerate(tests.n_clusters)
        if clusters in WILD_CLUSTERS and np.isfinite(tests.t_value[number])
    ]
    return {number: wild_p_value(first.only(number), second.only(number)) for number in tried}


def _row(found: Found, number: int) -> dict[str, Any]:
    tests = found.tests
    clusters = None if tests.n_clusters is None else int(tests.n_clusters[number])
    return {
        "n": int(tests.n[number]),
        "n_used": int(tests.n_used[number]),
        "n_clusters": clusters,
        "few_clusters": None if clusters is None else clusters < FEW_CLUSTERS,
        **{name: _number(getattr(tests, name)[number]) for name in ("slope", "std_error", "t_value", "p_value")},
        "wild_p_value": _number(found.wild.get(number, np.nan)),
        "rank_correlation": _number(found.rank_correlation[number]),
        "rank_p_value": _number(found.rank_p_value[number]),
    }


def _number(value: float) -> float | None:
    """Twelve digits, because the last ones depend on the machine's linear algebra; None where there is no number."""
    return float(f"{value:.12g}") if np.isfinite(value) else None
