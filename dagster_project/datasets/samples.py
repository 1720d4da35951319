"""The embedded sample as a whole: every dataset's part of the synthetic world, in its publishers' file shapes.

`payloads` is what the pipeline reads; `write_drop_folder` puts the very same bytes where the `files` sources find them.
The same bytes come out on every machine. Not here: what a file holds (each dataset's sample), and what a faultless
pipeline makes of it (see `sample.truth`).
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path

from dagster_project.archive.payload import Payload
from dagster_project.datasets.declaration import Dataset, Sample
from dagster_project.datasets.registry import DATASETS
from dagster_project.sample import PROVENANCE
from dagster_project.sample.files import SampleFile
from dagster_project.sources.files import find_kind


def files() -> Iterator[SampleFile]:
    """Every file of the sample, dataset by dataset."""
    for each in DATASETS:
        yield from _files(each)


def payloads() -> Iterator[Payload]:
    """The same files as payloads."""
    for each in DATASETS:
        yield from payloads_of(each)


@cache
def payloads_of(dataset: Dataset) -> tuple[Payload, ...]:
    """One dataset's files, made once per process: trade takes seconds to make.

    A payload has the dataset, part and parameters that the `files` source would give the same file, so that landing
    need not know where it came from.
    """
    return tuple(_payload(dataset, *file) for file in _files(dataset))


def write_drop_folder(folder: Path) -> None:
    """Write the sample as a drop folder, with one folder per source below it."""
    for path, body, _ in files():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(body)


def _files(dataset: Dataset) -> Iterator[SampleFile]:
    for source in dataset.sources:
        if isinstance(source, Sample):
            yield from source.files()


def _payload(dataset: Dataset, path: str, body: bytes, rows: int) -> Payload:
    folder, _, name = path.partition("/")
    known = find_kind(dataset.kinds, folder, name)
    assert known is not None, path
    kind, parameters = known
    return Payload(
        provenance=PROVENANCE,
        dataset=dataset.name,
        part=name,
        address=f"synthetic://sample/{path}",
        body=body,
        parameters={**parameters, "kind": kind.kind},
        rows=rows,
    )
