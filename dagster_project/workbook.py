"""A workbook for Excel: a cover, the meaning of every column, and a sheet per mart.

Not here: which rows (see `export`).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dagster_project.publish.datapackage import SYNTHETIC, citation, sources

if TYPE_CHECKING:
    from xlsxwriter import Workbook
    from xlsxwriter.format import Format
    from xlsxwriter.worksheet import Worksheet

# What a sheet of Excel holds, its header aside.
MAX_ROWS = 1_048_575
MAX_TEXT, MAX_NAME = 32_767, 31
COVER, COLUMNS = "About", "Columns"
_FORMATS = {"USD": "#,##0", "kg": "#,##0", "1": "0.0000"}
_BY_TYPE = {"DOUBLE": "#,##0.00", "BIGINT": "#,##0", "INTEGER": "0", "DATE": "yyyy-mm-dd", "VARCHAR": "@"}
_WIDTHS = {"VARCHAR": 18, "DOUBLE": 16, "DATE": 12}


@dataclass(frozen=True)
class Sheet:
    """A mart: what the manifest says of it, and the rows to write."""

    mart: str
    facts: Mapping[str, Any]
    n_rows: int
    rows: Iterable[Sequence[Any]]


def write_workbook(
    path: Path, manifest: Mapping[str, Any], sheets: Sequence[Sheet], where: str, left_out: Sequence[str]
) -> int:
    """Write the workbook; returns the number of rows of all its marts."""
    import xlsxwriter

    # Rows go to the disk as they come. A text that begins with = is a text, an address is no link.
    options = {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    with xlsxwriter.Workbook(str(path), options) as book:
        # The same release gives the same file.
        book.set_properties({
            "title": f"Chokepoint, release {manifest['release_id']}",
            "comments": citation(manifest),
            "created": datetime.fromisoformat(manifest["created_at"]).replace(tzinfo=None),
        })  # fmt: skip
        names = _names([sheet.mart for sheet in sheets])
        _write_cover(book, manifest, sheets, names, where, left_out)
        _write_columns(book, sheets)
        for sheet in sheets:
            _write_mart(book, sheet, names[sheet.mart])
    return sum(sheet.n_rows for sheet in sheets)


def _names(marts: Sequence[str]) -> dict[str, str]:
    """Mart -> name of its sheet, which Excel wants short and once."""
    names: dict[str, str] = {}
    for mart in marts:
        name, number = mart[:MAX_NAME], 1
        while name in names.values() or name in (COVER, COLUMNS):
            number += 1
            name = f"{mart[: MAX_NAME - 3]}~{number}"
        names[mart] = name
    return names


def _write_cover(
    book: Workbook,
    manifest: Mapping[str, Any],
    sheets: Sequence[Sheet],
    names: Mapping[str, str],
    where: str,
    left_out: Sequence[str],
) -> None:
    cover = book.add_worksheet(COVER)
    cover.set_column(0, 0, 34)
    cover.set_column(1, 1, 100)
    plain = book.add_format({"text_wrap": True, "valign": "top"})
    bold = book.add_format({"bold": True, "valign": "top"})
    lines: list[tuple[str, str, Format]] = [("Chokepoint", "Vulnerability of supply by country and good", bold)]
    if manifest["synthetic"]:
        red = book.add_format({"bold": True, "font_color": "#C00000", "valign": "top"})
        lines.append(("SYNTHETIC", SYNTHETIC, red))
    lines += [
        ("Release", f"{manifest['release_id']}, made {manifest['created_at']}", plain),
        ("Program", str(manifest["code_version"]), plain),
        ("To cite", citation(manifest), plain),
    ]
    lines += [(f"Source: {each['title']}", _vintage(each), plain) for each in sources(manifest)]
    lines += [("Rows", f"those where {where}", bold)] if where else []
    lines += [
        (f"Sheet {names[sheet.mart]}", f"{sheet.n_rows:,} rows. {' '.join(sheet.facts['description'].split())}", plain)
        for sheet in sheets
    ]
    if left_out:
        lines.append(("Not in this workbook", f"too many rows, unless asked for: {', '.join(left_out)}", plain))
    for row, (label, text, format_) in enumerate(lines):
        cover.write_string(row, 0, label, bold if format_ is plain else format_)
        cover.write_string(row, 1, text[:MAX_TEXT], format_)


def _vintage(source: Mapping[str, Any]) -> str:
    return f"{source['citation']}. Terms: {source['licence']}. Retrieved {source['retrieved'][:10]}."


def _write_columns(book: Workbook, sheets: Sequence[Sheet]) -> None:
    page = book.add_worksheet(COLUMNS)
    _head(book, page, ("mart", "column", "key", "type", "unit", "meaning"), (28, 28, 6, 10, 12, 100))
    wrapped = book.add_format({"text_wrap": True, "valign": "top"})
    row = 0
    for sheet in sheets:
        for name, column in sheet.facts["columns"].items():
            row += 1
            key = "yes" if name in sheet.facts["key"] else ""
            meaning = " ".join(column["description"].split())
            for place, text in enumerate((sheet.mart, name, key, column["type"], column.get("unit", ""), meaning)):
                page.write_string(row, place, text[:MAX_TEXT], wrapped)


def _write_mart(book: Workbook, sheet: Sheet, name: str) -> None:
    page = book.add_worksheet(name)
    columns = list(sheet.facts["columns"].items())
    widths = [max(len(column), _WIDTHS.get(facts["type"], 8)) + 2 for column, facts in columns]
    _head(book, page, [column for column, _ in columns], widths)
    formats = [_format(book, facts) for _, facts in columns]
    for number, values in enumerate(sheet.rows, start=1):
        for place, value in enumerate(values):
            _write_value(page, number, place, value, formats[place])
    if columns:
        page.autofilter(0, 0, sheet.n_rows, len(columns) - 1)


def _head(book: Workbook, page: Worksheet, names: Sequence[str], widths: Sequence[int]) -> None:
    """A header that stays in sight."""
    bold = book.add_format({"bold": True, "bottom": 1, "bg_color": "#E8EDF2"})
    for place, (name, width) in enumerate(zip(names, widths, strict=True)):
        page.set_column(place, place, width)
        page.write_string(0, place, name, bold)
    page.freeze_panes(1, 0)


def _format(book: Workbook, column: Mapping[str, str]) -> Format:
    shape = _FORMATS.get(column.get("unit", "")) or _BY_TYPE.get(column["type"], "General")
    return book.add_format({"num_format": shape})


def _write_value(page: Worksheet, row: int, place: int, value: Any, format_: Format) -> None:
    match value:
        case None:
            return
        case bool():
            page.write_boolean(row, place, value, format_)
        case float() if not math.isfinite(value):
            page.write_string(row, place, str(value), format_)
        case int() | float():
            page.write_number(row, place, value, format_)
        case date():
            page.write_datetime(row, place, value, format_)
        case str():
            page.write_string(row, place, value[:MAX_TEXT], format_)
        case _:  # a list
            page.write_string(row, place, ", ".join(map(str, value))[:MAX_TEXT], format_)
