"""Publishing: from the marts in the warehouse to a release that readers find under `published/current`.

    published/
      current -> releases/<id>              replaced in one step, as the last act
      releases/<id>/chokepoint.duckdb       schema marts: every mart but the partitioned ones, and marts.release_info
                    parquet/<mart>.parquet
                    parquet/<partitioned mart>/year=YYYY/part-0.parquet
                    inputs.lock.json  manifest.json
      releases/.building-<id>-<pid>/        a release being built, or the remains of a crashed one
      releases/.trash-…/                    a release being removed

Whatever happens before the last act, `current` leads to the previous release, whole. The next publisher, under the
lock, clears away what a crashed one left.

Not here: computing or checking marts, and anything for readers (see `read`).
"""

from __future__ import annotations

import json
import logging
import os
import shutil
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb

from dagster_project.archive.lock import Lock
from dagster_project.durable import FULL, copy_apart, sha256_of, sync
from dagster_project.errors import EnvironmentProblem, ReleaseError
from dagster_project.machine import PUBLISHING, Resources, default_resources
from dagster_project.publish.content import (
    ContentHash,
    columns_of,
    combined,
    hash_content,
    method,
)
from dagster_project.publish.files import (
    discard,
    link_or_copy,
    only_publisher,
    point,
    sync_tree,
    unless_shared,
)
from dagster_project.publish.manifest import FORMAT, NAME, write_manifest
from dagster_project.publish.read import CURRENT, DATABASE, RELEASES, SCHEMA, Release, open_release, verify
from dagster_project.sql import identifier, literal, parquet

LOCK_FILE = "inputs.lock.json"
RELEASE_INFO = "release_info"
# Column -> (type, description).
RELEASE_INFO_COLUMNS = {
    "release_id": ("varchar", "Id of the release this file belongs to; sorts by time."),
    "created_at": ("varchar", "When the release was built (UTC, ISO 8601)."),
    "code_version": ("varchar", "Version of the code that built it."),
    "synthetic": ("boolean", "True when any input is made up by the embedded sample generator."),
}
ID_FORMAT = "%Y%m%dT%H%M%S-%fZ"
# What DuckDB 1.1 and newer can open; 1.1 to 1.5 read it without converting.
STORAGE_VERSION = "v1.0.0"
# 10 million flows: snappy 2.8 s and 159 MB, zstd 3.7 s and 128 MB on two cores. The time matters more.
COMPRESSION = "snappy"

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class MartSpec:
    """What the caller knows of one mart.

    key          the columns that identify a row
    description  the grain, from dbt; becomes the table's comment
    columns      column -> description, from dbt; become the columns' comments
    year_column  the column by which the content hash is kept per year; None for a mart without years
    partitioned  Parquet files by year only and not in the DuckDB file; needs a year column
    ready        year -> Parquet file that holds exactly the mart's rows of that year; it is copied, not written again.
                 Never linked: who rewrites a published file in place must not reach what later releases are made of
    """

    name: str
    key: Sequence[str]
    description: str
    columns: Mapping[str, str]
    year_column: str | None = None
    partitioned: bool = False
    ready: Mapping[int, Path] = field(default_factory=dict)


@dataclass(frozen=True)
class ReleaseContext:
    """What a release says of its origin. `settings` must hold no secrets.

    lock          the archive entries the marts were built from, and what the sources could not give
    checks        one mapping per check result: JSON-ready, as the caller likes it
    rule_counts   (source, year or None, rule, n): the landing's account of every row
    sources       kind of source -> setting: {"trade": "sample", "tariffs": "off"}
    left_out      mart -> why it is not in the release
    goods         {"loaded": n, "in_scope": n}
    """

    code_version: str
    packages: Mapping[str, str]
    settings: Mapping[str, Any]
    lock: Lock
    synthetic: bool
    checks: Sequence[Mapping[str, Any]] = ()
    rule_counts: Sequence[tuple[str, int | None, str, int]] = ()
    sources: Mapping[str, str] = field(default_factory=dict)
    left_out: Mapping[str, str] = field(default_factory=dict)
    goods: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Callbacks:
    """What publishing calls on its way.

    extras    gets the release under construction, readable like any other; the files it adds to `release.path` become
              part of the release. An error in it ends the publishing
    progress  gets a line of text at each step
    now       gives the time of the release
    """

    extras: Callable[[Release], None] | None = None
    progress: Callable[[str], None] = lambda text: None
    now: Callable[[], datetime] = lambda: datetime.now(UTC)


