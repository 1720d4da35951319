"""The DuckDB file of a release: every mart but those that are Parquet only, one row that says which release it is, and
macros over the marts (see `macros`).

It grows from the file of the release before: a copy of it, in which the years and marts that changed are replaced.
Where there is none to build upon, or too much of the copy would be dead space, it is written from nothing. The content
is the same either way.

Not here: the marts' Parquet files, and when a release is published (see `release`).
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb

from dagster_project.durable import copy_apart
from dagster_project.errors import ReleaseError
from dagster_project.publish.before import Before
from dagster_project.publish.content import EMPTY
from dagster_project.publish.described import with_unit
from dagster_project.publish.macros import write_macros
from dagster_project.publish.marts import Mart, compare, in_years, rows_by_year, warehouse_table
from dagster_project.publish.read import DATABASE, SCHEMA
from dagster_project.sql import identifier, literal

RELEASE_INFO = "release_info"
# Column -> (type, description).
RELEASE_INFO_COLUMNS = {
    "release_id": ("varchar", "Id of the release this file belongs to; sorts by time."),
    "created_at": ("varchar", "When the release was built (UTC, ISO 8601)."),
    "code_version": ("varchar", "Version of the code that built it."),
    "synthetic": ("boolean", "True when any input is made up by the embedded sample generator."),
}
# What DuckDB 1.1 and newer can open; 1.1 to 1.5 read it without converting.
STORAGE_VERSION = "v1.0.0"
# A file that grew is kept while no more than a third of it are blocks that hold nothing: the next release fills them.
DEAD_SPACE = 0.34

_log = logging.getLogger(__name__)
# Mart -> its years (None: a mart without years) whose rows came with the copy.
Kept = Mapping[str, Sequence[Any]]


def write_database(
    con: duckdb.DuckDBPyConnection,
    folder: Path,
    marts: Sequence[Mart],
    manifest: Mapping[str, Any],
    before: Before | None,
) -> Kept:
    """Write the file into a release under construction; returns what was taken over from the release before."""
    target = folder / DATABASE
    stored = [mart for mart in marts if mart.spec.in_database]
    kept = {mart.spec.name: years for mart in stored if (years := _held_before(mart, before))}
    if before is not None and kept and before.has_whole(DATABASE):
        copy_apart(before.release.path / DATABASE, target)
        with _attached(con, target):
            _update(con, stored, manifest, kept)
            dead = _dead_space(con)
        if dead <= DEAD_SPACE:
            return kept
        _log.info("%s is written anew: %.0f %% of it would be dead space", DATABASE, 100 * dead)
        target.unlink()
    with _attached(con, target, f"(storage_version {literal(STORAGE_VERSION)})"):
        con.execute(f"create schema built.{SCHEMA}")
        _update(con, stored, manifest, {})
    return {}


def _held_before(mart: Mart, before: Before | None) -> list[Any]:
    return [year for year in mart.parts if before is not None and before.in_database(mart, year)]


@contextmanager
def _attached(con: duckdb.DuckDBPyConnection, file: Path, options: str = "") -> Iterator[None]:
    con.execute(f"attach {literal(file)} as built {options}")
    try:
        yield
        con.execute("checkpoint built")
    finally:
        con.execute("detach built")


def _update(con: duckdb.DuckDBPyConnection, marts: Sequence[Mart], manifest: Mapping[str, Any], kept: Kept) -> None:
    """Make the file hold these marts and no other: what is `kept` stays, everything else is written."""
    query = "select table_name from duckdb_tables() where database_name = 'built' order by 1"
    for (table,) in con.execute(query).fetchall():
        if table not in kept:
            con.execute(f"drop table {_built(table)}")
    for mart in marts:
        _write_mart(con, mart, kept.get(mart.spec.name, ()))
        key = f"Key: {', '.join(mart.spec.key)}."
        columns = {name: with_unit(facts["description"], facts["unit"]) for name, facts in mart.described.items()}
        _comment(con, mart.spec.name, f"{mart.spec.description}\n{key}", columns)
    _write_release_info(con, manifest)
    write_macros(con, "built", {mart.spec.name for mart in marts})


def _write_mart(con: duckdb.DuckDBPyConnection, mart: Mart, kept: Sequence[Any]) -> None:
    name, source = _built(mart.spec.name), warehouse_table(mart.spec.name)
    if not kept:
        con.execute(f"create table {name} as from {source}")
        if mart.keyed:
            con.execute(f"alter table {name} add primary key ({', '.join(map(identifier, mart.spec.key))})")
    elif mart.spec.year_column:
        years = ", ".join(map(str, kept))
        con.execute(f"delete from {name} where {identifier(mart.spec.year_column)} not in ({years})")
        if missing := [year for year in mart.parts if year not in kept]:
            con.execute(f"insert into {name} from {in_years(source, mart.spec, missing)}")


def _dead_space(con: duckdb.DuckDBPyConnection) -> float:
    """The part of the file's blocks that hold nothing."""
    con.execute("checkpoint built")
    query = "select free_blocks, total_blocks from pragma_database_size() where database_name = 'built'"
    row = con.execute(query).fetchone()
    assert row is not None
    return row[0] / max(row[1], 1)


