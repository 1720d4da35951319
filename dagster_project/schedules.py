"""When the live sources are looked at: daily Comtrade, weekly Federal Register, monthly patents. Stopped by default.

What belongs here: the clock times. Not here: what counts as news (see `sensors`).
"""

from __future__ import annotations

import dagster as dg

from dagster_project.jobs import REFRESH
from dagster_project.planning.intake import chosen_source, datasets_on
from dagster_project.planning.news import NEWS
from dagster_project.sensors import evaluate
from dagster_project.settings import Settings

# Dataset -> (name, cron in UTC, why then).
TIMES = {
    "trade": ("daily_trade", "15 4 * * *", "Trade: daily, when the call budget of the new UTC day is fresh."),
    "tariffs": ("weekly_tariffs", "30 5 * * 1", "Section 301: Mondays, with a week of overlap."),
    "patents": ("monthly_patents", "45 6 3 * *", "Patents: on the third of the month; the portal moves quarterly."),
}


def schedules(settings: Settings) -> list[dg.ScheduleDefinition]:
    """A schedule per live source that the settings choose."""
    return [
        _schedule(dataset, settings)
        for dataset in datasets_on(settings)
        if (dataset, chosen_source(dataset, settings)) in NEWS
    ]


def _schedule(dataset: str, settings: Settings) -> dg.ScheduleDefinition:
    name, cron, why = TIMES[dataset]

    def requests(context: dg.ScheduleEvaluationContext) -> list[dg.RunRequest] | dg.SkipReason:
        return evaluate(dataset, settings)

    return dg.ScheduleDefinition(
        name=name,
        cron_schedule=cron,
        execution_timezone="UTC",
        execution_fn=requests,
        job_name=REFRESH,
        description=f"{why} Stopped until you start it.",
        default_status=dg.DefaultScheduleStatus.STOPPED,
    )