@dataclass(frozen=True)
class Published:
    """The outcome: a new release, or (created False) the current one because nothing has changed since.

    linked and written are Parquet files, relative to the release; removed are ids that retention took away;
    timings are seconds by step.
    """

    release_id: str
    path: Path
    created: bool
    linked: tuple[str, ...] = ()
    written: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    timings: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class _Mart:
    """A mart as it stands in the warehouse: column types in table order, content hash by year (or under None)."""

    spec: MartSpec
    types: Mapping[str, str]
    parts: Mapping[Any, ContentHash]

    def files(self) -> dict[str, Any]:
        """Parquet file of the release -> the year it holds, None for all rows."""
        if self.spec.partitioned:
            return {f"parquet/{self.spec.name}/year={year}/part-0.parquet": year for year in self.parts}
        return {f"parquet/{self.spec.name}.parquet": None}

    def content(self, year: Any) -> ContentHash:
        """The hash of one of `files()`."""
        return combined(self.parts) if year is None else self.parts[year]

    def facts(self) -> dict[str, Any]:
        """The mart's section of the manifest."""
        years = {str(year): {"rows": part.rows, "content_hash": str(part)} for year, part in self.parts.items()}
        total = combined(self.parts)
        return {
            "description": self.spec.description,
            "key": list(self.spec.key),
            "partitioned": self.spec.partitioned,
            "rows": total.rows,
            "content_hash": str(total),
            **({"years": years} if self.spec.year_column else {}),
            "columns": {n: {"type": t, "description": self.spec.columns.get(n, "")} for n, t in self.types.items()},
            "files": list(self.files()),
        }


@dataclass
class _Steps:
    """Seconds by step, and the progress line that goes with each."""

    progress: Callable[[str], None]
    seconds: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def step(self, name: str, text: str) -> Iterator[None]:
        self.progress(text)
        started = time.perf_counter()
        yield
        self.seconds[name] = round(time.perf_counter() - started, 3)


@dataclass
class _Building:
    """A release under construction: its directory, what it will say of itself, the release before it.

    `sha256` holds what was already computed for a file, so that no file is read twice for it.
    """

    folder: Path
    marts: Sequence[_Mart]
    manifest: dict[str, Any]
    previous: Release | None
    resources: Resources | None
    linked: list[str] = field(default_factory=list)
    written: list[str] = field(default_factory=list)
    sha256: dict[str, str] = field(default_factory=dict)


def publish(
    warehouse: Path,
    published: Path,
    marts: Sequence[MartSpec],
    context: ReleaseContext,
    *,
    retain: int,
    resources: Resources | None = None,
    callbacks: Callbacks = Callbacks(),
) -> Published:
    """Publish the marts of a warehouse as the current release below `published`.

    Nothing is written, and the current release returned, when it holds the same marts (content, columns, descriptions)
    from the same inputs under the same settings. Which years changed is found by hashing the marts. The caller does not
    know it: a run may have computed a year anew and ended before it published.

    retain     number of old releases kept beside the current one; one that a reader holds open is kept until later
    resources  what a run may take of the machine, of which publishing has its share; None: the machine's defaults

    Raises ReleaseError when a mart or a described column is missing, another publisher is at work, the warehouse is
    locked, a copy differs from its mart, or writing fails (disk full): the previous release then stands untouched.
    """
    if retain < 0:
        raise ValueError(f"retain must not be negative: {retain}")
    steps, releases = _Steps(callbacks.progress), published / RELEASES
    with _explained(published):
        releases.mkdir(parents=True, exist_ok=True)
        with only_publisher(published):
            _clear_remains(published)
            with _engine(warehouse, releases, resources) as con:
                with steps.step("hash", f"release: hashing {len(marts)} marts"):
                    found = [_read_mart(con, warehouse, spec) for spec in marts]
                with _previous(published) as previous:
                    manifest = _draft(releases, found, context, previous, callbacks.now())
                    if previous is not None and _says_the_same(manifest, previous) and _is_whole(previous):
                        callbacks.progress(f"release: nothing changed since {previous.release_id}")
                        return Published(previous.release_id, previous.path, False, timings=steps.seconds)
                    folder = releases / f".building-{manifest['release_id']}-{os.getpid()}"
                    building = _Building(folder, found, manifest, previous, resources)
                    path = _build(con, building, published, context.lock, callbacks.extras, steps)
            removed = _remove_old(releases, path, retain)
    return Published(
        manifest["release_id"],
        path,
        True,
        linked=tuple(building.linked),
        written=tuple(building.written),
        removed=tuple(removed),
        timings=steps.seconds,
    )


