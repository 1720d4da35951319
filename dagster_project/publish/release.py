"""Publishing: from the marts in the warehouse to a release that readers find under `published/current`.

    published/
      current -> releases/<id>              replaced in one step, as the last act
      releases/<id>/chokepoint.duckdb       schema marts, see `database`
                    parquet/<mart>.parquet
                    parquet/<mart by year>/YYYY/part-0.parquet
                    datapackage.json  schemas/<mart>.json
                    inputs.lock.json  manifest.json
      releases/.building-<id>-<pid>/        a release being built, or the remains of a crashed one
      releases/.trash-…/                    a release being removed

Whatever happens before the last act, `current` leads to the previous release, whole. The next publisher, under the
lock, clears away what a crashed one left.

A year that did not change since the release before costs nothing but a link: which years these are, the caller's record
says, or else their hash. What the release before holds of them is taken only where its files are whole (see `before`).

Not here: computing or checking marts, and anything for readers (see `read`).
"""

from __future__ import annotations

import json
import logging
import os
import shutil
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
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
from dagster_project.publish.before import Before, note_stamps
from dagster_project.publish.content import method
from dagster_project.publish.database import verify_database, write_database
from dagster_project.publish.datapackage import write_datapackage
from dagster_project.publish.described import as_copy_option, carries
from dagster_project.publish.files import (
    discard,
    link_or_copy,
    only_publisher,
    point,
    sync_tree,
    unless_shared,
)
from dagster_project.publish.manifest import FORMAT, NAME, write_manifest
from dagster_project.publish.marts import Known, Mart, MartSpec, compare, read_mart, warehouse_table
from dagster_project.publish.read import CURRENT, DATABASE, RELEASES, Release, open_release
from dagster_project.sql import identifier, literal, parquet

