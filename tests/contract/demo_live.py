"""`make demo-live`: the whole graph against the contract server, over real sockets, compared with the file path.

All runs use the program's own command (see `hurried`). The steps: a full run, the same from files, a run without news,
a revision upstream, a run without a key, BACI over the wire and from the publisher's zip. Prints the calls that each
made and what was expected of it; the status is 1 unless all came as expected.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb

from dagster_project.datasets import samples as sample
from dagster_project.datasets.patents import oecd
from dagster_project.sample.reporting import YEARS
from tests.contract.server import oecd_icio
from tests.contract.server.app import Contract, contract_server
from tests.contract.server.world import baci_tables, baci_zip, oecd_table, reference_list

ROOT = Path(__file__).resolve().parent.parent.parent
# Everything but the questions whether there is news: rows, files, notices, documents, the schedule, ranges of a zip.
DATA_CALL = (
    r"^/data/|^/public/v1/preview/|^/bulk/|^/fr/xml/|^/regs/.*=250|/exportList|/files/PVGPATDIS/|^/storage/"
    r"|/access/datafile/"
)
REVISED = (2018, 757)


def main() -> int:
    """Run all steps below the directory named (default demo-live)."""
    home = (Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "demo-live").resolve()
    shutil.rmtree(home, ignore_errors=True)
    with contract_server() as contract:
        demo = Demo(contract, home)
        write_drop_folder(contract, home / "drop")
        demo.live_equals_files()
        demo.no_news()
        demo.revision()
        demo.without_key()
        demo.baci()
    print("\nExpected and found:")
    for text, found in demo.findings:
        print(f"  {'yes' if found else 'NO '}  {text}")
    return 0 if all(found for _, found in demo.findings) else 1


@dataclass
class Demo:
    """The steps, in the order in which they build on each other, and what they found."""

    contract: Contract
    home: Path
    findings: list[tuple[str, bool]] = field(default_factory=list)

    def expect(self, text: str, found: bool) -> None:
        """Note a finding."""
        self.findings.append((text, found))

    def step(self, title: str, settings: dict[str, str]) -> str:
        """One `run`; prints its output and the calls it made, and returns the output."""
        print(f"\n=== {title}\n", flush=True)
        self.contract.seen.clear()
        started = time.monotonic()
        out = run(settings)
        print(f"\nCalls ({time.monotonic() - started:.0f} s):", *(calls(self.contract) or ["none"]), sep="\n  ")
        return out

    def live_equals_files(self) -> None:
        """All sources over the wire, and the same from the drop folder."""
        self.step("All sources over the wire", live_settings(self.contract, self.home))
        drop = self.home / "drop-files"  # of its own: what lies in the drop folder is not asked of OECD
        shutil.copytree(self.home / "drop", drop)
        table = oecd_table(oecd.KEY.split("."), oecd.FIRST_YEAR)
        (drop / "patents/oecd_pct_applications.csv").write_bytes(table)
        shutil.rmtree(drop / "gvc")
        (drop / "gvc/2025").mkdir(parents=True)
        newest = f"{oecd_icio.SPANS[-1]}_SML.zip"
        (drop / "gvc/2025" / newest).write_bytes(oecd_icio.zips()[newest])
        self.step("The same from files", file_settings(self.home))
        self.expect_same("over the wire and from files", "live", "files")

    def expect_same(self, text: str, *names: str) -> None:
        """Two data directories hold the same marts: content hash for content hash, and the published figures by rows.

        Their column `inputs` says in words which source each was computed from, so that it must differ.
        """
        first, second = (content(self.home / name) for name in names)
        for mart in sorted(first | second):
            same = "=" if first.get(mart) == second.get(mart) else "!="
            print(f"{mart:32} {first.get(mart)} {same} {second.get(mart)}")
        unequal = {mart for mart in first | second if first.get(mart) != second.get(mart)} - {"published_benchmarks"}
        self.expect(f"{len(first) - 1} marts are the same {text}", not unequal)
        figures = [published_figures(self.home / name) for name in names]
        self.expect(f"{len(figures[0])} published figures are the same {text}", figures[0] == figures[1])

    def no_news(self) -> None:
        """Nothing changed upstream: availability calls only, nothing computed."""
        before = manifest(self.home / "live")["release_id"]
        out = self.step("A run without news", live_settings(self.contract, self.home))
        self.expect("without news nothing is computed", "nothing was computed" in out)
        self.expect("without news no data call is made", not self.contract.count(DATA_CALL))
        refetched = [seen for seen in self.contract.seen if "/static/" in seen.target]
        self.expect(
            "without news files are asked for conditionally",
            all("If-None-Match" in seen.headers for seen in refetched),
        )
        self.expect("without news the release stays", manifest(self.home / "live")["release_id"] == before)

    def revision(self) -> None:
        """One reporter's year is revised: one data call, that year computed, both payloads named."""
        year, reporter = REVISED
        before, old = manifest(self.home / "live"), entries(self.home / "live", year, reporter)
        self.contract.world.revise(year, reporter, 1.25)
        out = self.step(f"A revision of reporter {reporter}, {year}", live_settings(self.contract, self.home))
        after, new = manifest(self.home / "live"), entries(self.home / "live", year, reporter)
        self.expect("a revision costs one data call", self.contract.count(DATA_CALL) == 1)
        self.expect("only the revised year is computed", f"to compute: {year}." in out)
        flows = [each["marts"]["trade_flows"]["years"] for each in (before, after)]
        changed = [int(key) for key in flows[0] if flows[0][key]["content_hash"] != flows[1][key]["content_hash"]]
        self.expect("only the revised year's flows are others", changed == [year])
        replaced = {entry["id"] for entry in after["replaced_entries"]}
        self.expect("the manifest names both payloads", len(old) == len(new) == 1 and replaced == old and old != new)
        held = {path.stem for path in (self.home / "live/archive/manifest").iterdir()}
        self.expect("the old payload stays in the archive", old <= held)

    def without_key(self) -> None:
        """Comtrade without a key: some goods, and a note in the release."""
        settings = {**live_settings(self.contract, self.home), **only_trade(self.home / "preview")}
        del settings["COMTRADE_API_KEY"]
        out = self.step("Comtrade without a key", settings)
        written = manifest(self.home / "preview")
        goods = {row[0] for row in query(self.home / "preview", "select distinct hs6 from marts.product_centrality")}
        self.expect(f"without a key {len(goods)} goods come through to the marts", 0 < len(goods) <= 4)
        self.expect("the command says what a key would add", "without COMTRADE_API_KEY" in re.sub(r"\s+", " ", out))
        notes = " ".join(written["passed_over"].get("trade", []))
        self.expect("so does the release's manifest", "without COMTRADE_API_KEY" in notes)

    def baci(self) -> None:
        """BACI by ranges of the publisher's zip, and the same zip in the drop folder."""
        drop = self.home / "drop-baci"
        sample.write_drop_folder(drop)
        for path in (drop / "baci").iterdir():
            path.unlink()
        (drop / "baci/BACI_HS17_V201901.zip").write_bytes(baci_zip())
        (drop / "baci/product_codes_HS17_V201901.csv").write_bytes(baci_tables()["product_codes_HS17_V201901.csv"])
        wire = {**live_settings(self.contract, self.home), **only_trade(self.home / "baci-live")}
        files = {**wire, **only_trade(self.home / "baci-files"), "CHOKEPOINT_DROP_DIR": str(drop)}
        self.step("BACI by ranges of its zip", {**wire, "CHOKEPOINT_TRADE_SOURCE": "baci"})
        zip_calls = [seen for seen in self.contract.seen if seen.target.endswith(".zip")]
        self.expect("BACI is read by ranges only", all("Range" in seen.headers for seen in zip_calls))
        sources = {"CHOKEPOINT_TRADE_SOURCE": "baci_files", "CHOKEPOINT_REFERENCE_SOURCE": "files"}
        self.step("BACI from the same zip", {**files, **sources})
        self.expect_same("by ranges of BACI's zip and from the zip", "baci-live", "baci-files")


