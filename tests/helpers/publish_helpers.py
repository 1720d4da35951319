"""A tiny warehouse and what it takes to publish it; shared by the publish tests. Holds no tests."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import duckdb

from dagster_project.archive.lock import Lock
from dagster_project.archive.store import Entry
from dagster_project.durable import sha256_of
from dagster_project.machine import Resources
from dagster_project.publish.before import STAMPS
from dagster_project.publish.files import LOCK_NAME
from dagster_project.publish.manifest import read_manifest
from dagster_project.publish.marts import MartSpec
from dagster_project.publish.release import Callbacks, Published, ReleaseContext, publish

FLOWS = MartSpec(
    name="trade_flows",
    key=("year", "exporter_code", "importer_code", "hs6"),
    description="One row per year, exporter, importer and good.",
    columns={"hs6": "HS6 code, text with leading zeros.", "value_usd": "Import value in USD; the importer's report."},
    year_column="year",
    in_database=False,
)
VULNERABILITY = MartSpec(
    name="import_vulnerability",
    key=("year", "importer_code", "hs6"),
    description="One row per year, importer and good.",
    columns={"import_hhi": "Herfindahl-Hirschman index of the importer's suppliers, 0..1."},
    year_column="year",
)
RATES = MartSpec(
    name="exclusion_rates",
    key=("list_id",),
    description="One row per list.",
    columns={"approval_share": "Granted over decided requests, 0..1."},
)
MARTS = (FLOWS, VULNERABILITY, RATES)


def make_warehouse(path: Path, years: Iterable[int] = (2017, 2018), rows: int = 400) -> Path:
    """A warehouse with three marts; the same years give the same rows."""
    with duckdb.connect(str(path)) as con:
        con.execute("create schema marts")
        con.execute("create table marts.exclusion_rates as select 'list_' || i as list_id, i / 7 as approval_share "
                    "from range(4) r(i)")  # fmt: skip
        con.execute(
            "create table marts.trade_flows (year integer, exporter_code integer, importer_code integer, hs6 varchar, "
            "value_usd double, quantity double, is_mirror boolean, source varchar)"
        )
        con.execute(
            "create table marts.import_vulnerability (year integer, importer_code integer, hs6 varchar, "
            "import_hhi double, category integer)"
        )
    add_years(path, years, rows)
    return path


def add_years(path: Path, years: Iterable[int], rows: int = 400) -> None:
    with duckdb.connect(str(path)) as con:
        for year in years:
            con.execute(
                f"insert into marts.trade_flows select {year}, i % 20, 100 + i // 20, lpad(i::varchar, 6, '0'), "
                f"i / 3 + {year}, case when i % 5 > 0 then i * 1.5 end, i % 9 = 0, 'comtrade' from range({rows}) r(i)"
            )
            con.execute(
                f"insert into marts.import_vulnerability select {year}, 100 + i, lpad(i::varchar, 6, '0'), "
                f"1 / (i + 1), i % 4 + 1 from range({rows // 10}) r(i)"
            )


def run_sql(path: Path, sql: str) -> None:
    with duckdb.connect(str(path)) as con:
        con.execute(sql)


def entry(name: str) -> Entry:
    return Entry(
        id=name,
        source="sample",
        dataset="trade",
        part=name,
        address="embedded sample",
        parameters={},
        retrieved_at="2026-01-01T00:00:00.000000+00:00",
        bytes=1,
        sha256="0" * 64,
        rows=1,
        publisher="this project",
        citation="synthetic",
        licence="none needed",
        synthetic=True,
    )


def make_context(*inputs: str, **changes: Any) -> ReleaseContext:
    context = ReleaseContext(
        code_version="0.1.0+test",
        packages={"duckdb": duckdb.__version__, "dbt-core": "1.11.16"},
        settings={"hs_revision": "H5", "trade_source": "sample"},
        lock=Lock({"trade": tuple(entry(name) for name in inputs or ("2017",))}),
        synthetic=True,
        checks=({"check": "keys", "asset": "trade_flows", "passed": True, "severity": "ERROR"},),
        rule_counts=(
            ("comtrade", 2017, "rows_read", 500),
            ("comtrade", 2017, "landed", 400),
            ("bec", None, "landed", 9),
        ),
        sources={"trade": "sample", "patents": "off"},
        left_out={"patent_core_share": "CHOKEPOINT_PATENT_SOURCE is off"},
        goods={"loaded": 400, "in_scope": 150},
    )
    return replace(context, **changes)


def publish_as(
    warehouse: Path,
    published: Path,
    *inputs: str,
    retain: int = 5,
    resources: Resources | None = None,
    **callbacks: Any,
) -> Published:
    """Publish with the given archive entries as inputs: other inputs, another release."""
    context, called = make_context(*inputs), Callbacks(**callbacks)
    return publish(warehouse, published, MARTS, context, retain=retain, resources=resources, callbacks=called)


def assert_whole(folder: Path) -> str:
    """Every file of a release is there with its bytes, and none besides; returns the release id."""
    manifest = read_manifest(folder)
    found = {p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file()}
    assert found == {*manifest["files"], "manifest.json"}
    for name, facts in manifest["files"].items():
        assert sha256_of(folder / name) == facts["sha256"], name
    return str(manifest["release_id"])


def names_below(published: Path) -> list[str]:
    """What lies in the published directory and in releases/, the publisher's own lock and stamps aside."""
    own = {LOCK_NAME, STAMPS}
    return sorted(p.name for d in (published, published / "releases") for p in d.iterdir() if p.name not in own)