LOCK_FILE = "inputs.lock.json"
ID_FORMAT = "%Y%m%dT%H%M%S-%fZ"
# 10 million flows: snappy 2.8 s and 159 MB, zstd 3.7 s and 128 MB on two cores. The time matters more.
COMPRESSION = "snappy"

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class ReleaseContext:
    """What a release says of its origin. `settings` must hold no secrets.

    lock          the archive entries the marts were built from, and what the sources could not give
    checks        one mapping per check result: JSON-ready, as the caller likes it
    rule_counts   (source, year or None, rule, n): the landing's account of every row
    sources       kind of source -> setting: {"trade": "sample", "tariffs": "off"}
    left_out      mart -> why it is not in the release
    goods         {"loaded": n, "in_scope": n}
    unchanged     mart -> years whose rows are those of the release `since`, as the caller's own record says. They are
                  not hashed; empty where nothing is known
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
    unchanged: Mapping[str, Collection[int]] = field(default_factory=dict)
    since: str = ""


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
    marts: Sequence[Mart]
    manifest: dict[str, Any]
    before: Before | None
    resources: Resources | None
    linked: list[str] = field(default_factory=list)
    written: list[str] = field(default_factory=list)
    sha256: dict[str, str] = field(default_factory=dict)

    @property
    def rows(self) -> dict[str, int]:
        """Parquet file -> its number of rows."""
        return {name: mart.content(year).rows for mart in self.marts for name, year in mart.files().items()}


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
            with _engine(warehouse, releases, resources) as con, _previous(published) as previous:
                before = Before(previous, published) if previous else None
                with steps.step("hash", f"release: hashing {len(marts)} marts"):
                    found = [read_mart(con, warehouse, spec, _known(before, spec.name, context)) for spec in marts]
                manifest = _draft(releases, found, context, previous, callbacks.now())
                if before is not None and _says_the_same(manifest, before.release) and before.is_whole():
                    callbacks.progress(f"release: nothing changed since {before.release_id}")
                    return Published(before.release_id, before.release.path, False, timings=steps.seconds)
                folder = releases / f".building-{manifest['release_id']}-{os.getpid()}"
                building = _Building(folder, found, manifest, before, resources)
                path = _build(con, building, published, context.lock, callbacks.extras, steps)
            removed = _remove_old(releases, path, retain)
            with suppress(OSError, EnvironmentProblem):  # without the note the next publisher reads the files
                note_stamps(published, path)
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
            kept = write_database(con, building.folder, building.marts, building.manifest, building.before)
        with steps.step("parquet", f"release {release_id}: Parquet files"):
            for mart in building.marts:
                for name, year in mart.files().items():
                    _write_parquet(con, building, mart, name, year)
        with steps.step("verify", f"release {release_id}: reopening and comparing"):
            verify_database(con, building.folder, building.marts, kept)
            for mart in building.marts:
                _verify_parquet(con, building, mart)
        if extras is not None:
            with steps.step("extras", f"release {release_id}: further files"):
                extras(Release(building.folder, building.manifest, resources=building.resources))
        with steps.step("finish", f"release {release_id}: manifest, then made current"):
            lock.save(building.folder / LOCK_FILE)
            write_datapackage(building.folder, building.manifest, building.rows)
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
    # The order of rows means nothing; to keep it, DuckDB writes a large table twice.
    config = {**limits, "temp_directory": str(spill), "preserve_insertion_order": False}
    with duckdb.connect(config=config) as con:
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


def _known(before: Before | None, mart: str, context: ReleaseContext) -> Known | None:
    """What the release before says of a mart's unchanged years, by year; None where nothing can be taken from it.

    Only where the caller's record speaks of that very release, and the same programs computed both.
    """
    if before is None or before.release_id != context.since or not context.unchanged.get(mart):
        return None
    old = before.release.manifest
    if old["content_hash"] != method() or old["packages"] != dict(context.packages):
        return None
    return before.known(mart, context.unchanged[mart])


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
    releases: Path, marts: Sequence[Mart], context: ReleaseContext, previous: Release | None, now: datetime
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


# ------------------------------------------------------------------------------------------ writing it


def _write_parquet(con: duckdb.DuckDBPyConnection, building: _Building, mart: Mart, name: str, year: Any) -> None:
    """One Parquet file: linked from the previous release where it holds the same rows, else made."""
    if _link(building, mart, name, year):
        building.linked.append(name)
        return
    target = building.folder / name
    target.parent.mkdir(parents=True, exist_ok=True)
    building.written.append(name)
    ready = mart.spec.ready.get(year)
    if ready is not None and carries(con, ready, mart.key_values):
        copy_apart(ready, target)
        return
    rows = "" if year is None else f"where {identifier(str(mart.spec.year_column))} = {year}"
    con.execute(
        f"copy (select * from {warehouse_table(mart.spec.name)} {rows}) to {literal(target)} "
        f"(format parquet, compression {COMPRESSION}, {as_copy_option(mart.key_values)})"
    )


def _link(building: _Building, mart: Mart, name: str, year: Any) -> bool:
    """Link a file from the release before; False when that holds or says something else, or is damaged."""
    before = building.before
    if before is None or not before.in_parquet(mart, year) or name not in before.release.manifest["files"]:
        return False
    if not before.has_whole(name):
        _log.warning("%s of release %s is damaged and written anew", name, before.release_id)
        return False
    building.sha256[name] = before.release.manifest["files"][name]["sha256"]
    link_or_copy(before.release.path / name, building.folder / name)
    return True


# ---------------------------------------------------------------------------------------- verifying it


def _verify_parquet(con: duckdb.DuckDBPyConnection, building: _Building, mart: Mart) -> None:
    """Compare what was written; a linked file has been compared when it was written, and has its sha256 since."""
    for name, year in mart.files().items():
        if name in building.written:
            compare(con, mart, parquet(building.folder / name), name, mart.content(year))


def _file_facts(building: _Building) -> dict[str, dict[str, Any]]:
    """Bytes, sha256 and rows (None where a file has no rows of its own) of every file in the release."""
    facts, rows = {}, building.rows
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
    for pattern in (f".{CURRENT}-*", ".incoming-*"):
        for path in published.glob(pattern):
            path.unlink()


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
