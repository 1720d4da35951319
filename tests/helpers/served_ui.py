"""The Dagster UI as `make ui` starts it, and the explorer, on free ports and with settings of their own, as long as a
test wants them.

Not here: a browser (tests/ui).
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from dagster_project.places import CHECKOUT


@contextmanager
def served(root: Path, environment: Mapping[str, str]) -> Iterator[str]:
    """The address of a UI that runs inside the block. Its log and Dagster's home lie in `root`; of the variables
    CHOKEPOINT_… it gets those of `environment` alone.
    """
    plain = {name: value for name, value in os.environ.items() if not name.startswith("CHOKEPOINT_")}
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    # These tests run in an environment that is installed: make need not look whether it is.
    command = ["make", "-o", ".venv/.ready", "ui", f"BIN={Path(sys.executable).parent}", f"UI_PORT={port}"]
    log = root / "log"
    with log.open("wb") as output:
        server = subprocess.Popen(
            command,
            cwd=CHECKOUT,
            env={**plain, "DAGSTER_HOME": str(root / "home"), **environment},
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    try:
        address = f"http://127.0.0.1:{port}"
        until(lambda: _answers(address), 120, lambda: log.read_text()[-2000:])
        yield address
    finally:
        for sign in (signal.SIGINT, signal.SIGKILL):
            os.killpg(server.pid, sign)
            try:
                server.wait(30)
                break
            except subprocess.TimeoutExpired:
                continue


@contextmanager
def explored(environment: Mapping[str, str]) -> Iterator[str]:
    """The address of an explorer that runs inside the block; of the variables CHOKEPOINT_… it gets those given."""
    plain = {name: value for name, value in os.environ.items() if not name.startswith("CHOKEPOINT_")}
    command = [sys.executable, "-m", "dagster_project.cli", "explore", "--port", "0"]
    with subprocess.Popen(
        command, cwd=CHECKOUT, env={**plain, **environment}, stdout=subprocess.PIPE, text=True, start_new_session=True
    ) as server:
        assert server.stdout is not None
        try:
            said = [server.stdout.readline() for _ in range(2)]
            assert said[-1] == "Ctrl-C ends it.\n", said
            yield said[0].rpartition(" ")[2].strip().rstrip("/")
        finally:
            server.send_signal(signal.SIGINT)
            server.wait(30)
            assert server.returncode == 0, "it ends in peace"


def _answers(address: str) -> bool:
    try:
        with urllib.request.urlopen(f"{address}/server_info", timeout=5) as response:
            return bool(response.status == 200)
    except OSError:
        return False


def until(done: Callable[[], bool], seconds: float, why: Callable[[], str]) -> None:
    """Wait until it is done; fail with the reason after so many seconds."""
    end = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < end, why()
        time.sleep(0.5)
