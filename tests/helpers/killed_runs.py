"""A data directory in which whole runs are killed (SIGKILL) at chosen stages, and what can be seen of it from outside.

The run is the program's own command. Nothing in it is changed for the test: the stage it is at shows in its log and in
the files that it writes. Holds no tests.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import re
import signal
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import Any

from dagster_project import cli
from dagster_project.places import CHECKOUT
from dagster_project.publish.read import open_release, verify

# Before the log begins; then the steps of the graph; then within the step that publishes.
LOOKING, ARCHIVING, PARSING, LOADING = "looking at the sources", "archive", "parsing", "loading"
RELEASE, PUBLISHING, PUBLISHED, ENDING = "release", "release: building aside", "release: swapped", "ending"
BETWEEN = "between steps"
LONGEST_RUN = 600.0
_IMPORTED_BEFORE = ("dagster_project.build", "dagster_dbt", "dbt.cli.main", "great_expectations")
_STEP = re.compile(rb" - (\w+) - STEP_(START|SUCCESS) - ")
_REMAINS = (".building-*", ".old-*", ".spill-*", ".unzip-*", ".trash-*")


@dataclass(frozen=True)
class World:
    """The settings of a run, and the value of the one row that a revised file corrects (None: no such file)."""

    name: str
    settings: Mapping[str, str] = field(default_factory=dict)
    corrected: int | None = None


@dataclass
class Place:
    """A data directory, and the drop folder that its runs read. `correct` writes the revised file, or takes it away."""

    root: Path
    drop: Path
    correct: Callable[[int | None], None]

    @property
    def data(self) -> Path:
        return self.root / "data"

    @property
    def current(self) -> Path:
        """The directory of the current release."""
        return (self.data / "published/current").resolve()

    def start(self, world: World) -> Run:
        """Start a run of the world; its files are placed first."""
        self.correct(world.corrected)
        self.root.mkdir(parents=True, exist_ok=True)
        given = {"data_dir": str(self.data), "drop_dir": str(self.drop), **world.settings}
        kept = {name: value for name, value in os.environ.items() if not name.startswith("CHOKEPOINT_")}
        environ = {**kept, **{f"CHOKEPOINT_{name.upper()}": value for name, value in given.items()}}
        # Forked from a process that has imported everything already: a start costs a fraction of a second.
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload([__name__, *_IMPORTED_BEFORE])
        before = Seen.of(self.data)
        out = self.root / "out"
        out.write_bytes(b"")
        child = context.Process(
            target=_command, args=({**environ, "DAGSTER_HOME": str(self.root / "dagster")}, str(out))
        )
        child.start()
        return Run(self, child, before, out)

    def run(self, world: World) -> str:
        """Run the world to its end, and return what it printed; AssertionError when it fails or hangs."""
        run = self.start(world)
        run.child.join(LONGEST_RUN)
        hangs = run.child.is_alive()
        run.child.kill()
        run.child.join()
        said = run.out.read_text(errors="replace")
        assert not hangs, f"{world.name} hangs: {said}\n{run.log()[-3000:].decode(errors='replace')}"
        assert run.child.exitcode == 0, f"{world.name} failed: {said}"
        return said

    def hashes(self) -> dict[str, str]:
        """Mart -> content hash, of the current release, every file of which is compared with the manifest."""
        with open_release(self.data / "published") as release:
            verify(release)
        manifest: dict[str, Any] = json.loads((self.current / "manifest.json").read_text())
        return {name: json.dumps(mart["content_hash"]) for name, mart in manifest["marts"].items()}

    def remains(self) -> list[str]:
        """Files and folders in the making that no run is making any more."""
        folders = [self.data / "landing", *(self.data / "landing").glob("*"), self.data / "published/releases"]
        return [str(path) for folder in folders for pattern in _REMAINS for path in folder.glob(pattern)]

    def left_behind(self) -> list[str]:
        """The runs that Dagster takes to be at work, and those that hold a slot of a pool."""
        import dagster as dg

        working = (dg.DagsterRunStatus.STARTED, dg.DagsterRunStatus.STARTING, dg.DagsterRunStatus.CANCELING)
        with dg.DagsterInstance.from_config(str(self.root / "dagster")) as instance:
            runs = instance.get_runs(dg.RunsFilter(statuses=list(working)))
            slots = instance.event_log_storage.get_concurrency_info("warehouse").claimed_slots
            return [run.run_id for run in runs] + [slot.run_id for slot in slots]


@dataclass(frozen=True)
class Seen:
    """What was there before a run began."""

    logs: frozenset[Path]
    archived: frozenset[Path]
    parsed: frozenset[Path]
    current: Path

    @classmethod
    def of(cls, data: Path) -> Seen:
        folders = (data / "logs", data / "archive/manifest", data / "landing/parsed")
        return cls(*(frozenset(folder.glob("*")) for folder in folders), (data / "published/current").resolve())


@dataclass
class Run:
    """A run at work."""

    place: Place
    child: ForkServerProcess
    before: Seen
    out: Path

    def log(self) -> bytes:
        """Its log; empty before it begins."""
        new = set((self.place.data / "logs").glob("*")) - self.before.logs
        return max(new).read_bytes() if new else b""

    def stage(self) -> str:
        """What it is at."""
        log = self.log()
        events = _STEP.findall(log)
        if not events:
            return LOADING if log or b"Loading Dagster" in self.out.read_bytes() else self._taking_in()
        step, kind = events[-1]
        if kind == b"SUCCESS":
            return ENDING if step == b"release" else BETWEEN
        return self._publishing() if step == b"release" else step.decode()

    def _taking_in(self) -> str:
        now = Seen.of(self.place.data)
        if now.parsed != self.before.parsed:
            return PARSING
        return ARCHIVING if now.archived != self.before.archived else LOOKING

    def _publishing(self) -> str:
        published = self.place.data / "published"
        if (published / "current").resolve() != self.before.current:
            return PUBLISHED
        return PUBLISHING if list((published / "releases").glob(".building-*")) else RELEASE

    def kill(self, stage: str, after: float) -> str | None:
        """Kill it some seconds after it has come to the stage; the stage that was struck, or None if it had ended."""
        started = time.monotonic()
        while self.child.is_alive() and self.stage() != stage:
            assert time.monotonic() - started < LONGEST_RUN, f"it hangs: {self.out.read_text(errors='replace')}"
            time.sleep(0.005)
        self.child.join(after)
        self.child.kill()
        self.child.join()
        return self.stage() if self.child.exitcode == -signal.SIGKILL else None

    def seconds_by_stage(self) -> dict[str, float]:
        """Watch it to its end: how long each stage took."""
        took: dict[str, float] = {}
        at = time.monotonic()
        while self.child.is_alive():
            stage = self.stage()
            now = time.monotonic()
            took[stage] = took.get(stage, 0.0) + now - at
            at = now
            time.sleep(0.005)
        return took


def _command(environ: Mapping[str, str], out: str) -> None:
    os.environ.clear()
    os.environ.update(environ)
    os.chdir(CHECKOUT)
    target = os.open(out, os.O_WRONLY | os.O_APPEND)
    os.dup2(target, 1)
    os.dup2(target, 2)
    sys.exit(cli.main(["run"]))
