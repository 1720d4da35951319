"""Raw rows as the files in which Comtrade's data come: API rows as CSV and JSON, bulk files as tab-separated text.

Not here: which rows there are (see `sample.reporting`).
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cache
from operator import itemgetter

from dagster_project.datasets.trade import comtrade_files as comtrade
from dagster_project.sample import areas, codes
from dagster_project.sample.files import SampleFile, stored_gzip
from dagster_project.sample.reporting import ITEMS, NO_UNIT, STATE_WEIGHTS, YEARS, RawRow, reports

API_FIELDS = list(comtrade.FIELDS)
TEXT_FIELDS = frozenset(field for field in API_FIELDS if field.endswith(("Desc", "ISO", "Abbr")))
# The fields of the bulk files, and how they spell two of them.
BULK_FIELDS = [field for field in API_FIELDS if field not in TEXT_FIELDS | {"aggrLevel", "isLeaf"}]
BULK_SPELLING = {"cifvalue": "CIFValue", "fobvalue": "FOBValue"}
SLIM_FIELDS = [
    "typeCode",
    "freqCode",
    "refYear",
    "period",
    "reporterCode",
    "flowCode",
    "partnerCode",
    "partner2Code",
    "classificationCode",
    "cmdCode",
    "customsCode",
    "motCode",
    "qtyUnitCode",
    "qty",
    "cifvalue",
    "fobvalue",
    "primaryValue",
]
# A later delivery has what the slim files have, and what is known of weights.
LATER_FIELDS = [
    *SLIM_FIELDS,
    "isQtyEstimated",
    "altQtyUnitCode",
    "altQty",
    "isAltQtyEstimated",
    "netWgt",
    "isNetWgtEstimated",
]

# Reporters by the kind of file their rows come in; everyone else is in the slim file.
AS_JSON = 152  # without descriptions: its text fields are null
AS_JSON_GZ = 757
AS_BULK = (392, 528)
AS_FULL_CSV = STATE_WEIGHTS - {AS_JSON, AS_JSON_GZ, *AS_BULK}

CIF_AND_FOB = frozenset({36})
FOB_IMPORTERS = frozenset({124, 484, 710})

_FLOWS = {"M": "Import", "X": "Export", "RM": "Re-import", "RX": "Re-export", "DX": "Domestic Export"}
_UNITS = {-1: "N/A", 5: "u", 8: "kg"}
_TRANSPORT = {0: "TOTAL MOT", 2100: "Sea"}
_CUSTOMS = {"C00": "TOTAL CPC", "C01": "Clearance for home use"}

Record = dict[str, object]


def files() -> Iterator[SampleFile]:
    """Every trade file of the sample, sorted by path below the drop folder."""
    made = [(f"comtrade/{name}", body, rows) for year in YEARS for name, body, rows in trade_files(year)]
    return iter(sorted(made))


def trade_files(year: int) -> Iterator[tuple[str, bytes, int]]:
    """File name below `comtrade/`, content and number of records of every file of a year."""
    delivered = reports(year)
    by_reporter = delivered.by_reporter
    slim = [
        row
        for reporter, rows in sorted(by_reporter.items())
        if reporter not in AS_FULL_CSV | {AS_JSON, AS_JSON_GZ, *AS_BULK}
        for row in rows
    ]
    full = [row for reporter in sorted(AS_FULL_CSV & by_reporter.keys()) for row in by_reporter[reporter]]
    yield f"C_A_{year}_HS_{AS_JSON}.json", _json(by_reporter[AS_JSON], described=False), len(by_reporter[AS_JSON])
    yield (
        f"C_A_{year}_HS_{AS_JSON_GZ}.json.gz",
        stored_gzip(_json(by_reporter[AS_JSON_GZ], described=True)),
        len(by_reporter[AS_JSON_GZ]),
    )
    yield f"C_A_{year}_HS_full.csv.gz", stored_gzip(_csv(full, API_FIELDS, _full_heading(year))), len(full)
    slim += delivered.broken
    yield f"C_A_{year}_HS_slim.csv", _csv(slim, SLIM_FIELDS, str), len(slim)
    for reporter in AS_BULK:
        body = _csv(by_reporter[reporter], BULK_FIELDS, lambda field: BULK_SPELLING.get(field, field), delimiter="\t")
        yield f"C_A_{reporter}_{year}01_H5_O.txt.gz", stored_gzip(body), len(by_reporter[reporter])
    later = _csv(delivered.corrections, LATER_FIELDS, str.upper)
    yield f"corrections_{year}.csv", b"\xef\xbb\xbf" + later, len(delivered.corrections)


def _full_heading(year: int) -> Callable[[str], str]:
    """Some files of 2018 have another header for the net weight."""
    return lambda field: "netWeight" if (field, year) == ("netWgt", 2018) else field


def _csv(
    rows: Iterable[RawRow], fields: Sequence[str], heading: Callable[[str], str], *, delimiter: str = ","
) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n", delimiter=delimiter)
    writer.writerow([heading(field) for field in fields])
    pick = itemgetter(*fields)
    for row in rows:
        writer.writerow(pick(_record(row)))
    return text.getvalue().encode()


def _json(rows: Sequence[RawRow], *, described: bool) -> bytes:
    """The API's envelope. Numbers of the record are text with one decimal at least; here they become numbers."""
    records = []
    for row in rows:
        record = _record(row)
        for field in ("qty", "altQty", "netWgt", "grossWgt", "cifvalue", "fobvalue", "primaryValue"):
            value = record[field]
            record[field] = None if value == "" else float(str(value))
        if not described:
            record |= dict.fromkeys(TEXT_FIELDS)
        records.append(record)
    envelope = {"elapsedTime": "0.21 secs", "count": len(records), "data": records, "error": ""}
    return json.dumps(envelope, ensure_ascii=False, separators=(",", ":")).encode()