def _built(table: str) -> str:
    return f"built.{SCHEMA}.{identifier(table)}"


def _write_release_info(con: duckdb.DuckDBPyConnection, manifest: Mapping[str, Any]) -> None:
    columns = ", ".join(f"?::{type_} as {name}" for name, (type_, _) in RELEASE_INFO_COLUMNS.items())
    values = [manifest[name] for name in RELEASE_INFO_COLUMNS]
    con.execute(f"create table {_built(RELEASE_INFO)} as select {columns}", values)
    descriptions = {name: text for name, (_, text) in RELEASE_INFO_COLUMNS.items()}
    _comment(con, RELEASE_INFO, "One row: which release a query on this file is answered from.", descriptions)


def _comment(con: duckdb.DuckDBPyConnection, table: str, description: str, columns: Mapping[str, str]) -> None:
    con.execute(f"comment on table {_built(table)} is {literal(description)}")
    for name, text in columns.items():
        con.execute(f"comment on column {_built(table)}.{identifier(name)} is {literal(text) if text else 'null'}")


def verify_database(con: duckdb.DuckDBPyConnection, folder: Path, marts: Sequence[Mart], kept: Kept) -> None:
    """Reopen the file: what was written is compared row by row, and of what was taken over the rows are counted.

    That had been compared when it was written, and the file that it was copied from is whole.
    """
    con.execute(f"attach {literal(folder / DATABASE)} as built (read_only)")
    for mart in marts:
        if mart.spec.in_database:
            _verify_mart(con, mart, kept.get(mart.spec.name, ()))
    con.execute("detach built")


def _verify_mart(con: duckdb.DuckDBPyConnection, mart: Mart, kept: Sequence[Any]) -> None:
    table = _built(mart.spec.name)
    written = [year for year in mart.parts if year not in kept]
    if mart.spec.year_column:
        _require_rows(mart, rows_by_year(con, table, mart.spec))
        if kept:
            table = in_years(table, mart.spec, written)
    elif kept:
        return
    compare(con, mart, table, DATABASE, sum((mart.parts[year] for year in written), EMPTY))


def _require_rows(mart: Mart, found: Mapping[Any, int]) -> None:
    wanted = {year: part.rows for year, part in mart.parts.items()}
    if found != wanted:
        raise ReleaseError(
            f"mart {mart.spec.name}, file {DATABASE}",
            found=f"rows by year {dict(found)} when reopened",
            expected=f"rows by year {wanted}, as in the warehouse",
            remedy="Nothing was published. Publish again; if it happens again, check the disk.",
        )
