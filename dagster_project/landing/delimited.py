"""Delimited text as a DuckDB relation of text columns with folded names, and text as exact numbers.

Not here: what the columns mean.
"""

from __future__ import annotations

import csv
import gzip
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import BinaryIO

import duckdb

from dagster_project.durable import problem_of
from dagster_project.errors import SourceError, UserError
from dagster_project.sql import identifier, literal, one_file


@dataclass(frozen=True)
class TextTable:
    """A table expression whose columns are all text.

    `columns` maps the folded name (trimmed, lower case) of each column to its name in the file, in the file's order.
    """

    expression: str
    columns: Mapping[str, str]

    def column(self, name: str) -> str:
        """SQL for a column, trimmed; a null of type text when the file does not have it."""
        original = self.columns.get(name)
        return f"trim({identifier(original)})" if original is not None else "cast(null as varchar)"


@dataclass(frozen=True)
class Dialect:
    """How a delimited file is written.

    In a `labelled` file (SDMX with labels), the name of a column of codes and that of the column of labels behind it
    may differ in case only; the second is then called "<code> label".
    """

    delimiter: str = ","
    gzipped: bool = False
    encoding: str = "utf-8"
    labelled: bool = False


def open_delimited(
    connection: duckdb.DuckDBPyConnection,
    path: Path,
    shown_as: str,
    dialect: Dialect = Dialect(),
    *,
    rejects: str | None = None,
) -> TextTable:
    """Open a delimited file whose first line is its header; nothing is read but that line.

    `rejects` names a temporary table that then collects the lines that have the wrong number of fields or broken
    quotes; without it such a line is an error. SourceError when the header cannot be read or names a column twice.
    """
    names = _header(path, shown_as, dialect)
    if dialect.labelled:
        names = [
            f"{before} label" if before.isupper() and not name.isupper() else name
            for before, name in pairwise(["", *names])
        ]
    columns = ", ".join(f"{literal(name)}: 'VARCHAR'" for name in names)
    options = [
        # DuckDB's detection mistakes an unusual header for data, or unusual data for a header.
        "auto_detect=false",
        "header=true",
        f"columns={{{columns}}}",
        f"delim={literal(dialect.delimiter)}",
        """quote='"'""",
        """escape='"'""",
        f"compression='{'gzip' if dialect.gzipped else 'none'}'",
        f"encoding={literal(dialect.encoding)}",
        "null_padding=false",
        "max_line_size=16000000",
        "skip=0",
        "comment=''",
        "hive_partitioning=false",
    ]
    if rejects is not None:
        options += [
            "store_rejects=true",
            f"rejects_table={literal(rejects)}",
            f"rejects_scan={literal(rejects + '_scan')}",
        ]
    return TextTable(f"read_csv({one_file(path)}, {', '.join(options)})", fold_names(names, shown_as))


def _header(path: Path, shown_as: str, dialect: Dialect) -> list[str]:
    """The column names in the first line; a column without a name is called by its position."""
    encoding = dialect.encoding
    try:
        with _binary(path, dialect.gzipped) as file:
            # Lines may end in LF, CRLF or CR. A file of the last kind is one long line here.
            line = file.readline(1 << 20).decode("utf-8-sig" if encoding == "utf-8" else encoding)
    except UnicodeDecodeError as error:
        raise _no_header(shown_as, f"a first line that is not {encoding} ({error})") from error
    names = next(csv.reader(line.splitlines()[:1], delimiter=dialect.delimiter), [])
    if not any(name.strip() for name in names):
        raise _no_header(shown_as, "an empty first line")
    return [name if name.strip() else f"column{position}" for position, name in enumerate(names)]


def _binary(path: Path, gzipped: bool) -> BinaryIO | gzip.GzipFile:
    return gzip.open(path) if gzipped else path.open("rb")


def require_one_line_each(
    connection: duckdb.DuckDBPyConnection, table: TextTable, path: Path, gzipped: bool, shown_as: str, records: int
) -> None:
    """SourceError when a quoted value goes on over several lines of a file with this many records, bad ones included.

    A quotation mark that is not closed makes one value of all lines up to the next one. Those rows would be lost
    without a trace.
    """
    if _line_ends(path, gzipped) <= records + 1:
        return
    every_field = f"concat_ws('', {', '.join(map(identifier, table.columns.values()))})"
    row = connection.execute(
        f"select n, text from (select row_number() over () as n, {every_field} as text from {table.expression}) "
        r"where regexp_matches(text, '[\r\n]') order by n limit 1"
    ).fetchone()
    if row is not None:
        raise _over_several_lines(shown_as, f"row {row[0]}", row[1])


