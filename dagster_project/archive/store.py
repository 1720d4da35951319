"""The store: content-addressed bytes and one manifest entry per payload.

Layout under the root: `objects/ab/<sha256>` (read-only files, bytes as received) and `manifest/<entry id>.json`.
Nothing is ever changed or removed. What belongs here: putting, listing, verified reading. Not here: parsing, or the
choice of which entries a run uses (see `lock`).
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from dagster_project.archive.payload import Payload
from dagster_project.durable import (
    building,
    known_sha256,
    make_read_only,
    place,
    sha256_of,
    sync_entries,
    told,
    write_whole,
)
from dagster_project.errors import ArchiveDamaged
from dagster_project.redaction import without_secrets


@dataclass(frozen=True)
class Entry:
    """What the manifest says of one payload. `id` names source, place, parameters and bytes; it holds no clock time."""

    id: str
    source: str
    dataset: str
    part: str
    address: str
    parameters: Mapping[str, str]
    retrieved_at: str  # ISO 8601, UTC; of the first retrieval of these bytes from this place
    bytes: int
    sha256: str
    rows: int | None
    publisher: str
    citation: str
    licence: str
    synthetic: bool

    def __post_init__(self) -> None:
        """Entries that older versions wrote may hold a secret: it goes into no further lock, manifest or picture."""
        object.__setattr__(self, "address", without_secrets(self.address))

    def to_json(self) -> dict[str, Any]:
        """The entry as plain JSON-ready data."""
        return {**asdict(self), "parameters": dict(self.parameters)}


class Archive:
    """The raw archive below `root` (created when first written to)."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._verified: dict[str, tuple[int, int]] = {}

    def put(self, payload: Payload, *, retrieved_at: datetime) -> Entry:
        """Store a payload unless these bytes from this place are stored already; return its entry either way."""
        sha256, size = self._store_bytes(payload.body)
        address = without_secrets(payload.address)
        parameters = {name: without_secrets(value) for name, value in sorted(payload.parameters.items())}
        identity = {
            "source": payload.provenance.source,
            "dataset": payload.dataset,
            "part": payload.part,
            "address": address,
            "parameters": parameters,
            "sha256": sha256,
        }
        entry_id = hashlib.sha256(json.dumps(identity, sort_keys=True).encode()).hexdigest()[:20]
        path = self._entry_path(entry_id)
        if path.exists():
            return self.entry(entry_id)
        entry = Entry(
            id=entry_id,
            source=payload.provenance.source,
            dataset=payload.dataset,
            part=payload.part,
            address=address,
            parameters=parameters,
            retrieved_at=retrieved_at.isoformat(timespec="microseconds"),
            bytes=size,
            sha256=sha256,
            rows=payload.rows,
            publisher=payload.provenance.publisher,
            citation=payload.provenance.citation,
            licence=payload.provenance.licence,
            synthetic=payload.provenance.synthetic,
        )
        write_whole(path, json.dumps(entry.to_json(), indent=1, ensure_ascii=False).encode())
        return entry

    def entry(self, entry_id: str) -> Entry:
        """The entry of that id; ArchiveDamaged if the manifest does not hold it or cannot be read."""
        path = self._entry_path(entry_id)
        try:
            return Entry(**json.loads(path.read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError) as error:
            raise ArchiveDamaged(
                f"archive entry {entry_id}",
                found=f"no readable manifest entry ({error})",
                expected=f"the file {path}",
                remedy="Restore the archive from a backup, or run again with the source reachable.",
            ) from error

    def entries(self, ids: Iterable[str] | None = None) -> list[Entry]:
        """The entries named (all of the manifest when None), in the order of the ids."""
        if ids is None:
            ids = sorted(path.stem for path in (self.root / "manifest").glob("*.json"))
        return [self.entry(entry_id) for entry_id in ids]

    def located(self, entry: Entry) -> Path:
        """Where an entry's bytes lie, checked for their size alone: to look into a zip for names, or at a stamp.

        What is read comes from `open_path`.
        """
        path = self._object_path(entry.sha256)
        try:
            size = path.stat().st_size
        except OSError as error:
            raise self._damage(entry, path, "no such file") from error
        if size != entry.bytes:
            raise self._damage(entry, path, f"{size} bytes")
        return path

    def touched_since(self, entry: Entry, moment: int) -> bool:
        """Whether an entry's bytes were written or moved after a moment (nanoseconds since 1970), by their stamp.

        For what was made of the bytes at that moment: without a later change they need not be read again.
        """
        stat = self.located(entry).stat()
        return max(stat.st_mtime_ns, stat.st_ctime_ns) > moment

    def open_path(self, entry: Entry) -> Path:
        """The path of an entry's bytes, after checking that they still have the size and hash of the manifest."""
        path = self.located(entry)
        stat = path.stat()
        if self._verified.get(entry.sha256) == (stat.st_size, stat.st_mtime_ns):
            return path
        found = sha256_of(path)
        if found != entry.sha256:
            raise self._damage(entry, path, f"sha256 {found}")
        self._verified[entry.sha256] = (stat.st_size, stat.st_mtime_ns)
        return path

    def _damage(self, entry: Entry, path: Path, found: str) -> ArchiveDamaged:
        return ArchiveDamaged(
            f"archive file {path} ({entry.dataset} {entry.part}, from {entry.address})",
            found=found,
            expected=f"{entry.bytes} bytes with sha256 {entry.sha256}",
            remedy="The file was changed after it was archived. Restore it from a backup, "
            "or delete it and run again with the source reachable.",
        )

    def _entry_path(self, entry_id: str) -> Path:
        return self.root / "manifest" / f"{entry_id}.json"

    def _object_path(self, sha256: str) -> Path:
        return self.root / "objects" / sha256[:2] / sha256

    def _store_bytes(self, body: Path | bytes) -> tuple[str, int]:
        """Copy the body in, hashing what is copied; return (sha256, bytes).

        An object that is there already is not written again, even when it is damaged: `open_path` reports the damage,
        and the user decides what to do about it.
        """
        sha256, size = _identity(body)
        if self._object_path(sha256).exists():
            return sha256, size
        with told(f"archive {self.root}"), building(self.root / "objects") as target:
            if isinstance(body, bytes):
                target.write(body)
            else:
                with body.open("rb") as file:
                    shutil.copyfileobj(file, target, 1 << 20)
            target.flush()
            # What was copied: the file may have changed meanwhile.
            sha256, size = sha256_of(Path(target.name)), target.tell()
            make_read_only(Path(target.name))
            place(target, self._object_path(sha256))
            sync_entries(self.root / "objects")
        return sha256, size


def _identity(body: Path | bytes) -> tuple[str, int]:
    if isinstance(body, bytes):
        return hashlib.sha256(body).hexdigest(), len(body)
    return known_sha256(body), body.stat().st_size
