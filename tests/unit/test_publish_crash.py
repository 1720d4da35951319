"""A publisher that dies, fills the disk or is not alone: the previous release stays whole, the next one succeeds."""

from __future__ import annotations

import errno
import multiprocessing
import os
import resource
import shutil
import signal
import sys
import threading
import time
from contextlib import contextmanager
from pathlib import Path

import pytest

from dagster_project.errors import ReleaseError
from dagster_project.publish import files
from dagster_project.publish.files import only_publisher
from tests.helpers.publish_helpers import add_years, assert_whole, make_warehouse, names_below, publish_as

# Every one of these that touches the published directory is a moment at which the publisher is killed.
FILE_EVENTS = {"open", "os.mkdir", "os.rename", "os.symlink", "os.link", "os.chmod", "os.remove", "os.rmdir"}
PROCESSES = multiprocessing.get_context("spawn")
DATABASE_BUILDING = ".building-2*/chokepoint.duckdb"


@pytest.fixture
def warehouse(tmp_path: Path) -> Path:
    return make_warehouse(tmp_path / "warehouse.duckdb", rows=60)


@pytest.fixture
def published(tmp_path: Path) -> Path:
    return tmp_path / "published"


def publish_and_die(warehouse: Path, published: Path, name: str, event_number: int) -> None:
    """Publish, and be killed without any warning at the n-th file operation in the published directory."""
    seen = 0

    def hook(event: str, arguments: tuple) -> None:
        nonlocal seen
        if event in FILE_EVENTS and str(published) in str(arguments):
            seen += 1
            if seen == event_number:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(hook)
    publish_as(warehouse, published, name, retain=1)


def publish_and_die_once_there_is(warehouse: Path, published: Path, name: str, pattern: str, size: int) -> None:
    """Publish, and be killed as soon as a file below releases/ has a size: in the middle of DuckDB's writing."""

    def watch() -> None:
        while True:
            for path in (published / "releases").glob(pattern):
                if path.stat().st_size >= size:
                    os.kill(os.getpid(), signal.SIGKILL)

    threading.Thread(target=watch, daemon=True).start()
    publish_as(warehouse, published, name)


def in_a_fork(action, *arguments) -> int:
    """Run in a fork of this process; the exit code, negative when a signal ended it."""
    child = os.fork()
    if child == 0:
        action(*arguments)
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def die_at_every_operation(warehouse: Path, published: Path, results) -> None:
    """Publish beside the same release, dying one operation later each time, until one attempt lives.

    Reports (exit code, current release) of each attempt. Every third is followed by an undisturbed publishing, which
    must find its way among the remains. To be run in a process that has not used DuckDB yet: its threads would not
    survive the forks.
    """
    import pandas  # noqa: F401  DuckDB imports it when first used: once here instead of once in every fork

    attempts: list[tuple[int, str]] = []
    while not attempts or attempts[-1][0] < 0:
        tried = published.with_name(f"published-{len(attempts) + 1}")
        shutil.copytree(published, tried, symlinks=True)
        code = in_a_fork(publish_and_die, warehouse, tried, "second", len(attempts) + 1)
        attempts.append((code, assert_whole(tried / "current")))
        if len(attempts) % 3 == 0:
            assert in_a_fork(publish_as, warehouse, tried, "third") == 0
            assert assert_whole(tried / "current") > attempts[-1][1]
            assert not [name for name in names_below(tried) if name.startswith(".")]
    results.put(attempts)


def run(target, *arguments) -> int | None:
    process = PROCESSES.Process(target=target, args=arguments)
    process.start()
    process.join(120)
    return process.exitcode


@pytest.mark.slow
def test_killed_at_every_file_operation(warehouse, published):
    """`current` never leads to anything but a whole release, and the next publisher succeeds."""
    first = publish_as(warehouse, published, "first").release_id
    results = PROCESSES.SimpleQueue()
    assert run(die_at_every_operation, warehouse, published, results) == 0
    attempts = results.get()
    assert [code for code, _ in attempts[:-1]] == [-signal.SIGKILL] * (len(attempts) - 1)
    assert attempts[-1][0] == 0, "the last attempt ended well: there was no operation left to die at"
    assert len(attempts) > 45, "most of the publishing was never interrupted"
    switched = [release_id != first for _, release_id in attempts]
    assert switched == sorted(switched), "once the switch was made in time, it is made in time ever after"
    assert switched.count(True) < 12, "the switch is the last act but for the note of what the files' stamps are"


