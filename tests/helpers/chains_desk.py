"""Small input-output tables, the way from them to the landing, and what lies there. Not here: expectations."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from dagster_project.archive.store import Archive
from dagster_project.datasets.chains.dataset import CHAINS
from dagster_project.datasets.chains.files import FILE_KINDS
from dagster_project.datasets.chains.landing import identities, land
from dagster_project.landing.loads import Landed, Load
from dagster_project.settings import load_settings
from dagster_project.sources.files import find_files

START = datetime(2026, 1, 1, tzinfo=UTC)
# A makes 100 and sells 20 to B, which makes 50 from it; both are used up at home. In million USD.
HAND = {
    "header": ["V1", "AAA_C26", "BBB_C29", "AAA_HFCE", "BBB_HFCE", "OUT"],
    "AAA_C26": ["AAA_C26", "0", "20", "80", "0", "100"],
    "BBB_C29": ["BBB_C29", "0", "0", "0", "50", "50"],
    "TLS": ["TLS", "0", "1", "0", "0", "0"],
    "VA": ["VA", "100", "29", "0", "0", "0"],
    "OUT": ["OUT", "100", "50", "0", "0", "0"],
}


def csv(table: Mapping[str, Sequence[str]] = HAND, delimiter: str = ",", end: str = "\n", **rows: Sequence[str]) -> str:
    """The table as a file; `rows` take the place of its rows, or come after them."""
    return "".join(delimiter.join(line) + end for line in {**table, **rows}.values())


def parquet(columns: Mapping[str, Sequence[Any]]) -> bytes:
    """Columns as Parquet."""
    body = io.BytesIO()
    pq.write_table(pa.table(dict(columns)), body)
    return body.getvalue()


def pair(edition: str = "e", year: int = 2019, **changes: bytes) -> dict[str, bytes]:
    """The hand-made table as Parquet files, by name; `changes` by what a file holds."""
    files = {
        "intermediate_flows": parquet(
            {
                **{"src_country": ["AAA"], "src_sector": ["C26"], "dst_country": ["BBB"], "dst_sector": ["C29"]},
                "intermediate_usd_mn": [20.0],
            }
        ),
        "output": parquet({"country": ["AAA", "BBB"], "sector": ["C26", "C29"], "gross_output_usd_mn": [100.0, 50.0]}),
        "final_flows": parquet(
            {
                **{"src_country": ["AAA", "BBB"], "src_sector": ["C26", "C29"], "dst_country": ["AAA", "BBB"]},
                "final_usd_mn": [80.0, 50.0],
            }
        ),
    }
    return {f"{edition}_{year}_{table}.parquet": body for table, body in {**files, **changes}.items() if body}


def zipped(members: Mapping[str, str | bytes]) -> bytes:
    """A zip of these members."""
    body = io.BytesIO()
    with zipfile.ZipFile(body, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return body.getvalue()


class Desk:
    """A drop folder and the landing that is made of it. Files are taken in one day after the other."""

    def __init__(self, root: Path, **settings: Any) -> None:
        self.drop, self.landing = root / "drop", root / "landing"
        self.archive, self.now = Archive(root / "archive"), START
        self.settings = replace(load_settings({}, dotenv=None), chains_source="files", **settings)

    def write(self, content: str | bytes, name: str = "2019_SML.csv") -> None:
        """Put a file into the drop folder."""
        path = self.drop / "gvc" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)

    def load(self) -> Load:
        """Take in what lies in the drop folder now."""
        found = find_files(self.drop, FILE_KINDS)
        entries = [self.archive.put(payload, retrieved_at=self.now) for payload in found.payloads]
        self.now += timedelta(days=1)
        tables = {"countries": self.landing / "countries.parquet"}
        return Load(self.archive, entries, self.landing, self.settings, shape="test", tables=tables)

    def land(self, *years: int) -> Landed:
        """Land these years, or all there are."""
        load = self.load()
        held = sorted(identities(load))
        wanted = list(years) or held
        return land(replace(load, years=wanted, held=wanted))

    def rows(self, query: str) -> list[dict[str, Any]]:
        """Ask the landing's tables."""
        with duckdb.connect() as connection:
            for table in CHAINS.tables:
                files = f"read_parquet('{table.files(self.landing)}', hive_partitioning = false)"
                connection.execute(f"create view {table.name} as from {files}")
            found = connection.execute(query)
            names = [column[0] for column in found.description]
            return [dict(zip(names, values, strict=True)) for values in found.fetchall()]

    def values(self, query: str) -> list[tuple[Any, ...]]:
        """The same as tuples."""
        return [tuple(row.values()) for row in self.rows(query)]
