"""Reference tables: countries, products of the base revision with their BEC codes, and the way from every HS revision
to the base revision.

What belongs here: the columns of the reference files and how several files of one kind combine. Not here: the product
scope (a dbt matter) and trade rows (see `trade`).
"""

from __future__ import annotations

import csv
import io
import json
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from itertools import pairwise
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from python_calamine import CalamineError, CalamineWorkbook

from dagster_project.archive.store import Archive, Entry
from dagster_project.errors import SourceError
from dagster_project.hs import REVISION_OF_TWO_DIGITS, REVISION_OF_YEAR, TAIWAN
from dagster_project.landing.delimited import fold_names
from dagster_project.landing.loads import Landed, Load
from dagster_project.landing.tables import replaced_directory

# The columns of UNSD's correlation workbook are named after the edition's two digits.
CORRELATION_COLUMN = {revision: f"hs{year[2:]}" for year, revision in REVISION_OF_YEAR.items()}

# Never a country although neither list marks all of them as groups (measures.md 1).
NEVER_A_COUNTRY = frozenset({0, 837, 838, 839, 899})
_NES = re.compile(r"\bnes\b|not elsewhere specified", re.IGNORECASE)

COUNTRIES = pa.schema(
    [
        ("country_code", pa.int32()),
        ("iso2", pa.string()),
        ("iso3", pa.string()),
        ("name", pa.string()),
        ("is_group", pa.bool_()),
        ("is_country", pa.bool_()),
        ("valid_to", pa.date32()),
    ]
)
PRODUCTS = pa.schema([(name, pa.string()) for name in ("hs_revision", "hs6", "hs6_name", "hs2", "bec4", "bec5")])
CONVERSION = pa.schema(
    [("from_revision", pa.string()), ("from_code", pa.string()), ("hs6", pa.string()), ("weight", pa.float64())]
)

Weights = dict[str, dict[str, float]]  # source code -> target code -> weight
Row = Mapping[str, str]


def land(load: Load) -> Landed:
    """Write landing/reference/{countries,products,hs_conversion}.parquet from the archived reference payloads.

    SourceError when there is no country list or no BEC table of the base revision, and when weights do not sum to 1.
    """
    archive, base = load.archive, load.settings.hs_revision
    notes: list[str] = []
    by_kind: dict[str, list[Entry]] = {}
    for entry in load.entries:
        by_kind.setdefault(entry.parameters["kind"], []).append(entry)
    tables = _conversion_tables(archive, by_kind, notes)
    rows = {
        "countries": (COUNTRIES, _countries(archive, by_kind)),
        "products": (PRODUCTS, _products(archive, by_kind, base, tables)),
        "hs_conversion": (CONVERSION, _to_base(tables, base)),
    }
    with replaced_directory(load.landing / "reference") as building:
        for name, (schema, content) in rows.items():
            pq.write_table(pa.Table.from_pylist(content, schema), building / f"{name}.parquet")
    counts = [{"source": "reference", "rule": "landed", "n": len(content)} for _, content in rows.values()]
    schema = pa.schema([("source", pa.string()), ("rule", pa.string()), ("n", pa.int64())])
    pq.write_table(pa.Table.from_pylist(counts, schema), load.landing / "reference_rule_counts.parquet")
    revisions = sorted({row["from_revision"] for row in rows["hs_conversion"][1]} | {base})
    return Landed(
        notes={"base_revision": base, "revisions_with_a_way": revisions},
        warnings=notes,
        rows={name: len(content) for name, (_, content) in rows.items()},
    )


def is_country(code: int, name: str, is_group: bool) -> bool:
    """Whether an area is a country, either end of a flow (measures.md 1)."""
    if code == TAIWAN:
        return True
    return code not in NEVER_A_COUNTRY and not is_group and not _NES.search(name)


def _countries(archive: Archive, by_kind: Mapping[str, Sequence[Entry]]) -> list[dict[str, Any]]:
    """One row per area; Comtrade's lists before BACI's. An area is a group when any list says so."""
    areas: dict[int, dict[str, Any]] = {}
    for kind in ("reporters", "partner_areas", "baci_countries"):
        for entry in by_kind.get(kind, ()):
            read = _baci_countries if kind == "baci_countries" else _comtrade_areas
            for area in read(archive, entry):
                known = areas.setdefault(area["country_code"], area)
                known["is_group"] = known["is_group"] or area["is_group"]
                known["is_country"] = known["is_country"] and area["is_country"]  # whichever list's name says nes
                for column in ("iso2", "iso3", "valid_to"):
                    known[column] = known[column] or area[column]
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


