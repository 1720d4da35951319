"""The raw archive: bytes stored once, found again unchanged or not at all, and the lock that names them."""

from __future__ import annotations

import hashlib
import json
import os
import stat
from datetime import UTC, datetime
from pathlib import Path

import pytest

from dagster_project.archive.lock import Lock, check_against, load_lock
from dagster_project.archive.payload import Payload, Provenance
from dagster_project.archive.store import Archive, Entry
from dagster_project.datasets import samples as sample
from dagster_project.durable import write_whole
from dagster_project.errors import ArchiveDamaged, EnvironmentProblem, SourceError, UserError
from dagster_project.settings import load_settings
from tests.helpers.steps import fetch

NOW = datetime(2024, 5, 6, 7, 8, 9, 123456, tzinfo=UTC)
BODY = b"year,value\n2017,1\n"
SHA256 = hashlib.sha256(BODY).hexdigest()
PROVENANCE = Provenance("comtrade", "UN Statistics Division", "UN Comtrade Database", "terms of use")


def payload(body: bytes | Path = BODY, *, part: str = "2017", **parameters: str) -> Payload:
    return Payload(PROVENANCE, "trade", part, "https://example.org/data?period=2017", body, parameters, rows=1)


@pytest.fixture
def archive(tmp_path: Path) -> Archive:
    return Archive(tmp_path / "archive")


def files(archive: Archive) -> set[str]:
    return {path.relative_to(archive.root).as_posix() for path in archive.root.rglob("*") if path.is_file()}


def test_entry_says_everything_about_the_payload(archive: Archive) -> None:
    entry = archive.put(payload(kind="comtrade_rows", a="b"), retrieved_at=NOW)
    assert entry == Entry(
        id=entry.id,
        source="comtrade",
        dataset="trade",
        part="2017",
        address="https://example.org/data?period=2017",
        parameters={"a": "b", "kind": "comtrade_rows"},
        retrieved_at="2024-05-06T07:08:09.123456+00:00",
        bytes=len(BODY),
        sha256=SHA256,
        rows=1,
        publisher="UN Statistics Division",
        citation="UN Comtrade Database",
        licence="terms of use",
        synthetic=False,
    )
    stored = json.loads((archive.root / "manifest" / f"{entry.id}.json").read_text())
    assert Entry(**stored) == entry == archive.entry(entry.id) and archive.entries() == [entry]


def test_bytes_lie_under_their_hash_and_cannot_be_written(archive: Archive) -> None:
    path = archive.open_path(archive.put(payload(), retrieved_at=NOW))
    assert path == archive.root / "objects" / SHA256[:2] / SHA256
    assert path.read_bytes() == BODY
    assert not path.stat().st_mode & (stat.S_IWUSR | stat.S_IWGRP | stat.S_IWOTH)


def test_a_file_is_stored_as_its_bytes(archive: Archive, tmp_path: Path) -> None:
    source = tmp_path / "x.csv"
    source.write_bytes(BODY)
    from_file, from_bytes = (archive.put(payload(body), retrieved_at=NOW) for body in (source, BODY))
    assert from_file == from_bytes
    source.write_bytes(b"changed afterwards")
    assert archive.open_path(from_file).read_bytes() == BODY  # a copy, not a link to the user's file


def test_put_twice_changes_nothing(archive: Archive) -> None:
    first = archive.put(payload(), retrieved_at=NOW)
    before = {name: (archive.root / name).stat().st_mtime_ns for name in files(archive)}
    again = archive.put(payload(), retrieved_at=datetime(2025, 1, 1, tzinfo=UTC))
    assert again == first  # of the first retrieval
    assert {name: (archive.root / name).stat().st_mtime_ns for name in files(archive) if "manifest" in name} == {
        name: at for name, at in before.items() if "manifest" in name
    }
    assert files(archive) == before.keys()


def test_same_bytes_from_elsewhere_are_one_object_with_two_entries(archive: Archive) -> None:
    first = archive.put(payload(), retrieved_at=NOW)
    for other in (payload(part="2018"), payload(kind="x")):
        assert archive.put(other, retrieved_at=NOW).id != first.id
    assert len([name for name in files(archive) if name.startswith("objects/")]) == 1
    assert len(archive.entries()) == 3


def test_other_bytes_from_the_same_place_leave_the_first_alone(archive: Archive) -> None:
    old, new = (archive.put(payload(body), retrieved_at=NOW) for body in (BODY, BODY + b"2017,2\n"))
    assert old.id != new.id
    assert archive.open_path(old).read_bytes() == BODY


@pytest.mark.parametrize("damage", ["changed", "truncated", "missing", "longer"])
def test_damage_is_found_before_use(archive: Archive, damage: str) -> None:
    entry = archive.put(payload(), retrieved_at=NOW)
    path = archive.open_path(entry)  # looked at before: the second look must not trust the first
    path.chmod(0o644)
    if damage == "missing":
        path.unlink()
    else:
        path.write_bytes({"changed": BODY.replace(b"1", b"9"), "truncated": BODY[:5], "longer": BODY + b"x"}[damage])
    for reader in (archive, Archive(archive.root)):
        with pytest.raises(ArchiveDamaged) as error:
            reader.open_path(entry)
        message = str(error.value)
        assert SHA256 in message and "https://example.org" in message and "backup" in message
        with pytest.raises(ArchiveDamaged):
            check_against(reader, Lock({"trade": [entry]}))
    if damage != "missing":  # nor is it mended in silence when its source delivers it again
        archive.put(payload(), retrieved_at=NOW)
        with pytest.raises(ArchiveDamaged):
            archive.open_path(entry)


