"""The datasets of the pipeline, in the order in which they are loaded. A new dataset is one line here.

Not here: what a dataset declares (see `declaration`).
"""

from __future__ import annotations

from collections.abc import Sequence

from dagster_project.checks.benchmarks import BENCHMARKS
from dagster_project.checks.declarations import Stage, together
from dagster_project.datasets.chains.dataset import CHAINS
from dagster_project.datasets.contagion.dataset import CONTAGION
from dagster_project.datasets.declaration import Dataset
from dagster_project.datasets.patents.dataset import PATENTS
from dagster_project.datasets.politics.dataset import POLITICS
from dagster_project.datasets.reference.dataset import REFERENCE
from dagster_project.datasets.tariffs.dataset import TARIFFS
from dagster_project.datasets.trade.dataset import TRADE
from dagster_project.settings import Settings

DATASETS: Sequence[Dataset] = (REFERENCE, TRADE, TARIFFS, PATENTS, POLITICS, CHAINS, CONTAGION)


def dataset(name: str) -> Dataset:
    """The dataset of that name; KeyError for a name that none has."""
    return {each.name: each for each in DATASETS}[name]


def datasets_on(settings: Settings) -> list[Dataset]:
    """The datasets that take part in a release under these settings."""
    return [each for each in DATASETS if each.source_name(settings) != "off"]


def figures_stage(datasets: Sequence[Dataset] = DATASETS) -> Stage:
    """The checks of the published figures, with those of the datasets; where one is off, its tables are not there."""
    on = {each.name for each in datasets}
    own = [each.figures for each in datasets if each.figures]
    shared = [stage for each in datasets for other, stage in each.figures_with.items() if other in on]
    return together(BENCHMARKS.name, (BENCHMARKS, *own, *shared))


def before(each: Dataset) -> list[Dataset]:
    """The datasets that come before one, directly or through others, in the registry's order."""
    names = set(each.after)
    for name in each.after:
        names |= {other.name for other in before(dataset(name))}
    return [other for other in DATASETS if other.name in names]
