"""What the user sees while a command works: the sources' messages, a line per step, and why a run failed.

Not here: what came out of it (see `summary`), and the commands (see `cli`).
"""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from typing import TYPE_CHECKING, TextIO

from dagster_project.settings import Settings

if TYPE_CHECKING:  # Dagster takes a second to import: not before it is needed
    import dagster as dg

SHOWN_ROWS = 10
SECONDS_BETWEEN_LINES = 5.0
_ENDINGS = {"STEP_SUCCESS": "done", "STEP_FAILURE": "FAILED", "STEP_SKIPPED": "skipped"}


class _PrintingHandler(logging.Handler):
    """Prints log records, one every few seconds at most."""

    next_at = 0.0

    def emit(self, record: logging.LogRecord) -> None:
        if record.created >= self.next_at:
            self.next_at = record.created + SECONDS_BETWEEN_LINES
            print(f"  {record.getMessage()}", flush=True)


@contextmanager
def source_messages_shown() -> Iterator[None]:
    """Print what the sources log, so that the user sees how far a live one came: a year of Comtrade takes long."""
    logger, handler = logging.getLogger("dagster_project"), _PrintingHandler()
    logger.setLevel(logging.INFO)
    logger.addHandler(handler)
    try:
        yield
    finally:
        logger.removeHandler(handler)


@contextmanager
def output_to_log(settings: Settings) -> Iterator[TextIO]:
    """Send all output of Dagster and dbt to a log file; yield the stream that still reaches the user."""
    path = settings.data_dir / "logs" / f"run-{time.strftime('%Y%m%dT%H%M%S')}.log"
    path.parent.mkdir(parents=True, exist_ok=True)
    print(f"Full log: {path}", flush=True)
    user_stream = sys.stdout
    with path.open("w") as log, redirect_stdout(log), redirect_stderr(log):
        yield user_stream


@dataclass(frozen=True)
class StepLines:
    """Listens to a run and prints a line to `stream` when a step ends. `started` is when the run began (monotonic)."""

    stream: TextIO
    started: float

    def __call__(self, entry: dg.EventLogEntry) -> None:
        event = entry.dagster_event
        if event is not None and event.event_type_value in _ENDINGS:
            seconds, ending = time.monotonic() - self.started, _ENDINGS[event.event_type_value]
            print(f"  {seconds:6.1f} s  {event.step_key}: {ending}", file=self.stream, flush=True)


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
    print(f"  {evaluation.description}", file=sys.stderr)
    rows = evaluation.metadata.get("first_failing_rows")
    for record in rows.records[:SHOWN_ROWS] if isinstance(rows, dg.TableMetadataValue) else ():
        print("  " + ", ".join(f"{name} {value}" for name, value in record.data.items()), file=sys.stderr)


def _print_failed_step(event: dg.DagsterEvent) -> None:
    """The step's message, unless it failed because of its checks: those are printed with their rows."""
    failure = event.step_failure_data
    described = failure.user_failure_data.description if failure.user_failure_data else None
    error = failure.error
    while error is not None and error.cause is not None:
        error = error.cause
    if error is None or error.cls_name != "DagsterAssetCheckFailedError":
        print(f"\n{event.step_key}: {described or (error.message.strip() if error else 'failed')}", file=sys.stderr)
