"""Single steps of a run, for tests that need what comes of them. Not here: expectations."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from dagster_project.archive.store import Archive, Entry
from dagster_project.datasets.registry import DATASETS, dataset
from dagster_project.landing.loads import Load
from dagster_project.planning import intake
from dagster_project.settings import Settings, load_settings


def fetch(name: str, settings: Settings, now: datetime | None = None) -> tuple[list[Entry], Sequence[str]]:
    """Archive what a dataset's source holds now; the entries, and what was passed over."""
    return intake.fetch_inputs(dataset(name), settings, Archive(settings.archive_dir), now or datetime.now(UTC))


def current(name: str, settings: Settings) -> list[Entry]:
    """The entries of a dataset that were archived last."""
    return intake.current_inputs(dataset(name), settings)


def load_of(
    archive: Archive,
    entries: Sequence[Entry],
    landing: Path,
    hs_revision: str = "H5",
    *,
    settings: Settings | None = None,
    years: Sequence[int] = (),
) -> Load:
    """One load into a landing directory; the tables of all datasets are where they would lie in it."""
    settings = settings or replace(load_settings({}, dotenv=None), hs_revision=hs_revision)
    tables = {table.name: table.files(landing) for each in DATASETS for table in each.tables}
    return Load(archive, entries, landing, settings, years=years, held=years, shape="test", tables=tables)
