"""The extraction is killed at random moments: nothing finished is asked for again, and the end is the same.

A process that takes live datasets in is killed (SIGKILL) again and again, in the midst of requests, downloads, writes
to the archive and to the ledger, and started anew on the same data directory. What is compared:

- with the server, after every kill: no call whose answer had been archived and noted is made again. What was noted
  with a validator is asked for only conditionally; a file that broke off goes on where it stopped.
- the ledger with the server: an attempt is counted before it is sent, so that the sum of the attempts is what the
  server received, and at most one more for each kill that struck between counting and sending.
- with an uninterrupted run: finished units, versions, validators, archive (every payload, byte for byte), the lock, and
  every landed table. For trade also all marts, built by the program's own command, which then makes no data call.

A call that the server had answered when the process was killed before it had archived the answer is made again: to the
client it never succeeded.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import random
import re
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import duckdb
import pytest

from dagster_project.archive.lock import load_lock
from dagster_project.archive.store import Archive
from dagster_project.datasets.patents.landing import land as land_patents
from dagster_project.datasets.reference.landing import land as land_reference
from dagster_project.datasets.tariffs.landing import land as land_tariffs
from dagster_project.datasets.trade.landing import land_year
from dagster_project.datasets.trade.parsing import parse
from dagster_project.sources.http import canonical
from dagster_project.sources.ledger import Ledger
from tests.contract.demo_live import ROOT, content, live_settings
from tests.contract.extract import extract
from tests.contract.server import faults, notices
from tests.contract.server.app import Contract, contract_server
from tests.helpers.steps import load_of

TRADE, OTHERS = ("reference", "trade"), ("tariffs", "patents")
KILLS = {TRADE: 30, OTHERS: 15}
STORAGE = "/storage/"  # the portal's storage host: no call of the portal
SERVICES = {
    "comtrade": r"/data/v1/get/",
    "comtrade-public": r"/public/v1/getda/",
    "reference": r"/files/v1/app/reference/|/static/reference/",
    "baci": r"/baci/",
    "ustr": r"/static/ustr/",
    "federal_register": r"/fr/",
    "regulations_gov": r"/regs/",
    "usitc": r"/reststop/",
    "uspto": r"/api/v1/datasets/",
    "oecd": r"/oecd/",
}


@dataclass
class Place:
    """A data directory, the extraction that is started in it, and what the server saw of it."""

    contract: Contract
    home: Path
    seen: list[tuple[int, int]] = field(default_factory=list)  # from and to, in the server's list
    kills: int = 0

    @property
    def data(self) -> Path:
        return self.home / "live"

    def environ(self) -> dict[str, str]:
        """The settings of a run of 2018, for a child process."""
        self.home.mkdir(parents=True, exist_ok=True)
        kept = {name: value for name, value in os.environ.items() if not name.startswith("CHOKEPOINT_")}
        return {**kept, **live_settings(self.contract, self.home), "CHOKEPOINT_YEARS": "2018"}

    def run(self, datasets: Sequence[str], strike: Callable[[int], bool] = lambda start: False) -> bool:
        """Extract in a process that is killed once `strike` says so; whether it came to its end."""
        start, before, known = len(self.contract.seen), self.finished(), self.known()
        # Forked from a process that has imported everything already: a start costs a fraction of a second.
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload(["__main__", "tests.contract.extract"])
        child = context.Process(target=extract, args=(self.environ(), datasets))
        child.start()
        while child.is_alive() and not strike(start):
            time.sleep(0.001)
        child.kill()
        child.join()
        assert child.exitcode in (0, -signal.SIGKILL)
        self.kills += child.exitcode != 0
        time.sleep(0.05)  # what is still on the wire arrives
        self.seen.append((start, len(self.contract.seen)))
        again = before & {request_of(target) for target in self.targets(start)}
        assert not again, f"asked for again although finished: {again}"
        for seen in self.contract.seen[start:]:
            assert urlsplit(seen.target).path not in known or "If-None-Match" in seen.headers, seen.target
        return child.exitcode == 0

    def targets(self, start: int = 0) -> list[str]:
        """What the server was asked for this place, from that place of its list on."""
        return [seen.target for first, last in self.seen for seen in self.contract.seen[max(first, start) : last]]

    def finished(self) -> set[str]:
        """The calls that are noted as finished, in the words of `request_of`."""
        path = self.data / "calls.sqlite"
        if not path.exists():
            return set()
        Ledger(path)
        with sqlite3.connect(path) as connection:
            rows = connection.execute("select source, request from units").fetchall()
        return {_call_of(source, request) for source, request in rows}

    def known(self) -> set[str]:
        """The paths of the files that are noted with a validator."""
        path = self.data / "calls.sqlite"
        if not path.exists():
            return set()
        Ledger(path)
        with sqlite3.connect(path) as connection:
            return {urlsplit(address).path for (address,) in connection.execute("select address from validators")}

    def outcome(self) -> dict[str, object]:
        """What a finished extraction leaves behind, but for clock times and counts."""
        archive = Archive(self.data / "archive")
        entries = {entry.id: entry for entry in archive.entries()}
        for entry in entries.values():
            archive.open_path(entry)  # byte for byte what its name says
        with sqlite3.connect(self.data / "calls.sqlite") as connection:
            units = connection.execute("select source, scope, version, request, outcome, entry_id from units")
            noted = sorted((*row[:5], entries[row[5]].sha256 if row[5] else "") for row in units)
            known = connection.execute("select address, etag, last_modified, entry_id from validators")
            validators = sorted((*row[:3], entries[row[3]].sha256) for row in known)
            settled = sorted(connection.execute("select source, scope, version from snapshots"))
        lock = load_lock(self.data / "inputs.lock.json")
        return {
            "units": noted,
            "validators": validators,
            "settled": settled,
            "archive": sorted((entry.part, entry.sha256) for entry in entries.values()),
            "lock": {name: [(e.part, e.sha256) for e in held] for name, held in sorted(lock.datasets.items())},
            "passed_over": dict(lock.passed_over),
            "unfinished": [path for path in (self.data / "downloads").rglob("*") if path.is_file()],
        }

    def landed(self) -> dict[str, list[str]]:
        """Every landed row but for where it came from, by table."""
        archive, lock = Archive(self.data / "archive"), load_lock(self.data / "inputs.lock.json")
        landing = self.home / "landing"
        if "trade" in lock.datasets:
            land_reference(load_of(archive, lock.datasets["reference"], landing, "H5"))
            load = load_of(archive, lock.datasets["trade"], landing, years=[2018])
            land_year(load, parse(archive, load.entries, landing, [2018]), 2018)
        if "tariffs" in lock.datasets:
            land_tariffs(load_of(archive, lock.datasets["tariffs"], landing))
            land_patents(load_of(archive, lock.datasets["patents"], landing))
        found = {}
        for path in sorted(landing.rglob("*.parquet")):
            columns = f"columns(name -> name not in ('archive_entry', 'source_row')) from '{path}'"
            rows = duckdb.sql(f"select {columns} order by all").fetchall()
            found[path.relative_to(landing).as_posix()] = [str(row) for row in rows]  # as text: NaN is not NaN
        return found

    def build(self) -> subprocess.Popen[bytes]:
        """`make run` on what is here, tariffs and patents left out."""
        settings = {"CHOKEPOINT_TARIFF_SOURCE": "off", "CHOKEPOINT_PATENT_SOURCE": "off"}
        environ = {**self.environ(), **settings, "DAGSTER_HOME": str(self.home / "dagster")}
        command = [sys.executable, "-m", "tests.contract.hurried", "run"]
        return subprocess.Popen(command, cwd=ROOT, env=environ, stdout=subprocess.DEVNULL)

    def attempts(self) -> dict[str, int]:
        """Attempts that the ledger counted, by service."""
        counted: dict[str, int] = {}
        for (service, _, _), calls in Ledger(self.data / "calls.sqlite").calls().items():
            counted[service] = counted.get(service, 0) + calls
        return counted

    def received(self) -> dict[str, int]:
        """Requests that the server received, by service; those to the storage host are no calls."""
        targets = [target for target in self.targets() if not target.startswith(STORAGE)]
        found = {name: sum(bool(re.match(path, target, re.I)) for target in targets) for name, path in SERVICES.items()}
        assert sum(found.values()) == len(targets)
        return {name: number for name, number in found.items() if number}


def request_of(target: str) -> str:
    """A request as the server saw it, under the name that the ledger gives it."""
    parts = urlsplit(target)
    return canonical(parts.path, [pair for pair in parse_qsl(parts.query) if pair[0] != "maxRecords"])


def _call_of(source: str, request: str) -> str:
    if source == "federal_register":
        return canonical(f"/fr/xml/{request}.xml")
    if source == "regulations_gov":
        return canonical("/regs/documents", json.loads(request))
    return canonical(request) if source == "uspto" else request


def moments(contract: Contract, datasets: Sequence[str], most: int) -> Iterator[Callable[[int], bool]]:
    """When to kill: shortly after one of the next requests has arrived; now and then in the midst of a large file."""
    draw = random.Random(20260615)
    while True:
        large = draw.random() < 0.3 and datasets == OTHERS
        wanted, delay = (1, draw.uniform(0.02, 0.15)) if large else (draw.randint(1, most), draw.random() * 0.03)

        def strike(start: int, large: bool = large, wanted: int = wanted, delay: float = delay) -> bool:
            arrived = [seen for seen in contract.seen[start:] if not large or seen.target.startswith(STORAGE)]
            if len(arrived) < wanted:
                return False
            time.sleep(delay)
            return True

        yield strike


@pytest.fixture(scope="module")
def contract() -> Iterator[Contract]:
    """Files come slowly, and a docket has thirty pages, so that a kill may strike in their midst."""
    with contract_server() as running:
        running.world.documents = [notices.document(number) for number in range(150)]
        running.world.documents_page = 5
        running.fail(r"^/storage/", faults.in_pieces(20, 0.01), times=10_000)
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("PYTHONPATH", str(ROOT))
            yield running


@pytest.fixture(scope="module")
def calm(contract: Contract, tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[str, ...], Place]:
    """The uninterrupted extractions. They count exactly what the server received."""
    places = {datasets: Place(contract, tmp_path_factory.mktemp("calm")) for datasets in (TRADE, OTHERS)}
    for datasets, place in places.items():
        assert place.run(datasets)
        assert place.attempts() == place.received()
    return places


def killed(contract: Contract, folder: Path, datasets: tuple[str, ...], expected: object, most: int) -> list[Place]:
    """Extractions killed as often as wanted. Where one comes to its end, the next begins with nothing."""
    places = [Place(contract, folder / "0")]
    for strike in moments(contract, datasets, most):
        if sum(place.kills for place in places) == KILLS[datasets]:
            break
        if places[-1].run(datasets, strike):
            assert places[-1].outcome() == expected
            places.append(Place(contract, folder / str(len(places))))
    assert places[-1].run(datasets)
    for place in places:
        assert place.outcome() == expected
        counted, received = place.attempts(), place.received()
        assert 0 <= sum(counted.values()) - sum(received.values()) <= place.kills
        assert all(counted[service] >= number for service, number in received.items())
    return places


@pytest.mark.timeout(600)
def test_trade_killed_thirty_times(contract: Contract, calm: dict[tuple[str, ...], Place], tmp_path: Path) -> None:
    undisturbed = calm[TRADE]
    places = killed(contract, tmp_path, TRADE, undisturbed.outcome(), 25)
    disturbed = max(places, key=lambda place: place.kills)
    assert disturbed.kills > 1 and disturbed.landed() == undisturbed.landed()
    start = len(contract.seen)
    runs = [place.build() for place in (undisturbed, disturbed)]
    assert [run.wait(timeout=300) for run in runs] == [0, 0]
    assert not [seen for seen in contract.seen[start:] if seen.target.startswith("/data/v1/get")]
    assert content(disturbed.data) == content(undisturbed.data)


@pytest.mark.timeout(600)
def test_tariffs_and_patents_killed_fifteen_times(
    contract: Contract, calm: dict[tuple[str, ...], Place], tmp_path: Path
) -> None:
    undisturbed = calm[OTHERS]
    places = killed(contract, tmp_path, OTHERS, undisturbed.outcome(), 90)
    disturbed = max(places, key=lambda place: place.kills)
    assert disturbed.kills > 1 and disturbed.landed() == undisturbed.landed()
    stored = [contract.seen[at] for place in places for span in place.seen for at in range(*span)]
    assert any(seen.target.startswith(STORAGE) and seen.headers.get("If-Range") for seen in stored), "no resume struck"