def test_a_missing_object_is_stored_again(archive: Archive) -> None:
    entry = archive.put(payload(), retrieved_at=NOW)
    archive.open_path(entry).unlink()
    assert archive.open_path(archive.put(payload(), retrieved_at=NOW)).read_bytes() == BODY


@pytest.mark.parametrize("content", [None, "", "{", "[]", '{"id": "x"}'])
def test_entry_that_cannot_be_read(archive: Archive, content: str | None) -> None:
    entry = archive.put(payload(), retrieved_at=NOW)
    path = archive.root / "manifest" / f"{entry.id}.json"
    path.unlink() if content is None else path.write_text(content)
    with pytest.raises(ArchiveDamaged, match=entry.id):
        archive.entry(entry.id)


@pytest.mark.parametrize("failing", ["replace", "fsync"])
def test_crash_while_storing_leaves_nothing_half(
    archive: Archive, failing: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def crash(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, failing, crash)
    with pytest.raises(EnvironmentProblem, match=r"archive .* no space left .*; expected room .* Free disk space"):
        archive.put(payload(), retrieved_at=NOW)
    monkeypatch.undo()
    assert files(archive) == set() and archive.entries() == []
    assert archive.open_path(archive.put(payload(), retrieved_at=NOW)).read_bytes() == BODY


def test_crash_between_bytes_and_entry_leaves_no_entry(archive: Archive, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "dagster_project.archive.store.write_whole", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt)
    )
    with pytest.raises(KeyboardInterrupt):
        archive.put(payload(), retrieved_at=NOW)
    monkeypatch.undo()
    assert archive.entries() == []
    assert archive.put(payload(), retrieved_at=NOW) == archive.entries()[0]


def test_write_whole_keeps_the_previous_content_when_it_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "x.json"
    write_whole(path, b"first")
    monkeypatch.setattr(os, "replace", lambda *_: (_ for _ in ()).throw(OSError("crash")))
    with pytest.raises(OSError, match="crash"):
        write_whole(path, b"second")
    assert path.read_bytes() == b"first" and list(tmp_path.iterdir()) == [path]


# --- the lock ---------------------------------------------------------------------------------------------------------


def test_lock_round_trip(archive: Archive, tmp_path: Path) -> None:
    first, second = (archive.put(payload(part=part), retrieved_at=NOW) for part in ("b", "a"))
    settings = {"hs_revision": "H5", "years": [2017, 2018]}
    lock = Lock({"trade": (first, second), "reference": ()}, settings, {"trade": ("all goods but one need a key",)})
    lock.save(tmp_path / "lock.json")
    loaded = load_lock(tmp_path / "lock.json")
    assert loaded == lock
    assert loaded.ids("trade") == [first.id, second.id] and loaded.ids("patents") == []  # in the order given
    lock.save(tmp_path / "again.json")
    assert (tmp_path / "again.json").read_bytes() == (tmp_path / "lock.json").read_bytes()
    check_against(archive, loaded)


def test_lock_with_another_dataset(archive: Archive) -> None:
    entry = archive.put(payload(), retrieved_at=NOW)
    lock = Lock({"trade": (entry,)}, {"a": 1}).with_dataset("reference", [entry])
    assert lock.ids("trade") == lock.ids("reference") == [entry.id] and lock.settings == {"a": 1}


@pytest.mark.parametrize(
    "content",
    [None, "", "{", "[]", "{}", '{"datasets": []}', '{"datasets": {"trade": [{"id": 1}]}, "settings": {}}', b"\xff"],
)
def test_files_that_are_no_lock(tmp_path: Path, content: str | bytes | None) -> None:
    path = tmp_path / "inputs.lock.json"
    if content is not None:
        path.write_bytes(content.encode() if isinstance(content, str) else content)
    with pytest.raises(SourceError, match=r"inputs\.lock\.json"):
        load_lock(path)


def test_directory_for_a_lock(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="no readable file"):
        load_lock(tmp_path)


# --- what lands in the archive ----------------------------------------------------------------------------------------


@pytest.mark.slow
def test_manifest_and_lock_hold_no_path_of_this_machine(tmp_path: Path) -> None:
    drop = tmp_path / "private" / "drop"
    sample.write_drop_folder(drop)
    settings = load_settings(
        {
            "CHOKEPOINT_DATA_DIR": str(tmp_path / "data"),
            "CHOKEPOINT_DROP_DIR": str(drop),
            "CHOKEPOINT_REFERENCE_SOURCE": "files",
        },
        dotenv=None,
    )
    entries, _ = fetch("reference", settings, NOW)
    assert entries and all(entry.address.startswith("drop:") for entry in entries)
    for path in (*(settings.archive_dir / "manifest").iterdir(), settings.lock_path):
        assert str(tmp_path) not in path.read_text()


def test_sample_is_marked_synthetic_in_the_manifest(tmp_path: Path) -> None:
    settings = load_settings({"CHOKEPOINT_DATA_DIR": str(tmp_path)}, dotenv=None)
    entries, _ = fetch("reference", settings, NOW)
    assert all(entry.synthetic and "synthetic" in entry.publisher for entry in entries)


def test_user_errors_survive_a_process_boundary() -> None:
    import pickle

    error = ArchiveDamaged("file x", found="a", expected="b", remedy="c")
    again = pickle.loads(pickle.dumps(error))
    assert type(again) is ArchiveDamaged and isinstance(again, UserError) and str(again) == str(error)
