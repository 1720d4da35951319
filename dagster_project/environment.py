"""What a run needs of the machine, looked at before it works: a place to write, room, a warehouse of its own.

Not here: what is told when the machine refuses later (see `durable`).
"""

from __future__ import annotations

import logging
import os
import shutil
import time
from contextlib import suppress
from pathlib import Path

import duckdb

from dagster_project.durable import problem_of, told, write_whole
from dagster_project.errors import EnvironmentProblem, SettingError
from dagster_project.settings import Settings

LEAST_ROOM = 100_000_000
# DuckDB and dbt take what follows these for options of the address.
UNUSABLE = "?#"
_REMAINS = (".building-*", ".old-*", ".spill-*", ".unzip-*", ".incoming-*")
_DAY = 24 * 3600

_log = logging.getLogger(__name__)


def require_place(settings: Settings) -> None:
    """EnvironmentProblem or SettingError unless the data directory can be made, written to and named to DuckDB."""
    folder = settings.data_dir
    if found := [each for each in UNUSABLE if each in str(folder.absolute())]:
        raise SettingError(
            f"data directory {folder}",
            found=f"a path with {' and '.join(found)}",
            expected="a path without: databases take what follows for options",
            remedy="Set CHOKEPOINT_DATA_DIR to another directory.",
        )
    with told(f"data directory {folder}"):
        folder.mkdir(parents=True, exist_ok=True)
        probe = folder / f".probe-{os.getpid()}"
        try:
            write_whole(probe, b"x" * 4096)
        finally:
            probe.unlink(missing_ok=True)
    free = shutil.disk_usage(folder).free
    if free < LEAST_ROOM:
        raise EnvironmentProblem(
            f"data directory {folder}",
            found=f"{free / 1e6:,.0f} MB of free space",
            expected=f"at least {LEAST_ROOM / 1e6:,.0f} MB",
            remedy="Free disk space, or set CHOKEPOINT_DATA_DIR to a directory on another disk.",
        )


def prepare(settings: Settings) -> None:
    """Make the data directory ready for a run, which holds its lock: remains of killed runs leave, and the warehouse
    can be opened.

    EnvironmentProblem where another program has it open. One that is no database any more is put aside: like all that
    is computed it is made again.
    """
    _clear_remains(settings)
    warehouse = settings.warehouse
    if not warehouse.exists():
        return
    try:
        duckdb.connect(str(warehouse)).close()
    except duckdb.Error as error:
        if (problem := problem_of(error, f"warehouse {warehouse}")) is not None:
            raise problem from error
        aside = warehouse.with_name(f"{warehouse.name}.damaged")
        _log.warning("%s cannot be read (%s); it is put aside as %s and made again", warehouse, error, aside.name)
        os.replace(warehouse, aside)
        warehouse.with_name(f"{warehouse.name}.wal").unlink(missing_ok=True)


def _clear_remains(settings: Settings) -> None:
    """Remove what killed runs left of files and folders in the making."""
    landing = settings.landing_dir
    for folder in (landing, *(each for each in landing.glob("*") if each.is_dir())):
        for pattern in _REMAINS:
            for path in folder.glob(pattern):
                _remove(path)
    for folder in (settings.archive_dir / "objects", settings.archive_dir / "manifest"):
        for path in folder.glob(".incoming-*"):  # other processes than a run may archive: only what is old
            with suppress(FileNotFoundError):
                if path.stat().st_mtime < time.time() - _DAY:
                    path.unlink()


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)