def _record(row: RawRow) -> Record:
    """All 47 fields of a row; empty text where the value is unknown."""
    value = _usd(row.value)
    cif, fob = _valuations(row, value)
    quantity = _amount(row, row.quantity if row.unit != NO_UNIT else None)
    second, second_unit = _second_quantity(row)
    reporter, partner, partner2 = _area(row.reporter), _area(row.partner), _area(row.partner2)
    unit = _UNITS[row.unit]
    world_row = row.partner == 0
    return {
        "typeCode": "C",
        "freqCode": "A",
        "refPeriodId": row.year * 10000 + 101,
        "refYear": row.year,
        "refMonth": 52,
        "period": str(row.year),
        "reporterCode": row.reporter,
        "reporterISO": reporter[0],
        "reporterDesc": reporter[1],
        "flowCode": row.flow,
        "flowDesc": _FLOWS[row.flow],
        "partnerCode": row.partner,
        "partnerISO": partner[0],
        "partnerDesc": partner[1],
        "partner2Code": row.partner2,
        "partner2ISO": partner2[0],
        "partner2Desc": partner2[1],
        "classificationCode": row.revision,
        "classificationSearchCode": "HS",
        "isOriginalClassification": True,
        "cmdCode": row.code,
        "cmdDesc": _goods_name(row.code),
        "aggrLevel": 0 if row.code == "TOTAL" else len(row.code),
        "isLeaf": len(row.code) == 6,
        "customsCode": row.customs,
        "customsDesc": _CUSTOMS[row.customs],
        "mosCode": "0 " if row.partner % 2 else "0",
        "motCode": row.mot,
        "motDesc": _TRANSPORT[row.mot],
        "qtyUnitCode": row.unit,
        "qtyUnitAbbr": unit,
        "qty": quantity,
        "isQtyEstimated": "q" in row.estimated,
        "altQtyUnitCode": second_unit,
        "altQtyUnitAbbr": _UNITS[second_unit],
        "altQty": _amount(row, second),
        "isAltQtyEstimated": False,
        "netWgt": _amount(row, row.weight),
        "isNetWgtEstimated": "w" in row.estimated,
        "grossWgt": "",
        "isGrossWgtEstimated": False,
        "cifvalue": cif,
        "fobvalue": fob,
        "primaryValue": value,
        "legacyEstimationFlag": 2 * ("q" in row.estimated) + 4 * ("w" in row.estimated),
        "isReported": not world_row,
        "isAggregate": world_row,
    }


def _usd(value: int | str) -> str:
    """US cents as dollars, in the shortest form with a decimal point."""
    if isinstance(value, str):
        return value
    dollars, cents = divmod(value, 100)
    return f"{dollars}.{cents // 10}" if cents % 10 == 0 else f"{dollars}.{cents:02d}"


def _valuations(row: RawRow, value: str) -> tuple[str, str]:
    """(cif, fob): imports state cif, exports fob; some importers state both, and those that value fob no cif."""
    if row.flow in ("X", "RX", "DX"):
        return "", value
    if row.reporter in FOB_IMPORTERS:
        return "0.0" if row.partner % 2 else "", value
    if row.reporter in CIF_AND_FOB and isinstance(row.value, int):
        return value, _usd(row.value * 95 // 100)
    return value, ""


def _second_quantity(row: RawRow) -> tuple[int | None, int]:
    """The second quantity and its unit: the first once more, or what was reported where the first is estimated."""
    if row.pieces is not None:
        return row.pieces, ITEMS
    return (None, NO_UNIT) if "q" in row.estimated or row.unit == NO_UNIT else (row.quantity, row.unit)


def _amount(row: RawRow, known: int | None) -> str:
    """A quantity or weight. Unknown ones were 0 in what Comtrade gave for 2017 and 2018, and nothing later."""
    if known is None:
        return "0.0" if row.year < 2019 else ""
    return f"{known}.0"


@cache
def _area(code: int) -> tuple[str, str]:
    """ISO code and name of an area as the rows give them."""
    listed: tuple[areas.Area | areas.Economy, ...] = (
        *areas.economies(),
        areas.WORLD,
        *areas.UNSPECIFIED,
        *areas.GROUPS,
    )
    return next(((area.iso3, area.name) for area in listed if area.code == code), ("", ""))


@cache
def _goods_name(code: str) -> str:
    if code == "TOTAL":
        return "All Commodities"
    names = {product.hs6: product.name for product in codes.products()}
    return names.get(code, f"goods of {code}")
