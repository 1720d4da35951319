"""The words in which dashboards are said: datasets with metrics, charts, sections and filters, in no tool's terms.

Columns, types and descriptions are not here: they come from the marts' contract. What the dashboards show is in a
module for each theme (see `dashboards`), and how Superset writes all this down in `superset_bundle`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

SHARE, COUNT, VALUE, INDEX = ".1%", ",d", ".3s", ".3f"


@dataclass(frozen=True)
class Metric:
    """An SQL aggregate over a dataset, under the name and in the d3 format that it is shown in."""

    name: str
    expression: str
    format: str


@dataclass(frozen=True)
class Dataset:
    """A mart, with metrics and `calculated` columns (name -> SQL expression)."""

    mart: str
    metrics: Sequence[Metric] = ()
    calculated: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Where:
    """A condition on one column; operators as Superset has them."""

    column: str
    operator: Literal["==", ">", ">=", "IS NOT NULL"]
    value: str | int | bool | None = None


@dataclass(frozen=True, kw_only=True)
class Chart:
    """What every chart has: a question as its title, a dataset, its size (of 12 columns, in units of 8 pixels).

    order     column or metric to sort by, largest first unless `ascending`; `limit` rows
    scope     the filters of the dashboard that it obeys
    """

    title: str
    about: str
    dataset: str
    width: int
    height: int = 46
    order: str
    ascending: bool = False
    limit: int
    where: Sequence[Where] = ()
    scope: frozenset[str] = frozenset()


@dataclass(frozen=True, kw_only=True)
class Table(Chart):
    """Rows: `columns` as they are, or (with `metrics`) aggregated by them.

    formats   d3's, by column
    alarm     (column, text): cells of the column that begin with the text are red
    """

    columns: Sequence[str]
    metrics: Sequence[str] = ()
    formats: Mapping[str, str] = field(default_factory=dict)
    alarm: tuple[str, str] | None = None


@dataclass(frozen=True, kw_only=True)
class Bars(Chart):
    """Bars of one or more metrics by the values of `x`, or of one metric by `x` and `series`."""

    x: str
    metrics: Sequence[str]
    series: str | None = None
    stacked: bool = False
    horizontal: bool = False
    legend: bool = True
    format: str


@dataclass(frozen=True, kw_only=True)
class Lines(Chart):
    """A metric over the years `x`, one line for each of the `n_series` values of `series` with most of `largest_by`."""

    x: str
    metric: str
    series: str
    n_series: int
    largest_by: str
    format: str


@dataclass(frozen=True)
class Section:
    """A heading and the rows of charts below it; widths in a row add up to 12."""

    title: str
    rows: Sequence[Sequence[Chart]]


@dataclass(frozen=True)
class Filter:
    """A choice of one value, at the start the first: values are sorted by themselves or a metric, largest first.

    where   conditions on the rows whose values are offered
    """

    name: str
    dataset: str
    column: str
    about: str
    sort_metric: str | None = None
    where: Sequence[Where] = ()


@dataclass(frozen=True)
class Dashboard:
    """One page: its title, the last part of its address, what it is about, its sections and filters."""

    title: str
    slug: str
    about: str
    sections: Sequence[Section]
    filters: Sequence[Filter]

    def charts(self) -> list[Chart]:
        """Its charts, in the order of the page."""
        return [chart for section in self.sections for row in section.rows for chart in row]


def ratio(numerator: str, denominator: str) -> str:
    """SQL of a ratio of two sums; null where there is nothing to divide by."""
    return f"sum({numerator}) / nullif(sum({denominator}), 0)"
