"""Runs one command and measures it: wall time, processor time and peak memory of its whole process tree.

Not here: what is run and what the figures mean (see `run`).
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

ROOT = Path(__file__).resolve().parent.parent
SAMPLE_SECONDS = 0.1


@dataclass(frozen=True)
class Measured:
    """One run. `lines` are what it printed, each with the moment (seconds since 1970) at which it came.

    seconds      from start to end
    cpu_seconds  user and system time of the process and its children
    peak_mb      highest sum of the resident memory of the process and its descendants; pages they share count twice
    """

    started: float
    seconds: float
    cpu_seconds: float
    peak_mb: float
    lines: Sequence[tuple[float, str]]

    def moment(self, beginning: str) -> float:
        """When the first line that begins like this was printed."""
        return next(moment for moment, line in self.lines if line.startswith(beginning))


def measure(command: Sequence[str], variables: Mapping[str, str]) -> Measured:
    """Run a Python command of this checkout to its end; SystemExit with its output when it fails."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("CHOKEPOINT_")}
    before, started = _cpu_of_children(), time.time()
    process = subprocess.Popen(
        [sys.executable, "-u", *command],
        cwd=ROOT,
        env={**inherited, **variables},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    peak: list[int] = [0]
    sampler = threading.Thread(target=_sample, args=(process, peak))
    sampler.start()
    assert process.stdout is not None
    lines = [(time.time(), line.rstrip()) for line in process.stdout]
    status = process.wait()
    seconds = time.time() - started
    sampler.join()
    if status:
        raise SystemExit("\n".join(["failed: " + " ".join(command), *(line for _, line in lines)]))
    return Measured(started, seconds, _cpu_of_children() - before, peak[0] / 2**20, lines)


def _cpu_of_children() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def _sample(process: subprocess.Popen[str], peak: list[int]) -> None:
    """Keep the highest sum of resident memory over the process tree in `peak[0]` until the process ends."""
    root = psutil.Process(process.pid)
    while process.poll() is None:
        total = 0
        try:
            for each in (root, *root.children(recursive=True)):
                try:
                    total += each.memory_info().rss
                except psutil.NoSuchProcess:
                    continue
        except psutil.NoSuchProcess:
            return
        peak[0] = max(peak[0], total)
        time.sleep(SAMPLE_SECONDS)
