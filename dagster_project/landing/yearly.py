"""Landing by year: each landed year has a receipt, and years that no longer belong are removed.

A receipt is written last and taken away first, so a year without one is not landed, whatever files lie there; nor is
one whose files are not those that its receipt names. What belongs here: receipts and the years' folders. Not here: how
a year is landed (see `datasets`).
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from dagster_project.durable import write_whole
from dagster_project.landing import vouched
from dagster_project.landing.tables import RuleCounts

UNKNOWN_YEAR = "year=unknown"


@dataclass(frozen=True)
class Receipt:
    """What a landed year was made from, and its accounting."""

    counts: RuleCounts
    entries: Sequence[str]


def identity(year: int, depends_on: Any) -> str:
    """The name of a landed year: the year, and a hash of all that its result depends on (plain data)."""
    return f"{year}-{hashlib.sha256(json.dumps(depends_on).encode()).hexdigest()[:20]}"


def receipt(landing: Path, dataset: str, name: str) -> Receipt | None:
    """The receipt of a year landed under this identity; None where there is none, or the year's files differ."""
    known = vouched.read_receipt(_folder(landing, dataset) / f"{name}.json")
    if known is None or vouched.problems(landing, known["files"]):
        return None
    return Receipt(RuleCounts(**known["counts"]), known["entries"])


def write_receipt(landing: Path, dataset: str, name: str, content: Receipt, files: Iterable[Path]) -> None:
    """Vouch for a year: all its tables are written, and lie in these files."""
    vouched.write_receipt(_folder(landing, dataset) / f"{name}.json", landing, files, asdict(content))


def forget_year(landing: Path, dataset: str, year: int) -> None:
    """Take a year's receipt away, before its tables are written anew."""
    for path in _folder(landing, dataset).glob(f"{year}-*.json"):
        path.unlink()


def landed_years(landing: Path, dataset: str, *, read: bool = False) -> dict[int, str]:
    """Year -> identity it was landed under; changes whenever what is landed changes.

    A year whose files are missing or have other sizes is not landed; with `read`, nor is one whose bytes differ.
    """
    return {
        int(path.stem.split("-")[0]): path.stem
        for path, known in _receipts(landing, dataset)
        if not vouched.problems(landing, known["files"], read=read)
    }


def landed_entries(landing: Path, dataset: str) -> list[str]:
    """The ids of the archive entries that the landed years were read from."""
    return sorted({entry for _, known in _receipts(landing, dataset) for entry in known["entries"]})


def problems(landing: Path, dataset: str, folders: Iterable[Path]) -> dict[str, str]:
    """File or folder -> how it differs from what was landed; folders of years without a receipt are among them."""
    found: dict[str, str] = {}
    years = set()
    for path, known in _receipts(landing, dataset):
        found |= vouched.problems(landing, known["files"])
        years.add(f"year={path.stem.split('-')[0]}")
    for folder in folders:
        for partition in sorted(folder.glob("year=*")):
            if partition.name not in {*years, UNKNOWN_YEAR}:
                found[partition.relative_to(landing).as_posix()] = "no receipt that can be read"
    return found


def _receipts(landing: Path, dataset: str) -> Iterator[tuple[Path, dict[str, Any]]]:
    """The receipts that can be read."""
    for path in sorted(_folder(landing, dataset).glob("*.json")):
        known = vouched.read_receipt(path)
        if known is not None:
            yield path, known


def start_over_unless(shape: str, landing: Path, dataset: str, folders: Iterable[Path]) -> None:
    """Remove all landed years when they were landed under another shape: the landing never mixes two shapes."""
    marker = landing / f"{dataset}_config"
    if marker.exists() and marker.read_bytes() == shape.encode():
        return
    for folder in (*folders, _folder(landing, dataset)):
        shutil.rmtree(folder, ignore_errors=True)
    write_whole(marker, shape.encode())


def keep_only(years: Sequence[int], landing: Path, dataset: str, folders: Iterable[Path]) -> list[int]:
    """Remove every other year from the table folders, and each year that a crash left without a receipt.

    Returns the landed years that were removed.
    """
    landed = landed_years(landing, dataset)
    removed = [year for year in landed if year not in years]
    kept = {name for year, name in landed.items() if year in years}
    for path in _folder(landing, dataset).glob("*.json"):
        if path.stem not in kept:  # of a year that leaves, or one that cannot be read or vouches for other files
            path.unlink()
    complete = {f"year={year}" for year in landed_years(landing, dataset)} | {UNKNOWN_YEAR}
    for folder in folders:
        for partition in folder.glob("year=*"):
            if partition.name not in complete:
                shutil.rmtree(partition)
    return removed


def _folder(landing: Path, dataset: str) -> Path:
    return landing / f"{dataset}_receipts"
