"""The sample's patents, landed and built by dbt: what tests of the marts read and tests of the checks spoil.

Not here: any expectation.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb

from dagster_project.archive.store import Archive
from dagster_project.datasets import samples as sample
from dagster_project.datasets.patents.landing import TABLES
from dagster_project.datasets.patents.landing import land as land_patents
from tests.helpers.dbt_command import build
from tests.helpers.steps import load_of

Row = dict[str, Any]


class Built:
    """The sample's patents, landed and built."""

    def __init__(self, root: Path) -> None:
        self.landing, self.warehouse = root / "landing", root / "warehouse.duckdb"
        archive = Archive(root / "archive")
        found = [payload for payload in sample.payloads() if payload.dataset == "patents"]
        entries = [archive.put(payload, retrieved_at=datetime(2026, 1, 1, tzinfo=UTC)) for payload in found]
        land_patents(load_of(archive, entries, self.landing))
        (self.landing / "reference").mkdir()
        with duckdb.connect() as connection:
            connection.execute(f"""
                copy (
                    select * from (values
                        (156, 'CN', 'CHN', 'China', true, null), (842, 'US', 'USA', 'USA', true, null),
                        (841, 'US', 'USA', 'USA and Puerto Rico (...1980)', true, date '1980-12-31')
                    ) as t(country_code, iso2, iso3, name, is_country, valid_to)
                ) to '{self.landing / "reference" / "countries.parquet"}'
            """)
        build(root, "--select", "fqn:*.patents.*")

    def landed(self, table: str) -> list[Row]:
        return _rows(f"from '{self.landing / 'patents' / f'{table}.parquet'}'")

    def mart(self, table: str) -> list[Row]:
        with duckdb.connect(str(self.warehouse), read_only=True) as connection:
            return _fetched(connection.execute(f"select * from marts.{table}"))

    def files(self) -> Mapping[str, Path]:
        return {
            **{table: self.landing / "patents" / f"{table}.parquet" for table in TABLES},
            "quarantine_patents": self.landing / "quarantine" / "patents" / "*.parquet",
            "patents_rule_counts": self.landing / "patents_rule_counts.parquet",
        }


def _rows(query: str) -> list[Row]:
    with duckdb.connect() as connection:
        return _fetched(connection.execute(query))


def _fetched(result: duckdb.DuckDBPyConnection) -> list[Row]:
    names = [column[0] for column in result.description or ()]
    return [dict(zip(names, row, strict=True)) for row in result.fetchall()]