def write_drop_folder(contract: Contract, drop: Path) -> None:
    """The sample, and the documents that the server has beside it, where the file path finds them."""
    sample.write_drop_folder(drop)
    for notice in contract.world.notices:
        (drop / "ustr" / notice.file_name).write_text(notice.xml)
    page = json.dumps({"data": contract.world.documents, "meta": {"hasNextPage": False}})
    (drop / "ustr" / "regulations_USTR-2018-0025_start-1.json").write_text(page)


def live_settings(contract: Contract, home: Path) -> dict[str, str]:
    """The environment of a run against the server."""
    listed = home / "reference_list.json"
    listed.write_text(reference_list(contract.url))
    ustr = [f"{contract.url}{path}" for path in contract.world.static if re.match("/static/ustr/(?!hts_)", path)]
    return {
        "CHOKEPOINT_DATA_DIR": str(home / "live"),
        "CHOKEPOINT_DROP_DIR": str(home / "drop"),
        "CHOKEPOINT_YEARS": f"{min(YEARS)}-{max(YEARS)}",
        "CHOKEPOINT_TRADE_SOURCE": "comtrade",
        "CHOKEPOINT_REFERENCE_SOURCE": "web",
        "CHOKEPOINT_TARIFF_SOURCE": "ustr",
        "CHOKEPOINT_PATENT_SOURCE": "uspto",
        "CHOKEPOINT_POLITICS_SOURCE": "web",
        "CHOKEPOINT_CHAINS_SOURCE": "oecd",
        "CHOKEPOINT_COMTRADE_URL": contract.url,
        "CHOKEPOINT_COMTRADE_CALLS_PER_MINUTE": "60000",
        "CHOKEPOINT_BACI_URL": f"{contract.url}/baci",
        "CHOKEPOINT_REFERENCE_LIST": str(listed),
        "CHOKEPOINT_USTR_ADDRESSES": ",".join(ustr),
        "CHOKEPOINT_FEDERAL_REGISTER_URL": f"{contract.url}/fr",
        "CHOKEPOINT_REGULATIONS_URL": f"{contract.url}/regs",
        "CHOKEPOINT_HTS_URL": contract.url,
        "CHOKEPOINT_USPTO_URL": f"{contract.url}/api/v1",
        "CHOKEPOINT_OECD_URL": f"{contract.url}/oecd",
        "CHOKEPOINT_DATAVERSE_URL": f"{contract.url}/dataverse",
        "CHOKEPOINT_OECD_ICIO_URL": f"{contract.url}{oecd_icio.PREFIX}",
        "COMTRADE_API_KEY": "contract-key",
        "USPTO_API_KEY": "contract-key",
        "REGULATIONS_API_KEY": "contract-key",
    }


