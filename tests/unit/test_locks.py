"""A lock is one process's at a time, says whose, and is gone with it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from dagster_project.locks import Taken, held, is_held
from dagster_project.places import CHECKOUT

HOLD = """
import sys, time
from pathlib import Path
from dagster_project.locks import held
with held(Path(sys.argv[1]), "a job of the test"):
    print("held", flush=True)
    time.sleep(60)
"""


@pytest.fixture
def holder(tmp_path: Path) -> subprocess.Popen[bytes]:
    """Another process that holds tmp_path/x.lock."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path / "x.lock")], cwd=CHECKOUT, stdout=subprocess.PIPE
    )
    assert process.stdout is not None and process.stdout.readline() == b"held\n"
    yield process
    process.kill()
    process.communicate()


def test_the_holder_is_named_and_leaves_nothing_when_killed(tmp_path: Path, holder: subprocess.Popen[bytes]) -> None:
    path = tmp_path / "x.lock"
    assert is_held(path)
    with pytest.raises(Taken) as told, held(path, "another"):
        pass
    assert told.value.holder.startswith(f"process {holder.pid}, since ") and "a job of the test" in told.value.holder
    holder.send_signal(signal.SIGKILL)
    holder.wait()
    assert not is_held(path)
    with held(path, "another"):
        assert f"process {os.getpid()}" in path.read_text()
    assert path.read_text() == ""


def test_who_waits_says_what_for(tmp_path: Path, holder: subprocess.Popen[bytes]) -> None:
    said: list[str] = []
    threading.Timer(1.0, holder.kill).start()
    with held(tmp_path / "x.lock", "another", wait=True, say=said.append, after=0.3):
        assert len(said) == 1 and f"waiting for x.lock: process {holder.pid}" in said[0]


def test_a_lock_within_the_process_counts_too(tmp_path: Path) -> None:
    with held(tmp_path / "x", "one"), pytest.raises(Taken, match="one"), held(tmp_path / "x", "two"):
        pass
