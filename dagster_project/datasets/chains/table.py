"""One input-output table in memory: dense, in USD, its rows and columns in the order of its labels.

What belongs here: the table, labels and their rules, what must be true of every table, whichever file it came in, and
sectors without output. Not here: how a file is read (see `icio`, `compact`), and what is computed (see `measures`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from dagster_project.errors import SourceError

ROW = "ROW"
MILLION = 1e6
# Parts of an economy, published apart -> the economy. Its own rows are 0 where the parts are there.
PARTS = {"CN1": "CHN", "CN2": "CHN", "MX1": "MEX", "MX2": "MEX"}
# The sum of a row may differ from its output by so much of it: what is published is rounded.
BALANCE = 1e-3
_ROUNDING = 1.0  # USD: what rounding leaves of a sector without output

Label = tuple[str, str]  # country, sector


@dataclass
class IoTable:
    """A table of one edition and year.

    labels       country and sector of every row and column, sorted
    flows        intermediate use in USD: row delivers, column uses
    output       gross output
    final        final use in USD of each row's product by `destinations`; None where the file does not have it
    value_added  by label, and `taxes` less subsidies on products; None where the file does not have them
    counts       how many numbers were read, and what became of them, by landing table and rule
    notes        what a user should know of the file, in words
    """

    labels: Sequence[Label]
    flows: np.ndarray
    output: np.ndarray
    destinations: Sequence[str] = ()
    final: np.ndarray | None = None
    value_added: np.ndarray | None = None
    taxes: np.ndarray | None = None
    counts: dict[str, dict[str, int]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    dropped_flows: int = 0
    dropped_flows_usd: float = 0.0

    @property
    def countries(self) -> list[str]:
        """The countries of the labels, sorted."""
        return sorted({country for country, _ in self.labels})

    @property
    def is_complete(self) -> bool:
        """Whether the table covers the world: it has a rest of the world."""
        return ROW in self.countries


def country_of(code: str) -> str:
    """The economy that a code of the file stands for."""
    return PARTS.get(code, code)


def text_of(label: Label) -> str:
    """A label as the publisher writes it."""
    return "_".join(label)


def require_labels(labels: Sequence[str], where: str, what: str) -> None:
    """SourceError when there is no label, or one is there twice."""
    if not labels:
        raise refused(where, f"no {what}", f"a {what} for each country and sector, such as DEU_C29")
    seen: set[str] = set()
    for label in labels:
        if label in seen:
            raise refused(where, f"the {what} {label} twice", "every label once")
        seen.add(label)


def require_flows(flows: np.ndarray, names: Sequence[str], where: str) -> None:
    """SourceError for a flow that is negative or no number, by its labels."""
    wrong = ~(flows >= 0) | ~np.isfinite(flows)  # NaN is not >= 0
    if wrong.any():
        row, column = (int(at) for at in np.unravel_index(int(np.argmax(wrong)), flows.shape))
        raise refused(
            where,
            f"the flow {flows[row, column] / MILLION:g} from {names[row]} to {names[column]}",
            "intermediate use of 0 or more, in million USD",
        )


def without_dead_sectors(table: IoTable) -> IoTable:
    """The table with the flows of sectors without output set to 0, and counted.

    What was delivered to them becomes final use of their country. In place: a table fills memory.
    """
    dead = ~(table.output > 0)
    if not dead.any():
        return table
    delivered = table.flows[:, dead]
    of_dead = np.count_nonzero(table.flows[dead][:, ~dead])
    table.dropped_flows = int(of_dead + np.count_nonzero(delivered))
    table.dropped_flows_usd = float(table.flows[dead][:, ~dead].sum() + delivered.sum())
    if table.final is not None:
        place = {country: number for number, country in enumerate(table.destinations)}
        for column, label in zip(delivered.T, np.flatnonzero(dead).tolist(), strict=True):
            table.final[:, [place[table.labels[label][0]]]] += np.where(dead, 0.0, column)[:, None]
    table.flows[:, dead] = 0.0
    table.flows[dead] = 0.0
    return table


def require_balance(sums: np.ndarray, output: np.ndarray, names: Sequence[str], where: str) -> None:
    """SourceError when a row does not add up to its output, or the output is no number."""
    gap = np.abs(sums - output)
    wrong = ~(gap <= BALANCE * np.abs(output) + _ROUNDING)  # NaN is not <=
    if wrong.any():
        worst = int(np.argmax(np.where(np.isfinite(gap), gap, np.inf) * wrong))
        raise refused(
            f"{where}, row {names[worst]}",
            f"intermediate and final use of {sums[worst] / MILLION:.6f} and an output of "
            f"{output[worst] / MILLION:.6f} million USD",
            f"both equal within {BALANCE:.1%} of output",
        )


def refused(where: str, found: str, expected: str) -> SourceError:
    """The error for a table that cannot be used: tables are used whole or not at all."""
    return SourceError(
        where,
        found=found,
        expected=expected,
        remedy="Fetch the publisher's file again, or take it out of the drop folder: an input-output table is used "
        "whole or not at all.",
    )
