"""CEPII BACI, reconciled trade of the whole world: its files, which of several are used, and on what terms.

Not here: the meaning of columns and rows (see `baci_rows`).
"""

from __future__ import annotations

from collections.abc import Sequence

from dagster_project.archive.payload import Payload
from dagster_project.datasets.trade.baci_rows import YEAR_TABLE
from dagster_project.errors import SourceError
from dagster_project.hs import REVISION_OF_TWO_DIGITS
from dagster_project.sources.cepii import BACI, RELEASE
from dagster_project.sources.files import FileKind

_LOOKED_FOR = "BACI_HS<nn>_Y<year>_V<release>.csv or the publisher's BACI_HS<nn>_V<release>.zip"

YEAR_FILE = FileKind(
    "baci_year",
    "baci",
    YEAR_TABLE,
    _LOOKED_FOR,
    "trade",
    BACI,
)
FILE_KINDS = (
    YEAR_FILE,
    FileKind("baci_zip", "baci", rf"(.*/)?BACI_HS(?P<hs>\d\d)_{RELEASE}\.zip", _LOOKED_FOR, "trade", BACI),
)


def choose_edition(payloads: Sequence[Payload], base_revision: str) -> tuple[list[Payload], list[str]]:
    """The payloads of one HS edition and release, and the names of the others, with the reason.

    The same trade appears once in every edition and release, so they must never be added up. The edition of the base
    revision is taken where it is there, else the only one; of several releases the newest. SourceError when the choice
    would be a guess.
    """
    editions = {payload.parameters["hs"] for payload in payloads}
    of_base = [hs for hs in editions if REVISION_OF_TWO_DIGITS.get(hs) == base_revision]
    if not of_base and len(editions) > 1:
        raise SourceError(
            "baci/",
            found=f"files of several HS editions ({', '.join(sorted('HS' + hs for hs in editions))})",
            expected=f"one edition, or one that is the base revision {base_revision}",
            remedy="Keep one edition in the folder, or set CHOKEPOINT_HS_REVISION to one of them.",
        )
    edition = (of_base or list(editions))[0]
    newest: dict[str, str] = {}  # per year; a zip holds all years and competes with every one of them
    same = [payload for payload in payloads if payload.parameters["hs"] == edition]
    for payload in same:
        year = payload.parameters.get("year", "zip")
        newest[year] = max(newest.get(year, ""), payload.parameters["release"].lower())
    if "zip" in newest and len(newest) > 1:
        raise SourceError(
            "baci/",
            found=f"the publisher's zip of edition HS{edition} beside yearly files of it",
            expected="either the zip or the yearly files, which would count the same trade twice",
            remedy="Take one of the two out of the folder.",
        )
    chosen = [
        payload
        for payload in same
        if payload.parameters["release"].lower() == newest[payload.parameters.get("year", "zip")]
    ]
    others = [
        f"{payload.address} ({'an older release' if payload in same else f'another edition than HS{edition}'})"
        for payload in payloads
        if payload not in chosen
    ]
    return chosen, others
