"""What a command prints may be read by nobody: the command goes on all the same."""

from __future__ import annotations

import io
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from dagster_project.places import CHECKOUT
from dagster_project.progress import StepLines

PRINT = """
import sys
from dagster_project.progress import lasting_output
with lasting_output():
    for number in range({lines}):
        print("line", number, flush={flush})
        print("error", number, file=sys.stderr, flush={flush})
    open(sys.argv[1], "w").write("came to its end")
sys.exit(7)
"""


@pytest.mark.parametrize("flush", [True, False])
def test_a_closed_pipe_ends_nothing(tmp_path: Path, flush: bool) -> None:
    """As in `chokepoint run 2>&1 | head -1`; the exit status is the command's own."""
    script = PRINT.format(lines=20_000, flush=flush)
    command = [sys.executable, "-c", script, str(tmp_path / "end")]
    with subprocess.Popen(command, cwd=CHECKOUT, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None and process.stderr is not None
        assert process.stdout.readline() == b"line 0\n"
        process.stdout.close()
        process.stderr.close()
        assert process.wait(timeout=60) == 7
    assert (tmp_path / "end").read_text() == "came to its end"


def test_a_full_disk_under_the_output_ends_nothing(tmp_path: Path) -> None:
    command = [sys.executable, "-c", PRINT.format(lines=2000, flush=True), str(tmp_path / "end")]
    with Path("/dev/full").open("w") as full:
        assert subprocess.run(command, cwd=CHECKOUT, stdout=full, stderr=full, check=False).returncode == 7
    assert (tmp_path / "end").read_text() == "came to its end"


def event(kind: str, step: str, message: str = "") -> Any:
    return SimpleNamespace(dagster_event=SimpleNamespace(event_type_value=kind, step_key=step, message=message))


def test_a_step_that_waits_says_what_for() -> None:
    stream, holders = io.StringIO(), iter(["run 1234", "run 1234", "run 5678"])
    lines = StepLines(stream, time.monotonic(), lambda pool: next(holders, "run 5678"), after=0.05)
    lines(event("ENGINE_EVENT", "staging_models", "Step blocked by limit for pool warehouse"))
    lines(event("ENGINE_EVENT", "staging_models", "Step still blocked by limit for pool warehouse"))
    time.sleep(0.5)
    lines(event("STEP_START", "staging_models"))
    lines(event("STEP_SUCCESS", "staging_models"))
    said = [line.split(" s  ")[1] for line in stream.getvalue().splitlines()]
    assert said == [
        "staging_models is waiting for the pool warehouse, held by run 1234",
        "staging_models is waiting for the pool warehouse, held by run 5678",
        "staging_models: done",
    ]


def test_a_step_that_waits_for_a_moment_says_nothing() -> None:
    stream = io.StringIO()
    lines = StepLines(stream, time.monotonic(), lambda pool: "run 1234", after=0.2)
    lines(event("ENGINE_EVENT", "staging_models", "Step blocked by limit for pool warehouse"))
    lines(event("STEP_START", "staging_models"))
    time.sleep(0.4)
    assert stream.getvalue() == ""
