"""What every live source works with: settings, archive, ledger and HTTP client; and the steps all of them share.

What belongs here: archiving an answer before it is noted as done, and conditional requests. Not here: any one source.
"""

from __future__ import annotations

import gzip
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from dagster_project.archive.payload import Payload, Provenance
from dagster_project.archive.store import Archive, Entry
from dagster_project.errors import ArchiveDamaged, SettingError, SourceError
from dagster_project.locks import Taken, held
from dagster_project.settings import Settings
from dagster_project.sources.files import FileKind
from dagster_project.sources.http import Http, Service
from dagster_project.sources.integrity import check_fetched
from dagster_project.sources.ledger import Ledger, Unit, Validators

_IN_WORK = "in-work-"
BRIEF: Mapping[str, Any] = {"tries": 2, "timeout": (5.0, 15.0)}


@dataclass(frozen=True)
class Live:
    """What one look at a live source works with."""

    settings: Settings
    archive: Archive
    ledger: Ledger
    http: Http

    @property
    def downloads(self) -> Path:
        """Where files lie until they are whole and archived."""
        return self.settings.data_dir / "downloads"

    @property
    def now(self) -> datetime:
        """The client's time, UTC."""
        return datetime.fromtimestamp(self.http.clock(), UTC)

    def put(self, payload: Payload) -> Entry:
        """Archive a payload as of now; a downloaded file is removed once it is in."""
        entry = self.archive.put(payload, retrieved_at=self.now)
        if isinstance(payload.body, Path) and self.downloads in payload.body.parents:
            payload.body.unlink(missing_ok=True)
        return entry

    def payload(self, entry_id: str) -> Payload:
        """An archived payload again; ArchiveDamaged when its bytes are not what they were."""
        return payload_of(self.archive, self.archive.entry(entry_id))

    def kept(self, source: str, scope: str, version: str) -> dict[str, Unit]:
        """The finished units whose payload, where they have one, is still whole in the archive."""
        units = self.ledger.units(source, scope, version)
        return {request: unit for request, unit in units.items() if unit.entry_id is None or self.whole(unit.entry_id)}

    def whole(self, entry_id: str) -> bool:
        """Whether an archived payload still has the bytes that it had."""
        try:
            self.archive.open_path(self.archive.entry(entry_id))
        except ArchiveDamaged:
            return False
        return True

    def conditional(self, service: Service, address: str, kind: FileKind, name: str, *, where: str) -> Payload:
        """A small file by address, asked for only when it changed: 304 gives the archived one.

        SourceError when the file is not whole, or not what its name says.
        """
        known = self.ledger.validators(address)
        if known is not None and not self.whole(known.entry_id):
            known = None
        headers = {}
        if known is not None and known.etag:
            headers["If-None-Match"] = known.etag  # as received: some servers do not quote it
        elif known is not None and known.last_modified:
            headers["If-Modified-Since"] = known.last_modified
        ask = self.http.get_json if name.endswith(".json") else self.http.get_bytes
        answer = ask(service, address, where=where, headers=headers, accept=(200, 304))
        if answer.status == 304 and known is not None:
            return self.payload(known.entry_id)
        self.downloads.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=self.downloads, prefix=_IN_WORK) as folder:
            path = Path(folder) / name
            path.write_bytes(answer.body)
            check_fetched(path, f"{where} ({address})")
            entry = self.put(payload_of_kind(kind, name, address, path))
        self.ledger.remember(
            address, Validators(answer.headers.get("ETag"), answer.headers.get("Last-Modified"), entry.id)
        )
        return payload_of(self.archive, entry)


@contextmanager
def live_session(settings: Settings, http: Http | None = None, *, brief: bool = False) -> Iterator[Live]:
    """A session with the live sources under these settings; one process at a time may have one for a data directory.

    A brief one ends within the minute that Dagster gives a sensor: SourceError when another process has a session,
    and failures are not tried again for long.
    """
    ledger = Ledger(settings.data_dir / "calls.sqlite")
    try:
        with held(settings.data_dir / "sources.lock", "the live sources are being asked", wait=not brief):
            for left in (settings.data_dir / "downloads").glob(f"{_IN_WORK}*"):  # by a process that was killed
                shutil.rmtree(left)
            client = http or make_http(ledger, settings.user_agent, **(BRIEF if brief else {}))
            client.hosts.name(settings.addresses())
            yield Live(settings, Archive(settings.archive_dir), ledger, client)
    except Taken as error:
        raise SourceError(
            f"data directory {settings.data_dir}",
            found=f"another run that is asking the live sources ({error.holder or 'which one is not known'})",
            expected="one at a time",
            remedy="Try again when that run has ended.",
        ) from error


def make_http(ledger: Ledger, user_agent: str, **options: Any) -> Http:
    """The client as runs use it; options as `Http` takes them."""
    return Http(ledger, user_agent=user_agent, **options)


def payload_of(archive: Archive, entry: Entry) -> Payload:
    """The payload that an entry was made from."""
    provenance = Provenance(entry.source, entry.publisher, entry.citation, entry.licence, synthetic=entry.synthetic)
    return Payload(
        provenance, entry.dataset, entry.part, entry.address, archive.open_path(entry), entry.parameters, entry.rows
    )


def payload_of_kind(kind: FileKind, name: str, address: str, body: Path | bytes, **more: str) -> Payload:
    """A payload as the drop folder would give a file of that name."""
    match = kind.match(name)
    assert match is not None, (kind.kind, name)
    parameters = {key: value for key, value in match.groupdict().items() if value is not None}
    return Payload(kind.provenance, kind.dataset, name, address, body, {**parameters, **more, "kind": kind.kind})


def kind_of_name(kinds: Sequence[FileKind], name: str, *, where: str) -> FileKind:
    """The first kind that a file name is of; SettingError for a name of none."""
    for kind in kinds:
        if kind.match(name):
            return kind
    raise SettingError(
        where,
        found=f"a file named {name}",
        expected="; ".join(dict.fromkeys(kind.looked_for for kind in kinds)),
        remedy="Correct the address: its last part tells which table the file holds.",
    )


def compressed(body: bytes) -> bytes:
    """A body as gzip, without a clock time in it."""
    return gzip.compress(body, compresslevel=6, mtime=0)
