"""What the user sees while a command works: the program's messages, the steps of its run, and why it failed.

Not here: how that is shown (see `display`), what came out of it (see `summary`), and the commands (see `cli`).
"""

from __future__ import annotations

import logging
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO, cast

from dagster_project.checks.declarations import WHY
from dagster_project.display import Display
from dagster_project.locks import SECONDS_BEFORE_SAYING
from dagster_project.markdown import plain
from dagster_project.settings import Settings

if TYPE_CHECKING:  # Dagster takes a second to import: not before it is needed
    import dagster as dg

SHOWN_ROWS = 10
_BLOCKED = "blocked by limit for pool"  # Dagster's own words
_ENDINGS = {"STEP_SUCCESS": "done", "STEP_FAILURE": "FAILED", "STEP_SKIPPED": "skipped"}
_MADE = {"ASSET_MATERIALIZATION": "made", "ASSET_CHECK_EVALUATION": "checked"}


class _ToDisplay(logging.Handler):
    """What is logged is what the work is doing; a warning stays."""

    def __init__(self, display: Display) -> None:
        super().__init__(logging.INFO)
        self._display = display

    def emit(self, record: logging.LogRecord) -> None:
        show = self._display.line if record.levelno >= logging.WARNING else self._display.doing
        show(record.getMessage())


@contextmanager
def work_shown() -> Iterator[Display]:
    """Show the work of the block, with what the program logs: a year of Comtrade, or a mart, takes long."""
    logger, display = logging.getLogger("dagster_project"), Display(sys.stdout)
    handler = _ToDisplay(display)
    logger.setLevel(logging.INFO)
    logger.addHandler(handler)
    try:
        with display.shown():
            yield display
    finally:
        logger.removeHandler(handler)


@contextmanager
def output_to_log(settings: Settings) -> Iterator[Path]:
    """Send all output of Dagster and dbt to a log file, and yield its path."""
    path = settings.data_dir / "logs" / f"run-{time.strftime('%Y%m%dT%H%M%S')}.log"
    path.parent.mkdir(parents=True, exist_ok=True)
    print(f"Full log: {path}", flush=True)
    with path.open("w", buffering=1) as log, redirect_stdout(log), redirect_stderr(log):
        yield path


class RunSteps:
    """Listens to a run, and shows its steps and what they are doing.

    A step that waits for a pool says so after a few seconds: `blocked` is asked who holds the pool, and frees what dead
    runs hold.
    """

    def __init__(self, display: Display, blocked: Callable[[str], str], after: float = SECONDS_BEFORE_SAYING) -> None:
        self._display, self._blocked, self._after = display, blocked, after
        self._waiting: dict[str, threading.Event] = {}

    def __call__(self, entry: dg.EventLogEntry) -> None:
        event = entry.dagster_event
        if event is None:
            self._display.doing(entry.user_message)
        elif event.step_key is not None:
            self._show(event.event_type_value, event.step_key, event)

    def _show(self, kind: str, step: str, event: dg.DagsterEvent) -> None:
        if kind in ("STEP_START", "STEP_SKIPPED"):
            self._display.step(step)
        if kind in _ENDINGS:
            self._display.done(_ENDINGS[kind])
        if kind in _MADE and event.asset_key is not None:
            self._display.doing(f"{_MADE[kind]} {event.asset_key.to_user_string()}")
        if kind == "STEP_START" and step in self._waiting:
            self._waiting.pop(step).set()
        if kind == "ENGINE_EVENT" and _BLOCKED in (event.message or "") and step not in self._waiting:
            self._waiting[step] = begun = threading.Event()
            pool = (event.message or "").partition(_BLOCKED)[2].strip()
            threading.Thread(target=self._watch, args=(step, pool, begun), name="waiting", daemon=True).start()

    def _watch(self, step: str, pool: str, begun: threading.Event) -> None:
        said = ""
        while not begun.wait(self._after):
            holders = self._blocked(pool)
            if holders != said and not begun.is_set():
                said = holders
                self._display.line(f"{step} is waiting for the pool {pool}, held by {holders}")


class _Lasting:
    """A stream that can go away (a closed pipe, a full disk) without an error: the rest of the output is lost."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        with self._lost_quietly():
            self._stream.write(text)
        return len(text)

    def flush(self) -> None:
        with self._lost_quietly():
            self._stream.flush()

    @contextmanager
    def _lost_quietly(self) -> Iterator[None]:
        try:
            yield
        except OSError:
            # What is still in the buffer would fail again when Python ends.
            with suppress(OSError, ValueError):
                nothing = os.open(os.devnull, os.O_WRONLY)
                os.dup2(nothing, self._stream.fileno())
                os.close(nothing)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


@contextmanager
def lasting_output() -> Iterator[None]:
    """Nothing in the block fails because nobody reads what it prints any more (`chokepoint run | head`)."""
    out, err = _Lasting(sys.stdout), _Lasting(sys.stderr)
    with redirect_stdout(cast("TextIO", out)), redirect_stderr(cast("TextIO", err)):
        try:
            yield
        finally:
            out.flush()
            err.flush()


def print_failure(result: dg.ExecuteInProcessResult) -> None:
    """What failed and why: failed blocking checks with their rows, and the message of each failed step."""
    print("\nThe run failed; the previous release, if any, stays as it is.", file=sys.stderr)
    for evaluation in result.get_asset_check_evaluations():
        if not evaluation.passed and evaluation.severity.value == "ERROR":
            _print_failed_check(evaluation)
    for event in result.all_events:
        if event.is_step_failure:
            _print_failed_step(event)


def _print_failed_check(evaluation: dg.AssetCheckEvaluation) -> None:
    import dagster as dg

    print(f"\nCheck failed: {evaluation.check_name} of {evaluation.asset_key.to_user_string()}", file=sys.stderr)
    print(f"  {plain(evaluation.description or '')}", file=sys.stderr)
    rows = evaluation.metadata.get("first_failing_rows")
    for record in rows.records[:SHOWN_ROWS] if isinstance(rows, dg.TableMetadataValue) else ():
        # What a row says in words is in the description; a column without a value says nothing.
        facts = {name: value for name, value in record.data.items() if name != WHY and value is not None}
        print("  " + ", ".join(f"{name} {value}" for name, value in facts.items()), file=sys.stderr)


def _print_failed_step(event: dg.DagsterEvent) -> None:
    """The step's message, unless it failed because of its checks: those are printed with their rows."""
    failure = event.step_failure_data
    described = failure.user_failure_data.description if failure.user_failure_data else None
    error = failure.error
    while error is not None and error.cause is not None:
        error = error.cause
    if error is None or error.cls_name != "DagsterAssetCheckFailedError":
        print(f"\n{event.step_key}: {described or (error.message.strip() if error else 'failed')}", file=sys.stderr)
