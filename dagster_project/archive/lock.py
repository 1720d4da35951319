"""The lock: which archive entries, under which settings, a release is built from.

A run that archives payloads writes `<data dir>/inputs.lock.json`; a release carries a copy, and can be rebuilt from
it with no source reachable. Not here: the bytes themselves (see `store`).
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from dagster_project.archive.store import Archive, Entry
from dagster_project.durable import write_whole
from dagster_project.errors import SourceError


@dataclass(frozen=True)
class Lock:
    """Entries by dataset ("trade", "reference", "tariffs", "patents"), each in the order the source listed them.

    `settings` holds the settings that shape the marts, and the years, as plain data. It is empty in the lock of a data
    directory, which no release was built from yet. `passed_over` says by dataset what its source could not give or was
    not asked for, and which of its files are no table.
    """

    datasets: Mapping[str, Sequence[Entry]]
    settings: Mapping[str, Any] = field(default_factory=dict)
    passed_over: Mapping[str, Sequence[str]] = field(default_factory=dict)

    def ids(self, dataset: str) -> list[str]:
        """The entry ids of one dataset; empty when the lock does not hold it."""
        return [entry.id for entry in self.datasets.get(dataset, ())]

    def with_dataset(self, dataset: str, entries: Sequence[Entry], passed_over: Sequence[str] = ()) -> Lock:
        """A lock in which one dataset, and what was passed over of it, is replaced."""
        return replace(
            self,
            datasets={**self.datasets, dataset: tuple(entries)},
            passed_over={**self.passed_over, dataset: tuple(passed_over)},
        )

    def save(self, path: Path) -> None:
        """Write the lock whole; a crash leaves the previous one."""
        content = {
            "version": 1,
            "settings": dict(self.settings),
            "datasets": {name: [e.to_json() for e in entries] for name, entries in sorted(self.datasets.items())},
            "passed_over": {name: list(notes) for name, notes in sorted(self.passed_over.items()) if notes},
        }
        write_whole(path, json.dumps(content, indent=1, ensure_ascii=False).encode())


def load_lock(path: Path) -> Lock:
    """Read a lock file; SourceError when it is missing or is no lock."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        datasets = {name: tuple(_entry(e) for e in entries) for name, entries in content["datasets"].items()}
        # Locks of older versions do not say what was passed over.
        passed_over = {name: tuple(notes) for name, notes in content.get("passed_over", {}).items()}
        return Lock(datasets, dict(content["settings"]), passed_over)
    except OSError as error:
        raise SourceError(
            f"lock file {path}",
            found=f"no readable file ({error.strerror})",
            expected="the inputs.lock.json of a release, or of this data directory after a run",
            remedy="Name an existing lock file: make rebuild LOCK=<data dir>/published/current/inputs.lock.json",
        ) from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise SourceError(
            f"lock file {path}",
            found=f"unreadable content ({error})",
            expected="a lock file as this program writes it",
            remedy="Take the copy that lies in a published release.",
        ) from error


def _entry(content: Mapping[str, Any]) -> Entry:
    """An entry whose names are none of paths: they become parts of file names. ValueError for another."""
    entry = Entry(**content)
    for name, form in (("id", r"[\w-]+"), ("sha256", r"[0-9a-f]{64}")):
        if not re.fullmatch(form, getattr(entry, name), re.ASCII):
            raise ValueError(f"the {name} {getattr(entry, name)!r}")
    return entry


def check_against(archive: Archive, lock: Lock) -> None:
    """Verify that the archive holds every entry of the lock, byte for byte; ArchiveDamaged otherwise."""
    for entries in lock.datasets.values():
        for entry in entries:
            archive.open_path(entry)
