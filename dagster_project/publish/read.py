"""Reading releases: open one and stay with it, query it, verify it, list them.

A reader resolves `current` once, in `open_release`, and asks everything else of the `Release` it got: so it sees one
release throughout, however many are published in between. While it is open, retention leaves that release in place.

Not here: publishing (see `release`).
"""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from dagster_project.durable import sha256_of
from dagster_project.errors import ReleaseError
from dagster_project.machine import PUBLISHING, Resources
from dagster_project.places import command
from dagster_project.publish.content import (
    ContentHash,
    columns_of,
    combined,
    hash_content,
)
from dagster_project.publish.files import share
from dagster_project.publish.manifest import NAME, read_manifest
from dagster_project.sql import identifier, literal, parquet

CURRENT = "current"
RELEASES = "releases"
DATABASE = "chokepoint.duckdb"
SCHEMA = "marts"


class Release:
    """One release, for reading. Use as a context manager, or `close()` it: until then it is not removed.

    path      its directory, with no symbolic link left in it
    manifest  the content of manifest.json

    limits    what its connections may take: publishing's share of `resources`; without them DuckDB's own defaults
    """

    def __init__(
        self, path: Path, manifest: Mapping[str, Any], hold: int | None = None, resources: Resources | None = None
    ) -> None:
        self.path, self.manifest, self._hold = path, manifest, hold
        self.limits = resources.share(PUBLISHING).duckdb_config() if resources else {}

    @property
    def release_id(self) -> str:
        return str(self.manifest["release_id"])

    @property
    def marts(self) -> list[str]:
        """The names of the marts this release holds."""
        return list(self.manifest["marts"])

    def of_countries(self, mart: str) -> str:
        """SQL: without the European Union as one economy, which stands beside its members in some marts.

        Releases of older versions have no such rows, and no column that says so.
        """
        return "economy_kind = 'country'" if "economy_kind" in self.manifest["marts"][mart]["columns"] else "true"

    def parquet(self, mart: str) -> list[Path]:
        """The mart's Parquet files: one per year of a mart by year, else one. ReleaseError for an unknown mart."""
        if mart not in self.manifest["marts"]:
            raise ReleaseError(
                f"release {self.release_id}",
                found=f"no mart {mart!r}",
                expected=f"one of {', '.join(sorted(self.manifest['marts']))}",
                remedy="Name one of these, or publish with the source switched on that the mart needs.",
            )
        return [self.path / name for name in self.manifest["marts"][mart]["files"]]

    def connect(self, *, described: bool = True) -> duckdb.DuckDBPyConnection:
        """A DuckDB connection in which every mart of this release is `marts.<name>`, `trade_flows` included.

        The database file is attached read-only, views stand in front of it; comments are carried over, which takes most
        of the time, unless `described` is false. Close the connection before the release.
        """
        spill = {"temp_directory": str(Path(tempfile.gettempdir()) / f"chokepoint-readers-{os.getpid()}")}
        con = duckdb.connect(config={**self.limits, **spill} if self.limits else {})
        con.execute(f"attach {literal(self.path / DATABASE)} as release (read_only)")
        con.execute(f"create schema {SCHEMA}")
        tables = "select table_name from duckdb_tables() where database_name = 'release' and schema_name = ?"
        for (table,) in con.execute(tables, [SCHEMA]).fetchall():
            _view(con, table, f"release.{SCHEMA}.{identifier(table)}")
        for mart, facts in self.manifest["marts"].items():
            # Releases of older versions: every partitioned mart was Parquet only.
            if not facts.get("in_database", not facts["partitioned"]):
                _view(con, mart, self._partitions(facts))
            if described:
                _comment(con, mart, facts)
        return con

    def _partitions(self, facts: Mapping[str, Any]) -> str:
        """A table expression over the files of a mart by year; typed and empty when it has no rows at all."""
        if not facts["files"]:
            typed = ", ".join(f"null::{column['type']} as {identifier(n)}" for n, column in facts["columns"].items())
            return f"(select {typed} where false)"
        return parquet([self.path / name for name in facts["files"]])

    def close(self) -> None:
        """End the reading; retention may remove the release from now on."""
        if self._hold is not None:
            os.close(self._hold)
            self._hold = None

    def __enter__(self) -> Release:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _view(con: duckdb.DuckDBPyConnection, name: str, relation: str) -> None:
    con.execute(f"create view {SCHEMA}.{identifier(name)} as select * from {relation}")


def _comment(con: duckdb.DuckDBPyConnection, mart: str, facts: Mapping[str, Any]) -> None:
    view = f"{SCHEMA}.{identifier(mart)}"
    con.execute(f"comment on view {view} is {literal(facts['description'])}")
    for name, column in facts["columns"].items():
        if column["description"]:
            con.execute(f"comment on column {view}.{identifier(name)} is {literal(column['description'])}")