def _build(
    con: duckdb.DuckDBPyConnection,
    building: _Building,
    published: Path,
    lock: Lock,
    extras: Callable[[Release], None] | None,
    steps: _Steps,
) -> Path:
    """Build, verify and switch; returns the release's directory. On any error nothing of it is left."""
    release_id = building.manifest["release_id"]
    path = published / RELEASES / release_id
    try:
        building.folder.mkdir()
        with steps.step("database", f"release {release_id}: {DATABASE}"):
            _write_database(con, building)
        with steps.step("parquet", f"release {release_id}: Parquet files"):
            for mart in building.marts:
                for name, year in mart.files().items():
                    _write_parquet(con, building, mart, name, year)
        with steps.step("verify", f"release {release_id}: reopening and comparing"):
            _verify_database(con, building)
            for mart in building.marts:
                _verify_parquet(con, building, mart)
        if extras is not None:
            with steps.step("extras", f"release {release_id}: further files"):
                extras(Release(building.folder, building.manifest, resources=building.resources))
        with steps.step("finish", f"release {release_id}: manifest, then made current"):
            lock.save(building.folder / LOCK_FILE)
            write_manifest(building.folder, {**building.manifest, "files": _file_facts(building)})
            sync_tree(building.folder)
            os.replace(building.folder, path)
            sync(path.parent)
            point(published / CURRENT, f"{RELEASES}/{release_id}", published / f".{CURRENT}-{release_id}")
    except BaseException:
        shutil.rmtree(building.folder, ignore_errors=True)
        if (published / CURRENT).resolve() != path.resolve():
            shutil.rmtree(path, ignore_errors=True)
        raise
    return path


# ---------------------------------------------------------------------------- what there is to publish


@contextmanager
def _engine(warehouse: Path, releases: Path, resources: Resources | None) -> Iterator[duckdb.DuckDBPyConnection]:
    """An in-memory DuckDB with the warehouse attached for reading only."""
    # Named like a release under construction, so that what a crash leaves of it is cleared away with the rest.
    spill = releases / f".building-spill-{os.getpid()}"
    limits = (resources or default_resources()).share(PUBLISHING).duckdb_config()
    with duckdb.connect(config={**limits, "temp_directory": str(spill)}) as con:
        try:
            if not warehouse.is_file():
                raise duckdb.IOException("no such file")
            con.execute(f"attach {literal(warehouse)} as warehouse (read_only)")
        except duckdb.IOException as error:
            raise ReleaseError(
                f"warehouse {warehouse}",
                found=str(error),
                expected="a DuckDB file that no other process has open for writing",
                remedy="Let the other run or program end (or materialise the marts first), then publish again.",
            ) from error
        yield con


def _source(mart: str) -> str:
    return f"warehouse.{SCHEMA}.{identifier(mart)}"


