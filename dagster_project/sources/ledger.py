"""What was asked of the live services, kept between runs: calls per key and day, waiting times, finished units.

What belongs here: the SQLite file `<data dir>/calls.sqlite` and nothing else; every method is one transaction. No key
and no payload is ever in it: keys appear as a hash, payloads as archive entry ids. Not here: sending (see `http`).
"""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from dagster_project.redaction import noted

_SCHEMA = """
create table if not exists calls (
    source text, key_hash text, day text, count integer not null, primary key (source, key_hash, day));
create table if not exists deferrals (source text, key_hash text, not_before real not null,
    primary key (source, key_hash));
create table if not exists validators (
    address text primary key, etag text, last_modified text, entry_id text not null);
create table if not exists units (
    source text, scope text, version text, request text, outcome text not null, entry_id text,
    primary key (source, scope, version, request));
create table if not exists snapshots (source text, scope text, version text not null, primary key (source, scope));
"""


@dataclass(frozen=True)
class Unit:
    """One finished request.

    outcome: `data`, `empty`, `capped` (its answer was cut off, so it was split), or `counted <rows>`.
    """

    request: str
    outcome: str
    entry_id: str | None


@dataclass(frozen=True)
class Validators:
    """The validators that a server gave with a body, which lies in the archive as `entry_id`."""

    etag: str | None
    last_modified: str | None
    entry_id: str


def key_hash(key: str | None) -> str:
    """Tells keys apart without naming them; `none` without a key."""
    return hashlib.sha256(key.encode()).hexdigest()[:12] if key else "none"


class Ledger:
    """The ledger file at `path`, made when first used. Safe for several processes at once."""

    def __init__(self, path: Path) -> None:
        self.path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()  # SQLite would make it without the right of the group to write, whatever the umask says
        with self._transaction() as connection:
            connection.executescript(_SCHEMA)

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        connection = sqlite3.connect(self.path, timeout=60, isolation_level=None)
        try:
            connection.execute("begin immediate")
            yield connection
            if connection.in_transaction:
                connection.execute("commit")
        finally:
            connection.close()

    def reserve(self, source: str, key: str, day: str, budget: int | None) -> bool:
        """Count one attempt of that UTC day before it is sent; False, and nothing counted, when the budget is used."""
        with self._transaction() as connection:
            row = connection.execute(
                "select count from calls where source = ? and key_hash = ? and day = ?", (source, key, day)
            ).fetchone()
            if budget is not None and row is not None and row[0] >= budget:
                return False
            connection.execute(
                "insert into calls values (?, ?, ?, 1) on conflict do update set count = count + 1", (source, key, day)
            )
        return True

    def calls(self, source: str | None = None) -> dict[tuple[str, str, str], int]:
        """(source, key hash, UTC day) -> attempts."""
        with self._transaction() as connection:
            rows = connection.execute("select * from calls order by 1, 2, 3").fetchall()
        return {row[:3]: row[3] for row in rows if source in (None, row[0])}

    def defer(self, source: str, key: str, not_before: float) -> None:
        """Remember that a service accepts no call before that time (seconds since 1970, UTC)."""
        with self._transaction() as connection:
            connection.execute("insert or replace into deferrals values (?, ?, ?)", (source, key, not_before))

    def not_before(self, source: str, key: str) -> float:
        """When the service may be called again; 0 for at once."""
        with self._transaction() as connection:
            row = connection.execute(
                "select not_before from deferrals where source = ? and key_hash = ?", (source, key)
            ).fetchone()
        return float(row[0]) if row else 0.0

    def remember(self, address: str, validators: Validators) -> None:
        """Keep the validators of the body that was archived from that address."""
        with self._transaction() as connection:
            connection.execute(
                "insert or replace into validators values (?, ?, ?, ?)",
                (noted(address), validators.etag, validators.last_modified, validators.entry_id),
            )

    def validators(self, address: str) -> Validators | None:
        """The validators that were kept for an address."""
        with self._transaction() as connection:
            row = connection.execute(
                "select etag, last_modified, entry_id from validators where address = ?", (noted(address),)
            ).fetchone()
        return Validators(*row) if row else None

    def finish(self, source: str, scope: str, version: str, unit: Unit) -> None:
        """Note a unit as done. The caller has archived its payload before."""
        with self._transaction() as connection:
            connection.execute(
                "insert or replace into units values (?, ?, ?, ?, ?, ?)",
                (source, scope, version, unit.request, unit.outcome, unit.entry_id),
            )

    def units(self, source: str, scope: str, version: str) -> dict[str, Unit]:
        """The finished units of a scope in a version, by request."""
        with self._transaction() as connection:
            rows = connection.execute(
                "select request, outcome, entry_id from units where source = ? and scope = ? and version = ? "
                "order by request",
                (source, scope, version),
            ).fetchall()
        return {row[0]: Unit(*row) for row in rows}

    def settle(self, source: str, scope: str, version: str) -> None:
        """Note that every unit of a scope is done in this version."""
        with self._transaction() as connection:
            connection.execute("insert or replace into snapshots values (?, ?, ?)", (source, scope, version))

    def settled(self, source: str, scopes: Sequence[str] | None = None) -> dict[str, str]:
        """Scope -> the version in which it was last complete."""
        with self._transaction() as connection:
            rows = connection.execute("select scope, version from snapshots where source = ?", (source,)).fetchall()
        return {scope: version for scope, version in rows if scopes is None or scope in scopes}
