"""One run per data directory, whoever starts it; what a killed run holds is freed, what a living one holds is not."""

from __future__ import annotations

import io
import os
import shutil
import socket
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Iterator, Sequence
from pathlib import Path

import dagster as dg
import pytest

from dagster_project import cli
from dagster_project.display import Display
from dagster_project.locks import RUN_LOCK, held, is_held
from dagster_project.places import CHECKOUT, DAGSTER_YAML
from dagster_project.progress import RunSteps
from dagster_project.runs import MARK, alive, free_dead_runs, holders_of
from tests.helpers.small_job import job

POOL = "warehouse"
HOLD = """
import sys, time
from pathlib import Path
from dagster_project.locks import held
with held(Path(sys.argv[1]), "chokepoint run"):
    print("held", flush=True)
    time.sleep(120)
"""


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "dagster").mkdir()
    shutil.copyfile(DAGSTER_YAML, tmp_path / "dagster/dagster.yaml")
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path / "dagster"))
    monkeypatch.setenv("SMALL_JOB_DATA", str(tmp_path / "data"))
    return tmp_path / "dagster"


@pytest.fixture
def instance(home: Path) -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.get() as instance:
        yield instance


def run_that_holds_the_pool(instance: dg.DagsterInstance) -> str:
    """A run at work in a step of the warehouse's pool, as Dagster's storage has it."""
    run_id = str(uuid.uuid4())
    run = instance.create_run_for_job(job(), run_id=run_id, tags={MARK: "chokepoint"})
    instance.handle_run_event(
        run.run_id, dg.DagsterEvent(event_type_value="PIPELINE_START", job_name="refresh", message="")
    )
    storage = instance.event_log_storage
    storage.initialize_concurrency_limit_to_default(POOL)
    assert storage.claim_concurrency_slot(POOL, run_id, "touched").is_claimed
    return run_id


def status(instance: dg.DagsterInstance, run_id: str) -> str:
    run = instance.get_run_by_id(run_id)
    assert run is not None
    return run.status.value


def claimed(instance: dg.DagsterInstance) -> int:
    return len(instance.event_log_storage.get_concurrency_info(POOL).claimed_slots)


def leave_mark(home: Path, run_id: str) -> None:
    """What a process that was killed leaves: the file of its mark, locked by nobody."""
    (home / "running").mkdir(exist_ok=True)
    (home / "running" / run_id).write_text("process 1, since 00:00:00: a command")


def test_a_dead_run_is_failed_and_its_slot_freed(home: Path, instance: dg.DagsterInstance) -> None:
    run_id = run_that_holds_the_pool(instance)
    leave_mark(home, run_id)
    assert (status(instance, run_id), claimed(instance)) == ("STARTED", 1)
    assert free_dead_runs(instance) == [run_id]
    assert (status(instance, run_id), claimed(instance)) == ("FAILURE", 0)
    assert free_dead_runs(instance) == [] and not list((home / "running").iterdir())


def test_a_living_run_keeps_its_slot(home: Path, instance: dg.DagsterInstance) -> None:
    run_id = run_that_holds_the_pool(instance)
    with alive(home, run_id, "a command of the test"):
        assert free_dead_runs(instance) == []
        assert (status(instance, run_id), claimed(instance)) == ("STARTED", 1)
        assert f"run {run_id[:8]} (process {os.getpid()}" in holders_of(instance, POOL)
    assert free_dead_runs(instance) == [], "one that has only just begun may not have marked itself yet"


def test_a_slot_of_a_run_that_has_ended_is_freed(home: Path, instance: dg.DagsterInstance) -> None:
    run_id = run_that_holds_the_pool(instance)
    run = instance.get_run_by_id(run_id)
    assert run is not None
    instance.report_run_failed(run)
    assert free_dead_runs(instance) == [] and claimed(instance) == 0


def test_runs_of_other_projects_are_none_of_ours(home: Path, instance: dg.DagsterInstance) -> None:
    @dg.job
    def theirs() -> None:
        pass

    run = instance.create_run_for_job(theirs)
    instance.handle_run_event(
        run.run_id, dg.DagsterEvent(event_type_value="PIPELINE_START", job_name="theirs", message="")
    )
    instance.event_log_storage.initialize_concurrency_limit_to_default(POOL)
    assert instance.event_log_storage.claim_concurrency_slot(POOL, run.run_id, "x").is_claimed
    assert free_dead_runs(instance) == [] and claimed(instance) == 1


