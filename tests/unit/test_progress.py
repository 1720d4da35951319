"""What a command shows while it works, on a terminal and elsewhere; if nobody reads it, it goes on all the same."""

from __future__ import annotations

import io
import logging
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from dagster_project.display import Display
from dagster_project.places import CHECKOUT
from dagster_project.progress import RunSteps, work_shown

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
    happened = SimpleNamespace(event_type_value=kind, step_key=step, message=message, asset_key=None)
    return SimpleNamespace(dagster_event=happened)


def said(stream: io.StringIO) -> list[str]:
    """The lines without their times."""
    return [line.split(" s  ")[1] for line in stream.getvalue().splitlines()]


def test_a_step_that_waits_says_what_for() -> None:
    stream, holders = io.StringIO(), iter(["run 1234", "run 1234", "run 5678"])
    steps = RunSteps(Display(stream, total=2), lambda pool: next(holders, "run 5678"), after=0.05)
    steps(event("ENGINE_EVENT", "staging_models", "Step blocked by limit for pool warehouse"))
    steps(event("ENGINE_EVENT", "staging_models", "Step still blocked by limit for pool warehouse"))
    time.sleep(0.5)
    steps(event("STEP_START", "staging_models"))
    steps(event("STEP_SUCCESS", "staging_models"))
    assert said(stream) == [
        "staging_models is waiting for the pool warehouse, held by run 1234",
        "staging_models is waiting for the pool warehouse, held by run 5678",
        "step 1 of 2  staging_models: done",
    ]


def test_a_step_that_waits_for_a_moment_says_nothing() -> None:
    stream = io.StringIO()
    steps = RunSteps(Display(stream), lambda pool: "run 1234", after=0.2)
    steps(event("ENGINE_EVENT", "staging_models", "Step blocked by limit for pool warehouse"))
    steps(event("STEP_START", "staging_models"))
    time.sleep(0.4)
    assert stream.getvalue() == ""


def test_skipped_and_failed_steps_count_too() -> None:
    stream = io.StringIO()
    steps = RunSteps(Display(stream, total=3), lambda pool: "")
    for kind, step in (("STEP_START", "a"), ("STEP_FAILURE", "a"), ("STEP_SKIPPED", "b")):
        steps(event(kind, step))
    assert said(stream) == ["step 1 of 3  a: FAILED", "step 2 of 3  b: skipped"]


def test_a_long_step_says_what_it_is_at_where_no_terminal_shows_it() -> None:
    stream = io.StringIO()
    with Display(stream, total=2, silence=0.2).shown() as display:
        display.step("trade_models")
        display.doing("3 of 9: sql table model\nmarts.trade_flows")
        time.sleep(0.7)
    lines = said(stream)
    assert lines and set(lines) == {"step 1 of 2  trade_models … 3 of 9: sql table model marts.trade_flows"}
    with Display(stream := io.StringIO(), silence=0.2).shown() as display:
        display.step("check")
        display.doing("a message of many words " * 50)
        time.sleep(0.5)
    assert said(stream) and max(map(len, said(stream))) < 150


def test_a_terminal_gets_one_line_that_moves(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "100")
    stream = io.StringIO()
    with Display(stream, total=2, terminal=True).shown() as display:
        display.step("landing [trade]")
        display.done()
        display.step("models")
        display.line("a warning")
        display.done("FAILED")
    shown = stream.getvalue()
    assert "landing [trade]" in shown and "step 2 of 2" in shown
    assert "landing [trade]: done" not in shown and "models: FAILED" in shown and " s  a warning" in shown


def test_what_the_program_logs_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    with work_shown() as display:
        display.step("looking")
        logging.getLogger("dagster_project.sources").info("UN Comtrade: 3 of 4 requests")
        display.line("at work")
        logging.getLogger("dagster_project.publish").warning("the current release is damaged")
    assert [line.split(" s  ")[1] for line in capsys.readouterr().out.splitlines()] == [
        "at work",
        "the current release is damaged",
    ]
    logging.getLogger("dagster_project").warning("no longer shown")
    assert capsys.readouterr().out == ""