def _read_mart(con: duckdb.DuckDBPyConnection, warehouse: Path, spec: MartSpec) -> _Mart:
    """Types and content hashes of a mart; ReleaseError when it is not what the spec says."""
    try:
        types = columns_of(con, _source(spec.name))
    except duckdb.CatalogException:
        raise _not_as_specified(warehouse, spec, "no such table", "a table that dbt has built") from None
    needed = {*spec.key, *spec.columns, *([spec.year_column] if spec.year_column else [])}
    if missing := sorted(needed - set(types)):
        raise _not_as_specified(warehouse, spec, f"columns {', '.join(types)}", f"also {', '.join(missing)}")
    parts = hash_content(con, _source(spec.name), types, spec.year_column)
    if spec.year_column and None in parts:
        found = f"{parts[None].rows} rows without {spec.year_column}"
        raise _not_as_specified(warehouse, spec, found, "a year in every row")
    return _Mart(spec, types, parts)


def _not_as_specified(warehouse: Path, spec: MartSpec, found: str, expected: str) -> ReleaseError:
    return ReleaseError(
        f"warehouse {warehouse.name}, mart {spec.name}",
        found=found,
        expected=expected,
        remedy="Materialise the mart again (a full refresh after a change of columns), then publish.",
    )


def _previous(published: Path) -> AbstractContextManager[Release | None]:
    """The current release; nothing when there is none, or when it is too damaged to build upon."""
    if not os.path.lexists(published / CURRENT):
        return nullcontext()
    if not (published / CURRENT).is_symlink():
        raise ReleaseError(
            f"releases in {published}",
            found=f"{CURRENT!r} that is no symbolic link",
            expected="the link that publishing makes",
            remedy=f"Move {published / CURRENT} elsewhere: it was put there by hand.",
        )
    try:
        return open_release(published)
    except ReleaseError as error:
        _log.warning("the current release cannot be used, everything is written anew: %s", error)
        return nullcontext()


def _new_id(releases: Path, moment: datetime) -> str:
    """An id that sorts after every release there is, even after the clock was set back."""
    for folder in releases.iterdir():
        with suppress(ValueError):
            taken = datetime.strptime(folder.name, ID_FORMAT).replace(tzinfo=UTC)
            moment = max(moment, taken + timedelta(microseconds=1))
    return moment.strftime(ID_FORMAT)


def _draft(
    releases: Path, marts: Sequence[_Mart], context: ReleaseContext, previous: Release | None, now: datetime
) -> dict[str, Any]:
    """The manifest without its list of files, as plain JSON data."""
    moment = now.astimezone(UTC)
    entries = {name: [e.to_json() for e in listed] for name, listed in sorted(context.lock.datasets.items())}
    manifest = {
        "format": FORMAT,
        "release_id": _new_id(releases, moment),
        "created_at": moment.isoformat(timespec="microseconds"),
        "previous_release": previous.release_id if previous else None,
        "synthetic": context.synthetic,
        "code_version": context.code_version,
        "packages": dict(sorted(context.packages.items())),
        "settings": dict(context.settings),
        "sources": dict(context.sources),
        "sources_off": sorted(kind for kind, source in context.sources.items() if source == "off"),
        "marts_left_out": dict(context.left_out),
        "passed_over": {name: list(notes) for name, notes in sorted(context.lock.passed_over.items()) if notes},
        "goods": dict(context.goods),
        "content_hash": method(),
        "marts": {mart.spec.name: mart.facts() for mart in marts},
        "inputs": {name: sorted(entry["id"] for entry in listed) for name, listed in entries.items()},
        "archive_entries": [entry for listed in entries.values() for entry in listed],
        "replaced_entries": _replaced(entries, previous),
        "checks": [dict(check) for check in context.checks],
        "rule_counts": _by_source_and_year(context.rule_counts),
    }
    return json.loads(json.dumps(manifest))


def _replaced(entries: Mapping[str, Sequence[Mapping[str, Any]]], previous: Release | None) -> list[Any]:
    """The archive entries of the previous release that this one no longer uses: payloads that a revision replaced."""
    used = {entry["id"] for listed in entries.values() for entry in listed}
    return [entry for entry in previous.manifest["archive_entries"] if entry["id"] not in used] if previous else []


