"""Small tables (CSV, gzipped CSV, XLSX) as rows of text under folded column names, each with its place in the file.

For tables of up to some hundred thousand rows whose layout varies; large delimited files go through `delimited`. Not
here: what the columns mean.
"""

from __future__ import annotations

import io
import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Any

from python_calamine import CalamineError, CalamineWorkbook, SheetTypeEnum

from dagster_project.errors import SourceError
from dagster_project.landing.records import column_twice, delimiter_of, distinct_names, read_records
from dagster_project.sources.integrity import open_zip
from dagster_project.sources.text import encoding_note, read_text

_ZIP = b"PK\x03\x04"
# A sheet may have titles and notes above its header, which is looked for in so many rows.
_HEADER_SEARCHED_ROWS = 20


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
    """A table in memory: column names as written, by their folded form, and the rows.

    shown_as  the file, and the sheet of a workbook
    repeated  the folded names of columns that are there more than once
    note      what a user should know of how it is written
    """

    columns: Mapping[str, str]
    rows: Sequence[Row]
    shown_as: str = ""
    repeated: Collection[str] = field(default_factory=frozenset)
    note: str | None = None

    def require_once(self, names: Iterable[str]) -> None:
        """SourceError when one of these columns is there more than once: which one is meant, nobody knows."""
        for name in names:
            if name in self.repeated:
                raise column_twice(self.shown_as, self.columns[name])


def read_sheets(path: Path, shown_as: str, known_columns: Collection[str]) -> tuple[list[Sheet], list[str]]:
    """The tables of a file, and of a workbook which sheets are none, with the reason.

    A CSV is one table. Every sheet of a workbook is one that has a row with at least two of the known columns (folded
    names). SourceError when the content cannot be read or has no table.
    """
    with path.open("rb") as file:
        start = file.read(4)
    if start.startswith(_ZIP):
        return _read_workbook(path, shown_as, known_columns)
    return [_read_csv(path.read_bytes(), shown_as)], []


def fold(name: str) -> str:
    """A column name without regard to case, outer blanks and the width of inner ones."""
    return re.sub(r"\s+", " ", name.replace("\ufeff", "")).strip().lower()


def _read_csv(content: bytes, shown_as: str) -> Sheet:
    text, encoding = read_text(content, shown_as)
    records = read_records(io.StringIO(text), delimiter_of(text.lstrip("\n").partition("\n")[0]), shown_as)
    header = next(records, None)
    if header is None:
        raise _unreadable(shown_as, "no header line")
    columns, repeated = _columns(header.fields)
    rows = [_csv_row(columns, record.last_line, record.fields) for record in records if any(record.fields)]
    return Sheet(columns, rows, shown_as, repeated, encoding_note(encoding))


def _csv_row(columns: Mapping[str, str], number: int, fields: Sequence[str]) -> Row:
    width = len(columns)
    padded = [*fields, *[""] * (width - len(fields))]
    cells = {name: value.strip() or None for name, value in zip(columns, padded, strict=False)}
    return Row(number, cells, len(fields) == width, fields[width:])


def _read_workbook(path: Path, shown_as: str, known_columns: Collection[str]) -> tuple[list[Sheet], list[str]]:
    sheets: list[Sheet] = []
    others: list[str] = []
    try:
        with open_zip(path, shown_as):  # not by calamine, which trusts what a workbook says of itself
            workbook = CalamineWorkbook.from_path(str(path))
        for sheet in workbook.sheets_metadata:
            named = f"{shown_as}, sheet {sheet.name!r}"
            if sheet.typ != SheetTypeEnum.WorkSheet:
                others.append(f"{named}: not read, it is no table")
                continue
            rows = workbook.get_sheet_by_name(sheet.name).to_python(skip_empty_area=False)
            at = _header_row(rows, known_columns)
            if at is None:
                found = [text for cell in (rows or [[]])[0] if (text := _text(cell))][:8]
                others.append(f"{named}: not read, no row names known columns (it begins with {found})")
                continue
            columns, repeated = _columns([_text(cell) or "" for cell in rows[at]])
            found_rows = list(_workbook_rows(columns, rows[at + 1 :], first_number=at + 2))
            sheets.append(Sheet(columns, found_rows, named, repeated))
    except CalamineError as error:
        raise _unreadable(shown_as, f"a workbook that cannot be opened ({error})") from error
    if not sheets:
        raise SourceError(
            shown_as,
            found=f"no sheet with a known header ({'; '.join(others)})",
            expected=f"a row that names columns such as {', '.join(sorted(known_columns)[:8])}",
            remedy="Is this the table its name says? Take it out of the drop folder or mend its header.",
        )
    return sheets, others


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


def _columns(header: Sequence[str]) -> tuple[dict[str, str], frozenset[str]]:
    """Folded name -> name as written, and the folded names that come twice; a nameless column is named by its place."""
    return distinct_names([name if fold(name) else f"column {place}" for place, name in enumerate(header, 1)], fold)


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
        expected="a delimited table with a header line, or an .xlsx workbook",
        remedy="Open the file there and mend it, or fetch it again.",
    )
