"""Countries and other areas: Comtrade's two lists and BACI's list become one table, with what counts as a country.

What belongs here: the columns of the lists, how several of them combine, and the definition of a country. Not here: how
files are read (see `reading`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

import pyarrow as pa

from dagster_project.datasets.reference.reading import ReferenceFile, value_or_none
from dagster_project.errors import SourceError
from dagster_project.hs import TAIWAN

COUNTRIES = pa.schema(
    [
        ("country_code", pa.int32()),
        ("iso2", pa.string()),
        ("iso3", pa.string()),
        ("name", pa.string()),
        ("is_group", pa.bool_()),
        ("is_country", pa.bool_()),
        ("is_reporter", pa.bool_()),
        ("valid_from", pa.date32()),
        ("valid_to", pa.date32()),
    ]
)
# Never countries, although no list marks all of them as groups.
NEVER_A_COUNTRY = frozenset({0, 837, 838, 839, 899})
# How the lists name an area that is no more: "Belgium-Luxembourg (...1998)". BACI's list says it in no other way.
_UNTIL = re.compile(r"\(\.\.\.(\d{4})\)")
_NES = re.compile(r"\bnes\b|not elsewhere specified", re.IGNORECASE)


def read_countries(files: Mapping[str, Sequence[ReferenceFile]]) -> list[dict[str, Any]]:
    """One row per area; Comtrade's lists before BACI's. An area is a group when any list says so.

    `files` are the reference files by kind. A row that names an area which is listed already counts as `merged`: it
    completes the area's row. SourceError when there is no list or one cannot be read.
    """
    areas: dict[int, dict[str, Any]] = {}
    for kind in ("reporters", "partner_areas", "baci_countries"):
        read = _baci_areas if kind == "baci_countries" else _comtrade_areas
        for file in files.get(kind, ()):
            for area in read(file):
                area["is_reporter"] = kind == "reporters"
                if area["country_code"] in areas:
                    _merge(areas[area["country_code"]], area)
                    file.set_aside("merged")
                else:
                    areas[area["country_code"]] = area
                    file.land()
    if not areas:
        raise SourceError(
            "reference data, country list",
            found="none",
            expected="Reporters.json and partnerAreas.json, or BACI's country_codes_V<release>.csv",
            remedy="Place one in the drop folder's reference/ (or baci/) folder.",
        )
    if TAIWAN in areas:
        areas[TAIWAN] |= {"iso2": "TW", "iso3": "TWN", "name": "Taiwan (Other Asia, nes)"}
    return [areas[code] for code in sorted(areas)]


def is_country(code: int, name: str, is_group: bool) -> bool:
    """Whether an area is a country, as exporter or as importer."""
    if code == TAIWAN:
        return True
    return code not in NEVER_A_COUNTRY and not is_group and not _NES.search(name)


def _merge(known: dict[str, Any], area: Mapping[str, Any]) -> None:
    """Complete an area's row by what another list says of it."""
    known["is_group"] = known["is_group"] or area["is_group"]
    known["is_country"] = known["is_country"] and area["is_country"]  # "nes" in either name is enough
    known["is_reporter"] = known["is_reporter"] or area["is_reporter"]
    for column in ("iso2", "iso3", "valid_from", "valid_to"):
        known[column] = known[column] or area[column]


def _comtrade_areas(file: ReferenceFile) -> list[dict[str, Any]]:
    try:
        return [_comtrade_area(item) for item in file.json_items("results")]
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise SourceError(
            file.address,
            found=f"no list of areas ({type(error).__name__}: {error})",
            expected='Comtrade\'s shape {"results": [{"id": …, "text": …, "isGroup": …}]}',
            remedy="Fetch the file again from Comtrade's reference tables.",
        ) from error


def _comtrade_area(item: Mapping[str, Any]) -> dict[str, Any]:
    effective, expired = item.get("entryEffectiveDate"), item.get("entryExpiredDate")
    return _area(
        int(item["id"]),
        item.get("reporterCodeIsoAlpha2") or item.get("PartnerCodeIsoAlpha2"),
        item.get("reporterCodeIsoAlpha3") or item.get("PartnerCodeIsoAlpha3"),
        item["text"],
        bool(item.get("isGroup")),
        datetime.fromisoformat(effective).date() if effective else None,
        datetime.fromisoformat(expired).date() if expired else None,
    )


def _baci_areas(file: ReferenceFile) -> list[dict[str, Any]]:
    return [
        _area(
            _country_code(row["country_code"], file),
            row.get("country_iso2") or row.get("iso_2digit_alpha"),
            row.get("country_iso3") or row.get("iso_3digit_alpha"),
            row.get("country_name") or row["country_name_full"],
            False,
            None,
            None,
        )
        for row in file.csv_rows(
            (("country_code",), ("country_name", "country_name_full")),
            ("country_iso2", "iso_2digit_alpha", "country_iso3", "iso_3digit_alpha"),
        )
    ]


def _country_code(text: str, file: ReferenceFile) -> int:
    if not re.fullmatch(r"\d{1,4}", text):
        raise SourceError(
            file.address,
            found=f"the country code {text!r}",
            expected="Comtrade's numeric codes",
            remedy="Fetch the publisher's country list again.",
        )
    return int(text)


def _area(
    code: int,
    iso2: str | None,
    iso3: str | None,
    name: str,
    is_group: bool,
    valid_from: date | None,
    valid_to: date | None,
) -> dict[str, Any]:
    until = _UNTIL.search(name)
    return {
        "country_code": code,
        "iso2": value_or_none(iso2),
        "iso3": value_or_none(iso3),
        "name": name.strip(),
        "is_group": is_group,
        "is_country": is_country(code, name, is_group),
        "valid_from": valid_from,
        "valid_to": valid_to or (date(int(until[1]), 12, 31) if until else None),
    }
