"""One archived reference file: its rows as text, and the account of what became of each of them.

What belongs here: CSV, workbook and JSON containers, the columns a table must have, and the counting of rows. Not here:
what columns mean (see `areas`, `classification`, `conversion`).
"""

from __future__ import annotations

import io
import json
import re
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from python_calamine import CalamineError, CalamineWorkbook

from dagster_project.archive.store import Archive, Entry
from dagster_project.errors import SourceError
from dagster_project.landing.records import Record, column_twice, delimiter_of, distinct_names, read_records
from dagster_project.landing.tables import RuleCounts
from dagster_project.sources.integrity import open_zip
from dagster_project.sources.text import encoding_note, read_text

Row = dict[str, str]


@dataclass
class ReferenceFile:
    """One archived file. Every row that is read here must be counted once: as landed, or set aside by a named rule.

    A row is a record of a CSV (a quoted value may go on over several lines), a line of the sheet that holds the table,
    or an item of a JSON list. Blank lines and headers are no rows. `remarks` say what is odd about how the file is
    written, and which sheets nothing reads.
    """

    archive: Archive
    entry: Entry
    rows_read: int = 0
    landed: int = 0
    rules: Counter[str] = field(default_factory=Counter)
    remarks: list[str] = field(default_factory=list)

    @property
    def address(self) -> str:
        """Where the file came from, for messages."""
        return self.entry.address

    @property
    def parameters(self) -> dict[str, str]:
        """What the file's name says of it."""
        return dict(self.entry.parameters)

    @property
    def kind(self) -> str:
        """Which table of which publisher it is (see `files`)."""
        return self.entry.parameters["kind"]

    @property
    def group(self) -> str:
        """What it is counted under: its source and kind, such as `comtrade reporters`."""
        return f"{self.entry.source} {self.kind}"

    def land(self, rows: int = 1) -> None:
        """Count rows that contributed to a row of a landing table."""
        self.landed += rows

    def set_aside(self, rule: str, rows: int = 1) -> None:
        """Count rows that a rule set aside."""
        self.rules[rule] += rows

    def counts(self) -> RuleCounts:
        """The account of the file's rows."""
        return RuleCounts(self.rows_read, self.landed, {rule: n for rule, n in sorted(self.rules.items()) if n})

    def csv_rows(self, required: Sequence[tuple[str, ...]], optional: Sequence[str] = ()) -> list[Row]:
        """Rows of a small CSV by folded column name.

        SourceError unless one column of each tuple in `required` is there, no column that is read is there twice, and
        every row has all fields. Lines of a single field below the last row are a footer.
        """
        records = self._records()
        header = next(records, None)
        names, repeated = distinct_names(header.fields if header else [])
        self._require(names, required)
        for name in (*(name for each in required for name in each), *optional):
            if name in repeated:
                raise column_twice(self.address, names[name])
        kept = list(records)
        while kept and len(kept[-1].fields) == 1 < len(names):
            kept.pop()
            self.rows_read += 1
            self.set_aside("footer")
        rows = []
        for record in kept:
            if len(record.fields) != len(names):
                raise SourceError(
                    f"{self.address}, line {record.last_line}",
                    found=f"{len(record.fields)} fields",
                    expected=f"{len(names)} fields, as in the header",
                    remedy="Fetch the file again; reference tables are used whole or not at all.",
                )
            rows.append({name: value.strip() for name, value in zip(names, record.fields, strict=True)})
        self.rows_read += len(rows)
        return rows

    def sheet_rows(self, sheet: str | None, columns: Sequence[str], known: Collection[str] = ()) -> list[Row]:
        """Rows of a workbook's sheet (the first when None), or of a CSV of the same content, by folded column name.

        Sheets that are not `known` to be read elsewhere are remarked on.
        """
        required = [(column,) for column in columns]
        if self._is_csv:
            return self.csv_rows(required)
        name = sheet or self._workbook.sheet_names[0]
        others = [other for other in self._workbook.sheet_names if other not in (name, *known)]
        self._remark(f"sheets that nothing reads: {', '.join(others)}" if others else None)
        if name not in self._workbook.sheet_names:
            raise SourceError(
                self.address,
                found=f"the sheets {', '.join(self._workbook.sheet_names)}",
                expected=f"a sheet named {name}",
                remedy="Fetch the publisher's workbook again.",
            )
        lines = self._sheet_lines(name)
        names, repeated = distinct_names(lines[0] if lines else [])
        self._require(names, required)
        for column in columns:
            if column in repeated:
                raise column_twice(f"{self.address}, sheet {name!r}", names[column])
        wanted = [(column, list(names).index(column)) for column in columns]
        rows = [{column: line[at] for column, at in wanted} for line in lines[1:]]
        self.rows_read += len(rows)
        return rows

    def json_items(self, name: str) -> list[Any]:
        """The items of the list `name`. For content without such a list Python's own error is raised."""
        text, _ = read_text(self.archive.open_path(self.entry).read_bytes(), self.address)
        items = json.loads(text)[name]
        self.rows_read += len(items)
        return list(items)

    def set_aside_csv(self, rule: str) -> None:
        """Count all rows of a CSV that is not needed. Its columns and values are not looked at."""
        rows = max(sum(1 for _ in self._records()) - 1, 0)
        self.rows_read += rows
        self.set_aside(rule, rows)

    def set_aside_sheet(self, sheet: str, rule: str) -> None:
        """Count all rows of a sheet that is not needed, if it is there; of a CSV of the same content, the file's."""
        if self._is_csv:
            self.set_aside_csv(rule)
        elif sheet in self._workbook.sheet_names:
            rows = max(len(self._sheet_lines(sheet)) - 1, 0)
            self.rows_read += rows
            self.set_aside(rule, rows)

    @property
    def _is_csv(self) -> bool:
        return self.parameters.get("format", "xlsx").lower() == "csv"

    def _records(self) -> Iterator[Record]:
        """Each record of a CSV, the header first."""
        text, encoding = read_text(self.archive.open_path(self.entry).read_bytes(), self.address)
        self._remark(encoding_note(encoding))
        return read_records(io.StringIO(text), delimiter_of(text.lstrip("\n").partition("\n")[0]), self.address)

    def _remark(self, remark: str | None) -> None:
        if remark is not None and f"{self.address}: {remark}" not in self.remarks:
            self.remarks.append(f"{self.address}: {remark}")

    @cached_property
    def _workbook(self) -> CalamineWorkbook:
        try:
            path = self.archive.open_path(self.entry)
            with open_zip(path, self.address):
                return CalamineWorkbook.from_filelike(io.BytesIO(path.read_bytes()))
        except CalamineError as error:
            raise SourceError(
                self.address,
                found=f"no workbook ({error})",
                expected="an Excel workbook, as the name says",
                remedy="Fetch the publisher's workbook again.",
            ) from error

    def _sheet_lines(self, name: str) -> list[list[str]]:
        """The lines of a sheet as text, the header first, without blank ones."""
        lines = [[_cell_text(cell) for cell in line] for line in self._workbook.get_sheet_by_name(name).to_python()]
        return [line for line in lines if any(line)]

    def _require(self, header: Collection[str], required: Sequence[tuple[str, ...]]) -> None:
        for names in required:
            if not any(name in header for name in names):
                raise SourceError(
                    f"{self.address}, column {' or '.join(names)}",
                    found=f"the columns {', '.join(header) or '(none)'}",
                    expected="that column (upper and lower case do not count)",
                    remedy="Is this the table its name says? Fetch the publisher's file again.",
                )


def _cell_text(cell: object) -> str:
    """A cell as text; a code that the workbook holds as a number (999999 in one of UNSD's) stays a whole number."""
    return str(int(cell)) if isinstance(cell, float) and cell.is_integer() else str(cell).strip()


def value_or_none(text: str | None) -> str | None:
    """A text without outer blanks; None for the ways in which publishers say that there is no value."""
    stripped = (text or "").strip()
    return None if stripped in ("", "N/A", "NA", "NULL") else stripped


def require_six_digits(code: str, file: ReferenceFile) -> str:
    """Return the HS code; SourceError unless it has six digits."""
    if not re.fullmatch(r"[0-9]{6}", code):
        raise SourceError(
            file.address,
            found=f"the HS code {code!r}",
            expected="six digits (a spreadsheet may have taken the leading zero)",
            remedy="Keep code columns as text, or fetch the publisher's file again.",
        )
    return code