def test_a_step_that_waits_says_so_and_goes_on_when_the_holder_dies(home: Path, instance: dg.DagsterInstance) -> None:
    """The holder lives in another data directory under the same DAGSTER_HOME, and is killed while this one waits."""
    run_id = run_that_holds_the_pool(instance)
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(home / "running" / run_id)], cwd=CHECKOUT, stdout=subprocess.PIPE
    ) as holder:
        assert holder.stdout is not None and holder.stdout.readline() == b"held\n"
        said, mine = io.StringIO(), str(uuid.uuid4())

        def blocked(pool: str) -> str:
            free_dead_runs(instance)
            return holders_of(instance, pool)

        instance.add_event_listener(mine, RunSteps(Display(said), blocked, after=1.0))
        threading.Timer(4.0, holder.kill).start()
        started = time.monotonic()
        assert job().execute_in_process(instance=instance, run_id=mine).success
    assert time.monotonic() - started > 3
    assert (
        f"touched is waiting for the pool warehouse, held by run {run_id[:8]} (process {holder.pid}" in said.getvalue()
    )
    assert status(instance, run_id) == "FAILURE"


def test_a_run_of_the_ui_waits_for_a_command_and_names_it(home: Path, instance: dg.DagsterInstance) -> None:
    """Its executor takes the lock that the commands take; the run says in its log what it waits for."""
    lock = Path(os.environ["SMALL_JOB_DATA"]) / RUN_LOCK
    with held(lock, "chokepoint run"):
        process = subprocess.Popen([sys.executable, "-m", "tests.helpers.small_job"], cwd=CHECKOUT)
        found = ""
        for _ in range(600):
            runs = instance.get_runs()
            found = " ".join(entry.user_message for run in runs for entry in instance.all_logs(run.run_id))
            if "Waiting: another run" in found:
                break
            time.sleep(0.1)
        assert f"Waiting: another run is at work in the data directory {lock.parent} (process {os.getpid()}" in found
        assert process.poll() is None and instance.get_latest_materialization_event(dg.AssetKey("touched")) is None
    assert process.wait(timeout=60) == 0
    assert instance.get_latest_materialization_event(dg.AssetKey("touched")) is not None
    assert not list((home / "running").iterdir())


def test_a_command_is_refused_while_a_run_of_the_ui_is_at_work_and_names_it(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    data = Path(os.environ["SMALL_JOB_DATA"])
    data.mkdir()
    (data / "busy").touch()
    with subprocess.Popen([sys.executable, "-m", "tests.helpers.small_job"], cwd=CHECKOUT) as process:
        for _ in range(600):
            if is_held(data / RUN_LOCK):
                break
            time.sleep(0.1)
        monkeypatch.setenv("CHOKEPOINT_DATA_DIR", str(data))
        assert cli.main(["run"]) == 1
        said = capsys.readouterr().err
        assert f"another run at work in it (process {process.pid}, since " in said
        assert "of refresh, from the UI, a schedule or a sensor); expected one run at a time" in said
        (data / "busy").unlink()
        assert process.wait(timeout=60) == 0


def test_the_ui_frees_dead_runs_when_it_starts(
    home: Path, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """And leaves alone what lives: a run of another data directory under the same DAGSTER_HOME."""
    dead, living, started = run_that_holds_the_pool(instance), str(uuid.uuid4()), list[Sequence[str]]()
    leave_mark(home, dead)
    instance.create_run_for_job(job(), run_id=living, tags={MARK: "chokepoint"})
    instance.handle_run_event(
        living, dg.DagsterEvent(event_type_value="PIPELINE_START", job_name="refresh", message="")
    )
    monkeypatch.setenv("CHOKEPOINT_DATA_DIR", str(home.parent / "data"))

    def become(program: str, arguments: Sequence[str]) -> None:
        started.append(arguments)
        raise SystemExit

    monkeypatch.setattr(os, "execv", become)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = str(probe.getsockname()[1])
    with alive(home, living, "a command of the test"), pytest.raises(SystemExit):
        cli.main(["ui", "--port", port])
    assert f"Run {dead[:8]} was killed before its end" in capsys.readouterr().out
    assert (status(instance, dead), status(instance, living), claimed(instance)) == ("FAILURE", "STARTED", 0)
    assert len(started) == 1 and "dev" in started[0], "and only then Dagster begins"
