"""The embedded sample: a synthetic world of trade, made by code, in the raw shapes of Comtrade, its reference files,
the tables of tariff exclusions and the tables of PCT patents.

It says nothing about the real world and is marked synthetic in its provenance. `payloads` is what the pipeline reads,
`write_drop_folder` puts the very same bytes where the `files` source finds them, `truth` is what a faultless pipeline
must make of them. The same bytes come out on every machine.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from dagster_project.datasets.trade import comtrade_files as comtrade
from dagster_project.datasets.patents import files as pct
from dagster_project.datasets.tariffs import files as ustr
from dagster_project.datasets.reference import files as reference_source
from dagster_project.archive.payload import Payload, Provenance
from dagster_project.datasets.patents.sample import patent_files
from dagster_project.datasets.reference.sample import reference_files
from dagster_project.datasets.trade.sample import trade_files
from dagster_project.sample.reporting import YEARS
from dagster_project.datasets.tariffs.sample import tariff_files
from dagster_project.sample.truth import Truth, truth

__all__ = ["PROVENANCE", "YEARS", "Truth", "payloads", "truth", "write_drop_folder"]

PROVENANCE = Provenance(
    source="sample",
    publisher="Chokepoint (synthetic sample)",
    citation="Synthetic data made by the Chokepoint project; not statistics of any country",
    licence="Apache-2.0",
    synthetic=True,
)


def payloads() -> Iterator[Payload]:
    """Every file of the sample, sorted by path: first the reference data, then trade by year, then tariffs and patents.

    A payload has the dataset, part and parameters that the `files` source would give the same file, so that landing
    need not know where it came from.
    """
    for path, body, rows in _files():
        yield _payload(path, body, rows)


def write_drop_folder(folder: Path) -> None:
    """Write the sample as a drop folder: `comtrade/`, `reference/`, `baci/`, `ustr/` and `patents/` below it."""
    for path, body, _ in _files():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(body)


def _files() -> Iterator[tuple[str, bytes, int]]:
    yield from reference_files()
    trade = [(f"comtrade/{name}", body, rows) for year in YEARS for name, body, rows in trade_files(year)]
    yield from sorted(trade)
    yield from tariff_files()
    yield from patent_files()


def _payload(path: str, body: bytes, rows: int) -> Payload:
    folder, name = PurePosixPath(path).parts
    kinds = (*comtrade.FILE_KINDS, *reference_source.FILE_KINDS, *ustr.FILE_KINDS, *pct.FILE_KINDS)
    kind, match = next(
        (kind, match) for kind in kinds if kind.folder == folder and (match := kind.match(name)) is not None
    )
    parameters = {key: value for key, value in match.groupdict().items() if value is not None}
    return Payload(
        provenance=PROVENANCE,
        dataset=kind.dataset,
        part=name,
        address=f"synthetic://sample/{path}",
        body=body,
        parameters={**parameters, "kind": kind.kind},
        rows=rows,
    )
