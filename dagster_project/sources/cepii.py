"""CEPII, who publishes BACI: terms, and members of the release's zip read by byte ranges, or the whole zip.

Two datasets take files from the same zip. What belongs here: finding the newest release, the zip's directory, and one
gzip per member with the very bytes that CEPII compressed. Not here: which members a dataset wants, their columns, and
how a call is made (see `http`).
"""

from __future__ import annotations

import re
import zipfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from dagster_project.archive.payload import Payload, Provenance
from dagster_project.errors import SourceError
from dagster_project.hs import REVISION_OF_TWO_DIGITS
from dagster_project.sources.files import FileKind
from dagster_project.sources.http import RangeRefused, Service, Span
from dagster_project.sources.integrity import BrokenZip, check_fetched, open_zip
from dagster_project.sources.ledger import Unit
from dagster_project.sources.live import Live, payload_of_kind
from dagster_project.sources.probe import Probe, Seen
from dagster_project.sources.zip_member import extract_table

SOURCE = "baci"
SERVICE = Service(SOURCE, interval=0.5, hosts=("cepii.fr",))
_TAILS = (1 << 16, 1 << 22)  # where the zip's directory lies; the second is for one of many members
_RELEASE = re.compile(r"V(\d{6}[a-z]?)")
_YEAR = re.compile(r"_Y(\d{4})_")

BACI = Provenance(
    source=SOURCE,
    publisher="CEPII, BACI",
    citation="Gaulier, G. and Zignago, S. (2010). BACI: International Trade Database at the Product-Level. "
    "CEPII Working Paper 2010-23",
    licence="Etalab 2.0",
)
# How a file name tells its release, for the patterns of file kinds.
RELEASE = r"V(?P<release>\d{6}[a-z]?)"


@dataclass(frozen=True)
class Wanted:
    """What a dataset takes from the zip: members of a kind whose names it `accepts`. Those `needed` must be there."""

    kind: FileKind
    accepts: Callable[[str], bool]
    needed: Sequence[str]


@dataclass(frozen=True)
class Remote:
    """One zip at the publisher: its address, a text that names its version, its size, its last bytes where known."""

    url: str
    edition: str
    release: str
    version: str
    size: int | None
    tail: bytes | None
    etag: str | None = None


def members(live: Live, remote: Remote, wanted: Wanted) -> list[Payload]:
    """The payloads of the wanted members, fetched unless they are here in this version.

    SourceError when a needed one is not in the zip.
    """
    scope = f"{wanted.kind.kind} {remote.edition}"
    done = live.kept(SOURCE, scope, remote.version)
    if wanted.needed and all(name in done for name in wanted.needed):
        names = list(wanted.needed)
    else:
        names = _fetch(live, remote, wanted, scope, done)
        done = live.kept(SOURCE, scope, remote.version)
    live.ledger.settle(SOURCE, "used", remote.version)
    return [live.payload(entry_id) for name in names if (entry_id := done[name].entry_id)]


def newest_release(live: Live) -> str:
    """The release that the settings name, or the newest that the publisher's page names."""
    if live.settings.baci_release != "newest":
        return live.settings.baci_release
    url = f"{live.settings.baci_url}/doc/baci_webpage.html"
    where = "BACI, the page that names the newest release"
    page = live.http.get_bytes(SERVICE, url, where=where, page=True).body.decode("utf-8", "replace")
    releases = _RELEASE.findall(page)
    if not releases:
        raise SourceError(
            f"{where} ({url})",
            found="no name of a release such as V202401b",
            expected="at least one",
            remedy="Set CHOKEPOINT_BACI_RELEASE to the release that CEPII's page shows.",
        )
    return max(releases)


def changed(live: Live) -> bool:
    """Whether the publisher offers another file than was last used."""
    remote = remote_zip(live)
    return live.ledger.settled(SOURCE, ["used"]).get("used") != remote.version


def remote_zip(live: Live) -> Remote:
    """The zip of the base revision's edition, in the release that the settings choose."""
    edition = next(hs for hs, revision in REVISION_OF_TWO_DIGITS.items() if revision == live.settings.hs_revision)
    release = newest_release(live)
    url = f"{live.settings.baci_url}/data/BACI_HS{edition}_V{release}.zip"
    tail = live.http.get_tail(SERVICE, url, _TAILS[0], where=f"BACI HS{edition} {release}")
    if tail is None:
        return Remote(url, edition, release, f"{url} whole", None, None)
    answer, size = tail
    mark = answer.headers.get("ETag") or answer.headers.get("Last-Modified") or ""
    return Remote(url, edition, release, f"{url} {mark} {size}", size, answer.body, mark)


def probe() -> Probe:
    """The newest release, and the end of its zip, where the directory lies."""
    return Probe("CEPII BACI", _see)


