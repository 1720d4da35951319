"""Sensors and schedules: what counts as news, what a look costs, and that nothing runs unless a user starts it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import dagster as dg
import pytest

from dagster_project import sensors
from dagster_project.build import build_definitions
from dagster_project.datasets.reference.dataset import REFERENCE
from dagster_project.datasets.registry import DATASETS, dataset, datasets_on
from dagster_project.datasets.trade.dataset import TRADE
from dagster_project.landing.yearly import landed_years
from dagster_project.planning.loading import land
from dagster_project.planning.news import News, look, watched
from dagster_project.planning.state import Built, entries_fingerprint
from dagster_project.settings import Settings
from dagster_project.sources.http import Http
from dagster_project.sources.ledger import Ledger
from dagster_project.sources.live import live_session
from tests.contract.conftest import Bench
from tests.contract.server import faults
from tests.helpers.steps import current, fetch

LIVE = {"ustr_addresses": (), "tariff_source": "ustr", "patent_source": "uspto"}


@pytest.fixture
def settings(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """All sources live, two years, a client that does not wait."""

    def impatient(ledger: Ledger, user_agent: str, **options: Any) -> Http:
        return Http(ledger, user_agent=user_agent, clock=bench.clock, sleep=bench.clock.sleep, **options)

    monkeypatch.setattr("dagster_project.sources.live.make_http", impatient)
    return bench.settings(years=(2017, 2019), **LIVE)


def built(settings: Settings) -> None:
    """Fetch, land and note as computed, as a run does."""
    for each in datasets_on(settings):
        fetch(each.name, settings)
    land(REFERENCE, settings)
    land(TRADE, settings, list(settings.years or ()))
    settings.warehouse.touch()
    record = Built().with_years(TRADE, "shape", landed_years(settings.landing_dir, "trade"), computed=[])
    for each in datasets_on(settings):
        if each.yearly is None:
            record = record.with_dataset(each, f"shape/{entries_fingerprint(current(each.name, settings))}")
    record.save(settings)


def requested(name: str, settings: Settings) -> list[tuple[str, str]] | str:
    answer = sensors.evaluate(dataset(name), settings)
    if isinstance(answer, dg.SkipReason):
        return str(answer.skip_message)
    return [
        (run.tags["dagster/asset_partition_range_start"], run.tags["dagster/asset_partition_range_end"])
        for run in answer
    ]


def test_looks_without_news_cost_availability_calls_only_and_request_nothing(bench: Bench, settings: Settings) -> None:
    assert requested("trade", settings) == [("2017", "2017"), ("2019", "2019")], "before the first run"
    built(settings)
    bench.contract.seen.clear()
    for name in ("trade", "tariffs", "patents"):
        assert "nothing new" in requested(name, settings), name
    paths = sorted(target.split("?")[0] for target in bench.contract.targets())
    assert paths == [
        "/api/v1/datasets/products/pvgpatdis",
        "/fr/documents.json",
        "/public/v1/getDa/C/A/HS",
        "/public/v1/getDa/C/A/HS",
        "/reststop/releaseList",
    ]


def test_exactly_what_changed_is_requested(bench: Bench, settings: Settings) -> None:
    built(settings)
    world = bench.contract.world
    world.revise(2019, 757)
    assert requested("trade", settings) == [("2019", "2019")]
    world.odp_released["g_patent.tsv.zip"] = "2026-06-30 00:00:00"
    assert requested("patents", settings) == [("2019", "2019")]
    assert "nothing new" in requested("tariffs", settings)


def test_a_run_that_failed_after_pulling_is_requested_again(bench: Bench, settings: Settings) -> None:
    built(settings)
    world = bench.contract.world
    world.revise(2019, 757)
    world.extra_fields = {"datasetCode": 1}
    fetch("trade", settings)
    assert requested("trade", settings) == [("2019", "2019")]


def test_a_source_that_cannot_be_asked_is_reported_and_skipped(bench: Bench, settings: Settings) -> None:
    gone = replace(settings, comtrade_url="http://127.0.0.1:9")
    assert "could not be asked" in requested("trade", gone)


def test_while_a_run_asks_the_sources_a_look_does_not_wait(settings: Settings) -> None:
    with live_session(settings):
        assert "another run that is asking the live sources" in requested("trade", settings)


def tick(sensor: str, settings: Settings) -> Any:
    """One evaluation as Dagster's daemon makes it."""
    definitions = build_definitions(settings=settings)
    with dg.DagsterInstance.ephemeral() as instance:
        context = dg.build_sensor_context(instance=instance, definitions=definitions)
        return definitions.resolve_sensor_def(sensor).evaluate_tick(context)


def test_in_dagster_news_of_one_year_of_three_is_a_run_of_that_partition(bench: Bench, settings: Settings) -> None:
    three = replace(settings, years=(2017, 2018, 2019), tariff_source="off", patent_source="off")
    built(three)
    quiet = tick("trade_news", three)
    assert not quiet.run_requests and "nothing new" in str(quiet.skip_message)
    bench.contract.world.revise(2018, 203)
    bench.contract.seen.clear()
    (request,) = tick("trade_news", three).run_requests or ()
    tags = {name: value for name, value in request.tags.items() if name.startswith("dagster/asset_partition")}
    assert tags == {"dagster/asset_partition_range_start": "2018", "dagster/asset_partition_range_end": "2018"}
    assert bench.contract.count("getDa") == len(bench.contract.seen) == 3
    bench.contract.fail("getDa", faults.reset, times=9)
    down = tick("trade_news", three)
    assert not down.run_requests and "could not be asked" in str(down.skip_message)
    assert sum(bench.clock.slept) < 30, "Dagster gives a sensor a minute"


def test_runs_take_consecutive_years_together() -> None:
    assert sensors.stretches([2019, 2015, 2016, 2018]) == [[2015, 2016], [2018, 2019]]


def test_sensors_and_schedules_are_there_and_stopped(settings: Settings) -> None:
    definitions = build_definitions(settings=settings)
    found = [*(definitions.sensors or []), *(definitions.schedules or [])]
    assert {each.name for each in found} == {
        *("trade_news", "tariffs_news", "patents_news", "politics_news", "chains_news"),
        *("daily_trade", "weekly_tariffs", "monthly_patents", "monthly_politics", "monthly_chains"),
    }
    assert all(each.default_status.value == "STOPPED" for each in found)
    files = replace(settings, **{each.setting: "files" for each in DATASETS})
    assert not build_definitions(settings=files).sensors


def test_a_year_that_a_source_with_gaps_lacks_is_not_news_for_ever(settings: Settings) -> None:
    """There is no input-output table of 2030; that of 2019 is here and not computed yet."""
    asked = replace(settings, years=(2019, 2030))
    fetch("chains", asked)
    assert look(dataset("chains"), asked) == News(years=(2019,))


def test_news_is_asked_of_live_sources_only(settings: Settings) -> None:
    assert watched(TRADE, settings) is not None
    assert watched(TRADE, replace(settings, trade_source="sample")) is None