def _by_source_and_year(counts: Sequence[tuple[str, int | None, str, int]]) -> dict[str, dict[str, dict[str, int]]]:
    """{source: {year: {rule: n}}}; rows that belong to no year stand under "all"."""
    nested: dict[str, dict[str, dict[str, int]]] = {}
    for source, year, rule, n in counts:
        rules = nested.setdefault(source, {}).setdefault("all" if year is None else str(year), {})
        rules[rule] = rules.get(rule, 0) + n
    return nested


def _says_the_same(manifest: Mapping[str, Any], previous: Release) -> bool:
    """True when a reader would find nothing new: the moment, code version and check results alone make no release."""
    decisive = ("marts", "inputs", "settings", "sources", "marts_left_out", "synthetic", "content_hash")
    return all(manifest[name] == previous.manifest[name] for name in decisive)


def _is_whole(previous: Release) -> bool:
    """Whether the current release can stay: one with a damaged file is replaced, even by one that says the same."""
    try:
        verify(previous)
    except ReleaseError as error:
        _log.warning("the current release is published anew: %s", error)
        return False
    return True


# ------------------------------------------------------------------------------------------ writing it


def _write_database(con: duckdb.DuckDBPyConnection, building: _Building) -> None:
    """All marts but the partitioned ones, and one row that says which release this is, with all comments."""
    file = literal(building.folder / DATABASE)
    con.execute(f"attach {file} as built (storage_version {literal(STORAGE_VERSION)})")
    con.execute(f"create schema built.{SCHEMA}")
    for mart in building.marts:
        if not mart.spec.partitioned:
            con.execute(f"create table {_built(mart.spec.name)} as from {_source(mart.spec.name)}")
            _comment(con, mart.spec.name, mart.spec.description, mart.spec.columns)
    _write_release_info(con, building.manifest)
    con.execute("checkpoint built")
    con.execute("detach built")


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
        con.execute(f"comment on column {_built(table)}.{identifier(name)} is {literal(text)}")


def _write_parquet(con: duckdb.DuckDBPyConnection, building: _Building, mart: _Mart, name: str, year: Any) -> None:
    """One Parquet file: linked from the previous release where it holds the same rows, else made."""
    if _link(building, mart, name, year):
        building.linked.append(name)
        return
    target = building.folder / name
    target.parent.mkdir(parents=True, exist_ok=True)
    building.written.append(name)
    if year in mart.spec.ready:
        copy_apart(mart.spec.ready[year], target)
        return
    rows = "" if year is None else f"where {identifier(str(mart.spec.year_column))} = {year}"
    con.execute(
        f"copy (select * from {_source(mart.spec.name)} {rows}) to {literal(target)} "
        f"(format parquet, compression {COMPRESSION})"
    )


def _link(building: _Building, mart: _Mart, name: str, year: Any) -> bool:
    """Link a file from the previous release; False when that holds other rows or columns, or is damaged."""
    if building.previous is None:
        return False
    old, new = building.previous.manifest, building.manifest
    before, after = old["marts"].get(mart.spec.name), new["marts"][mart.spec.name]
    if before is None or name not in before["files"] or old["content_hash"] != new["content_hash"]:
        return False
    if _types(before) != _types(after) or _part(before, year) != _part(after, year):
        return False
    source = building.previous.path / name
    building.sha256[name] = sha256_of(source)
    if building.sha256[name] != old["files"][name]["sha256"]:
        del building.sha256[name]
        _log.warning("%s of release %s is damaged and written anew", name, building.previous.release_id)
        return False
    link_or_copy(source, building.folder / name)
    return True


def _types(facts: Mapping[str, Any]) -> list[tuple[str, str]]:
    return [(name, column["type"]) for name, column in facts["columns"].items()]


def _part(facts: Mapping[str, Any], year: Any) -> str:
    return facts["content_hash"] if year is None else facts["years"][str(year)]["content_hash"]


# ---------------------------------------------------------------------------------------- verifying it


def _verify_database(con: duckdb.DuckDBPyConnection, building: _Building) -> None:
    con.execute(f"attach {literal(building.folder / DATABASE)} as built (read_only)")
    for mart in building.marts:
        if not mart.spec.partitioned:
            _compare(con, mart, _built(mart.spec.name), None, DATABASE)
    con.execute("detach built")


