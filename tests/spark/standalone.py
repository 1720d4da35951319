"""A standalone Spark cluster of its own on this machine: a master and two workers, as processes of the pyspark package.

Everything is on loopback. Each worker and the executor that it starts form one process group, so that both can be
stopped and killed together. Holds no tests.
"""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

LOOPBACK = "127.0.0.1"
WORKERS = 2
_SECONDS_TO_START = 60.0


@dataclass
class Cluster:
    """Processes, their logs, and the profile that a user of the cluster would write."""

    folder: Path
    port: int = 0
    master: subprocess.Popen[bytes] | None = None
    workers: list[subprocess.Popen[bytes]] = field(default_factory=list)

    @property
    def profile(self) -> Path:
        """What CHOKEPOINT_SPARK_CONF names."""
        return self.folder / "spark.conf"

    def start(self) -> None:
        """Start the master, then the workers, and write the profile."""
        self.folder.mkdir(parents=True, exist_ok=True)
        self.port = _free_port()
        self.master = self._process("master", "Master", "--port", str(self.port))
        self._wait_for(self.folder / "master.log", r"I have been elected leader", 1)
        for number in range(WORKERS):
            self.add_worker(f"worker-{number}")
        self.profile.write_text(
            "\n".join(
                [
                    "# a small cluster: one core and 1 GB for each executor",
                    f"spark.master = spark://{LOOPBACK}:{self.port}",
                    f"spark.driver.host {LOOPBACK}",
                    f"spark.driver.bindAddress {LOOPBACK}",
                    "spark.driver.memory 1500m",
                    "spark.executor.cores 1",
                    "spark.executor.memory 1g",
                    "spark.sql.shuffle.partitions 2",
                    "# what runs where is known at once",
                    "spark.ui.liveUpdate.period 0",
                ]
            )
        )

    def add_worker(self, name: str) -> None:
        """One more worker of one core, registered when this returns."""
        already = len(re.findall("Registering worker", (self.folder / "master.log").read_text()))
        arguments = (
            "--cores",
            "1",
            "--memory",
            "1536m",
            "--work-dir",
            str(self.folder / name),
            f"spark://{LOOPBACK}:{self.port}",
        )
        self.workers.append(self._process(name, "Worker", *arguments))
        self._wait_for(self.folder / "master.log", "Registering worker", already + 1)

    def stop(self) -> None:
        """End every process that was started."""
        for process in [*self.workers, self.master]:
            if process is not None:
                _signal(process, signal.SIGKILL)
                process.wait()

    def kill_a_worker_at_work(self, running: Callable[[], Mapping[int, int]], seconds: float) -> bool:
        """Kill one worker and its executor (SIGKILL) while a task is there; False where none came within `seconds`.

        `running` gives the tasks of each executor by its port. The worker is frozen as soon as any executor is at work:
        so the task that it has, or gets next, cannot end before the kill.
        """
        victim, end = self.workers[-1], time.monotonic() + seconds
        ports: set[int] = set()
        while not ports and time.monotonic() < end:
            ports = running().keys() & _ports_of(victim.pid)
        while time.monotonic() < end:
            if any(running().values()):
                _signal(victim, signal.SIGSTOP)
                if _within(5, lambda: any(running().get(port) for port in ports)):
                    _signal(victim, signal.SIGKILL)
                    victim.wait()
                    self.workers.remove(victim)
                    return True
                _signal(victim, signal.SIGCONT)
            time.sleep(0.002)
        return False

    def _process(self, name: str, what: str, *arguments: str) -> subprocess.Popen[bytes]:
        import pyspark

        home = Path(pyspark.__file__).parent
        command = [str(home / "bin" / "spark-class"), f"org.apache.spark.deploy.{what.lower()}.{what}"]
        options = ["--host", LOOPBACK, "--webui-port", "0", *arguments]
        environment = {
            **os.environ,
            "SPARK_HOME": str(home),
            "SPARK_LOCAL_IP": LOOPBACK,
            "SPARK_NO_DAEMONIZE": "1",
            "SPARK_DAEMON_MEMORY": "256m",
            "SPARK_MASTER_HOST": LOOPBACK,
        }
        log = (self.folder / f"{name}.log").open("wb")
        return subprocess.Popen(
            [*command, *options], stdout=log, stderr=log, env=environment, cwd=self.folder, start_new_session=True
        )

    def _wait_for(self, log: Path, text: str, times: int) -> None:
        end = time.monotonic() + _SECONDS_TO_START
        while time.monotonic() < end:
            if log.exists() and len(re.findall(text, log.read_text(errors="replace"))) >= times:
                return
            time.sleep(0.1)
        raise TimeoutError(f"{log}: found no {times}. line with {text!r} within {_SECONDS_TO_START:.0f} s")


def _within(seconds: float, condition: Callable[[], bool]) -> bool:
    """Whether the condition comes true, and still is a moment later, when what was on its way has arrived."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            time.sleep(0.5)
            return condition()
        time.sleep(0.01)
    return False


def _signal(process: subprocess.Popen[bytes], number: int) -> None:
    """To the whole group, whose leader the process is, unless it has ended."""
    if process.poll() is None:
        os.killpg(process.pid, number)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        port: int = probe.getsockname()[1]
        return port


def _ports_of(group: int) -> set[int]:
    """The ports on which the processes of a group listen."""
    import psutil

    return {
        connection.laddr.port
        for process in psutil.process_iter()
        if _group_of(process.pid) == group
        for connection in process.net_connections("tcp")
        if connection.status == psutil.CONN_LISTEN
    }


def _group_of(process: int) -> int:
    try:
        return os.getpgid(process)
    except ProcessLookupError:
        return 0
