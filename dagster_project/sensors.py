"""A sensor per live source: looks for news and requests a run of exactly what changed. All stopped by default.

What belongs here: news as Dagster run requests. Not here: what counts as news (see `planning.news`).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

import dagster as dg

from dagster_project.datasets.declaration import Dataset, LiveService
from dagster_project.datasets.registry import datasets_on
from dagster_project.errors import Deferred, UserError
from dagster_project.jobs import REFRESH, news_sensor
from dagster_project.partitions import partition_range_tags
from dagster_project.planning.news import News, look, watched
from dagster_project.planning.state import Built
from dagster_project.settings import Settings


def sensors(settings: Settings) -> list[dg.SensorDefinition]:
    """A sensor per live source that the settings choose."""
    return [
        _sensor(each, service, settings)
        for each in datasets_on(settings)
        if (service := watched(each, settings)) is not None
    ]


def _sensor(each: Dataset, service: LiveService, settings: Settings) -> dg.SensorDefinition:
    @dg.sensor(
        name=news_sensor(each),
        job_name=REFRESH,
        minimum_interval_seconds=service.look_every,
        default_status=dg.DefaultSensorStatus.STOPPED,
        description=f"Looks whether {service.name} offers something new, by availability calls only, and requests a "
        "run of what changed. Stopped until you start it.",
    )
    def news(context: dg.SensorEvaluationContext) -> list[dg.RunRequest] | dg.SkipReason:
        return evaluate(each, settings)

    return news


def evaluate(each: Dataset, settings: Settings) -> list[dg.RunRequest] | dg.SkipReason:
    """One look: a run request per stretch of changed years, or why there is none."""
    source = each.source_name(settings)
    try:
        found = look(each, settings)
    except Deferred as wait:
        return dg.SkipReason(f"{source} accepts no calls now: {wait}")
    except UserError as error:
        return dg.SkipReason(f"{source} could not be asked: {error}")
    if found.nothing:
        return dg.SkipReason(f"{source}: nothing new")
    return requests(each, found, settings)


def requests(each: Dataset, found: News, settings: Settings) -> list[dg.RunRequest]:
    """Runs of exactly the changed years, each requested once a day at most.

    News that belongs to no year is computed by a run of the newest year that is built.
    """
    years = list(found.years)
    if not years:
        years = (Built.load(settings).all_years() or list(settings.years or ()))[-1:]
    today = datetime.now(UTC).date().isoformat()
    return [
        dg.RunRequest(
            run_key=f"{each.name} {stretch[0]}-{stretch[-1]} {today}",
            tags={**partition_range_tags(stretch), "chokepoint/news": each.name},
        )
        for stretch in stretches(years)
    ]


def stretches(years: Sequence[int]) -> list[list[int]]:
    """Sorted years as runs of consecutive ones: a run takes a range of partitions, without gaps."""
    found: list[list[int]] = []
    for year in sorted(years):
        if found and found[-1][-1] == year - 1:
            found[-1].append(year)
        else:
            found.append([year])
    return found