def _verify_parquet(con: duckdb.DuckDBPyConnection, building: _Building, mart: _Mart) -> None:
    """Compare what was written; a linked file has been compared when it was written, and has its sha256 since."""
    for name, year in mart.files().items():
        if name in building.written:
            _compare(con, mart, parquet(building.folder / name), year, name)


def _compare(con: duckdb.DuckDBPyConnection, mart: _Mart, relation: str, year: Any, name: str) -> None:
    """ReleaseError unless a reopened copy has the columns, types, rows and values of the mart (or of its one year)."""
    where = f"mart {mart.spec.name}, file {name}"
    types = columns_of(con, relation)
    if types != mart.types:
        changed = sorted(set(mart.types.items()) ^ set(types.items()))
        raise ReleaseError(
            where,
            found=f"other columns or types when reopened: {', '.join(f'{n} {t}' for n, t in changed)}",
            expected="those of the warehouse",
            remedy="Cast these columns in the mart to a type that Parquet has (BIGINT or DOUBLE instead of HUGEINT).",
        )
    copied = combined(hash_content(con, relation, types))
    if copied != mart.content(year):
        raise ReleaseError(
            where,
            found=f"{copied.rows} rows, content {copied}, when reopened",
            expected=f"{mart.content(year).rows} rows, content {mart.content(year)}, as in the warehouse",
            remedy="Nothing was published. Publish again; if it happens again, check the disk.",
        )


def _file_facts(building: _Building) -> dict[str, dict[str, Any]]:
    """Bytes, sha256 and rows (None where a file has no rows of its own) of every file in the release."""
    rows = {name: mart.content(year).rows for mart in building.marts for name, year in mart.files().items()}
    facts = {}
    for path in sorted(p for p in building.folder.rglob("*") if p.is_file()):
        name = path.relative_to(building.folder).as_posix()
        digest = building.sha256.get(name) or sha256_of(path)
        facts[name] = {"bytes": path.stat().st_size, "sha256": digest, "rows": rows.get(name)}
    return facts


# ------------------------------------------------------------------------------------ before and after


def _clear_remains(published: Path) -> None:
    """Remove what a crashed publisher left; the lock says that none is at work."""
    for pattern in (".building-*", ".trash-*"):
        for remains in (published / RELEASES).glob(pattern):
            shutil.rmtree(remains)
    for link in published.glob(f".{CURRENT}-*"):
        link.unlink()


def _remove_old(releases: Path, current: Path, retain: int) -> list[str]:
    """Keep the newest `retain` old releases. Failing here is no reason to call a release unpublished: it is logged."""
    old = sorted(p for p in releases.iterdir() if not p.name.startswith(".") and p.name != current.name)
    removed = []
    for folder in old[: len(old) - retain] if len(old) > retain else []:
        try:
            with unless_shared(folder / NAME) as free:
                if free:
                    discard(folder)
                    removed.append(folder.name)
        except OSError as error:
            _log.warning("old release %s could not be removed: %s", folder.name, error)
    return removed


@contextmanager
def _explained(published: Path) -> Iterator[None]:
    """Turn a failing disk into a ReleaseError. Other exceptions are programming mistakes and pass."""
    try:
        yield
    except (OSError, EnvironmentProblem, duckdb.Error) as error:
        # DuckDB reports a full disk as whatever was going on: IOException, TransactionException, FatalException.
        full = getattr(error, "errno", None) in FULL or any(os.strerror(code) in str(error) for code in FULL)
        refused = (OSError, EnvironmentProblem, duckdb.IOException, duckdb.OutOfMemoryException)
        if not full and not isinstance(error, refused):
            raise
        raise ReleaseError(
            f"releases in {published}",
            found=f"{'no space left' if full else 'a failure'} while writing a release ({error})",
            expected="room and permission for a complete release beside the current one",
            remedy=("Free disk space" if full else "Remove the cause")
            + " and publish again. The release before is still the current one, untouched.",
        ) from error
