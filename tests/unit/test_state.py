"""Which years a run computes: what is asked for, what the source holds, what the last release was built from."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from dagster_project.archive.store import Entry
from dagster_project.datasets.declaration import Dataset
from dagster_project.datasets.reference.dataset import REFERENCE
from dagster_project.datasets.registry import DATASETS
from dagster_project.datasets.trade.dataset import TRADE
from dagster_project.errors import SourceError
from dagster_project.landing import yearly
from dagster_project.planning.fingerprints import folder_fingerprint
from dagster_project.planning.intake import current_inputs
from dagster_project.planning.loading import land
from dagster_project.planning.state import Built, identity, make_plan, possible_years, shape, years_to_check
from tests.helpers.landing_desk import Desk, row

OFF = {each.setting: "off" for each in DATASETS if each not in (REFERENCE, TRADE)}


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    desk = Desk(tmp_path)
    desk.settings = desk.with_settings(**OFF)
    return desk


def build(desk: Desk, *, release: bool = True) -> Built:
    """Note what a run of the plan would have built, and published."""
    plan, settings = make_plan(desk.settings), desk.settings
    land(REFERENCE, settings)
    land(TRADE, settings, plan.held)
    settings.warehouse.touch()

    def entries_of(each: Dataset) -> list[Entry]:
        return current_inputs(each, settings)

    landed = yearly.landed_years(settings.landing_dir, "trade")
    built = Built(figures=folder_fingerprint("benchmarks"))
    built = built.with_years(TRADE, shape(TRADE, settings, entries_of), landed)
    built = built.with_dataset(REFERENCE, identity(REFERENCE, settings, entries_of))
    built.save(settings)
    if release:
        built.save_released(settings)
    return built


def test_first_run_computes_all_and_the_second_nothing(desk: Desk) -> None:
    desk.rows(row(), row(refYear=2018))
    plan = make_plan(desk.settings)
    assert (plan.held, plan.years, plan.full_refresh, plan.nothing_to_do) == ([2017, 2018], [2017, 2018], True, False)
    build(desk)
    assert make_plan(desk.settings).nothing_to_do


def test_only_the_year_that_changed(desk: Desk) -> None:
    desk.rows(row(), row(refYear=2018))
    build(desk)
    desk.rows(row(refYear=2018, primaryValue=7), name="correction.csv")
    plan = make_plan(desk.settings)
    assert (plan.held, plan.years, plan.full_refresh) == ([2017, 2018], [2018], False)


def test_what_was_built_but_not_released_is_computed_again(desk: Desk) -> None:
    """A check that kept a release from being published must see the same data again on the next run."""
    desk.rows(row(), row(refYear=2018))
    build(desk)
    desk.rows(row(refYear=2018, primaryValue=7), name="correction.csv")
    build(desk, release=False)
    assert make_plan(desk.settings).years == [2018]


def test_a_year_built_from_data_that_the_source_took_back_is_computed_again(desk: Desk) -> None:
    """Else the next release, of another year, would publish it unchecked."""
    desk.rows(row())
    desk.rows(row(refYear=2018), name="b.csv")
    build(desk)
    desk.rows(row(refYear=2018, primaryValue=7), name="b.csv")
    build(desk, release=False)
    desk.rows(row(refYear=2018), name="b.csv")
    assert make_plan(desk.settings).years == [2018]


def test_a_year_landed_from_data_that_the_source_took_back_is_landed_again(desk: Desk) -> None:
    desk.rows(row())
    desk.rows(row(refYear=2018), name="b.csv")
    before = build(desk)
    desk.rows(row(refYear=2018, primaryValue=7), name="b.csv")
    build(desk, release=False)
    before.save(desk.settings)  # the check of the landing stopped the run before the warehouse
    desk.rows(row(refYear=2018), name="b.csv")
    assert make_plan(desk.settings).years == [2018]


def test_a_year_that_is_gone_makes_a_run_necessary(desk: Desk) -> None:
    desk.rows(row(), row(refYear=2018))
    build(desk)
    desk.rows(row())
    plan = make_plan(desk.settings)
    assert plan.held == [2017] and not plan.nothing_to_do


@pytest.mark.parametrize("changed", [{"product_scope": "all"}, {"mirror_cif_fob_factor": "1.1"}])
def test_settings_that_shape_all_years_compute_all(desk: Desk, changed: dict[str, str]) -> None:
    desk.rows(row(), row(refYear=2018))
    build(desk)
    desk.settings = desk.with_settings(**OFF, **changed)
    assert make_plan(desk.settings).years == [2017, 2018]


def test_reference_data_that_changed_compute_all(desk: Desk) -> None:
    desk.rows(row(), row(refYear=2018))
    build(desk)
    desk.write_weights("H3", "H4", [("010119", "010121", 1)])
    assert make_plan(desk.settings).years == [2017, 2018]


def test_years_asked_for(desk: Desk) -> None:
    desk.rows(*(row(refYear=year) for year in (2016, 2017, 2018)))
    desk.settings = desk.with_settings(**OFF, years="2017")
    assert make_plan(desk.settings).held == [2017]
    desk.settings = desk.with_settings(**OFF, years="2017,2020")
    with pytest.raises(
        SourceError, match=r"years 2020: found no rows of these years; the source holds 2016, 2017, 2018"
    ):
        make_plan(desk.settings)


def test_no_usable_row_at_all(desk: Desk) -> None:
    desk.rows(row(refYear="x", period=""))
    with pytest.raises(SourceError, match="no row with a year"):
        make_plan(desk.settings)


@pytest.mark.parametrize("year", [1950, 2099])
def test_year_that_cannot_be(desk: Desk, year: int) -> None:
    desk.rows(row(), row(refYear=year))
    with pytest.raises(SourceError, match=rf"rows of the years {year}; expected rows of years from 1988"):
        make_plan(desk.settings)
    desk.settings = desk.with_settings(**OFF, years="2017")
    assert make_plan(desk.settings).held == [2017]


def test_possible_years(desk: Desk) -> None:
    assert list(possible_years(desk.with_settings(years="2017,2019"))) == [2017, 2018, 2019]
    assert list(possible_years(desk.with_settings(trade_source="sample"))) == [2017, 2018, 2019]
    assert possible_years(desk.settings)[0] == 1988


def test_years_left_unpublished_are_checked_with_the_runs_own() -> None:
    """Year 2018 failed a check in an earlier run, 2019 was never published; 2016 is as published."""
    held = {"2016": "a", "2017": "b", "2018": "new", "2019": "d"}
    assert years_to_check([2017], held, {"2016": "a", "2017": "b", "2018": "old"}) == [2017, 2018, 2019]


def test_record_of_another_version_is_not_read(desk: Desk) -> None:
    """A data directory of an older version of the program is computed anew, whatever its record says."""
    desk.rows(row())
    build(desk)
    for name in ("built.json", "released.json"):
        path = desk.settings.data_dir / name
        content = json.loads(path.read_text())
        path.write_text(json.dumps({"config": "a", "years": content["years"]["trade"], "datasets": {}}))
    assert Built.load(desk.settings) == Built.released(desk.settings) == Built()
    assert make_plan(desk.settings).years == [2017]
