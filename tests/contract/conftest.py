"""A fresh contract server per test, and the live sources against it with a clock that only sleeping moves."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from dagster_project.settings import Settings, load_settings
from dagster_project.sources.http import Http
from dagster_project.sources.ledger import Ledger
from dagster_project.sources.live import Live, live_session
from tests.contract.demo_live import live_settings
from tests.contract.server.app import Contract, contract_server

NOON = 1_781_524_800.0  # 2026-06-15 12:00 UTC
SMALL = frozenset({40, 203, 757})


@dataclass
class Clock:
    """Time that stands still but for sleeping."""

    now: float = NOON
    slept: list[float] = field(default_factory=list)

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


@dataclass
class Bench:
    """The server, a data directory and a clock."""

    contract: Contract
    home: Path
    clock: Clock = field(default_factory=Clock)

    def settings(self, **changes: Any) -> Settings:
        """Settings of a run of 2018 against the server."""
        environ = {k: v for k, v in live_settings(self.contract, self.home).items() if k.startswith("CHOKEPOINT_")}
        return replace(load_settings(environ, None), **{"years": (2018,), **changes})

    def live(self, **changes: Any) -> AbstractContextManager[Live]:
        """What a live source works with; every call is a new run on the same data directory."""
        settings = self.settings(**changes)
        ledger = Ledger(settings.data_dir / "calls.sqlite")
        http = Http(ledger, clock=self.clock, sleep=self.clock.sleep, rng=lambda: 0.5, timeout=(5.0, 5.0))
        return live_session(settings, http)

    def calls(self, source: str) -> int:
        """The attempts that the ledger counted for a source."""
        return sum(Ledger(self.home / "live" / "calls.sqlite").calls(source).values())


@pytest.fixture(autouse=True)
def loopback_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test of this folder may reach beyond this machine."""
    connect = socket.socket.connect

    def guarded(self: socket.socket, address: Any) -> None:
        if isinstance(address, tuple) and not str(address[0]).startswith("127.") and address[0] != "localhost":
            raise AssertionError(f"a test tried to reach {address}")
        connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", guarded)


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    """One test's bench; keys are set, three reporters are published."""
    for variable in ("COMTRADE_API_KEY", "USPTO_API_KEY", "REGULATIONS_API_KEY"):
        monkeypatch.setenv(variable, "contract-key")
    with contract_server() as contract:
        contract.world.only_reporters = SMALL
        yield Bench(contract, tmp_path)
