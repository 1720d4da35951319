"""`make demo-live`: the whole graph against the contract server, over real sockets, compared with the file path.

Both runs use the program's own command. Prints the calls that a full run and a run without news made, and the content
hashes of both; the status is 1 unless they are equal.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path

from dagster_project.sources import oecd, sample
from tests.contract.server.app import Contract, contract_server
from tests.contract.server.world import oecd_table, reference_list

# Its text says which source each figure was computed from, so that it must differ.
NAMES_SOURCES = {"published_benchmarks"}
ROOT = Path(__file__).resolve().parent.parent.parent


def main() -> int:
    """Run both paths below the directory named (default demo-live) and compare."""
    home = (Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "demo-live").resolve()
    shutil.rmtree(home, ignore_errors=True)
    with contract_server() as contract:
        write_drop_folder(contract, home / "drop")
        settings = live_settings(contract, home)
        run(settings)
        full = calls(contract)
        contract.seen.clear()
        run(settings)
        idle = calls(contract)
    (home / "drop/patents/oecd_pct_applications.csv").write_bytes(oecd_table(oecd.KEY.split("."), oecd.FIRST_YEAR))
    run(file_settings(home))
    live, files = content(home / "live"), content(home / "files")
    print("\nCalls of a full run (all years):", *full, "", "Calls of a run without news:", *idle, sep="\n  ")
    for name in sorted(live | files):
        print(f"{name:32} {live.get(name)} {'=' if live.get(name) == files.get(name) else '!='} {files.get(name)}")
    unequal = {name for name in live | files if live.get(name) != files.get(name)} - NAMES_SOURCES
    print("\nBoth paths give the same marts." if not unequal else f"\nNot the same: {', '.join(sorted(unequal))}")
    return 1 if unequal else 0


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
        "CHOKEPOINT_YEARS": f"{min(sample.YEARS)}-{max(sample.YEARS)}",
        "CHOKEPOINT_TRADE_SOURCE": "comtrade",
        "CHOKEPOINT_REFERENCE_SOURCE": "web",
        "CHOKEPOINT_TARIFF_SOURCE": "ustr",
        "CHOKEPOINT_PATENT_SOURCE": "uspto",
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
        "COMTRADE_API_KEY": "contract-key",
        "USPTO_API_KEY": "contract-key",
        "REGULATIONS_API_KEY": "contract-key",
    }


def file_settings(home: Path) -> dict[str, str]:
    """The environment of the same run from the drop folder."""
    return {
        "CHOKEPOINT_DATA_DIR": str(home / "files"),
        "CHOKEPOINT_DROP_DIR": str(home / "drop"),
        **{f"CHOKEPOINT_{name}_SOURCE": "files" for name in ("TRADE", "REFERENCE", "TARIFF", "PATENT")},
    }


def run(settings: dict[str, str]) -> None:
    """`make run` with these settings and no others."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("CHOKEPOINT_")}
    command = [sys.executable, "-m", "dagster_project.cli", "run"]
    subprocess.run(command, cwd=ROOT, env={**kept, **settings}, check=True)


def calls(contract: Contract) -> list[str]:
    """The requests by first parts of their path, with their number."""
    counted = Counter("/".join(target.split("?")[0].split("/")[:4]) for target in contract.targets())
    return [f"{number:5}  {path}" for path, number in sorted(counted.items())]


def content(data_dir: Path) -> dict[str, str]:
    """Mart -> content hash."""
    manifest = json.loads((data_dir / "published/current/manifest.json").read_text())
    return {name: mart["content_hash"] for name, mart in manifest["marts"].items()}


if __name__ == "__main__":
    sys.exit(main())
