"""Ideal points from Harvard Dataverse: the newest table of estimates in the authors' data set, once per release.

What belongs here: which of the data set's files is wanted, and whether the file received is that one. Ids of files
change with each release, so a file is recognised by its name and its MD5. Not here: its columns (see `landing`).
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from dagster_project.archive.payload import Payload
from dagster_project.datasets.politics.files import DOI, FILE_KINDS
from dagster_project.errors import SourceError
from dagster_project.settings import Settings
from dagster_project.sources.files import Found
from dagster_project.sources.http import Service, of_known_shape
from dagster_project.sources.ledger import Unit
from dagster_project.sources.live import Live, payload_of_kind
from dagster_project.sources.probe import Probe, Seen

# Two calls fetch a release and one looks for news: a budget of so many a day only stops what has gone wrong.
SERVICE = Service("dataverse", interval=1.0, budget=100, hosts=("dataverse.harvard.edu", "dvn-cloud.s3.amazonaws.com"))
WHERE = f"Harvard Dataverse, data set {DOI}"
KIND = FILE_KINDS[0]
BY_HAND = "Download the table from Harvard Dataverse by hand, place it in the drop folder's politics/ folder, and set "
FROM_FILES = "CHOKEPOINT_POLITICS_SOURCE=files."


@dataclass(frozen=True)
class Listed:
    """A table of ideal points in the data set's list of files.

    `md5` is that of the file as its authors uploaded it. `was_read_in`: Dataverse has converted the file into a table
    of its own, which it gives unless asked for the original. `published` is the day of the release, if it is stated.
    """

    file_id: str
    name: str
    md5: str
    published: str
    is_restricted: bool
    was_read_in: bool

    @property
    def version(self) -> str:
        """A name of its content, which stays the same when the file's id changes."""
        return f"{self.name} {self.md5}"


def fetch(live: Live) -> Found:
    """The newest table of ideal points; a release that is here already is not asked for again."""
    newest = _newest(live)
    done = live.kept(SERVICE.name, DOI, newest.version)
    if not done:
        entry = live.put(_download(live, newest))
        live.ledger.finish(SERVICE.name, DOI, newest.version, Unit(newest.name, "data", entry.id))
        done = live.kept(SERVICE.name, DOI, newest.version)
    live.ledger.settle(SERVICE.name, DOI, newest.version)
    return Found([live.payload(unit.entry_id or "") for unit in done.values()], [])


def changed(live: Live) -> bool:
    """Whether the data set holds another newest table than was last fetched. One call."""
    return live.ledger.settled(SERVICE.name).get(DOI) != _newest(live).version


def probes(settings: Settings) -> list[Probe]:
    """The data set's list of files."""
    return [Probe("Harvard Dataverse", _see)]


def _see(live: Live) -> Seen:
    newest = _newest(live)
    return Seen(f"{newest.name} {newest.published}".strip())


def _newest(live: Live) -> Listed:
    """The table to use. SourceError when there is none, it is restricted, or the list has another shape."""
    url = f"{live.settings.dataverse_url}/api/datasets/:persistentId/versions/:latest/files"
    content = live.http.get_json(SERVICE, url, {"persistentId": DOI}, where=WHERE).content
    needed = "data with files, each a dataFile: id, filename, md5"
    with of_known_shape(f"{WHERE} ({url})", needed):
        names = [_name(record) for record in content["data"]]
        found = [_listed(record) for record in content["data"] if KIND.match(_name(record))]
    if not found:
        raise SourceError(
            f"{WHERE} ({url})",
            found=f"no table of ideal points among {len(names)} files"
            + (f": {', '.join(names[:20])}" if names else ""),
            expected=KIND.looked_for,
            remedy=f"The data set has changed. {BY_HAND}{FROM_FILES}",
        )
    newest = max(found, key=lambda listed: (listed.published, _month(listed.name), int(listed.file_id)))
    if newest.is_restricted:
        raise SourceError(
            f"{WHERE}, file {newest.name}",
            found="a file whose access is restricted",
            expected="a file that anybody may download",
            remedy=f"Ask its authors for access. {BY_HAND}{FROM_FILES}",
        )
    return newest


def _name(record: Mapping[str, Any]) -> str:
    """The name that the authors gave a file, without any folder."""
    file = record["dataFile"]
    return PurePosixPath(file.get("originalFileName") or file["filename"]).name


def _listed(record: Mapping[str, Any]) -> Listed:
    file = record["dataFile"]
    listed = Listed(
        file_id=str(int(file["id"])),
        name=_name(record),
        md5=str(file["md5"]).lower(),
        published=str(file.get("publicationDate") or file.get("creationDate") or ""),
        is_restricted=bool(record.get("restricted") or file.get("restricted")),
        was_read_in=bool(file.get("originalFileName") or file.get("originalFileFormat")),
    )
    if not re.fullmatch(r"[0-9a-f]{32}", listed.md5):
        raise ValueError(f"the MD5 {listed.md5!r} of {listed.name}")
    return listed


_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")


def _month(name: str) -> tuple[int, int]:
    """Year and month in a name such as IdealpointestimatesAll_Jun2024.csv; zeros where there is none."""
    match = re.search(rf"({'|'.join(_MONTHS)})[a-z]*[ _-]?(\d{{4}})", name.lower())
    return (int(match[2]), _MONTHS.index(match[1]) + 1) if match else (0, 0)


def _download(live: Live, listed: Listed) -> Payload:
    """The file as its authors uploaded it. SourceError when another one was received."""
    # Asked for the original of a file that was not read in, some versions of Dataverse answer 404.
    address = f"{live.settings.dataverse_url}/api/access/datafile/{listed.file_id}" + (
        "?format=original" if listed.was_read_in else ""
    )
    where = f"Harvard Dataverse, file {listed.name}"
    path = live.http.download(SERVICE, address, live.downloads, where=where, version=listed.version, name=listed.name)
    found = _md5(path)
    if found != listed.md5:
        form = "tab-separated text: Dataverse's own form of the table, " if _is_tab_separated(path) else "content "
        path.unlink()
        raise SourceError(
            f"{where} ({address})",
            found=f"{form}with MD5 {found}",
            expected=f"the file as uploaded, with MD5 {listed.md5} as the data set's list says",
            remedy=f"Nothing of it was used. Run again later. If it stays so: {BY_HAND}{FROM_FILES}",
        )
    return payload_of_kind(KIND, listed.name, address, path, published=listed.published)


def _md5(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "md5").hexdigest()


def _is_tab_separated(path: Path) -> bool:
    with path.open("rb") as file:
        header = file.readline(1 << 16)
    return header.count(b"\t") > header.count(b",")
