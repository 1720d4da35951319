"""Schedules: when the live sources are asked for news. All are stopped until a user starts them.

What belongs here: a source's clock time as a Dagster schedule. Not here: what counts as news (see `sensors`), and the
times (see `datasets`).
"""

from __future__ import annotations

import dagster as dg

from dagster_project.datasets.declaration import Dataset, LiveService
from dagster_project.datasets.registry import datasets_on
from dagster_project.jobs import REFRESH
from dagster_project.planning.news import watched
from dagster_project.sensors import evaluate
from dagster_project.settings import Settings


def schedules(settings: Settings) -> list[dg.ScheduleDefinition]:
    """A schedule per live source that the settings choose."""
    return [
        _schedule(each, service, settings)
        for each in datasets_on(settings)
        if (service := watched(each, settings)) is not None
    ]


def _schedule(each: Dataset, service: LiveService, settings: Settings) -> dg.ScheduleDefinition:
    def requests(context: dg.ScheduleEvaluationContext) -> list[dg.RunRequest] | dg.SkipReason:
        return evaluate(each, settings)

    return dg.ScheduleDefinition(
        name=service.schedule,
        cron_schedule=service.cron,
        execution_timezone="UTC",
        execution_fn=requests,
        job_name=REFRESH,
        description=f"{service.why} Stopped until you start it.",
        default_status=dg.DefaultScheduleStatus.STOPPED,
    )
