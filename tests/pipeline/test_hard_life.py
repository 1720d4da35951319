"""Real runs that are killed, printed to nobody, and at home below a folder with a strange name; in order.

One data directory: a run to its end; a published file rewritten in place; a run under other settings killed (SIGKILL)
inside a warehouse step; a run under the first settings again, whose reader has gone. Not here: single functions.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb
import pytest

from dagster_project.durable import sha256_of
from dagster_project.places import CHECKOUT
from dagster_project.publish.read import open_release, verify
from dagster_project.sql import parquet

pytestmark = pytest.mark.slow
OFF = ("TARIFF", "PATENT", "POLITICS")


@dataclass
class Home:
    """A data directory in which commands are started as processes of their own."""

    root: Path
    manifests: list[dict[str, Any]] = field(default_factory=list)

    @property
    def data(self) -> Path:
        return self.root / "data"

    @property
    def current(self) -> Path:
        return (self.data / "published/current").resolve()

    def manifest(self) -> dict[str, Any]:
        content: dict[str, Any] = json.loads((self.current / "manifest.json").read_text())
        return content

    def start(self, *, stdout: Any, **settings: str) -> subprocess.Popen[bytes]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("CHOKEPOINT_")}
        given: Mapping[str, str] = {
            "CHOKEPOINT_DATA_DIR": str(self.data),
            "DAGSTER_HOME": str(self.root / "dagster"),
            **{f"CHOKEPOINT_{name}_SOURCE": "off" for name in OFF},
            **{f"CHOKEPOINT_{name.upper()}": value for name, value in settings.items()},
        }
        command = [sys.executable, "-m", "dagster_project.cli", "run"]
        return subprocess.Popen(command, cwd=CHECKOUT, env={**kept, **given}, stdout=stdout, stderr=subprocess.PIPE)

    def log(self) -> str:
        """The newest log."""
        logs = sorted((self.data / "logs").glob("run-*.log"), key=lambda path: path.stat().st_mtime_ns)
        return logs[-1].read_text(errors="replace") if logs else ""

    def statuses(self) -> list[str]:
        """How Dagster says that the runs ended, the oldest first."""
        import dagster as dg

        with dg.DagsterInstance.from_config(str(self.root / "dagster")) as instance:
            return [run.status.value for run in reversed(instance.get_runs())]

    def holders(self) -> int:
        """Slots of the warehouse's pool that are taken."""
        import dagster as dg

        with dg.DagsterInstance.from_config(str(self.root / "dagster")) as instance:
            return len(instance.event_log_storage.get_concurrency_info("warehouse").claimed_slots)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """A run has come to its end there."""
    home = Home(tmp_path_factory.mktemp("hard") / "it's [a] {b} *" / "year=2024" / "ü")
    home.root.mkdir(parents=True)
    with home.start(stdout=subprocess.PIPE) as process:
        out, err = process.communicate(timeout=500)
    assert (process.returncode, err) == (0, b""), out.decode() + err.decode() + home.log()[-3000:]
    home.manifests.append(home.manifest())
    return home


def test_any_legal_path_gives_the_same_release(home: Home) -> None:
    """Nothing of the path is a pattern, an end of a text, or a year."""
    marts = home.manifest()["marts"]
    assert list(marts["trade_flows"]["years"]) == ["2017", "2018", "2019"]
    with open_release(home.data / "published") as release, release.connect() as connection:
        verify(release)
        found = connection.execute("select distinct year from marts.trade_flows order by 1").fetchall()
    assert found == [(2017,), (2018,), (2019,)]


def test_a_published_file_rewritten_in_place_stays_out_of_the_warehouse(home: Home) -> None:
    published = home.current / "parquet/trade_flows/2018/part-0.parquet"
    own = home.data / "warehouse.duckdb.int_trade_flows.2018.parquet"
    before = sha256_of(own)
    with duckdb.connect() as connection:
        doubled = home.root / "doubled.parquet"
        columns = f"* replace (2 * value_usd as value_usd) from {parquet([published])}"
        connection.execute(
            f"copy (select {columns}) to '{str(doubled).replace(chr(39), chr(39) * 2)}' (format parquet)"
        )
    published.chmod(0o644)
    with published.open("r+b") as file:
        file.write(doubled.read_bytes())
        file.truncate()
    assert sha256_of(own) == before and not own.samefile(published)


def test_killed_inside_a_warehouse_step_under_other_settings(home: Home) -> None:
    before = home.current
    for path in (home.data / "logs").iterdir():
        path.unlink()
    process = home.start(stdout=subprocess.DEVNULL, product_scope="all")
    started = time.monotonic()
    # Trade's models by year are being rebuilt: some hold the new settings' rows, others the old ones'.
    while "START sql yearly model marts.import_vulnerability" not in home.log():
        assert process.poll() is None and time.monotonic() - started < 400, home.log()[-3000:]
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert process.returncode == -signal.SIGKILL and home.current == before
    assert home.holders() == 1 and home.statuses()[-1] == "STARTED", "the slot is left with the dead run"
    built = json.loads((home.data / "built.json").read_text())
    assert built["shapes"]["trade"] == "" and set(built["years"]["trade"].values()) == {""}


def test_the_next_run_under_the_first_settings_makes_all_right_although_nobody_reads_what_it_prints(home: Home) -> None:
    before = home.current
    process = home.start(stdout=subprocess.PIPE)
    assert process.stdout is not None and process.stderr is not None
    first = process.stdout.readline()
    process.stdout.close()  # as `head -1` does
    err = process.stderr.read()
    assert process.wait(timeout=500) == 0, err.decode() + home.log()[-3000:]
    assert first.startswith(b"Looking at the sources") and b"BrokenPipe" not in err and b"Exception" not in err
    assert home.statuses() == ["SUCCESS", "FAILURE", "SUCCESS"] and home.holders() == 0
    # The damaged release is replaced by one that says the same.
    assert home.current != before
    old, new = home.manifests[0]["marts"], home.manifest()["marts"]
    assert {name: mart["content_hash"] for name, mart in new.items()} == {
        name: mart["content_hash"] for name, mart in old.items()
    }
    assert new["trade_flows"]["years"] == old["trade_flows"]["years"]
    with open_release(home.data / "published") as release:
        verify(release)
    assert "RUN_SUCCESS" in home.log(), "the log keeps everything"