def _comtrade_areas(archive: Archive, entry: Entry) -> Iterable[dict[str, Any]]:
    try:
        results = json.loads(archive.open_path(entry).read_text(encoding="utf-8-sig"))["results"]
        for area in results:
            expired = area.get("entryExpiredDate")
            yield _area(
                int(area["id"]),
                area.get("reporterCodeIsoAlpha2") or area.get("PartnerCodeIsoAlpha2"),
                area.get("reporterCodeIsoAlpha3") or area.get("PartnerCodeIsoAlpha3"),
                area["text"],
                bool(area.get("isGroup")),
                datetime.fromisoformat(expired).date() if expired else None,
            )
    except (ValueError, KeyError, TypeError) as error:
        raise SourceError(
            entry.address,
            found=f"no list of areas ({type(error).__name__}: {error})",
            expected='Comtrade\'s shape {"results": [{"id": …, "text": …, "isGroup": …}]}',
            remedy="Fetch the file again from Comtrade's reference tables.",
        ) from error


def _baci_countries(archive: Archive, entry: Entry) -> Iterable[dict[str, Any]]:
    for row in _csv_rows(archive, entry, (("country_code",), ("country_name", "country_name_full"))):
        yield _area(
            _country_code(row["country_code"], entry),
            row.get("country_iso2") or row.get("iso_2digit_alpha"),
            row.get("country_iso3") or row.get("iso_3digit_alpha"),
            row.get("country_name") or row["country_name_full"],
            False,
            None,
        )


def _country_code(text: str, entry: Entry) -> int:
    if not re.fullmatch(r"\d{1,4}", text):
        raise SourceError(
            entry.address,
            found=f"the country code {text!r}",
            expected="Comtrade's numeric codes",
            remedy="Fetch the publisher's country list again.",
        )
    return int(text)


def _area(
    code: int, iso2: str | None, iso3: str | None, name: str, is_group: bool, valid_to: date | None
) -> dict[str, Any]:
    return {
        "country_code": code,
        "iso2": _blank_to_none(iso2),
        "iso3": _blank_to_none(iso3),
        "name": name.strip(),
        "is_group": is_group,
        "is_country": is_country(code, name, is_group),
        "valid_to": valid_to,
    }


def _blank_to_none(text: str | None) -> str | None:
    stripped = (text or "").strip()
    return None if stripped in ("", "N/A", "NA", "NULL") else stripped


def _products(
    archive: Archive, by_kind: Mapping[str, Sequence[Entry]], base: str, tables: Mapping[tuple[str, str], Weights]
) -> list[dict[str, Any]]:
    """The base revision's codes: those of its BEC table and those of the weight tables (measures.md 1)."""
    bec = _bec_table(archive, by_kind, base)
    names = {row["hs6"]: row["hs6_name"] for row in bec if row["hs6_name"]}
    for entry in by_kind.get("baci_products", ()):
        if REVISION_OF_TWO_DIGITS.get(entry.parameters["hs"]) == base:
            rows = _csv_rows(archive, entry, (("code",), ("description",)))
            names |= {row["code"]: row["description"] for row in rows if row["code"] not in names}
    codes = {row["hs6"]: row for row in bec}
    for (source, target), weights in tables.items():
        listed = set(weights) if source == base else {t for targets in weights.values() for t in targets}
        if base in (source, target):
            for code in listed - codes.keys():
                codes[code] = {"hs6": code, "bec4": None, "bec5": None}
    return [
        {**codes[code], "hs_revision": base, "hs6_name": names.get(code), "hs2": code[:2]} for code in sorted(codes)
    ]


