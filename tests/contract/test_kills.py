"""The extraction is killed at 30 random moments: nothing finished is asked for again, and the end is the same."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import duckdb
import pytest

from dagster_project.archive.lock import load_lock
from dagster_project.archive.store import Archive
from dagster_project.landing.reference import land_reference
from dagster_project.landing.trade import land_year, parse_trade
from dagster_project.sources.http import canonical
from dagster_project.sources.ledger import Ledger
from tests.contract.demo_live import ROOT, live_settings
from tests.contract.server.app import Contract, contract_server

KILLS = 30
DATASETS = ("reference", "trade")


def environment(contract: Contract, home: Path) -> dict[str, str]:
    """The settings of a run of 2018, for a child process."""
    home.mkdir(parents=True, exist_ok=True)
    kept = {name: value for name, value in os.environ.items() if not name.startswith("CHOKEPOINT_")}
    return {**kept, **live_settings(contract, home), "CHOKEPOINT_YEARS": "2018", "PYTHONPATH": str(ROOT)}


def extract(environ: Mapping[str, str]) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "tests.contract.extract", *DATASETS]
    return subprocess.Popen(command, cwd=ROOT, env=dict(environ))


def data_requests(contract: Contract, since: int = 0) -> list[str]:
    """The keyed data calls, as the ledger names them."""
    found = []
    for seen in contract.seen[since:]:
        parts = urlsplit(seen.target)
        if parts.path.startswith("/data/v1/get"):
            query = [(name, value) for name, value in parse_qsl(parts.query) if name != "maxRecords"]
            found.append(canonical(parts.path, query))
    return found


def outcome(home: Path) -> dict[str, object]:
    """What a finished extraction leaves behind, but for clock times and ports."""
    data = home / "live"
    ledger, archive = Ledger(data / "calls.sqlite"), Archive(data / "archive")
    settled = ledger.settled("comtrade")
    units = {
        scope: sorted((unit.request, unit.outcome) for unit in ledger.units("comtrade", scope, version).values())
        for scope, version in settled.items()
    }
    entries = sorted((entry.part, entry.sha256) for entry in archive.entries())
    lock = load_lock(data / "inputs.lock.json")
    locked = {name: sorted((entry.part, entry.sha256) for entry in held) for name, held in lock.datasets.items()}
    for entry in archive.entries():
        archive.open_path(entry)
    return {"settled": settled, "units": units, "entries": entries, "locked": locked}


def flows(home: Path) -> list[tuple[object, ...]]:
    """The landed flows of the year."""
    archive, lock = Archive(home / "live/archive"), load_lock(home / "live/inputs.lock.json")
    landing = home / "landing"
    land_reference(archive, lock.datasets["reference"], landing, "H5")
    land_year(parse_trade(archive, lock.datasets["trade"], landing, [2018]), landing, 2018, "H5", "test")
    query = (
        f"select * exclude (archive_entry, source_row) from '{landing}/trade_flows/year=2018/*.parquet' order by all"
    )
    return duckdb.sql(query).fetchall()


@pytest.mark.timeout(900)
def test_killed_thirty_times_it_ends_as_if_it_never_had_been(tmp_path: Path) -> None:
    draw = random.Random(20260615)
    with contract_server() as contract:
        calm = tmp_path / "calm"
        assert extract(environment(contract, calm)).wait(timeout=120) == 0
        expected = outcome(calm)
        home = tmp_path / "killed"
        environ = environment(contract, home)
        finished: set[str] = set()
        struck = 0
        for _ in range(KILLS):
            start = len(contract.seen)
            child = extract(environ)
            wanted, delay = start + draw.randint(1, 9), draw.random() * 0.05
            while child.poll() is None and len(contract.seen) < wanted:
                time.sleep(0.002)
            threading.Event().wait(delay)
            child.send_signal(signal.SIGKILL)
            ended = child.wait()
            assert ended in (0, -signal.SIGKILL)
            struck += ended != 0
            again = finished & set(data_requests(contract, start))
            assert not again, f"asked for again although finished: {again}"
            ledger = Ledger(home / "live" / "calls.sqlite")
            for scope, version in _scopes(home):
                finished |= set(ledger.units("comtrade", scope, version))
        assert struck == KILLS and finished
        start = len(contract.seen)
        assert extract(environ).wait(timeout=120) == 0
        assert not finished & set(data_requests(contract, start))
        assert outcome(home) == expected
        sent = sum(1 for seen in contract.seen if seen.target.startswith("/data/v1/get"))
        counted = sum(sum(Ledger(each / "live/calls.sqlite").calls("comtrade").values()) for each in (calm, home))
        assert counted >= sent, "an attempt is counted before it is sent"
    assert flows(home) == flows(calm)
    assert not [path for path in (home / "live/downloads").rglob("*") if path.is_file()]


def _scopes(home: Path) -> list[tuple[str, str]]:
    import sqlite3

    with sqlite3.connect(home / "live/calls.sqlite") as connection:
        rows = connection.execute("select distinct scope, version from units where source = 'comtrade'").fetchall()
    return [(scope, version) for scope, version in rows]
