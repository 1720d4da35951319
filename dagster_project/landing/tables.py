"""How landing tables are written and counted. Not here: what is in them (see `datasets`)."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from dagster_project.durable import new_folder
from dagster_project.errors import AccountingError
from dagster_project.machine import LANDING, Resources, default_resources
from dagster_project.sql import literal, parquet

# The columns of every quarantine table, and of every table of counts that is not by year (see `RuleCounts.as_rows`).
QUARANTINE: Mapping[str, str] = {
    "dataset": "varchar",
    "source": "varchar",
    "year": "integer",
    "reason": "varchar",
    "detail": "varchar",
    "archive_entry": "varchar",
    "source_row": "bigint",
    "raw": "varchar",
}
RULE_COUNTS = pa.schema([("source", pa.string()), ("rule", pa.string()), ("n", pa.int64())])


@dataclass(frozen=True)
class RuleCounts:
    """The accounting of one load: rows read, rows landed, and a count per rule and per quarantine reason."""

    rows_read: int
    landed: int
    rules: Mapping[str, int] = field(default_factory=dict)
    quarantined: Mapping[str, int] = field(default_factory=dict)

    def check(self, what: str) -> RuleCounts:
        """Return self; AccountingError unless every row read is accounted for exactly once."""
        counted = self.landed + sum(self.rules.values()) + sum(self.quarantined.values())
        if counted != self.rows_read:
            raise AccountingError(
                what,
                found=f"{self.rows_read} rows read but {counted} accounted for ({self})",
                expected="rows read = rows landed + rows set aside by a rule + rows quarantined",
                remedy="This is a defect of the program, not of the data: please report it with this message.",
            )
        return self

    def __add__(self, other: RuleCounts) -> RuleCounts:
        """Both loads together."""

        def both(left: Mapping[str, int], right: Mapping[str, int]) -> dict[str, int]:
            return {name: left.get(name, 0) + right.get(name, 0) for name in dict.fromkeys((*left, *right))}

        return RuleCounts(
            self.rows_read + other.rows_read,
            self.landed + other.landed,
            both(self.rules, other.rules),
            both(self.quarantined, other.quarantined),
        )

    def as_rows(self) -> list[tuple[str, int]]:
        """(rule, n) pairs in a fixed order; quarantine reasons are spelt `quarantined:<reason>`."""
        return [
            ("rows_read", self.rows_read),
            ("landed", self.landed),
            *sorted(self.rules.items()),
            *((f"quarantined:{reason}", n) for reason, n in sorted(self.quarantined.items())),
        ]


@contextmanager
def scratch_database(directory: Path, resources: Resources | None = None) -> Iterator[duckdb.DuckDBPyConnection]:
    """An in-memory DuckDB that spills below `directory` and keeps the order of what it reads.

    It takes landing's share of these resources; of the machine's defaults, where there are none.
    """
    spill = new_folder(directory, ".spill-")
    limits = (resources or default_resources()).share(LANDING).duckdb_config()
    connection = duckdb.connect(config={**limits, "temp_directory": str(spill)})
    try:
        yield connection
    finally:
        connection.close()
        shutil.rmtree(spill, ignore_errors=True)


@contextmanager
def replaced_directory(target: Path) -> Iterator[Path]:
    """A directory to write into that takes the place of `target` as a whole when the block ends without an error."""
    building = new_folder(target.parent, ".building-")
    try:
        yield building
        old = building.with_name(building.name.replace(".building-", ".old-"))
        if target.exists():
            os.replace(target, old)
        os.replace(building, target)
        shutil.rmtree(old, ignore_errors=True)
    except BaseException:
        shutil.rmtree(building, ignore_errors=True)
        raise


def write_parquet(table: pa.Table, path: Path) -> None:
    """Write a table whole: a crash leaves the previous file."""
    incoming = path.with_name(f".incoming-{path.name}")
    pq.write_table(table, incoming, compression="zstd")
    os.replace(incoming, path)


def copy_query(connection: duckdb.DuckDBPyConnection, query: str, path: Path) -> int:
    """Write a query's rows as one Parquet file (also when there are none); return the number of rows."""
    path.parent.mkdir(parents=True, exist_ok=True)
    # No dictionary is begun for columns of many values: trying one takes longer than the bytes are worth.
    options = "format parquet, compression zstd, dictionary_size_limit 10000"
    connection.execute(f"copy ({query}) to {literal(path)} ({options})")
    row = connection.execute(f"select count(*) from {parquet(path)}").fetchone()
    assert row is not None
    return int(row[0])