def open_release(published: Path, release_id: str | None = None, *, resources: Resources | None = None) -> Release:
    """Open the current release of a published directory, or the one with the given id.

    Raises ReleaseError when nothing is published, the id is unknown, or the release is damaged in a way that shows
    without reading its data (manifest, missing files, wrong sizes); `verify` reads everything.
    """
    while True:
        folder = _resolve(published, release_id)
        try:
            hold = os.open(folder / NAME, os.O_RDONLY)
        except FileNotFoundError:
            if folder.exists():
                read_manifest(folder)  # says what is wrong with it
            continue  # replaced and removed between the two steps
        try:
            share(hold)
            if not _same_file(hold, folder / NAME):
                os.close(hold)
                continue
            manifest = read_manifest(folder)
            _check_sizes(folder, manifest)
        except BaseException:
            with contextlib.suppress(OSError):
                os.close(hold)
            raise
        return Release(folder, manifest, hold, resources)


def _resolve(published: Path, release_id: str | None) -> Path:
    """The real directory of the current, or of the named, release."""
    known = _release_ids(published)
    folder = published / CURRENT if release_id is None else published / RELEASES / release_id
    if not folder.is_dir() or (release_id is not None and release_id not in known):
        raise ReleaseError(
            f"releases in {published}",
            found="no current release" if release_id is None else f"no release {release_id!r}",
            expected=f"one of {', '.join(known)}" if known else "at least one published release",
            remedy=f"Publish one first ({command('demo')}, or {command('run')}), or check CHOKEPOINT_DATA_DIR.",
        )
    return folder.resolve()


def _same_file(descriptor: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except FileNotFoundError:
        return False


def _check_sizes(folder: Path, manifest: Mapping[str, Any]) -> None:
    _raise_damaged(folder, {name: _size_problem(folder / name, facts) for name, facts in manifest["files"].items()})


def _size_problem(path: Path, facts: Mapping[str, Any]) -> str | None:
    try:
        size = path.stat().st_size
    except OSError:
        return "missing"
    return None if size == facts["bytes"] else f"{size} bytes instead of {facts['bytes']}"


def _content_problem(path: Path, facts: Mapping[str, Any]) -> str | None:
    problem = _size_problem(path, facts)
    if problem is None and sha256_of(path) != facts["sha256"]:
        problem = "other bytes than published (sha256 differs)"
    return problem


def _raise_damaged(folder: Path, problems: Mapping[str, str | None]) -> None:
    damaged = {name: problem for name, problem in problems.items() if problem}
    if damaged:
        raise ReleaseError(
            f"release {folder.name}, {'file' if len(damaged) == 1 else 'files'} {', '.join(damaged)}",
            found="; ".join(f"{name}: {problem}" for name, problem in damaged.items()),
            expected="the files as the manifest names them",
            remedy="Open another release, or publish again: damaged files are then written anew, not linked.",
        )


def verify(release: Release) -> None:
    """Hash every file of a release against its manifest; ReleaseError names each damaged or missing one."""
    manifest = read_manifest(release.path)
    _raise_damaged(
        release.path, {name: _content_problem(release.path / name, facts) for name, facts in manifest["files"].items()}
    )


def rehash(release: Release) -> dict[str, ContentHash]:
    """The content hash of every mart, computed anew from the Parquet files with the DuckDB version at hand.

    For comparing releases that different DuckDB versions wrote; see `content`.
    """
    with duckdb.connect(config=release.limits) as con:
        hashes = {}
        for mart in release.marts:
            paths = release.parquet(mart)
            relation = parquet(paths) if paths else None
            parts = hash_content(con, relation, columns_of(con, relation)) if relation else {}
            hashes[mart] = combined(parts)
        return hashes


@dataclass(frozen=True)
class ReleaseSummary:
    """One line of a list of releases. `problem` says why one cannot be opened; the manifest's fields are then None."""

    release_id: str
    path: Path
    current: bool
    created_at: str | None
    synthetic: bool | None
    problem: str | None = None


def _release_ids(published: Path) -> list[str]:
    """Ids of the releases on disk, oldest first; what is being built or thrown away has a name with a leading dot."""
    folder = published / RELEASES
    return sorted(p.name for p in folder.iterdir() if not p.name.startswith(".")) if folder.is_dir() else []


def list_releases(published: Path) -> list[ReleaseSummary]:
    """All releases of a published directory, oldest first; damaged ones are listed with their problem."""
    current = (published / CURRENT).resolve().name
    return [_summary(published / RELEASES / name, name == current) for name in _release_ids(published)]


def _summary(folder: Path, current: bool) -> ReleaseSummary:
    try:
        manifest = read_manifest(folder)
        _check_sizes(folder, manifest)
    except ReleaseError as error:
        return ReleaseSummary(folder.name, folder, current, None, None, str(error))
    return ReleaseSummary(folder.name, folder, current, manifest["created_at"], manifest["synthetic"])