def _bec_table(archive: Archive, by_kind: Mapping[str, Sequence[Entry]], base: str) -> list[dict[str, Any]]:
    """hs6, hs6_name, bec4, bec5 of the base revision; the first kind of table that has it wins."""
    year = next(year for year, revision in REVISION_OF_YEAR.items() if revision == base)
    for entry in by_kind.get("correlations", ()):
        if rows := _correlation_rows(archive, entry, base):
            return rows
    for entry in by_kind.get("bec_workbook", ()):
        if rows := _bec_workbook_rows(archive, entry, base):
            return rows
    for entry in by_kind.get("bec_table", ()):
        if entry.parameters["hs_year"] == year:
            rows = [
                _bec_row(row["hs6"], row.get("description"), row["bec4"], row["bec5_end_use"], entry)
                for row in _csv_rows(archive, entry, (("hs6",), ("bec4",), ("bec5_end_use",)))
            ]
            return _without_contradiction(rows, entry)
    found = ", ".join(e.address for k in ("correlations", "bec_workbook", "bec_table") for e in by_kind.get(k, ()))
    raise SourceError(
        f"reference data, BEC table of HS revision {base} (HS{year})",
        found=found or "no BEC table at all",
        expected=f"HS-SITC-BEC Correlations_2022.xlsx, a BEC workbook with that revision, or hs{year}_bec.csv",
        remedy="Place one in the drop folder's reference/ folder, or choose another CHOKEPOINT_HS_REVISION.",
    )


def _correlation_rows(archive: Archive, entry: Entry, base: str) -> list[dict[str, Any]]:
    column = CORRELATION_COLUMN[base]
    rows = _sheet_rows(archive, entry, "HS SITC BEC", (column, "bec4", "bec5"))
    found: dict[str, dict[str, Any]] = {}
    for row in rows:
        code = _blank_correlation(row[column])
        if code is not None and code not in found:
            bec5 = _blank_correlation(row["bec5"])
            found[code] = _bec_row(
                code, None, _blank_correlation(row["bec4"]), bec5_end_use(bec5) if bec5 else None, entry
            )
    return list(found.values())


def _bec_workbook_rows(archive: Archive, entry: Entry, base: str) -> list[dict[str, Any]]:
    sheet = {"H4": "HS12BEC5", "H5": "HS17BEC5"}.get(base)
    if sheet is None:
        return []
    rows = _sheet_rows(archive, entry, sheet, ("hs6", "hs6desc", "bec4code", "bec5enduse"))
    rows = [_bec_row(row["hs6"], row["hs6desc"], row["bec4code"], row["bec5enduse"], entry) for row in rows]
    return _without_contradiction(rows, entry)


def _without_contradiction(rows: list[dict[str, Any]], entry: Entry) -> list[dict[str, Any]]:
    """The rows, each once; SourceError when one code stands in two categories: neither can be preferred."""
    known: dict[str, dict[str, Any]] = {}
    for row in rows:
        first = known.setdefault(row["hs6"], row)
        if (first["bec4"], first["bec5"]) != (row["bec4"], row["bec5"]):
            raise SourceError(
                f"{entry.address}, HS code {row['hs6']}",
                found=f"BEC {first['bec4']}/{first['bec5']} and BEC {row['bec4']}/{row['bec5']}",
                expected="one category for each code",
                remedy="Fetch the publisher's file again, or take out the row that is wrong.",
            )
    return list(known.values())


def _bec_row(hs6: str, name: str | None, bec4: str | None, bec5: str | None, entry: Entry) -> dict[str, Any]:
    hs6 = _six_digits(hs6, entry)
    return {"hs6": hs6, "hs6_name": _blank_to_none(name), "bec4": _blank_to_none(bec4), "bec5": _blank_to_none(bec5)}


def _six_digits(code: str, entry: Entry) -> str:
    if not re.fullmatch(r"[0-9]{6}", code):
        raise SourceError(
            entry.address,
            found=f"the HS code {code!r}",
            expected="six digits (a spreadsheet may have taken the leading zero)",
            remedy="Keep code columns as text, or fetch the publisher's file again.",
        )
    return code


def bec5_end_use(code: str) -> str | None:
    """End use (INT, CAP, CONS) of a BEC Rev.5 code: its third digit.

    Read off UNSD's HS17BEC5 sheet, where code and end use stand side by side.
    """
    return {"1": "INT", "2": "CAP", "3": "CONS"}.get(code[2:3])


def _blank_correlation(text: str) -> str | None:
    return None if text in ("", "NULL", "999999") else text


