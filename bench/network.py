"""One part of the scenario `network`, a process of its own: networks or complexity of a generated year, or an oracle.

    python -m bench.network ours|networkx|complexity|ecomplexity BACI.csv GOODS

Over the first GOODS goods of a BACI file. Prints one line: what was computed, and the processor time of that alone.
Not here: the input (see `generate`), and what the figures are compared with (see `run`).
"""

from __future__ import annotations

import sys
import time
import warnings
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa

from dagster_project.datasets.trade import complexity
from dagster_project.datasets.trade.network import networks
from dagster_project.python_models import rows_of_year
from dagster_project.sql import literal

YEAR = 2017


def flows(path: Path, goods: int) -> pa.Table:
    """hs6 (as a dictionary), exporter_code, importer_code and value_usd of the first goods of a file."""
    types = "{'k': 'varchar', 'i': 'integer', 'j': 'integer', 'v': 'double'}"
    with duckdb.connect() as connection:
        relation = connection.query(f"""
            with flows as (
                select {YEAR} as year, k as hs6, i as exporter_code, j as importer_code, 1000 * v as value_usd
                from read_csv({literal(path)}, types = {types})
            )
            select * from flows where hs6 in (select distinct hs6 from flows order by hs6 limit {goods})
        """)
        return rows_of_year(relation, YEAR, "hs6", "exporter_code", "importer_code", "value_usd")


def exports(path: Path, goods: int) -> complexity.Exports:
    """What every country exports of the first goods of a file."""
    hs6, exporter, _, value = flows(path, goods).columns
    return complexity.exports_of(exporter.to_numpy(), hs6, value.to_numpy())


def ours(path: Path, goods: int) -> Callable[[], object]:
    """The networks, as the pipeline computes them."""
    hs6, *numbers = flows(path, goods).columns
    arrays = [each.to_numpy() for each in numbers]
    return lambda: networks(YEAR, hs6, *arrays)


def networkx(path: Path, goods: int) -> Callable[[], object]:
    """The same measures by networkx, as the tests have them."""
    from tests.helpers.plain_networks import plain_network

    by_good: defaultdict[str, dict[tuple[int, int], float]] = defaultdict(dict)
    for hs6, exporter, importer, value in zip(*flows(path, goods).to_pydict().values(), strict=True):
        by_good[hs6][exporter, importer] = value
    return lambda: [plain_network(of_good) for of_good in by_good.values()]


def index_and_space(path: Path, goods: int) -> Callable[[], object]:
    """ECI, PCI and the density of every pair, as the pipeline computes them."""
    found = exports(path, goods)
    return lambda: (
        complexity.economic_complexity(YEAR, found),
        complexity.product_complexity(YEAR, found),
        complexity.product_space(YEAR, found),
    )


def ecomplexity(path: Path, goods: int) -> Callable[[], object]:
    """The same by the Growth Lab's package, its check of log-supermodularity left out."""
    import pandas as pd
    from ecomplexity import ecomplexity as made

    found = exports(path, goods)
    country, good = np.indices(found.value.shape)
    frame = pd.DataFrame({"t": YEAR, "c": country.ravel(), "p": good.ravel(), "x": found.value.ravel()})
    names = {"time": "t", "loc": "c", "prod": "p", "val": "x"}
    warnings.simplefilter("ignore")
    return lambda: made(frame, names, check_logsupermodularity=False, verbose=False)


PARTS = {"ours": ours, "networkx": networkx, "complexity": index_and_space, "ecomplexity": ecomplexity}


def main() -> None:
    """Compute the part that the arguments name, and say how long that took."""
    part, path, goods = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])
    computed = PARTS[part](path, goods)
    started = time.process_time()
    computed()
    print(f"{part} of {goods} goods: {time.process_time() - started:.3f} s of processor time")


if __name__ == "__main__":
    main()
