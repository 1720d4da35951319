"""Locks between processes: files that one process holds at a time, and that say who.

The operating system drops a lock when its holder ends, however it ends, so a crash leaves nothing to clean by hand.
What belongs here: taking, waiting and naming the holder. Not here: what is done under a lock.
"""

from __future__ import annotations

import fcntl
import logging
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from dagster_project.durable import told
from dagster_project.errors import EnvironmentProblem

RUN_LOCK = "run.lock"
RUN_MARKS = "running"  # in DAGSTER_HOME: a lock for each run at work
SECONDS_BEFORE_SAYING = 10.0
SECONDS_BETWEEN_TRIES = 0.2

_log = logging.getLogger(__name__)


class Taken(Exception):
    """Another process (or another part of this one) holds the lock; `holder` says which, as it named itself."""

    def __init__(self, path: Path, holder: str) -> None:
        self.path, self.holder = path, holder
        super().__init__(f"{path} is held ({holder or 'by whom is not known'})")


@contextmanager
def held(
    path: Path,
    doing: str,
    *,
    wait: bool = False,
    say: Callable[[str], None] = _log.info,
    after: float = SECONDS_BEFORE_SAYING,
) -> Iterator[None]:
    """Hold the lock at `path` inside the block; `doing` is what others are told about it.

    Taken at once when another holds it; with `wait`, its end is waited for, and `say` is told after a few seconds what
    is waited for. EnvironmentProblem where files cannot be locked.
    """
    with told(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)  # who may, as the umask says
    try:
        _take(descriptor, path, wait, say, after)
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"process {os.getpid()}, since {time.strftime('%H:%M:%S')}: {doing}\n".encode(), 0)
        try:
            yield
        finally:
            os.ftruncate(descriptor, 0)
    finally:
        os.close(descriptor)


def is_held(path: Path) -> bool:
    """Whether somebody holds the lock at `path` now; a file that does not exist is held by nobody."""
    try:
        descriptor = os.open(path, os.O_RDWR)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return False
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)


def _take(descriptor: int, path: Path, wait: bool, say: Callable[[str], None], after: float) -> None:
    started, said = time.monotonic(), False
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except BlockingIOError:
            holder = os.pread(descriptor, 500, 0).decode(errors="replace").strip()
            if not wait:
                raise Taken(path, holder) from None
        except OSError as error:
            raise EnvironmentProblem(
                str(path),
                found=f"a file that cannot be locked ({error.strerror})",
                expected="a file system with locks",
                remedy="Choose a directory on another file system.",
            ) from error
        if not said and time.monotonic() - started >= after:
            said = True
            say(f"waiting for {path.name}: {holder or 'held by another process'}")
        time.sleep(SECONDS_BETWEEN_TRIES)
