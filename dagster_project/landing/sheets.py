"""Small tables (CSV, gzipped CSV, XLSX) as rows of text under folded column names, each with its place in the file.

For tables of up to some hundred thousand rows whose layout varies; large delimited files go through `delimited`. Not
here: what the columns mean.
"""

from __future__ import annotations

import csv
import gzip
import io
import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

from python_calamine import CalamineError, CalamineWorkbook

from dagster_project.errors import SourceError
from dagster_project.landing.delimited import column_twice
from dagster_project.sources.integrity import open_zip

_GZIP, _ZIP = b"\x1f\x8b", b"PK\x03\x04"
# A sheet may have titles and notes above its header, which is looked for in so many rows.
_HEADER_SEARCHED_ROWS = 20
# Some exclusion requests have very long texts in one field.
_LONGEST_FIELD = 16_000_000


@dataclass(frozen=True)
class Row:
    """One row: its line or sheet row (the header's is 1 in a CSV) and its cells by folded column name; blank is None.

    `complete` is false when a CSV line has too few or too many fields; `surplus` holds the fields that are too many.
    """

    number: int
    cells: Mapping[str, str | None]
    complete: bool = True
    surplus: Sequence[str] = ()


@dataclass(frozen=True)
class Sheet:
    """A table in memory: column names as written, by their folded form, and the rows."""

    columns: Mapping[str, str]
    rows: Sequence[Row]


def read_sheet(path: Path, shown_as: str, known_columns: Collection[str]) -> Sheet:
    """Read the table; of a workbook, the first sheet that has a row with at least two of the known columns.

    `known_columns` are folded names. SourceError when the content cannot be read or a column stands there twice.
    """
    with path.open("rb") as file:
        start = file.read(4)
    if start.startswith(_ZIP):
        return _read_workbook(path, shown_as, known_columns)
    content = gzip.decompress(path.read_bytes()) if start.startswith(_GZIP) else path.read_bytes()
    return _read_csv(content, shown_as)


def fold(name: str) -> str:
    """A column name without regard to case, outer blanks and the width of inner ones."""
    return re.sub(r"\s+", " ", name.replace("\ufeff", "")).strip().lower()


def _read_csv(content: bytes, shown_as: str) -> Sheet:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        try:
            text = content.decode("cp1252")
        except UnicodeDecodeError as error:
            raise _unreadable(shown_as, f"bytes that are neither UTF-8 nor Windows-1252 ({error})") from error
    csv.field_size_limit(_LONGEST_FIELD)
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        header = next(reader, None)
        if header is None:
            raise _unreadable(shown_as, "no header line")
        columns = _columns(header, shown_as)
        rows = [_csv_row(columns, number, fields) for number, fields in _numbered(reader) if any(fields)]
    except csv.Error as error:
        raise _unreadable(shown_as, f"broken quotes near line {reader.line_num} ({error})") from error
    return Sheet(columns, rows)


def _numbered(reader: Any) -> Iterator[tuple[int, list[str]]]:
    """Each record with the number of the line it ends on, which is where an editor shows it."""
    for fields in reader:
        yield reader.line_num, fields


def _csv_row(columns: Mapping[str, str], number: int, fields: Sequence[str]) -> Row:
    width = len(columns)
    padded = [*fields, *[""] * (width - len(fields))]
    cells = {name: value.strip() or None for name, value in zip(columns, padded, strict=False)}
    return Row(number, cells, len(fields) == width, fields[width:])


def _read_workbook(path: Path, shown_as: str, known_columns: Collection[str]) -> Sheet:
    try:
        with open_zip(path, shown_as):  # not by calamine, which trusts what a workbook says of itself
            workbook = CalamineWorkbook.from_path(str(path))
        names = list(workbook.sheet_names)
        seen: list[str] = []
        for name in names:
            rows = workbook.get_sheet_by_name(name).to_python(skip_empty_area=False)
            at = _header_row(rows, known_columns)
            if at is None:
                seen.append(f"{name!r} begins {[_text(cell) for cell in (rows or [[]])[0]][:8]}")
                continue
            columns = _columns([_text(cell) or "" for cell in rows[at]], f"{shown_as}, sheet {name!r}")
            return Sheet(columns, list(_workbook_rows(columns, rows[at + 1 :], first_number=at + 2)))
    except CalamineError as error:
        raise _unreadable(shown_as, f"a workbook that cannot be opened ({error})") from error
    raise SourceError(
        shown_as,
        found=f"no sheet with a known header ({'; '.join(seen)})",
        expected=f"a row that names columns such as {', '.join(sorted(known_columns)[:8])}",
        remedy="Is this the table its name says? Take it out of the drop folder or mend its header.",
    )


def _header_row(rows: Sequence[Sequence[Any]], known_columns: Collection[str]) -> int | None:
    for at, cells in enumerate(rows[:_HEADER_SEARCHED_ROWS]):
        names = {fold(str(cell)) for cell in cells}
        if len(names & set(known_columns)) >= 2:
            return at
    return None


def _workbook_rows(columns: Mapping[str, str], rows: Iterable[Sequence[Any]], first_number: int) -> Iterator[Row]:
    for number, cells in enumerate(rows, first_number):
        texts = [_text(cell) for cell in cells]
        if any(texts):
            yield Row(number, dict(zip(columns, texts, strict=False)))


def _columns(header: Sequence[str], shown_as: str) -> dict[str, str]:
    """Folded name -> name as written; a nameless column gets its place as name."""
    columns: dict[str, str] = {}
    for place, name in enumerate(header, 1):
        folded = fold(name) or f"column {place}"
        if folded in columns:
            raise column_twice(shown_as, name)
        columns[folded] = name
    return columns


def _text(cell: Any) -> str | None:
    """A cell as text: whole numbers without a decimal point, dates in ISO form, blank as None."""
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    if isinstance(cell, datetime | date):
        return cell.isoformat()
    return str(cell).strip() or None


def _unreadable(shown_as: str, found: str) -> SourceError:
    return SourceError(
        shown_as,
        found=found,
        expected="a comma-separated table with a header line (UTF-8 or Windows-1252), or an .xlsx workbook",
        remedy="Open the file there and mend it, or fetch it again.",
    )
