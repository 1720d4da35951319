"""Would a run get what it needs? Every chosen live source is asked its smallest question, and the answers are judged.

What belongs here: from an answer, or from what it raised, to a line of one table. Nothing is archived or computed;
calls are counted as those of a run. Not here: the questions (see each dataset's `probes`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from dagster_project.datasets.declaration import LiveService
from dagster_project.datasets.registry import datasets_on
from dagster_project.errors import Deferred, SettingError, UserError
from dagster_project.settings import DEFINITIONS, Settings
from dagster_project.sources.http import LastAnswer
from dagster_project.sources.ledger import key_hash
from dagster_project.sources.live import Live
from dagster_project.sources.probe import Probe, Seen

HEADER = ("dataset", "service", "reachable", "key", "shape", "quota left", "newest")
UNKNOWN = "?"


@dataclass(frozen=True)
class Finding:
    """A line of the table. `wrong` is what a run would have stopped with; `notes` stop nothing."""

    dataset: str
    service: str
    reachable: str
    key: str
    shape: str
    quota: str
    newest: str
    wrong: str = ""
    notes: Sequence[str] = ()

    @property
    def cells(self) -> tuple[str, ...]:
        """What stands in the table."""
        return (self.dataset, self.service, self.reachable, self.key, self.shape, self.quota, self.newest)


def examine(live: Live) -> list[Finding]:
    """A finding for every service of the live sources that the settings choose; empty where they choose none."""
    return [
        _finding(live, each.name, probe)
        for each in datasets_on(live.settings)
        if isinstance(source := each.source(live.settings), LiveService)
        for probe in source.probes(live.settings)
    ]


def table(findings: Sequence[Finding]) -> str:
    """The findings as a table for a terminal, and below it what is wrong and what is worth a word."""
    rows = [HEADER, *(finding.cells for finding in findings)]
    widths = [max(len(row[place]) for row in rows) for place in range(len(HEADER))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    lines.insert(1, "  ".join("-" * width for width in widths))
    wrong = [f"Wrong: {finding.wrong}" for finding in findings if finding.wrong]
    notes = [f"Note: {finding.service}: {note}" for finding in findings for note in finding.notes]
    return "\n".join([*lines, *([""] if wrong or notes else []), *wrong, *notes])


def _finding(live: Live, dataset: str, probe: Probe) -> Finding:
    without_key = bool(probe.key) and getattr(live.settings, probe.key) is None
    if without_key and probe.needs_key:
        note = f"not asked: it needs {_variable(probe.key)}"
        return Finding(dataset, probe.title, "not asked", "not set", UNKNOWN, UNKNOWN, "", notes=[note])
    live.http.last = None
    seen, error = Seen(), None
    try:
        seen = probe.ask(live)
    except UserError as raised:
        error = raised
    last = live.http.last
    status = last.status if last else None
    return Finding(
        dataset=dataset,
        service=probe.title,
        reachable="not asked" if last is None else "no" if status is None else "yes",
        key=_key(probe, live.settings, status),
        shape=_shape(error, status),
        quota=_quota(live, last, error),
        newest=seen.newest,
        wrong=str(error or ""),
        notes=seen.notes,
    )


def _variable(field: str) -> str:
    return next(definition.variable for definition in DEFINITIONS if definition.name == field)


def _key(probe: Probe, settings: Settings, status: int | None) -> str:
    if not probe.key:
        return "none needed"
    if getattr(settings, probe.key) is None:
        return "not set"
    if status is None or status == 429 or status >= 500:
        return UNKNOWN
    return "refused" if status in (401, 403) else "accepted"


def _shape(error: UserError | None, status: int | None) -> str:
    """As expected; else in short what came instead: the whole text stands below the table."""
    if error is None:
        return "as expected"
    if isinstance(error, Deferred | SettingError) or status is None:
        return UNKNOWN
    if status >= 400:
        return f"HTTP {status}"
    return error.found if len(error.found) <= 60 else f"{error.found[:57]}..."


def _quota(live: Live, last: LastAnswer | None, error: UserError | None) -> str:
    if isinstance(error, Deferred):
        return f"none until {datetime.fromtimestamp(error.not_before, UTC):%Y-%m-%d %H:%M} UTC"
    if last is None:
        return UNKNOWN
    if said := last.headers.get("X-RateLimit-Remaining"):
        return f"{said} calls, it says"
    if last.service.budget is None:
        return "no limit set"
    day = datetime.fromtimestamp(live.http.clock(), UTC).strftime("%Y-%m-%d")
    used = live.ledger.calls(last.service.name).get((last.service.name, key_hash(last.service.key), day), 0)
    return f"{last.service.budget - used} of {last.service.budget} calls today"