def _conversion_tables(
    archive: Archive, by_kind: Mapping[str, Sequence[Entry]], notes: list[str]
) -> dict[tuple[str, str], Weights]:
    """Every direct conversion by (from, to) revision; weight files come before UNSD's one-target workbooks."""
    tables: dict[tuple[str, str], Weights] = {}
    for entry in by_kind.get("conversion_workbook", ()):
        years = (entry.parameters["from_year"], entry.parameters["to_year"])
        if not set(years) <= REVISION_OF_YEAR.keys():
            raise SourceError(
                entry.address,
                found=f"the HS editions {' and '.join(years)} in its name",
                expected=f"two of {', '.join(REVISION_OF_YEAR)}",
                remedy="Give the file its publisher's name again.",
            )
        tables[REVISION_OF_YEAR[years[0]], REVISION_OF_YEAR[years[1]]] = _one_target_each(archive, entry, *years)
    for entry in by_kind.get("conversion_weights", ()):
        source, target = entry.parameters["from_revision"].upper(), entry.parameters["to_revision"].upper()
        tables[source, target] = _weights(archive, entry, source.lower(), target.lower(), notes)
    return tables


def _one_target_each(archive: Archive, entry: Entry, from_year: str, to_year: str) -> Weights:
    """UNSD's conversion sheet: every source code wholly becomes one target code."""
    columns = (f"from hs{from_year}", f"to hs{to_year}")
    weights: Weights = {}
    for row in _sheet_rows(archive, entry, None, columns):
        if not any(row[column] for column in columns):
            continue
        source, target = (_six_digits(row[column], entry) for column in columns)
        if weights.setdefault(source, {target: 1.0}) != {target: 1.0}:
            raise SourceError(
                f"{entry.address}, source code {source}",
                found=f"the targets {next(iter(weights[source]))} and {target}",
                expected="one target for each source code",
                remedy="Is this the conversion sheet, not the correlation sheet? Fetch the publisher's workbook again.",
            )
    return weights


def _weights(archive: Archive, entry: Entry, source: str, target: str, notes: list[str]) -> Weights:
    weights: Weights = {}
    padded = 0
    for row in _csv_rows(archive, entry, ((source,), (target,), ("weight",))):
        padded += len(row[source]) == 5
        code, into = _weight_code(row[source], entry), _weight_code(row[target], entry)
        targets = weights.setdefault(code, {})
        if targets.setdefault(into, weight := _weight(row["weight"], entry)) != weight:
            raise SourceError(
                f"{entry.address}, source code {code}",
                found=f"the weights {targets[into]} and {weight} for the target {into}",
                expected="one weight for each pair of codes",
                remedy="Fetch the weight file again.",
            )
    for code, targets in weights.items():
        if abs(sum(targets.values()) - 1) > 1e-6 or min(targets.values()) < 0:
            raise SourceError(
                f"{entry.address}, source code {code}",
                found=f"weights that sum to {sum(targets.values())}",
                expected="non-negative weights that sum to 1",
                remedy="Fetch the weight file again; a file cut short looks like this.",
            )
    if padded:
        notes.append(f"{entry.address}: {padded} codes had lost their leading zero and were padded to six digits")
    return weights


def _weight(text: str, entry: Entry) -> float:
    try:
        weight = float(text.replace("_", "?"))  # Python reads 1_0 as 10
    except ValueError:
        weight = math.nan
    if not math.isfinite(weight):
        raise SourceError(
            entry.address,
            found=f"the weight {text!r}",
            expected="a number from 0 to 1",
            remedy="Fetch the weight file again.",
        )
    return weight


def _weight_code(text: str, entry: Entry) -> str:
    """A code of a weight file: the publisher's rows without a group have lost the leading zero of chapters 01-09."""
    code = text.zfill(6)
    if not re.fullmatch(r"\d{6}", code):
        raise SourceError(
            entry.address,
            found=f"the HS code {text!r}",
            expected="five or six digits",
            remedy="Fetch the publisher's weight file again.",
        )
    return code


def _to_base(tables: Mapping[tuple[str, str], Weights], base: str) -> list[dict[str, Any]]:
    """For every revision with a way to the base: its codes, their targets and positive weights, chained."""
    rows: list[dict[str, Any]] = []
    for revision in sorted({source for source, _ in tables} - {base}):
        path = _shortest_path(tables, revision, base)
        if not path:
            continue
        weights = tables[path[0], path[1]]
        for step in pairwise(path[1:]):
            weights = _chain(weights, tables[step])
        for code, targets in sorted(weights.items()):
            rows += [
                {"from_revision": revision, "from_code": code, "hs6": target, "weight": weight}
                for target, weight in sorted(targets.items())
                if weight > 0 and code != "999999"
            ]
    return rows


