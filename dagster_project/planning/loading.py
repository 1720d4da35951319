"""One load of a dataset under the settings: what it is given, which years it lands, and which it removes.

Not here: how tables are written (see `datasets/<name>/landing.py`), and Dagster.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from dagster_project.archive.store import Archive
from dagster_project.datasets.declaration import Dataset
from dagster_project.datasets.registry import before
from dagster_project.errors import SourceError
from dagster_project.landing import yearly
from dagster_project.landing.loads import Landed, Load
from dagster_project.planning.intake import current_inputs
from dagster_project.planning.state import shape, years_to_hold
from dagster_project.settings import Settings


def load_of(each: Dataset, settings: Settings) -> Load:
    """What the dataset's landing is given under these settings, without years."""
    return Load(
        archive=Archive(settings.archive_dir),
        entries=current_inputs(each, settings),
        landing=settings.landing_dir,
        settings=settings,
        shape=shape(each, settings, lambda other: current_inputs(other, settings)),
        tables=table_files(each, settings.landing_dir),
    )


def table_files(each: Dataset, landing: Path) -> dict[str, Path]:
    """Landing table -> pattern of its files, for the dataset and all that come before it."""
    return {table.name: table.files(landing) for one in (*before(each), each) for table in one.tables}


def land(each: Dataset, settings: Settings, asked: Sequence[int] = ()) -> Landed:
    """Land a dataset; of one that is landed by year, the years asked for that its source holds.

    Years that no longer belong are removed first. SourceError when the source holds none of the years.
    """
    load = load_of(each, settings)
    if each.yearly is None:
        return each.land(load)
    held = years_to_hold(each, settings, each.yearly.identities(load))
    wanted = [year for year in asked if year in held]
    if not wanted:
        raise SourceError(
            f"{each.name}, years {', '.join(map(str, asked)) or '(none)'}",
            found=f"no rows of these years; the source holds {', '.join(map(str, held)) or 'none'}",
            expected="rows of at least one of them",
            remedy="Ask for years that the source holds (CHOKEPOINT_YEARS, or the partitions chosen in the UI).",
        )
    folders = [table.files(load.landing).parent.parent for table in each.tables if table.by_year]
    yearly.start_over_unless(load.shape, load.landing, each.name, folders)
    yearly.keep_only(held, load.landing, each.name, folders)
    return each.land(replace(load, years=wanted, held=held))