def require_closed_quotes(connection: duckdb.DuckDBPyConnection, rejects: str, shown_as: str) -> None:
    """SourceError when a rejected line is really several lines, joined by an open quotation mark."""
    row = connection.execute(
        # Where lines end in CRLF, DuckDB gives a rejected line with the line feed before it.
        rf"select line, csv_line from {rejects} where regexp_matches(trim(csv_line, e'\r\n'), '[\r\n]') "
        "order by line limit 1"
    ).fetchone()
    if row is not None:
        raise _over_several_lines(shown_as, f"line {row[0]}", row[1])


def _line_ends(path: Path, gzipped: bool) -> int:
    """How many line feeds the file has. One whose lines end in CR has none, and is then not checked."""
    with _binary(path, gzipped) as file:
        return sum(chunk.count(b"\n") for chunk in iter(lambda: file.read(1 << 22), b""))


def _over_several_lines(shown_as: str, place: str, text: str) -> SourceError:
    return SourceError(
        f"{shown_as}, {place}",
        found=f"a quoted value that goes on over several lines ({' '.join(text.split())[:120]!r} …)",
        expected="quotation marks that are closed on their own line",
        remedy="Close or remove the quotation mark: the rows behind it would be lost in one value.",
    )


def _no_header(shown_as: str, found: str) -> SourceError:
    return SourceError(
        shown_as,
        found=found,
        expected="a header with the names of the columns, UTF-8",
        remedy="Is this the table its name says, in its publisher's layout? Fetch it again.",
    )


def whole_number(text: str) -> str:
    """SQL for a text as INTEGER, blanks around it allowed, null unless it is one.

    DuckDB's own cast takes 156.5 for 157, 0x10 for 16.
    """
    cast = f"try_cast({text} as integer)"
    # The comparison decides for nearly all rows and costs a fraction of the pattern's time. 156.0 is 156.
    return (
        f"case when cast({cast} as varchar) = {text} then {cast} "
        f"when regexp_full_match({text}, ' *[0-9]{{1,9}}(\\.0+)? *') then {cast} end"
    )


def decimal_number(text: str) -> str:
    """SQL for a text as DOUBLE, null unless it is one: DuckDB's own cast takes 1_000 for 1000."""
    return f"case when not contains({text}, '_') then try_cast({text} as double) end"


def fold_names(names: Sequence[str], shown_as: str) -> dict[str, str]:
    """Folded name -> name as written. SourceError when two columns differ only in case or blanks."""
    folded: dict[str, str] = {}
    for name in names:
        key = name.removeprefix("\ufeff").strip().lower()
        if key in folded:
            raise column_twice(shown_as, name)
        folded[key] = name
    return folded


def column_twice(shown_as: str, name: str) -> SourceError:
    """The error for a header that names a column twice."""
    return SourceError(
        shown_as,
        found=f"the column {name!r} twice (upper and lower case do not count)",
        expected="each column once",
        remedy="Take one of the two out of the file.",
    )


def require_columns(table: TextTable, required: Collection[str | tuple[str, ...]], shown_as: str) -> None:
    """SourceError, naming what is missing and what was found, unless each column (or one of each tuple) is there."""
    for wanted in required:
        names = (wanted,) if isinstance(wanted, str) else wanted
        if not any(name in table.columns for name in names):
            raise SourceError(
                f"{shown_as}, column {' or '.join(names)}",
                found=f"only the columns {', '.join(table.columns.values())}",
                expected="that column (upper and lower case do not count)",
                remedy="Is this the table its name says, in its publisher's layout? Fetch it again or rename it.",
            )


def unreadable(shown_as: str, error: duckdb.Error) -> UserError:
    """The error for content that DuckDB cannot read; DuckDB's own first line says where. Of a full disk, that one."""
    if (problem := problem_of(error, shown_as)) is not None:
        return problem
    reason = " ".join(str(error).split("\n\n")[0].split())
    return SourceError(
        shown_as,
        found=f"content that cannot be read ({reason[:300]})",
        expected="delimited text with a header line, UTF-8",
        remedy="Open the file at that line and mend it, or fetch it again.",
    )
