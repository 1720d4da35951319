"""One load of a dataset under the settings: what it is given, which years it lands, and which it removes.

Not here: how tables are written (see `datasets/<name>/landing.py`), and Dagster.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from pathlib import Path

from dagster_project.archive.store import Archive
from dagster_project.datasets.declaration import Dataset
from dagster_project.datasets.registry import before, datasets_on
from dagster_project.errors import LandingDamaged, SourceError
from dagster_project.landing import vouched, yearly
from dagster_project.landing.inputs import INPUTS
from dagster_project.landing.loads import Landed, Load
from dagster_project.landing.yearly import UNKNOWN_YEAR
from dagster_project.places import command
from dagster_project.planning.intake import current_inputs
from dagster_project.planning.state import shape, years_to_hold
from dagster_project.settings import Settings
from dagster_project.sql import matching


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

    Years that no longer belong are removed first. SourceError when the source holds none of the years, unless the
    dataset has gaps.
    """
    load = load_of(each, settings)
    vouched.forget_tables(settings.landing_dir, each.name)
    landed = _land_years(each, settings, load, asked) if each.yearly else each.land(load)
    vouched.vouch_for_tables(settings.landing_dir, each.name, _files_of_no_year(each, settings))
    return landed


def require_whole(settings: Settings, tables: Collection[str] | None = None) -> None:
    """LandingDamaged unless every landing table of the datasets that are on is what was landed, byte for byte.

    With `tables`, of those datasets alone that these landing tables belong to.
    """
    landing, damaged = settings.landing_dir, dict[str, str]()
    for each in datasets_on(settings):
        if tables is not None and not {table.name for table in each.tables} & set(tables):
            continue
        damaged |= vouched.problems_of_tables(landing, each.name)
        if each.yearly is not None:
            damaged |= yearly.problems(landing, each.name, _year_folders(each, landing))
    if tables is None or INPUTS in tables:
        damaged |= vouched.problems_of_tables(landing, INPUTS)
    if damaged:
        raise LandingDamaged(
            f"landing {landing}, {'file' if len(damaged) == 1 else 'files'} {', '.join(sorted(damaged))}",
            found="; ".join(f"{name}: {problem}" for name, problem in sorted(damaged.items())),
            expected="the tables as they were landed",
            remedy=f"Start `{command('run')}` (the job `refresh`): it lands them again from the archive.",
        )


def _files_of_no_year(each: Dataset, settings: Settings) -> list[Path]:
    """The files of the dataset's tables, but for those of years, which have receipts of their own."""
    files = [path for table in each.tables for path in matching(table.files(settings.landing_dir)) if path.exists()]
    return [path for path in files if not path.parent.name.startswith("year=") or path.parent.name == UNKNOWN_YEAR]


def _year_folders(each: Dataset, landing: Path) -> list[Path]:
    return [table.files(landing).parent.parent for table in each.tables if table.by_year]


def _land_years(each: Dataset, settings: Settings, load: Load, asked: Sequence[int]) -> Landed:
    assert each.yearly is not None
    held = years_to_hold(each, settings, each.yearly.identities(load), load.entries)
    wanted = [year for year in asked if year in held]
    if not wanted and not each.yearly.has_gaps:
        raise SourceError(
            f"{each.name}, years {', '.join(map(str, asked)) or '(none)'}",
            found=f"no rows of these years; the source holds {', '.join(map(str, held)) or 'none'}",
            expected="rows of at least one of them",
            remedy="Ask for years that the source holds (CHOKEPOINT_YEARS, or the partitions chosen in the UI).",
        )
    folders = _year_folders(each, load.landing)
    yearly.start_over_unless(load.shape, load.landing, each.name, folders)
    yearly.keep_only(held, load.landing, each.name, folders)
    return each.land(replace(load, years=wanted, held=held))