def _shortest_path(tables: Mapping[tuple[str, str], Weights], start: str, goal: str) -> list[str]:
    """Breadth first over the conversion tables; empty when there is no way."""
    paths, seen = [[start]], {start}
    while paths:
        path = paths.pop(0)
        if path[-1] == goal:
            return path
        for source, target in sorted(tables):
            if source == path[-1] and target not in seen:
                seen.add(target)
                paths.append([*path, target])
    return []


def _chain(first: Weights, second: Weights) -> Weights:
    """Compose two conversions. A code that would lose part of its value on the way has no way at all."""
    chained: Weights = {}
    for code, targets in first.items():
        reached = {middle: weight for middle, weight in targets.items() if weight > 0}
        if any(middle not in second for middle in reached):
            continue
        combined: dict[str, float] = {}
        for middle, weight in reached.items():
            for target, share in second[middle].items():
                combined[target] = combined.get(target, 0.0) + weight * share
        chained[code] = combined
    return chained


def _csv_rows(archive: Archive, entry: Entry, required: Sequence[tuple[str, ...]]) -> list[dict[str, str]]:
    """Rows of a small CSV by folded column name; UTF-8 or Latin-1 (older BACI lists)."""
    content = archive.open_path(entry).read_bytes()
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = content.decode("latin-1")
    reader = csv.reader(io.StringIO(text))
    header = [name.strip().lower() for name in next(reader, [])]
    fold_names([name for name in header if name], entry.address)  # a column that is there twice is an error
    _require(header, required, entry)
    return [
        {name: value.strip() for name, value in zip(header, row, strict=True)}
        for row in _same_width(reader, len(header), entry)
    ]


def _same_width(reader: Iterable[list[str]], width: int, entry: Entry) -> Iterable[list[str]]:
    for number, row in enumerate(reader, start=2):
        if len(row) != width and row:
            raise SourceError(
                f"{entry.address}, line {number}",
                found=f"{len(row)} fields",
                expected=f"{width} fields, as in the header",
                remedy="Fetch the file again; reference tables are used whole or not at all.",
            )
        if row:
            yield row


def _sheet_rows(archive: Archive, entry: Entry, sheet: str | None, columns: Sequence[str]) -> list[dict[str, str]]:
    """Rows of a workbook sheet (the first when None), or of a CSV of the same content, by folded column name."""
    required = [(column,) for column in columns]
    if entry.parameters.get("format", "xlsx").lower() == "csv":
        return _csv_rows(archive, entry, required)
    try:
        workbook = CalamineWorkbook.from_filelike(io.BytesIO(archive.open_path(entry).read_bytes()))
    except CalamineError as error:
        raise SourceError(
            entry.address,
            found=f"no workbook ({error})",
            expected="an Excel workbook, as the name says",
            remedy="Fetch the publisher's workbook again.",
        ) from error
    name = sheet or workbook.sheet_names[0]
    if name not in workbook.sheet_names:
        raise SourceError(
            entry.address,
            found=f"the sheets {', '.join(workbook.sheet_names)}",
            expected=f"a sheet named {name}",
            remedy="Fetch the publisher's workbook again.",
        )
    rows = [[_cell_text(cell) for cell in row] for row in workbook.get_sheet_by_name(name).to_python()]
    rows = [row for row in rows if any(row)]
    header = [cell.lower() for cell in rows[0]] if rows else []
    _require(header, required, entry)
    wanted = [(column, header.index(column)) for column in columns]
    return [{column: row[at] for column, at in wanted} for row in rows[1:]]


def _cell_text(cell: object) -> str:
    """A cell as text; a code that the workbook holds as a number (999999 in one of UNSD's) stays a whole number."""
    return str(int(cell)) if isinstance(cell, float) and cell.is_integer() else str(cell).strip()


def _require(header: Sequence[str], required: Sequence[tuple[str, ...]], entry: Entry) -> None:
    for names in required:
        if not any(name in header for name in names):
            raise SourceError(
                f"{entry.address}, column {' or '.join(names)}",
                found=f"the columns {', '.join(header) or '(none)'}",
                expected="that column (upper and lower case do not count)",
                remedy="Is this the table its name says? Fetch the publisher's file again.",
            )