def file_settings(home: Path) -> dict[str, str]:
    """The environment of the same run from the drop folder."""
    return {
        "CHOKEPOINT_DATA_DIR": str(home / "files"),
        "CHOKEPOINT_DROP_DIR": str(home / "drop-files"),
        **{
            f"CHOKEPOINT_{name}_SOURCE": "files"
            for name in ("TRADE", "REFERENCE", "TARIFF", "PATENT", "POLITICS", "CHAINS")
        },
    }


def only_trade(data_dir: Path) -> dict[str, str]:
    """What a run of one year in a data directory of its own changes of the settings."""
    return {
        "CHOKEPOINT_DATA_DIR": str(data_dir),
        "CHOKEPOINT_YEARS": "2018",
        "CHOKEPOINT_TARIFF_SOURCE": "off",
        "CHOKEPOINT_PATENT_SOURCE": "off",
        "CHOKEPOINT_POLITICS_SOURCE": "off",
        "CHOKEPOINT_CHAINS_SOURCE": "off",
    }


def run(settings: dict[str, str]) -> str:
    """`make run` with these settings and no others; what it printed, which is shown as it comes."""
    ours = ("CHOKEPOINT_", "COMTRADE_API_KEY", "USPTO_API_KEY", "REGULATIONS_API_KEY")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    command = [sys.executable, "-m", "tests.contract.hurried", "run"]
    lines = []
    with subprocess.Popen(command, cwd=ROOT, env={**kept, **settings}, stdout=subprocess.PIPE, text=True) as child:
        for line in child.stdout or ():
            print(line, end="", flush=True)
            lines.append(line)
    if child.returncode:
        raise SystemExit(f"the run ended with status {child.returncode}")
    return "".join(lines)


def calls(contract: Contract) -> list[str]:
    """The requests by first parts of their path, with their number."""
    counted = Counter("/".join(target.split("?")[0].split("/")[:4]) for target in contract.targets())
    return [f"{number:5}  {path}" for path, number in sorted(counted.items())]


def manifest(data_dir: Path) -> dict[str, Any]:
    """The manifest of the current release."""
    found: dict[str, Any] = json.loads((data_dir / "published/current/manifest.json").read_text())
    return found


def content(data_dir: Path) -> dict[str, str]:
    """Mart -> content hash."""
    return {name: mart["content_hash"] for name, mart in manifest(data_dir)["marts"].items()}


def entries(data_dir: Path, year: int, reporter: int) -> set[str]:
    """The archive entries of a reporter's year that the current release was built from."""
    wanted = {"period": str(year), "reporterCode": str(reporter)}
    listed = manifest(data_dir)["archive_entries"]
    return {entry["id"] for entry in listed if wanted.items() <= entry["parameters"].items()}


def query(data_dir: Path, sql: str) -> list[tuple[Any, ...]]:
    """Ask the current release."""
    with duckdb.connect(str(data_dir / "published/current/chokepoint.duckdb"), read_only=True) as connection:
        return connection.execute(sql).fetchall()


def published_figures(data_dir: Path) -> list[tuple[Any, ...]]:
    """The mart of published figures without the words that name the source of the inputs."""
    return query(data_dir, "select * exclude (inputs) from marts.published_benchmarks order by all")


if __name__ == "__main__":
    sys.exit(main())
