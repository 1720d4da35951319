"""What a landing function is given, and what it returns: the same for every dataset.

Not here: how tables are written (see `tables`), and what is in them (see `datasets`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dagster_project.landing.tables import RuleCounts

if TYPE_CHECKING:
    from dagster_project.archive.store import Archive, Entry
    from dagster_project.settings import Settings


@dataclass(frozen=True)
class Load:
    """One load of a dataset.

    archive   where the payloads lie
    entries   the payloads to land
    landing   the landing directory, into which all datasets write
    settings  those of the run
    years     the years to land, for a dataset that is landed by year; empty otherwise
    held      all years that the landing is to hold, whether landed by this load or before
    shape     names everything else that the result depends on (code, settings, reference data): a yearly dataset puts
              it into its receipts
    tables    landing table -> its files, for the tables of this dataset and of those that come before it
    """

    archive: Archive
    entries: Sequence[Entry]
    landing: Path
    settings: Settings
    years: Sequence[int] = ()
    held: Sequence[int] = ()
    shape: str = ""
    tables: Mapping[str, Path] = field(default_factory=dict)


@dataclass(frozen=True)
class Landed:
    """The outcome of a load.

    counts    the accounting by part of the load: a source and table, or a year
    notes     what was repaired or left unread without harm to any row, by name, as plain data
    warnings  what a user should know although nothing stopped
    rows      landing table -> rows written, where the load counts them
    """

    counts: Mapping[str, RuleCounts] = field(default_factory=dict)
    notes: Mapping[str, Any] = field(default_factory=dict)
    warnings: Sequence[str] = ()
    rows: Mapping[str, int] = field(default_factory=dict)
