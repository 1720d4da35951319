"""Landing by year: each landed year has a receipt, and years that no longer belong are removed.

A receipt is written last and taken away first, so a year without one is not landed, whatever files lie there. What
belongs here: receipts and the years' folders. Not here: how a year is landed (see `datasets`).
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from dagster_project.archive.store import write_whole
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
    """The receipt of a year landed under this identity; None where there is none."""
    path = _folder(landing, dataset) / f"{name}.json"
    if not path.exists():
        return None
    known = json.loads(path.read_text())
    return Receipt(RuleCounts(**known["counts"]), known["entries"])


def write_receipt(landing: Path, dataset: str, name: str, content: Receipt) -> None:
    """Note that all tables of a year are written."""
    write_whole(_folder(landing, dataset) / f"{name}.json", json.dumps(asdict(content)).encode())


def forget_year(landing: Path, dataset: str, year: int) -> None:
    """Take a year's receipt away, before its tables are written anew."""
    for path in _folder(landing, dataset).glob(f"{year}-*.json"):
        path.unlink()


def landed_years(landing: Path, dataset: str) -> dict[int, str]:
    """Year -> identity it was landed under; changes whenever what is landed changes."""
    return {int(path.stem.split("-")[0]): path.stem for path in sorted(_folder(landing, dataset).glob("*.json"))}


def landed_entries(landing: Path, dataset: str) -> list[str]:
    """The ids of the archive entries that the landed years were read from."""
    receipts = sorted(_folder(landing, dataset).glob("*.json"))
    return sorted({entry for path in receipts for entry in json.loads(path.read_text())["entries"]})


def start_over_unless(shape: str, landing: Path, dataset: str, folders: Iterable[Path]) -> None:
    """Remove all landed years when they were landed under another shape: the landing never mixes two shapes."""
    marker = landing / f"{dataset}_config"
    if marker.exists() and marker.read_text() == shape:
        return
    for folder in (*folders, _folder(landing, dataset)):
        shutil.rmtree(folder, ignore_errors=True)
    write_whole(marker, shape.encode())


def keep_only(years: Sequence[int], landing: Path, dataset: str, folders: Iterable[Path]) -> list[int]:
    """Remove every other year from the table folders, and each year that a crash left without a receipt.

    Returns the landed years that were removed.
    """
    removed = [year for year in landed_years(landing, dataset) if year not in years]
    for year in removed:
        forget_year(landing, dataset, year)
    complete = {f"year={year}" for year in landed_years(landing, dataset)} | {UNKNOWN_YEAR}
    for folder in folders:
        for partition in folder.glob("year=*"):
            if partition.name not in complete:
                shutil.rmtree(partition)
    return removed


def _folder(landing: Path, dataset: str) -> Path:
    return landing / f"{dataset}_receipts"
