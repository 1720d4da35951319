"""The OECD's zips of input-output tables: those that hold a year asked for, fetched anew when their bytes changed.

The OECD revises a zip under its old name, so a version is what the server says of the file, never its name, and every
version stays in the archive under its own hash. Not here: what is in a zip (see `icio`).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

from dagster_project.datasets.chains.files import FILE_KINDS, FOLDER, ZIP
from dagster_project.errors import SourceError
from dagster_project.settings import Settings
from dagster_project.sources.files import Found
from dagster_project.sources.http import Service
from dagster_project.sources.integrity import check_start
from dagster_project.sources.ledger import Unit
from dagster_project.sources.live import Live, payload_of_kind
from dagster_project.sources.probe import Probe, Seen

# Five files a release: a budget of so many calls a day only stops what has gone wrong.
SERVICE = Service("oecd_icio", interval=2.0, budget=60, hosts=("webfs-sti.oecd.org",))
SPANS = ((1995, 2000), (2001, 2005), (2006, 2010), (2011, 2015), (2016, 2022))
KIND = next(kind for kind in FILE_KINDS if kind.kind == ZIP)
WHERE = "OECD, Inter-Country Input-Output tables"


def fetch(live: Live) -> Found:
    """The zips that hold the years asked for; what is here in its present version is not asked for again."""
    entries = []
    for name in _wanted(live.settings):
        address, version = _address(live.settings, name), _version(live, name)
        done = live.kept(SERVICE.name, address, version)
        if not done:
            with _by_hand(address):
                path = live.http.download(
                    SERVICE, address, live.downloads, where=f"{WHERE}, {name}", version=version, name=name
                )
            entry = live.put(payload_of_kind(KIND, _part(live.settings, name), address, path, version=version))
            live.ledger.finish(SERVICE.name, address, version, Unit(name, "data", entry.id))
            done = live.kept(SERVICE.name, address, version)
        live.ledger.settle(SERVICE.name, address, version)
        entries += [unit.entry_id for unit in done.values() if unit.entry_id]
    return Found([live.payload(entry) for entry in entries], [])


def changed(live: Live) -> bool:
    """Whether a zip has other bytes than were last fetched, by one small call for each."""
    settled = live.ledger.settled(SERVICE.name)
    return any(settled.get(_address(live.settings, name)) != _version(live, name) for name in _wanted(live.settings))


def probes(settings: Settings) -> list[Probe]:
    """The first bytes of the newest zip."""
    return [Probe("OECD ICIO", _see)]


def _see(live: Live) -> Seen:
    name = _name(SPANS[-1])
    return Seen(f"{name} {_version(live, name)}")


def _wanted(settings: Settings) -> list[str]:
    """The zips that hold a year asked for; the newest one where none does, so that there is a table at all."""
    years = settings.years
    spans = [span for span in SPANS if years is None or any(span[0] <= year <= span[1] for year in years)]
    return [_name(span) for span in spans or SPANS[-1:]]


def _name(span: tuple[int, int]) -> str:
    return f"{span[0]}-{span[1]}_SML.zip"


def _address(settings: Settings, name: str) -> str:
    return f"{settings.oecd_icio_url}/{name}"


def _part(settings: Settings, name: str) -> str:
    """The zip's name below the drop folder, in a folder of its edition, as the address has it."""
    return f"{urlsplit(settings.oecd_icio_url).path.rpartition('/')[2]}/{name}"


def _version(live: Live, name: str) -> str:
    """What the server says of the file: its ETag, when it was last changed, and its size."""
    address = _address(live.settings, name)
    with _by_hand(address):
        answer = live.http.get_start(SERVICE, address, where=f"{WHERE}, {name}")
    check_start(answer.body, name, f"{WHERE}, {name} ({address})")
    headers = answer.headers
    size = headers.get("Content-Range", "").rpartition("/")[2] or headers.get("Content-Length", "")
    said = [headers.get("ETag", ""), headers.get("Last-Modified", ""), size]
    return " ".join(part for part in said if part)


@contextmanager
def _by_hand(address: str) -> Iterator[None]:
    """The OECD's host lets browsers in and often no programs: nothing is tried around that."""
    try:
        yield
    except SourceError as error:
        if "HTTP 403" not in error.found:
            raise
        raise SourceError(
            error.where,
            found=error.found,
            expected=error.expected,
            remedy=f"The OECD's host lets no program in now: download by hand into drop/{FOLDER}/ ({address}), and "
            "set CHOKEPOINT_CHAINS_SOURCE=files.",
        ) from error
