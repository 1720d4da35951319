"""A release loaded into PostgreSQL: one transaction, a new schema, swapped in as its last act.

Readers see the old release until the commit and the new one from then on, never a mix; a load that fails leaves the old
one as it was. Column types, keys and descriptions are carried over, and so are the rights of those who could read.

Not here: when it is loaded (see the `postgres` asset).
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dagster_project.errors import ReleaseError
from dagster_project.postgres_address import connection_parameters
from dagster_project.publish.read import SCHEMA, Release
from dagster_project.sql import identifier, literal

if TYPE_CHECKING:
    import psycopg

TYPES = {
    "INTEGER": "integer",
    "BIGINT": "bigint",
    "HUGEINT": "numeric",
    "DOUBLE": "double precision",
    "VARCHAR": "text",
    "BOOLEAN": "boolean",
    "DATE": "date",
    "TIMESTAMP": "timestamp",
    "TIMESTAMP WITH TIME ZONE": "timestamptz",
}
# Marks a schema that this module made, so that it never replaces a schema of somebody else.
MARK = "Chokepoint release "
BATCH = 20_000
CONNECT_SECONDS = 10
LOCK_SECONDS = 120


@dataclass(frozen=True)
class Loaded:
    """What a load did; `new` is False where the schema already held this release."""

    release_id: str
    schema: str
    rows: Mapping[str, int]
    seconds: float
    new: bool


def load(release: Release, url: str, schema: str, *, lock_seconds: int = LOCK_SECONDS) -> Loaded:
    """Replace `schema` by this release. It may not exist yet; one that is not a release is not touched.

    `url` is a libpq connection address; the password may be in it, and is in no message: libpq is given the address
    taken apart (see `postgres_address`). The load waits for readers that hold a
    table of the old release in an open transaction, `lock_seconds` at most.

    Raises ReleaseError when the server cannot be reached or refuses, and when the schema was not made by a load. The
    release and the schema's old content then stay as they are, and the load can be repeated alone.
    """
    import psycopg
    from psycopg.conninfo import make_conninfo

    started = time.monotonic()
    own: dict[str, Any] = {"connect_timeout": CONNECT_SECONDS, "application_name": "chokepoint"}
    parameters = {**own, **connection_parameters(url)}
    try:
        with psycopg.connect(make_conninfo(**parameters)) as connection:
            connection.execute("select pg_advisory_xact_lock(hashtext(%s))", [schema])
            if _held(connection, schema) == release.release_id:
                return Loaded(release.release_id, schema, {}, time.monotonic() - started, False)
            rows = _fill(connection, release, f"{schema}__new")
            _swap(connection, release, schema, lock_seconds)
    except psycopg.Error as error:
        reached = not isinstance(error, psycopg.OperationalError) or error.sqlstate is not None
        raise ReleaseError(
            f"PostgreSQL, schema {schema}",
            found=str(error).strip().splitlines()[0] if reached else f"no connection ({_in_one_line(error)})",
            expected="a server that accepts the connection and lets its user create schemas",
            remedy="Check CHOKEPOINT_POSTGRES_URL and the server, then materialise `postgres` alone: the release "
            "itself is published, and the schema is as it was before.",
        ) from error
    return Loaded(release.release_id, schema, rows, time.monotonic() - started, True)


def _in_one_line(error: Exception) -> str:
    return " ".join(str(error).split())[:300]


def _held(connection: psycopg.Connection[Any], schema: str) -> str | None:
    """The id of the release in the schema, None where there is no such schema; ReleaseError for a foreign one."""
    found = connection.execute(
        "select obj_description(oid, 'pg_namespace') from pg_namespace where nspname = %s", [schema]
    ).fetchone()
    if found is None:
        return None
    if not str(found[0]).startswith(MARK):
        raise ReleaseError(
            f"PostgreSQL, schema {schema}",
            found="a schema that no release was loaded into",
            expected="no such schema yet, or one that an earlier load made",
            remedy="Set CHOKEPOINT_POSTGRES_SCHEMA to another name, or drop the schema yourself.",
        )
    return str(found[0]).removeprefix(MARK)


def _fill(connection: psycopg.Connection[Any], release: Release, schema: str) -> dict[str, int]:
    _run(connection, f"create schema {identifier(schema)}")
    _run(connection, f"comment on schema {identifier(schema)} is {literal(MARK + release.release_id.strip())}")
    rows = {}
    with release.connect() as source:
        for mart, facts in release.manifest["marts"].items():
            table = f"{identifier(schema)}.{identifier(mart)}"
            columns = {name: TYPES[column["type"]] for name, column in facts["columns"].items()}
            definition = ", ".join(f"{identifier(name)} {kind}" for name, kind in columns.items())
            _run(connection, f"create table {table} ({definition})")
            names = ", ".join(identifier(name) for name in columns)
            found = source.execute(f"select {names} from {SCHEMA}.{identifier(mart)}")
            rows[mart] = 0
            with connection.cursor().copy(f"copy {table} ({names}) from stdin") as copy:
                while batch := found.fetchmany(BATCH):
                    for row in batch:
                        copy.write_row(row)
                    rows[mart] += len(batch)
            # After the rows: an index built at once is quicker than one that grows.
            key = ", ".join(identifier(name) for name in facts["key"])
            _run(connection, f"alter table {table} add primary key ({key})")
            _describe(connection, table, facts)
    return rows


def _describe(connection: psycopg.Connection[Any], table: str, facts: Mapping[str, Any]) -> None:
    _run(connection, f"comment on table {table} is {literal(facts['description'].strip())}")
    for name, column in facts["columns"].items():
        _run(connection, f"comment on column {table}.{identifier(name)} is {literal(column['description'].strip())}")


def _swap(connection: psycopg.Connection[Any], release: Release, schema: str, lock_seconds: int) -> None:
    """Give the new schema the old one's readers and its name, and drop the old one."""
    new, old = identifier(f"{schema}__new"), identifier(schema)
    readers = connection.execute(
        """select distinct case when grantee = 0 then 'public' else quote_ident(pg_get_userbyid(grantee)) end
           from pg_namespace, aclexplode(nspacl)
           where nspname = %s and privilege_type = 'USAGE' and grantee <> nspowner""",
        [schema],
    ).fetchall()
    for (reader,) in readers:
        _run(connection, f"grant usage on schema {new} to {reader}")
        _run(connection, f"grant select on all tables in schema {new} to {reader}")
    _run(connection, f"set local lock_timeout = '{lock_seconds}s'")
    _run(connection, f"drop schema if exists {old} cascade")
    _run(connection, f"alter schema {new} rename to {old}")


def _run(connection: psycopg.Connection[Any], statement: str) -> None:
    connection.execute(statement)  # identifiers are quoted, none is a user's text
