"""PatentsView's granted tables from the USPTO's Open Data Portal: the product's metadata, and the files that moved.

What belongs here: which files of the product are wanted and when one is fetched. A key may fetch the same file about
twenty times a year, so a failed download is not tried again within a run. Not here: columns (see `patentsview`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from dagster_project.archive.payload import Payload
from dagster_project.datasets.patents import oecd
from dagster_project.datasets.patents.files import FILE_KINDS, OECD_KIND, PATENTSVIEW_TABLES
from dagster_project.errors import SettingError, SourceError
from dagster_project.redaction import noted
from dagster_project.settings import Settings
from dagster_project.sources.files import FileKind, Found, files_below, find_files
from dagster_project.sources.http import Service, of_known_shape
from dagster_project.sources.ledger import Unit
from dagster_project.sources.live import Live, payload_of_kind
from dagster_project.sources.probe import Probe, Seen

KEY_VARIABLE = "USPTO_API_KEY"
SOURCE = "uspto"
PRODUCT = "PVGPATDIS"
HOSTS = ("uspto.gov", "s3.amazonaws.com", "s3.us-east-1.amazonaws.com")  # files lie at a storage host


def patents(live: Live) -> Found:
    """PatentsView's tables in their present release, the other patent tables of the drop folder, and OECD's totals.

    OECD is not asked where its table is in the drop folder.
    """
    files = _files(live)
    payloads = [_fetch(live, kind, record) for kind, record in files]
    by_hand = _by_hand(live)
    placed = any(payload.parameters["kind"] == OECD_KIND for payload in by_hand.payloads)
    reference, notes = ([], []) if placed else oecd.totals(live)
    return Found([*payloads, *by_hand.payloads, *reference], [*by_hand.ignored, *notes])


def changed(live: Live) -> bool:
    """Whether the portal offers another release of a wanted file than was last fetched. One call."""
    settled = live.ledger.settled(SOURCE)
    return any(settled.get(record["fileName"]) != _version(record) for _, record in _files(live))


def probes(settings: Settings) -> list[Probe]:
    """The product's metadata, and the last observations of OECD's totals."""
    return [Probe("USPTO Open Data Portal", _see, key="uspto_api_key"), Probe("OECD", oecd.see)]


def _see(live: Live) -> Seen:
    return Seen(max(str(record["fileReleaseDate"]) for _, record in _files(live)))


def _service(live: Live) -> Service:
    key = live.settings.uspto_api_key
    if key is None:
        raise SettingError(
            "setting CHOKEPOINT_PATENT_SOURCE",
            found=f"uspto, without {KEY_VARIABLE}",
            expected="a key of the USPTO's Open Data Portal",
            remedy=f"Set {KEY_VARIABLE} (data.uspto.gov, sign in), or place the files in the drop folder and set "
            "CHOKEPOINT_PATENT_SOURCE=files.",
        )
    return Service(
        SOURCE,
        interval=1.0,
        key=key.reveal(),
        key_header="X-Api-Key",
        key_variable=KEY_VARIABLE,
        home=live.settings.uspto_url,
        hosts=HOSTS,
    )


def _files(live: Live) -> list[tuple[FileKind, Mapping[str, Any]]]:
    """The product's files that are wanted, by name. SourceError when one is missing or the metadata have changed."""
    where = f"USPTO Open Data Portal, product {PRODUCT}"
    url = f"{live.settings.uspto_url}/datasets/products/{PRODUCT.lower()}"
    content = live.http.get_json(_service(live), url, where=where).content
    needed = "bulkDataProductBag with files: fileName, fileDownloadURI, fileReleaseDate, fileLastModifiedDateTime"
    with of_known_shape(f"{where} ({url})", needed):
        records = content["bulkDataProductBag"][0]["productFileBag"]["fileDataBag"]
        found = [(kind, record) for record in records if (kind := _kind(record["fileName"])) is not None]
        if not all(_version(record) and record["fileDownloadURI"] for _, record in found):
            raise ValueError("a file without address")
    missing = sorted(set(PATENTSVIEW_TABLES) - {kind.kind for kind, _ in found})
    if missing:
        raise SourceError(
            f"{where} ({url})",
            found=f"no file of {', '.join(missing)}",
            expected=f"a file of each of {', '.join(PATENTSVIEW_TABLES)}",
            remedy="The portal has changed. Place the files in the drop folder and set CHOKEPOINT_PATENT_SOURCE=files.",
        )
    return sorted(found, key=lambda pair: str(pair[1]["fileName"]))


def _kind(name: str) -> FileKind | None:
    return next((kind for kind in FILE_KINDS if kind.kind in PATENTSVIEW_TABLES and kind.match(name)), None)


def _version(record: Mapping[str, Any]) -> str:
    return f"{record['fileReleaseDate']} {record['fileLastModifiedDateTime']}"


def _fetch(live: Live, kind: FileKind, record: Mapping[str, Any]) -> Payload:
    name, version, address = record["fileName"], _version(record), record["fileDownloadURI"]
    done = live.kept(SOURCE, name, version)
    request = noted(address)  # a storage host may want a signed one
    if request not in done:
        # One try: a file call counts against the key's yearly allowance. The next run resumes where this one stopped.
        service = replace(_service(live), tries=1)
        path = live.http.download(service, address, live.downloads, where=f"USPTO file {name}", version=version)
        size = record.get("fileSize")
        if isinstance(size, int) and path.stat().st_size != size:
            found = path.stat().st_size
            path.unlink()
            raise SourceError(
                f"USPTO file {name} ({address})",
                found=f"{found:,} bytes",
                expected=f"{size:,} bytes, as the portal's metadata say",
                remedy="Run again; place the file in the drop folder if it stays so.",
            )
        entry = live.put(payload_of_kind(kind, name, address, path))
        live.ledger.finish(SOURCE, name, version, Unit(request, "data", entry.id))
        done = live.kept(SOURCE, name, version)
    live.ledger.settle(SOURCE, name, version)
    return live.payload(done[request].entry_id or "")


def _by_hand(live: Live) -> Found:
    """The patent tables that no portal gives: WIPO's concordance and the reference totals, from the drop folder."""
    kinds = [kind for kind in FILE_KINDS if kind.kind not in PATENTSVIEW_TABLES]
    folder = live.settings.drop_dir / "patents"
    names = [path.relative_to(folder).as_posix() for path in files_below(folder)]
    if not any(kind.match(name) for kind in kinds for name in names):
        return Found([], [])
    return find_files(live.settings.drop_dir, kinds)
