"""The schedule that looks at the drop folder: what it would do, and why it does nothing."""

from __future__ import annotations

from pathlib import Path

import dagster as dg
import pytest

from dagster_project.datasets.reference.dataset import REFERENCE
from dagster_project.datasets.registry import DATASETS
from dagster_project.datasets.trade.dataset import TRADE
from dagster_project.locks import RUN_LOCK, held
from dagster_project.schedules import look_at_files, schedules
from tests.helpers.landing_desk import Desk, row
from tests.helpers.noted_builds import build


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    desk = Desk(tmp_path)
    desk.settings = desk.with_settings(**{each.setting: "off" for each in DATASETS if each not in (REFERENCE, TRADE)})
    return desk


def answer(desk: Desk) -> list[tuple[str, str, str]] | str:
    """First year, last year and purpose of each run that is requested, or why there is none."""
    found = look_at_files(desk.settings)
    if isinstance(found, dg.SkipReason):
        return str(found.skip_message)
    span = "dagster/asset_partition_range_"
    return [(run.tags[f"{span}start"], run.tags[f"{span}end"], run.tags["chokepoint/news"]) for run in found]


def test_a_run_of_exactly_what_changed_is_requested_and_says_so(desk: Desk) -> None:
    desk.rows(row(), row(refYear=2018))
    assert answer(desk) == [("2017", "2018", "to compute: year 2017, year 2018, dataset reference, dataset benchmarks")]
    build(desk)
    assert answer(desk) == "Nothing new in reference (files), trade (files): the release holds all of it."
    desk.rows(row(refYear=2018, primaryValue=7), name="correction.csv")
    assert answer(desk) == [("2018", "2018", "to compute: year 2018")]


def test_a_look_waits_for_no_run_and_says_what_would_stop_one(desk: Desk) -> None:
    desk.rows(row())
    with held(desk.settings.data_dir / RUN_LOCK, "a test"):
        assert str(answer(desk)).startswith("A run is at work (process ")
    desk.write("comtrade/other.csv", b"<!DOCTYPE html>")
    assert str(answer(desk)).startswith("A run would stop here: comtrade/other.csv: found an HTML")


def test_the_schedule_is_there_for_files_and_stopped(desk: Desk) -> None:
    (found,) = schedules(desk.settings)
    assert (found.name, found.default_status.value) == ("daily_files", "STOPPED")
