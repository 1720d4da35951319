"""Receipts: which files were landed, with the rows and the sha256 of each.

A file that is missing, cut off, empty or another one than its receipt names was not landed: it is made again, or
refused. What belongs here: writing receipts (after the files are on the disk) and comparing files with them. Not here:
which files belong together (see `yearly`, and the datasets).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from dagster_project.durable import known_sha256, sync, sync_entries, write_whole


@dataclass(frozen=True)
class FileFacts:
    """A Parquet file as it was landed."""

    rows: int
    bytes: int
    sha256: str


def vouch(landing: Path, files: Iterable[Path]) -> dict[str, dict[str, Any]]:
    """Force files below `landing` to the disk and return their facts, by their place, for a receipt."""
    facts: dict[str, dict[str, Any]] = {}
    folders: set[Path] = set()
    for path in files:
        sync(path)
        folders |= {folder for folder in path.parents if folder == landing or landing in folder.parents}
        rows = pq.read_metadata(path).num_rows
        facts[path.relative_to(landing).as_posix()] = asdict(FileFacts(rows, path.stat().st_size, known_sha256(path)))
    for folder in sorted(folders, reverse=True):
        sync_entries(folder)
    return facts


def problems(landing: Path, facts: Mapping[str, Mapping[str, Any]], *, read: bool = True) -> dict[str, str]:
    """File -> how it differs from its facts. Without `read`, only by what shows without reading it."""
    found = {name: _problem(landing / name, FileFacts(**each), read) for name, each in facts.items()}
    return {name: problem for name, problem in found.items() if problem}


def _problem(path: Path, facts: FileFacts, read: bool) -> str | None:
    try:
        size = path.stat().st_size
        if size != facts.bytes:
            return f"{size:,} bytes instead of {facts.bytes:,}"
        if read and known_sha256(path) != facts.sha256:
            return "other bytes than were landed (sha256 differs)"
    except FileNotFoundError:
        return "no such file"
    return None


def read_receipt(path: Path) -> dict[str, Any] | None:
    """A receipt's content; None where there is none, or none that can be read."""
    try:
        content = json.loads(path.read_bytes())
        for each in content["files"].values():
            FileFacts(**each)
    except (FileNotFoundError, ValueError, KeyError, TypeError, AttributeError):
        return None
    return dict(content)


def write_receipt(path: Path, landing: Path, files: Iterable[Path], more: Mapping[str, Any]) -> None:
    """Vouch for files: they are forced to the disk before the receipt is."""
    write_whole(path, json.dumps({**more, "files": vouch(landing, files)}).encode())


def forget_tables(landing: Path, dataset: str) -> None:
    """Take the receipt of a dataset's tables away, before they are written anew."""
    _receipt_of_tables(landing, dataset).unlink(missing_ok=True)


def vouch_for_tables(landing: Path, dataset: str, files: Iterable[Path]) -> None:
    """Vouch for the tables of a dataset that belong to no year."""
    write_receipt(_receipt_of_tables(landing, dataset), landing, files, {})


def problems_of_tables(landing: Path, dataset: str) -> dict[str, str]:
    """File -> how it differs from what was landed, of the dataset's tables that belong to no year."""
    path = _receipt_of_tables(landing, dataset)
    content = read_receipt(path)
    if content is None:
        return {path.name: "no receipt that can be read"}
    return problems(landing, content["files"])


def _receipt_of_tables(landing: Path, dataset: str) -> Path:
    return landing / f"{dataset}_tables.json"