def _see(live: Live) -> Seen:
    remote = remote_zip(live)
    if remote.tail is None:
        return Seen(f"release {remote.release}", ["the zip is not given in parts: a run fetches the whole of it"])
    if b"PK\x05\x06" not in remote.tail or f"_V{remote.release}.csv".encode() not in remote.tail:
        raise SourceError(
            f"BACI {remote.release} ({remote.url})",
            found="a file without the directory of a zip at its end, or with other members than BACI's",
            expected=f"members named BACI_HS{remote.edition}_Y<year>_V{remote.release}.csv",
            remedy="Run again later, or place the publisher's zip in the drop folder.",
        )
    return Seen(f"release {remote.release}")


def _fetch(live: Live, remote: Remote, wanted: Wanted, scope: str, done: Mapping[str, Unit]) -> list[str]:
    """Fetch and archive the wanted members that are not done, and return the names of all wanted ones."""
    folder = live.downloads / "baci"
    try:
        archive = _by_range(live, remote, folder, wanted, done)
    except RangeRefused:
        archive = live.http.download(SERVICE, remote.url, folder, where=f"BACI {remote.release}, the whole zip")
    names = _names(archive, remote, wanted)
    for name in names:
        if name in done:
            continue
        stored, body = _member(archive, name, folder, remote, wanted.kind)
        entry = live.put(payload_of_kind(wanted.kind, stored, f"{remote.url}#{stored}", body))
        live.ledger.finish(SOURCE, scope, remote.version, Unit(name, "data", entry.id))
    archive.unlink(missing_ok=True)
    return names


def _member(archive: Path, name: str, folder: Path, remote: Remote, kind: FileKind) -> tuple[str, Path | bytes]:
    """A member's file name and content: as CEPII compressed it where its kind may be gzip, else as text."""
    base = PurePosixPath(name).name  # a folder in the zip is none here
    if not kind.match(f"{base}.gz"):
        with open_zip(archive, f"BACI {remote.release} ({remote.url})") as held:
            return base, held.read(name)
    path, gzipped = extract_table(archive, name.lower(), folder, remote.url)
    final = path.replace(folder / (f"{base}.gz" if gzipped else base))
    check_fetched(final, f"BACI {remote.release}, member {name} ({remote.url})")
    return final.name, final


def _names(archive: Path, remote: Remote, wanted: Wanted) -> list[str]:
    with open_zip(archive, f"BACI {remote.release} ({remote.url})") as directory:
        held = directory.namelist()
    missing = [name for name in wanted.needed if name not in held]
    if missing:
        years = ", ".join(match[1] for name in held if (match := _YEAR.search(name)))
        raise SourceError(
            f"BACI {remote.release} ({remote.url})",
            found=f"a zip without {', '.join(missing)}; it holds the years {years or 'none'}",
            expected="every year that CHOKEPOINT_YEARS asks for",
            remedy="Ask for years of that release, or set CHOKEPOINT_HS_REVISION to an edition that covers them.",
        )
    return [name for name in held if wanted.accepts(name)]


def _by_range(live: Live, remote: Remote, folder: Path, wanted: Wanted, done: Mapping[str, Unit]) -> Path:
    """A local copy of the zip in which only its directory and the wanted members are filled in, at their places."""
    if remote.tail is None or remote.size is None:
        raise RangeRefused(remote.url)
    folder.mkdir(parents=True, exist_ok=True)
    image = folder / f"BACI_HS{remote.edition}_V{remote.release}.zip"
    members, directory_start = _directory(live, remote, image)
    _names(image, remote, wanted)
    starts = sorted([*(member.header_offset for member in members), directory_start])
    for member in members:
        if not wanted.accepts(member.filename) or member.filename in done:
            continue
        start = member.header_offset
        span = Span(start, next(other for other in starts if other > start) - start, remote.etag)
        where = f"BACI {remote.release}, {member.filename}"
        part = live.http.download(SERVICE, remote.url, folder, where=where, span=span)
        with part.open("rb") as source, image.open("r+b") as target:
            target.seek(start)
            while block := source.read(1 << 20):
                target.write(block)
        part.unlink()
    return image


def _directory(live: Live, remote: Remote, image: Path) -> tuple[list[zipfile.ZipInfo], int]:
    assert remote.tail is not None and remote.size is not None
    tail = remote.tail
    for length in (None, _TAILS[1]):
        if length is not None:
            again = live.http.get_tail(SERVICE, remote.url, length, where=f"BACI {remote.release}, directory")
            if again is None:
                raise RangeRefused(remote.url)
            tail = again[0].body
        with image.open("wb") as file:
            file.truncate(remote.size)
            file.seek(remote.size - len(tail))
            file.write(tail)
        try:
            with open_zip(image, f"BACI {remote.release} ({remote.url})") as archive:
                return archive.infolist(), archive.start_dir
        except BrokenZip:
            continue
    image.unlink(missing_ok=True)
    raise SourceError(
        f"BACI {remote.release} ({remote.url})",
        found="a zip without a directory at its end (cut off at the publisher's?)",
        expected="a whole zip",
        remedy="Run again later, or place the publisher's zip in the drop folder (CHOKEPOINT_TRADE_SOURCE=baci_files).",
    )
