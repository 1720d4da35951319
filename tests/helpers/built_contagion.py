"""Market returns, landed and built by dbt: what tests of the marts read and tests of the checks spoil.

Not here: any expectation.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import duckdb

from dagster_project.datasets.contagion.dataset import CONTAGION
from tests.helpers.contagion_desk import Desk
from tests.helpers.dbt_command import build

Row = dict[str, Any]


class Built:
    """What lies on a desk, landed and built."""

    def __init__(self, desk: Desk) -> None:
        self.root, self.landing, self.warehouse = desk.root, desk.landing, desk.root / "warehouse.duckdb"
        self.landed = desk.land()
        build(desk.root, "--select", "fqn:*.contagion.*", returns_source="files")

    def mart(self, table: str) -> list[Row]:
        """All rows of a mart, in the order of its columns."""
        with duckdb.connect(str(self.warehouse), read_only=True) as connection:
            found = connection.execute(f"from marts.{table} order by all")
            names = [column[0] for column in found.description or ()]
            return [dict(zip(names, row, strict=True)) for row in found.fetchall()]

    def files(self) -> Mapping[str, Path]:
        """Landing table -> its files."""
        return {table.name: table.files(self.landing) for table in CONTAGION.tables}
