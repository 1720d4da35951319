"""Memory and processors: what the machine, a container's limits of both kinds, and the shares of a run come to."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import duckdb
import pytest

from dagster_project.machine import (
    CHECKS,
    LANDING,
    LEAST_MEMORY,
    MOST_MEMORY,
    MOST_THREADS,
    PUBLISHING,
    Resources,
    default_memory,
    default_resources,
    default_threads,
)

GB = 1_000_000_000
NONE_V1 = 9223372036854771712  # what v1 says where there is no limit

# What /proc/self/cgroup says, and the files below /sys/fs/cgroup.
V2_CONTAINER = ("0::/\n", {"memory.max": "2400000000", "cpu.max": "150000 100000"})
V2_UNLIMITED = ("0::/\n", {"memory.max": "max", "cpu.max": "max 100000"})
V2_SLICE = (
    "0::/user.slice/session.scope\n",
    {
        "user.slice/session.scope/memory.max": "max",
        "user.slice/memory.max": "2000000000",
        "user.slice/session.scope/cpu.max": "300000 100000",
        "user.slice/cpu.max": "100000 100000",
    },
)
V1_CONTAINER = (
    "5:memory:/docker/abc\n4:cpu,cpuacct:/docker/abc\n1:name=systemd:/docker/abc\n0::/system.slice\n",
    {
        "memory/memory.limit_in_bytes": "2400000000",
        "cpu,cpuacct/cpu.cfs_quota_us": "50000",
        "cpu,cpuacct/cpu.cfs_period_us": "100000",
    },
)
V1_LINKED = ("4:cpu,cpuacct:/\n", {"cpu/cpu.cfs_quota_us": "200000", "cpu/cpu.cfs_period_us": "100000"})
V1_UNLIMITED = (
    "5:memory:/\n4:cpu,cpuacct:/\n",
    {
        "memory/memory.limit_in_bytes": str(NONE_V1),
        "cpu,cpuacct/cpu.cfs_quota_us": "-1",
        "cpu,cpuacct/cpu.cfs_period_us": "100000",
    },
)
NO_CGROUPS: tuple[str, Mapping[str, str]] = ("", {})


def lay_out(root: Path, limits: tuple[str, Mapping[str, str]]) -> dict[str, Path]:
    """Write the files; the arguments that lead to them."""
    membership, files = limits
    (root / "membership").write_text(membership)
    for name, text in files.items():
        path = root / "cgroup" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text + "\n")
    return {"membership": root / "membership", "cgroups": root / "cgroup"}


@pytest.mark.parametrize(
    ("limits", "memory"),
    [
        (V2_CONTAINER, 1.2 * GB), (V2_UNLIMITED, 1.4 * GB), (V2_SLICE, 1 * GB), (V1_CONTAINER, 1.2 * GB),
        (V1_UNLIMITED, 1.4 * GB), (NO_CGROUPS, 1.4 * GB),
    ],
)  # fmt: skip
def test_memory_is_half_of_what_is_granted(
    tmp_path: Path, limits: tuple[str, Mapping[str, str]], memory: float
) -> None:
    assert default_memory(int(2.8 * GB), **lay_out(tmp_path, limits)) == memory


def test_memory_stays_modest_on_a_large_machine_and_workable_on_a_small_one(tmp_path: Path) -> None:
    places = lay_out(tmp_path, NO_CGROUPS)
    assert default_memory(256 * GB, **places) == MOST_MEMORY
    assert default_memory(GB // 2, **places) == LEAST_MEMORY


@pytest.mark.parametrize(
    ("limits", "threads"),
    [
        (V2_CONTAINER, 2), (V2_UNLIMITED, 3), (V2_SLICE, 1), (V1_CONTAINER, 1), (V1_LINKED, 2), (V1_UNLIMITED, 3),
        (NO_CGROUPS, 3),
    ],
)  # fmt: skip
def test_threads_are_the_processors_granted(
    tmp_path: Path, limits: tuple[str, Mapping[str, str]], threads: int
) -> None:
    assert default_threads(3, **lay_out(tmp_path, limits)) == threads


def test_threads_are_few_on_a_large_machine(tmp_path: Path) -> None:
    assert default_threads(64, **lay_out(tmp_path, NO_CGROUPS)) == MOST_THREADS


def test_this_machine_has_some_of_both() -> None:
    here = default_resources()
    assert LEAST_MEMORY <= here.memory <= MOST_MEMORY and 1 <= here.threads <= MOST_THREADS


def test_files_without_a_limit_are_ignored(tmp_path: Path) -> None:
    odd = ("nonsense\n0::/\n", {"memory.max": "", "cpu.max": "100000 0"})
    places = lay_out(tmp_path, odd)
    assert (default_memory(2 * GB, **places), default_threads(3, **places)) == (1 * GB, 3)


def test_shares_of_the_default_are_those_that_were_measured() -> None:
    whole = Resources(MOST_MEMORY, 2)
    shares = [whole.share(part).memory for part in (LANDING, CHECKS, PUBLISHING)]
    assert shares == [1_350_000_000, 1_350_000_000, 900_000_000]
    assert whole.share(LANDING).threads == 2


def test_duckdb_takes_them() -> None:
    with duckdb.connect(config=Resources(1024**3, 3).duckdb_config()) as connection:
        found = connection.execute("select current_setting('memory_limit'), current_setting('threads')").fetchone()
    assert found == ("1.0 GiB", 3)
