"""Marts of a release as a workbook or as plain files, whole or by a condition: `chokepoint export`.

The release is only read. A condition is one SQL expression; it can read the release's marts, and nothing else of the
machine. Not here: the release's own files, which any tool reads as they are.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from difflib import get_close_matches
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb

from dagster_project.errors import SettingError
from dagster_project.publish.described import about, about_table
from dagster_project.publish.read import Release
from dagster_project.sql import identifier, literal
from dagster_project.workbook import MAX_ROWS, Sheet, write_workbook

if TYPE_CHECKING:
    import pyarrow as pa

XLSX, CSV = "xlsx", "csv"
# A mart with more rows is no part of a workbook unless it is asked for.
SMALL = 5_000
_BATCH = 50_000


@dataclass(frozen=True)
class Asked:
    """What the user asked for: marts (none: the small ones), and a condition on their columns."""

    marts: Sequence[str] = ()
    where: str = ""


@dataclass(frozen=True)
class Written:
    """A file, and how many rows it has in all."""

    path: Path
    rows: int


def export(release: Release, asked: Asked, format_: str, target: Path) -> list[Written]:
    """Write the marts: one workbook, or one file each. `target` is the file, or for several files their folder.

    SettingError names an unknown mart or column, and says where a sheet would be too long.
    """
    marts = _chosen(release, asked)
    _require_apart(release, target)
    with _closed_off(release) as con:
        tables = {mart: _Table(con, release, mart, asked.where) for mart in marts}
        if format_ == XLSX:
            return [_workbook(release, asked, tables, target)]
        write = _write_csv if format_ == CSV else _write_parquet
        single = target.suffix and len(tables) == 1
        if target.suffix and not single:
            raise SettingError(
                "export --to",
                found=f"the file {target} for {len(tables)} marts",
                expected="a folder, for one file per mart",
                remedy="Name a folder, or one mart.",
            )
        files = {mart: target if single else target / f"{mart}.{format_}" for mart in tables}
        return [_placed(files[mart], partial(write, table)) for mart, table in tables.items()]


def _chosen(release: Release, asked: Asked) -> list[str]:
    unknown = [mart for mart in asked.marts if mart not in release.marts]
    if unknown:
        near = get_close_matches(unknown[0], release.marts, n=3)
        raise SettingError(
            f"export --mart, release {release.release_id}",
            found=", ".join(map(repr, unknown)),
            expected=f"one of {', '.join(sorted(release.marts))}",
            remedy=f"Did you mean {' or '.join(near)}?" if near else "Name one of these.",
        )
    if asked.marts:
        return list(dict.fromkeys(asked.marts))
    if asked.where:
        raise SettingError(
            "export --where",
            found="a condition, and no mart that it is about",
            expected="--mart beside --where",
            remedy="Name the mart whose columns the condition uses.",
        )
    return sorted(name for name, facts in release.manifest["marts"].items() if facts["rows"] <= SMALL)


def _require_apart(release: Release, target: Path) -> None:
    """Files of releases share their bytes with other releases: nothing is written among them."""
    published = release.path.parent.parent.resolve()
    if target.resolve().is_relative_to(published):
        raise SettingError(
            "export --to",
            found=f"{target}, among the releases",
            expected=f"a place outside of {published}",
            remedy="Choose another folder: what is published stays as it is.",
        )


@contextmanager
def _closed_off(release: Release) -> Iterator[duckdb.DuckDBPyConnection]:
    """The release's marts in a connection that opens no other file, no network and no extension."""
    with release.connect() as con:
        con.execute(f"set allowed_directories = [{literal(f'{release.path}/')}]")
        con.execute("set enable_external_access = false")
        con.execute("set lock_configuration = true")
        yield con


class _Table:
    """The rows of a mart that were asked for, in the order of its key."""

    def __init__(self, con: duckdb.DuckDBPyConnection, release: Release, mart: str, where: str) -> None:
        self.mart, self._where = mart, where
        self.facts: Mapping[str, Any] = release.manifest["marts"][mart]
        with self._explained():
            rows = con.sql(f"select * from marts.{identifier(mart)}")
            found = rows.filter(where) if where else rows
            counted = found.aggregate("count(*)").fetchone()
            assert counted is not None
            self.rows = int(counted[0])
            self._found = found.order(", ".join(map(identifier, self.facts["key"])))

    @contextmanager
    def batches(self) -> Iterator[pa.RecordBatchReader]:
        """The rows, some at a time: of one table at a time, because a connection has one result."""
        with self._explained():
            yield self._found.to_arrow_reader(_BATCH)

    def each(self) -> Iterator[tuple[Any, ...]]:
        """The rows, one by one."""
        with self.batches() as reader:
            for batch in reader:
                yield from zip(*(column.to_pylist() for column in batch.columns), strict=True)

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except duckdb.Error as error:
            if not self._where:
                raise
            raise SettingError(
                f"export --where, mart {self.mart}",
                found=f"{self._where!r} ({str(error).splitlines()[0]})",
                expected=f"a condition in SQL on its columns {', '.join(self.facts['columns'])}",
                remedy="For example: --where \"year = 2019 and importer_iso3 = 'USA'\".",
            ) from error


def _placed(target: Path, write: Callable[[Path], int]) -> Written:
    """Write a file aside, and put it in its place when it is whole."""
    target.parent.mkdir(parents=True, exist_ok=True)
    aside = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        rows = write(aside)
        os.replace(aside, target)
    finally:
        aside.unlink(missing_ok=True)
    return Written(target, rows)


def _write_csv(table: _Table, path: Path) -> int:
    from pyarrow import csv

    with table.batches() as reader, csv.CSVWriter(path, reader.schema) as writer:
        for batch in reader:
            writer.write_batch(batch)
    return table.rows


def _write_parquet(table: _Table, path: Path) -> int:
    """With what the release says of its columns."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    facts = table.facts
    with table.batches() as reader:
        fields = [field.with_metadata(about(facts["columns"][field.name])) for field in reader.schema]
        schema = pa.schema(fields, metadata=about_table(table.mart, facts["description"], facts["key"]))
        with pq.ParquetWriter(path, schema) as writer:
            for batch in reader:
                writer.write_batch(pa.RecordBatch.from_arrays(batch.columns, schema=schema))
    return table.rows


def _workbook(release: Release, asked: Asked, tables: Mapping[str, _Table], target: Path) -> Written:
    for table in tables.values():
        if table.rows > MAX_ROWS:
            raise SettingError(
                f"export --format {XLSX}, mart {table.mart}",
                found=f"{table.rows:,} rows",
                expected=f"at most {MAX_ROWS:,}, which a sheet of Excel holds",
                remedy="Narrow it with --where, or choose --format csv or parquet.",
            )
    sheets = [Sheet(name, table.facts, table.rows, table.each()) for name, table in tables.items()]
    left_out = [] if asked.marts else sorted(set(release.marts) - set(tables))
    return _placed(target, lambda path: write_workbook(path, release.manifest, sheets, asked.where, left_out))