@pytest.mark.parametrize("size", [1, 300_000])
def test_killed_while_the_database_is_written(warehouse, published, size):
    first = publish_as(warehouse, published, "a")
    arguments = (warehouse, published, "b", DATABASE_BUILDING, size)
    assert run(publish_and_die_once_there_is, *arguments) == -signal.SIGKILL
    assert assert_whole(published / "current") == first.release_id
    assert any(name.startswith(".building-") for name in names_below(published))
    second = publish_as(warehouse, published, "c")
    assert assert_whole(published / "current") == second.release_id
    assert names_below(published) == [first.release_id, second.release_id, "current", "releases"]


# -------------------------------------------------------------------------------------------------------- disk full


def every_sync_fails_from(monkeypatch, number: int) -> None:
    calls = 0
    real = os.fsync

    def fsync(descriptor: int) -> None:
        nonlocal calls
        calls += 1
        if calls >= number:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        real(descriptor)

    monkeypatch.setattr(os, "fsync", fsync)


@pytest.mark.parametrize("number", [1, 2, 5, 9])
def test_disk_full_at_some_point(warehouse, published, monkeypatch, number):
    first = publish_as(warehouse, published, "a")
    every_sync_fails_from(monkeypatch, number)
    with pytest.raises(ReleaseError, match=r"no space left .* Free disk space and publish again"):
        publish_as(warehouse, published, "b")
    assert names_below(published) == [first.release_id, "current", "releases"]
    assert assert_whole(published / "current") == first.release_id
    monkeypatch.undo()
    second = publish_as(warehouse, published, "b")
    assert assert_whole(published / "current") == second.release_id


@contextmanager
def no_file_larger_than(size: int):
    """A limit of the operating system, which DuckDB's own writing meets too. Python ignores the signal of it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.parametrize("size", [1000, 20_000, 200_000])
def test_no_room_for_what_duckdb_writes(warehouse, published, size):
    first = publish_as(warehouse, published, "a")
    add_years(warehouse, [2019], rows=20_000)
    with no_file_larger_than(size), pytest.raises(ReleaseError, match="untouched"):
        publish_as(warehouse, published, "b")
    assert names_below(published) == [first.release_id, "current", "releases"]
    assert assert_whole(published / "current") == first.release_id
    assert publish_as(warehouse, published, "b").created


def test_failing_to_switch_leaves_no_release_behind(warehouse, published, monkeypatch):
    first = publish_as(warehouse, published, "a")

    def refuse(self, target, *_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(Path, "symlink_to", refuse)
    with pytest.raises(ReleaseError, match="no space left"):
        publish_as(warehouse, published, "b")
    assert names_below(published) == [first.release_id, "current", "releases"]


def test_a_failure_after_the_switch_does_not_take_the_release_away(warehouse, published, monkeypatch):
    """Interrupted (Ctrl-C) right after the switch: the new release is the current one and must stay."""
    publish_as(warehouse, published, "a")
    real = files.os.replace

    def replace(source, target):
        real(source, target)
        if Path(target).name == "current":
            raise KeyboardInterrupt

    monkeypatch.setattr(files.os, "replace", replace)
    with pytest.raises(KeyboardInterrupt):
        publish_as(warehouse, published, "b")
    monkeypatch.undo()
    release_id = assert_whole(published / "current")
    assert release_id == names_below(published)[1]


# ------------------------------------------------------------------------------------------------- two at one time


def test_the_second_of_two_publishers_is_refused(warehouse, published):
    first = publish_as(warehouse, published, "a")
    with (
        only_publisher(published),
        pytest.raises(ReleaseError, match=f"another publisher at work .process {os.getpid()}."),
    ):
        publish_as(warehouse, published, "b")
    assert names_below(published) == [first.release_id, "current", "releases"]
    assert publish_as(warehouse, published, "b").created


def test_two_publishers_at_once(warehouse, published):
    """Started together, in one process: one publishes, the other is refused; nothing is mixed."""
    inside, refused = threading.Event(), threading.Event()
    outcomes: list[object] = []

    def wait_inside(release) -> None:
        inside.set()
        assert refused.wait(30)

    slow = threading.Thread(target=lambda: outcomes.append(publish_as(warehouse, published, "a", extras=wait_inside)))
    slow.start()
    assert inside.wait(30)
    with pytest.raises(ReleaseError, match="another publisher"):
        publish_as(warehouse, published, "b")
    refused.set()
    slow.join()
    assert assert_whole(published / "current") == outcomes[0].release_id
    assert names_below(published) == [outcomes[0].release_id, "current", "releases"]


def test_a_killed_publisher_leaves_no_lock(warehouse, published):
    published.mkdir()
    assert run(publish_and_die, warehouse, published, "a", 12) == -signal.SIGKILL
    started = time.monotonic()
    assert publish_as(warehouse, published, "b").created
    assert time.monotonic() - started < 30
