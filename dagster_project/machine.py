"""What this machine grants the program, and how a run shares it out.

What belongs here: memory and processors as the operating system and a container's limits (cgroup v1 and v2) grant them,
the defaults of CHOKEPOINT_MEMORY and CHOKEPOINT_THREADS, and each stage's share. Not here: the reading of the settings.
"""

from __future__ import annotations

import math
import os
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

# By default, however large the machine: with more, ten million flows a year take a twentieth less time.
MOST_MEMORY = 1_500_000_000
LEAST_MEMORY = 500_000_000  # less is refused: DuckDB could not work with a stage's share of it
MOST_THREADS = 4  # by default: more threads share the same memory and gain little

# Each stage's share of the memory in the settings; dbt has all of it. Landing and the checks leave room for the Python
# that works beside DuckDB, and publishing only reads. At the default, the whole process then stays within 3 GB.
LANDING = 0.9
CHECKS = 0.9
PUBLISHING = 0.6

_CGROUPS = Path("/sys/fs/cgroup")
_MEMBERSHIP = Path("/proc/self/cgroup")
# Files of a memory limit in bytes: cgroup v2, then v1.
_MEMORY_FILES = ("memory.max", "memory.limit_in_bytes")


@dataclass(frozen=True)
class Resources:
    """How much a DuckDB may take: memory in bytes, and threads."""

    memory: int
    threads: int

    def share(self, part: float) -> Resources:
        """The same threads with a part of the memory: LANDING, CHECKS or PUBLISHING."""
        return replace(self, memory=int(self.memory * part))

    @property
    def memory_limit(self) -> str:
        """The memory as DuckDB's setting `memory_limit` takes it."""
        return f"{self.memory}B"

    def duckdb_config(self) -> dict[str, Any]:
        """What `duckdb.connect(config=...)` takes."""
        return {"memory_limit": self.memory_limit, "threads": self.threads}


def default_resources() -> Resources:
    """What the program takes of this machine where the settings do not say."""
    return Resources(default_memory(), default_threads())


def default_memory(physical: int | None = None, membership: Path = _MEMBERSHIP, cgroups: Path = _CGROUPS) -> int:
    """Half of the memory that this machine or its container grants, and not more than MOST_MEMORY."""
    limits = _memory_limits(membership, cgroups)
    granted = min([_physical_memory() if physical is None else physical, *limits])
    return max(min(granted // 2, MOST_MEMORY), LEAST_MEMORY)


def default_threads(usable: int | None = None, membership: Path = _MEMBERSHIP, cgroups: Path = _CGROUPS) -> int:
    """The processors that this process may use, a container's quota counted, and not more than MOST_THREADS."""
    quotas = _processor_quotas(membership, cgroups)
    return min([_usable_processors() if usable is None else usable, *map(math.ceil, quotas), MOST_THREADS])


def _physical_memory() -> int:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def _usable_processors() -> int:
    """Those that this process may run on; where the system cannot tell, all there are."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _memory_limits(membership: Path, cgroups: Path) -> Iterator[int]:
    for folder in _folders(membership, cgroups, "memory"):
        for name in _MEMORY_FILES:
            if (text := _text(folder / name)).isdigit():
                yield int(text)


def _processor_quotas(membership: Path, cgroups: Path) -> Iterator[float]:
    """How many processors' time each group grants: quota over period, in cgroup v2 and v1."""
    for folder in _folders(membership, cgroups, "cpu"):
        together = _text(folder / "cpu.max").split()
        apart = [_text(folder / "cpu.cfs_quota_us"), _text(folder / "cpu.cfs_period_us")]
        for parts in (together, apart):
            if len(parts) == 2 and all(part.isdigit() and int(part) > 0 for part in parts):  # "max" and -1: no quota
                yield int(parts[0]) / int(parts[1])


def _folders(membership: Path, cgroups: Path, controller: str) -> Iterator[Path]:
    """The folders whose limits count for this process: its group's and those of all groups around it.

    A container often sees its own group as the root while /proc names the path outside; such folders do not exist.
    """
    for line in _text(membership).splitlines():
        number, _, rest = line.partition(":")
        controllers, _, path = rest.partition(":")
        if number == "0" and not controllers:
            root = cgroups  # v2: one hierarchy
        elif controller in controllers.split(","):
            root = next((cgroups / name for name in (controllers, controller) if (cgroups / name).is_dir()), cgroups)
        else:
            continue
        group = Path(path.lstrip("/"))
        yield from (root / each for each in (group, *group.parents))


def _text(path: Path) -> str:
    """The file's text; nothing where there is none to read."""
    try:
        return path.read_text().strip()
    except OSError:
        return ""
