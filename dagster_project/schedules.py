"""Schedules: when the sources are looked at for news. All are stopped until a user starts them.

What belongs here: a live source's clock time as a Dagster schedule, and one schedule for the sources that are not asked
over the network. Not here: what counts as news (see `sensors`, `planning`), and the services' times (see `datasets`).
"""

from __future__ import annotations

import dagster as dg

from dagster_project.datasets.declaration import Dataset, LiveService
from dagster_project.datasets.registry import datasets_on
from dagster_project.durable import KNOWN_FILES, remembering
from dagster_project.environment import prepare
from dagster_project.errors import UserError
from dagster_project.jobs import REFRESH
from dagster_project.locks import RUN_LOCK, Taken, held
from dagster_project.partitions import partition_range_tags
from dagster_project.planning.news import watched
from dagster_project.planning.state import Plan, make_plan
from dagster_project.sensors import evaluate, stretches
from dagster_project.settings import Settings

FILES_SCHEDULE, FILES_CRON = "daily_files", "30 3 * * *"


def schedules(settings: Settings) -> list[dg.ScheduleDefinition]:
    """A schedule per live source that the settings choose, and one for all other sources."""
    on = datasets_on(settings)
    found = [_schedule(each, service, settings) for each in on if (service := watched(each, settings)) is not None]
    return [*found, *([_files_schedule(settings)] if _not_live(settings) else [])]


def look_at_files(settings: Settings) -> list[dg.RunRequest] | dg.SkipReason:
    """One look at the drop folder and the sample: a run request per stretch of years to compute, or why there is none.

    What is new is archived; live services are not asked. The requests' tag `chokepoint/news` says what would be done.
    """
    names = ", ".join(_not_live(settings))
    try:
        prepare(settings)
        with (
            held(settings.data_dir / RUN_LOCK, "a schedule that looks at the files"),
            remembering(settings.data_dir / KNOWN_FILES),
        ):
            plan = make_plan(settings, services=False)
    except Taken as taken:
        return dg.SkipReason(f"A run is at work ({taken.holder}); the next look comes as scheduled.")
    except UserError as error:
        return dg.SkipReason(f"A run would stop here: {error}")
    if plan.nothing_to_do:
        return dg.SkipReason(f"Nothing new in {names}: the release holds all of it.")
    if not plan.years_of_run:
        return dg.SkipReason("No year was landed yet: start the first run yourself.")
    return [
        dg.RunRequest(tags={**partition_range_tags(stretch), "chokepoint/news": _in_words(plan)})
        for stretch in stretches(plan.years_of_run)
    ]


def _in_words(plan: Plan) -> str:
    what = [*(f"year {year}" for year in plan.years), *(f"dataset {name}" for name in plan.datasets)]
    return "to compute: " + (", ".join(what) or "what an earlier run left unfinished")


def _not_live(settings: Settings) -> list[str]:
    on = [each for each in datasets_on(settings) if not isinstance(each.source(settings), LiveService)]
    return [f"{each.name} ({each.source_name(settings)})" for each in on]


def _files_schedule(settings: Settings) -> dg.ScheduleDefinition:
    def requests(context: dg.ScheduleEvaluationContext) -> list[dg.RunRequest] | dg.SkipReason:
        return look_at_files(settings)

    return dg.ScheduleDefinition(
        name=FILES_SCHEDULE,
        cron_schedule=FILES_CRON,
        execution_timezone="UTC",
        execution_fn=requests,
        job_name=REFRESH,
        description=f"Looks whether {', '.join(_not_live(settings))} hold something new, and requests a run of exactly "
        'that. "Preview tick result" shows what it would do. Stopped until you start it.',
        default_status=dg.DefaultScheduleStatus.STOPPED,
    )


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
