"""A sensor per live source: looks for news and requests a run of exactly what changed. All stopped by default.

What belongs here: news as Dagster run requests. Not here: what counts as news (see `news`).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

import dagster as dg

from dagster_project.errors import Deferred, UserError
from dagster_project.jobs import REFRESH
from dagster_project.partitions import partition_range_tags
from dagster_project.planning.intake import chosen_source, datasets_on
from dagster_project.planning.news import NEWS, News, look
from dagster_project.planning.state import Built
from dagster_project.settings import Settings

# Seconds between two looks; each costs one availability call per year, page or product.
INTERVALS = {"trade": 6 * 3600, "tariffs": 24 * 3600, "patents": 24 * 3600}


def sensors(settings: Settings) -> list[dg.SensorDefinition]:
    """A sensor per live source that the settings choose."""
    return [
        _sensor(dataset, settings)
        for dataset in datasets_on(settings)
        if (dataset, chosen_source(dataset, settings)) in NEWS
    ]


def _sensor(dataset: str, settings: Settings) -> dg.SensorDefinition:
    source = chosen_source(dataset, settings)

    @dg.sensor(
        name=f"{source}_news",
        job_name=REFRESH,
        minimum_interval_seconds=INTERVALS[dataset],
        default_status=dg.DefaultSensorStatus.STOPPED,
        description=f"Looks whether {source} offers something new, by availability calls only, and requests a run of "
        "what changed. Stopped until you start it.",
    )
    def news(context: dg.SensorEvaluationContext) -> list[dg.RunRequest] | dg.SkipReason:
        return evaluate(dataset, settings)

    return news


def evaluate(dataset: str, settings: Settings) -> list[dg.RunRequest] | dg.SkipReason:
    """One look: a run request per stretch of changed years, or why there is none."""
    source = chosen_source(dataset, settings)
    try:
        found = look(dataset, source, settings)
    except Deferred as wait:
        return dg.SkipReason(f"{source} wants no calls now: {wait}")
    except UserError as error:
        return dg.SkipReason(f"{source} could not be asked: {error}")
    if found.nothing:
        return dg.SkipReason(f"{source}: nothing new")
    return requests(dataset, found, settings)


def requests(dataset: str, found: News, settings: Settings) -> list[dg.RunRequest]:
    """Runs of exactly the changed years, each requested once a day at most.

    News of a dataset without years rides on the newest year that is built.
    """
    years = list(found.years)
    if not years:
        years = (sorted(map(int, Built.load(settings).years)) or list(settings.years or ()))[-1:]
    today = datetime.now(UTC).date().isoformat()
    return [
        dg.RunRequest(
            run_key=f"{dataset} {stretch[0]}-{stretch[-1]} {today}",
            tags={**partition_range_tags(stretch), "chokepoint/news": dataset},
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
