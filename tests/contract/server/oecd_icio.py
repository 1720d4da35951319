"""The OECD's folder of input-output tables as the contract server plays it: zips under names that never change."""

from __future__ import annotations

import io
import zipfile
from functools import cache

from dagster_project.datasets.chains import sample
from dagster_project.sample.files import SampleFile

PREFIX = "/files/STI-PIE/ICIO/2025"
SPANS = ("1995-2000", "2001-2005", "2006-2010", "2011-2015", "2016-2022")


@cache
def zips() -> dict[str, bytes]:
    """Name -> zip: the sample's tables in the newest one, the textbook's in the others."""
    found = {f"{span}_SML.zip": _zip({f"{span[:4]}_SML.csv": _textbook()}) for span in SPANS[:-1]}
    with zipfile.ZipFile(io.BytesIO(_of_sample(".zip")[1])) as extended:
        tables = {name.replace("_EXT", "_SML"): extended.read(name) for name in extended.namelist()}
    return {**found, f"{SPANS[-1]}_SML.zip": _zip({**tables, "ReadMe.txt": b"ICIO"})}


def _textbook() -> bytes:
    return _of_sample(".csv")[1]


def _of_sample(suffix: str) -> SampleFile:
    return next(file for file in sample.files() if file[0].endswith(suffix))


def _zip(members: dict[str, bytes]) -> bytes:
    body = io.BytesIO()
    with zipfile.ZipFile(body, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(zipfile.ZipInfo(name, (2026, 1, 6, 0, 0, 0)), content, zipfile.ZIP_DEFLATED)
    return body.getvalue()
