"""Reference files over the wire: an address each, with a pinned hash.

The list (setting `reference_list`) is JSON, a name, an address and a sha256 or null for each file. A `{comtrade}`
in an address stands for Comtrade's API. A pinned file that is in the archive is not asked for again. A file whose bytes
are not the pinned ones is refused until `chokepoint pin` has written its hash. A file without a hash is taken as its
address gives it, and the release says so. Not here: columns (see `areas`, `classification`, `conversion`).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from dagster_project.archive.payload import Payload
from dagster_project.datasets.reference.files import FILE_KINDS, PRODUCT_NAMES
from dagster_project.durable import write_whole
from dagster_project.errors import SettingError, SourceError
from dagster_project.places import INSTALLED, command
from dagster_project.settings import REFERENCE_LIST, Settings
from dagster_project.sources import cepii
from dagster_project.sources.files import Found
from dagster_project.sources.http import Service
from dagster_project.sources.live import Live, kind_of_name
from dagster_project.sources.probe import Probe, Seen, probe_of_file

SERVICE = Service("reference", interval=0.5, hosts=("un.org",))
PIN = command("pin")


def reference(live: Live) -> Found:
    """Every listed file, and BACI's list of goods. A file in the archive is sent again only if it has changed.

    SourceError for a file that cannot be fetched, or is not the pinned one.
    """
    files = _listed(live.settings.reference_list)
    payloads = [_pinned(live, record) or _ask(live, record) for record in files]
    for payload, record in zip(payloads, files, strict=True):
        _require_pinned(payload, record, live.settings.reference_list)
    free = [record["name"] for record in files if not record.get("sha256")]
    notes = [f"no hash is pinned for {', '.join(free)}: taken as the publisher has them now ({PIN} pins them)"]
    return Found([*payloads, *_names_of_goods(live)], notes if free else [])


def probes(settings: Settings) -> list[Probe]:
    """The beginning of every listed file, and of BACI's zip its end."""
    return [*(_probe_of(record) for record in _listed(settings.reference_list)), cepii.probe()]


def _probe_of(record: Mapping[str, Any]) -> Probe:
    name, title = record["name"], f"reference file {record['name']}"

    def ask(live: Live) -> Seen:
        address = _address(live, record)
        kind_of_name(FILE_KINDS, name, where=f"{title} in CHOKEPOINT_REFERENCE_LIST")
        live.http.hosts.name([address])
        return probe_of_file(SERVICE, address, name, title).ask(live)

    return Probe(title, ask)


def _names_of_goods(live: Live) -> list[Payload]:
    """The names of the goods of the base revision's edition, from BACI's zip."""
    remote = cepii.remote_zip(live)
    needed = [f"product_codes_HS{remote.edition}_V{remote.release}.csv"]
    return cepii.members(live, remote, cepii.Wanted(PRODUCT_NAMES, lambda name: name in needed, needed))


def pin(live: Live) -> list[str]:
    """Ask for every listed file and write its present hash into the list; the names of those whose hash changed."""
    path = live.settings.reference_list
    if INSTALLED and path == REFERENCE_LIST:
        raise SettingError(
            "setting CHOKEPOINT_REFERENCE_LIST",
            found="the list that was installed with the program, which the next installation replaces",
            expected="a list of your own to write the hashes into",
            remedy=f"Copy {REFERENCE_LIST} to a folder of yours, set CHOKEPOINT_REFERENCE_LIST to it and pin.",
        )
    files, changed = _listed(path), []
    for record in files:
        found = _sha256(_ask(live, record))
        if record.get("sha256") != found:
            changed.append(record["name"])
        record["sha256"] = found
    write_whole(path, json.dumps({"files": files}, indent=1).encode() + b"\n")
    return changed


def _listed(path: Path) -> list[dict[str, Any]]:
    try:
        files = json.loads(path.read_text("utf-8"))["files"]
        assert all(isinstance(record["name"], str) and isinstance(record["address"], str) for record in files)
    except (OSError, ValueError, KeyError, TypeError, AssertionError) as error:
        raise SettingError(
            f"setting CHOKEPOINT_REFERENCE_LIST ({path})",
            found=f"no readable list ({type(error).__name__}: {error})",
            expected='{"files": [{"name": ..., "address": ..., "sha256": ...}]}',
            remedy="Take the list that comes with the program as a pattern.",
        ) from error
    return list(files)


def _pinned(live: Live, record: Mapping[str, Any]) -> Payload | None:
    """The file from the archive, when it is the pinned one."""
    known = live.ledger.validators(_address(live, record))
    if known is None or live.archive.entry(known.entry_id).sha256 != record.get("sha256"):
        return None
    return live.payload(known.entry_id) if live.whole(known.entry_id) else None


def _ask(live: Live, record: Mapping[str, Any]) -> Payload:
    """The file as its address gives it now."""
    name, where = record["name"], f"reference file {record['name']}"
    kind = kind_of_name(FILE_KINDS, name, where=f"{where} in CHOKEPOINT_REFERENCE_LIST")
    live.http.hosts.name([_address(live, record)])
    return live.conditional(SERVICE, _address(live, record), kind, name, where=where)


def _address(live: Live, record: Mapping[str, Any]) -> str:
    return str(record["address"]).replace("{comtrade}", live.settings.comtrade_url)


def _sha256(payload: Payload) -> str:
    assert isinstance(payload.body, Path)
    with payload.body.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _require_pinned(payload: Payload, record: Mapping[str, Any], path: Path) -> None:
    wanted, found = record.get("sha256"), _sha256(payload)
    if wanted and wanted != found:
        raise SourceError(
            f"reference file {record['name']} ({payload.address})",
            found=f"content with sha256 {found}",
            expected=f"sha256 {wanted}, as pinned in {path}",
            remedy=f"The publisher has changed the file. Look at the change, then accept it: {PIN}",
        )
