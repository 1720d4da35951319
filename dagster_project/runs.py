"""Runs that are alive and runs that are not: one run per data directory, and nothing kept for a run that was killed.

A run holds the lock of its data directory and a lock of its own in DAGSTER_HOME, for as long as its process lives. What
belongs here: both, and the freeing of what dead runs hold. Not here: what a run does.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import dagster as dg
from dagster._core.events import EngineEventData
from dagster._core.execution.retries import RetryMode
from dagster._core.execution.step_dependency_config import StepDependencyConfig
from dagster._core.executor.in_process import InProcessExecutor
from dagster._utils.interrupts import raise_interrupts_as

from dagster_project.environment import prepare, require_place
from dagster_project.jobs import FULL_REFRESH, REFRESH
from dagster_project.locks import RUN_LOCK, RUN_MARKS, Taken, held, is_held
from dagster_project.settings import Settings

LOCATION = "chokepoint"  # as workspace.yaml names it
MARK = "chokepoint/command"  # tag of a run that a command started
_SECONDS_TO_BEGIN = 60.0
_DAY = 24 * 3600
_AT_WORK = (dg.DagsterRunStatus.STARTED, dg.DagsterRunStatus.CANCELING)


@contextmanager
def alive(home: Path, run_id: str, doing: str) -> Iterator[None]:
    """Tell other processes, for as long as this one lives, that the run is at work."""
    mark = _mark(home, run_id)
    with held(mark, doing, wait=True):
        yield
    mark.unlink(missing_ok=True)


def free_dead_runs(instance: dg.DagsterInstance) -> list[str]:
    """Mark the runs of this project whose process is gone as failed, and free the pool slots that they hold.

    Returns their ids. Dagster keeps a slot for a run that was killed, and every later run would wait for it.
    """
    storage = instance.event_log_storage
    freed = []
    at_work = {run.run_id for run in instance.get_runs(dg.RunsFilter(statuses=list(_AT_WORK)))}
    for run_id in sorted(at_work | _holders(instance)):
        if not _is_dead(instance, run_id):
            continue
        run = instance.get_run_by_id(run_id)
        if run is not None and not run.is_finished:
            instance.report_run_failed(
                run,
                "The process of this run is gone: it was killed, or ran out of memory. What it held was freed, and the "
                "next run does its work again.",
            )
            freed.append(run_id)
        storage.free_concurrency_slots_for_run(run_id)
        _mark(Path(instance.root_directory), run_id).unlink(missing_ok=True)
    return freed


def holders_of(instance: dg.DagsterInstance, pool: str) -> str:
    """Who holds the slots of a pool, for people."""
    runs = [instance.get_run_by_id(slot.run_id) for slot in _slots(instance, pool)]
    return ", ".join(_described(instance, run) for run in runs if run is not None) or "by whom is not known"


def _described(instance: dg.DagsterInstance, run: dg.DagsterRun) -> str:
    mark = _mark(Path(instance.root_directory), run.run_id)
    holder = mark.read_text(errors="replace").strip() if mark.exists() else ""
    return f"run {run.run_id[:8]}" + (f" ({holder})" if holder else "")


def _slots(instance: dg.DagsterInstance, pool: str) -> list[Any]:
    return list(instance.event_log_storage.get_concurrency_info(pool).claimed_slots)


def _holders(instance: dg.DagsterInstance) -> set[str]:
    """The ids of the runs that hold a slot of any pool, or stand in line for one."""
    storage = instance.event_log_storage
    if not storage.supports_global_concurrency_limits:
        return set()
    pools = storage.get_concurrency_keys()
    return {slot.run_id for pool in pools for slot in _slots(instance, pool)} | storage.get_concurrency_run_ids()


def _is_dead(instance: dg.DagsterInstance, run_id: str) -> bool:
    """Whether a run is this project's, and no process is at work on it any more."""
    mark = _mark(Path(instance.root_directory), run_id)
    if mark.exists():
        return not is_held(mark)
    record = instance.get_run_record_by_id(run_id)
    if record is None:
        return True  # deleted: there is nothing to fail, but slots may be left
    if not _is_ours(record.dagster_run):
        return False
    # It marks itself when it begins; one of an older version of the program never did.
    started = record.start_time
    return record.dagster_run.is_finished or (started is not None and started < time.time() - _SECONDS_TO_BEGIN)


def _is_ours(run: dg.DagsterRun) -> bool:
    if run.remote_job_origin is not None:
        return run.remote_job_origin.location_name == LOCATION
    return MARK in run.tags or run.job_name in (REFRESH, FULL_REFRESH)


def _mark(home: Path, run_id: str) -> Path:
    return home / RUN_MARKS / run_id


def run_executor(settings: Settings) -> dg.ExecutorDefinition:
    """Dagster's executor in one process, for runs of the UI, schedules and sensors: they take the lock of the data
    directory as the commands do, and wait while another run has it.
    """

    @dg.executor(name="in_process", config_schema=dg.in_process_executor.config_schema.as_field())
    def one_run_at_a_time(init_context: dg.InitExecutorContext) -> _OneRunAtATime:
        config: Any = init_context.executor_config
        return _OneRunAtATime(
            settings,
            RetryMode.from_config(config["retries"]) or RetryMode.ENABLED,
            StepDependencyConfig.from_config(config.get("step_dependency_config")),
        )

    return one_run_at_a_time


class _OneRunAtATime(InProcessExecutor):
    def __init__(self, settings: Settings, retries: RetryMode, dependencies: StepDependencyConfig) -> None:
        super().__init__(retries=retries, step_dependency_config=dependencies)
        self._settings = settings

    def execute(self, plan_context: Any, execution_plan: Any) -> Iterator[dg.DagsterEvent]:
        run, instance = plan_context.dagster_run, plan_context.instance
        doing = f"run {run.run_id[:8]} of {run.job_name}, from the UI, a schedule or a sensor"
        require_place(self._settings)
        with ExitStack() as stack:
            stack.enter_context(alive(Path(instance.root_directory), run.run_id, doing))
            said = False
            while True:
                try:
                    stack.enter_context(held(self._settings.data_dir / RUN_LOCK, doing))
                    break
                except Taken as taken:
                    if not said:
                        said = True
                        yield dg.DagsterEvent.engine_event(
                            plan_context,
                            f"Waiting: another run is at work in the data directory {self._settings.data_dir} "
                            f"({taken.holder or 'which one is not known'}). This one begins when that has ended.",
                            EngineEventData(),
                        )
                    with raise_interrupts_as(dg.DagsterExecutionInterruptedError):  # it can be cancelled meanwhile
                        time.sleep(1)
            prepare(self._settings)
            free_dead_runs(instance)
            yield from super().execute(plan_context, execution_plan)
