"""Files come onto the disk whole, for whom the umask says, and what the machine refuses is told with its remedy."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pytest

from dagster_project import durable
from dagster_project.archive.lock import Lock
from dagster_project.archive.payload import Payload, Provenance
from dagster_project.archive.store import Archive
from dagster_project.durable import copy_apart, known_sha256, problem_of, sha256_of, told, write_whole
from dagster_project.errors import EnvironmentProblem
from dagster_project.landing.inputs import Input, land_inputs
from dagster_project.landing.tables import replaced_directory
from dagster_project.locks import held
from dagster_project.sources.ledger import Ledger
from tests.helpers.publish_helpers import make_warehouse, publish_as


@pytest.fixture(params=[0o002, 0o027, 0o077])
def umask(request: pytest.FixtureRequest) -> Iterator[int]:
    before = os.umask(request.param)
    yield request.param
    os.umask(before)


def modes(root: Path) -> dict[str, int]:
    return {
        path.relative_to(root).as_posix(): stat.S_IMODE(path.lstat().st_mode)
        for path in root.rglob("*")
        if not path.is_symlink()
    }


def test_every_file_and_folder_follows_the_umask(umask: int, tmp_path: Path) -> None:
    """A group that shares a data directory reads all of it, or nothing: no file has a policy of its own."""
    payload = Payload(Provenance("s", "p", "c", "l"), "trade", "2017", "here", body=b"body")
    Archive(tmp_path / "archive").put(payload, retrieved_at=datetime.now(UTC))
    Lock({}).save(tmp_path / "inputs.lock.json")
    Ledger(tmp_path / "calls.sqlite")
    land_inputs(_folder(tmp_path / "landing"), [Input("trade", "sample", True, 1)])
    with replaced_directory(tmp_path / "landing" / "table") as building:
        (building / "x").write_text("")
    with held(tmp_path / "run.lock", "a test"):
        pass
    publish_as(make_warehouse(tmp_path / "warehouse.duckdb", rows=20), tmp_path / "published", "2017")
    found = modes(tmp_path)
    published = {name for name in found if name.startswith("published/releases/2")}
    assert {"archive/manifest", "published/.publish.lock", "landing/inputs_tables.json"} <= found.keys() and published
    for name, mode in found.items():
        folder = (tmp_path / name).is_dir()
        read_only = not folder and (name.startswith("archive/objects/") or name in published)
        assert mode == (0o777 if folder else 0o444 if read_only else 0o666) & ~umask, (name, oct(mode))


def _folder(path: Path) -> Path:
    path.mkdir(parents=True)
    return path


def test_a_file_is_forced_to_the_disk_before_its_name_and_the_name_after_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[str] = []
    fsync, replace = os.fsync, os.replace

    def noted_fsync(descriptor: int) -> None:
        done.append("folder" if stat.S_ISDIR(os.fstat(descriptor).st_mode) else "file")
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", noted_fsync)
    monkeypatch.setattr(os, "replace", lambda *names: (done.append("name"), replace(*names)))
    write_whole(tmp_path / "x", b"content")
    assert done == ["file", "name", "folder"]


def test_copy_apart_shares_nothing_that_can_be_written_to(tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.write_bytes(b"one" * 10_000)
    copy_apart(source, tmp_path / "below" / "copy")
    (tmp_path / "below" / "copy").write_bytes(b"two")
    assert source.read_bytes() == b"one" * 10_000


def test_a_known_hash_is_of_the_file_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_bytes(b"one")
    before = known_sha256(path)
    path.write_bytes(b"two")
    os.utime(path, ns=(0, 0))  # as who restores the times after a change
    assert known_sha256(path) == sha256_of(path) != before


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)), r"^there: found no space left .* Free disk space"),
        (OSError(errno.EDQUOT, os.strerror(errno.EDQUOT), "/d/x"), r"^/d/x: found no space left .* quota"),
        (PermissionError(errno.EACCES, os.strerror(errno.EACCES), "/d/x"), r"^/d/x: found Permission denied; .* right"),
        (OSError(errno.EROFS, os.strerror(errno.EROFS)), r"found Read-only file system; .* Mount it for writing"),
        (duckdb.IOException('Could not write file "x": No space left on device'), "found no space left"),
        (
            duckdb.IOException('Could not set lock on file "/w": Conflicting lock is held in /bin/tool (PID 12). See'),
            r"a database that another program has open \(/bin/tool \(PID 12\)\); .* Close it there",
        ),
    ],
)
def test_what_the_machine_refuses_is_told(error: Exception, said: str) -> None:
    with pytest.raises(EnvironmentProblem, match=said), told("there"):
        raise error


@pytest.mark.parametrize("error", [FileNotFoundError(2, "x"), ValueError("No space left on device"), KeyError("x")])
def test_mistakes_of_the_program_keep_their_own_error(error: Exception) -> None:
    assert problem_of(error, "there") is None
    with pytest.raises(type(error)), told("there"):
        raise error


def test_a_full_disk_in_the_archive_names_the_place(tmp_path: Path) -> None:
    """/dev/full refuses every byte; here a body that is larger than the limit of files."""
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    payload = Payload(Provenance("s", "p", "c", "l"), "trade", "2017", "here", body=b"x" * 100_000)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, hard))
    try:
        with pytest.raises(EnvironmentProblem, match=r"archive .*: found no space left .*; expected room .* Free disk"):
            Archive(tmp_path / "archive").put(payload, retrieved_at=datetime.now(UTC))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert not [path for path in (tmp_path / "archive").rglob("*") if path.is_file()]


def _hashed_in_a_new_process(record: Path, path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[str, bool]:
    """The file's sha256, and whether it was read for it."""
    read: list[Path] = []

    def noted(path: Path) -> str:
        read.append(path)
        return sha256_of(path)

    with monkeypatch.context() as patch:
        patch.setattr(durable, "_known", {})
        patch.setattr(durable, "_lasting", {})
        patch.setattr(durable, "sha256_of", noted)
        with durable.remembering(record):
            found = known_sha256(path)
    return found, bool(read)


def test_a_file_is_read_again_by_the_next_process_only_when_it_was_touched(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, record = tmp_path / "file", tmp_path / "known_files.json"

    def hashed(wait: bool = True) -> tuple[str, bool]:
        if wait:
            durable.settled([path])
        return _hashed_in_a_new_process(record, path, monkeypatch)

    path.write_bytes(b"first")
    assert hashed() == (sha256_of(path), True)
    assert hashed() == (sha256_of(path), False)
    before = path.stat()
    path.write_bytes(b"other")  # as long as before, and its time set back
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert hashed() == (sha256_of(path), True)
    (tmp_path / "new").write_bytes(b"third")
    os.replace(tmp_path / "new", path)
    assert hashed(wait=False) == (sha256_of(path), True)
    assert hashed() == (sha256_of(path), True), "it was read in the moment in which it was written"
    assert hashed() == (sha256_of(path), False)
    record.write_text("{")
    assert hashed() == (sha256_of(path), True)
    path.unlink()
    with durable.remembering(record):
        pass
    assert str(path) not in record.read_text()
