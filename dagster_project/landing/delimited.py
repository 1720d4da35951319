"""Delimited text as a DuckDB relation of text columns with folded names, and text as exact numbers.

Not here: what the columns mean.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

import duckdb

from dagster_project.durable import problem_of
from dagster_project.errors import SourceError, UserError
from dagster_project.landing.records import column_twice, delimiter_of, distinct_names, quotes_are_text, read_records
from dagster_project.sources.text import TextFile, encoding_note, plain_text
from dagster_project.sql import identifier, literal, one_file


@dataclass(frozen=True)
class Dialect:
    """What the name of a delimited file says of how it is written; its content is asked first.

    In a `labelled` file (SDMX with labels), the name of a column of codes and that of the column of labels behind it
    may differ in case only; the second is then called "<code> label".
    """

    delimiter: str = ","
    gzipped: bool = False
    labelled: bool = False


@dataclass(frozen=True)
class Written:
    """How a delimited file is written, as its content tells; `blank_lines` stand above the header."""

    file: TextFile
    delimiter: str = ","
    has_quoting: bool = True
    blank_lines: int = 0

    @property
    def notes(self) -> list[str]:
        """What a user should know of it."""
        quotes = self.file.has_quotes and not self.has_quoting
        encoding = encoding_note(self.file.encoding)
        return [
            *([encoding] if encoding else []),
            *(["no value stands in quotes, so quotation marks are part of the text"] if quotes else []),
        ]

    def lines(self) -> Iterator[str]:
        """Its lines with their ends."""
        rest = b""
        for chunk in self.file.chunks():
            *lines, rest = (rest + chunk).split(b"\n")
            yield from (line.decode("utf-8", "surrogateescape").removeprefix("\ufeff") + "\n" for line in lines)
        if rest:
            yield rest.decode("utf-8", "surrogateescape").removeprefix("\ufeff")


@dataclass(frozen=True)
class TextTable:
    """A table expression whose columns are all text.

    columns   maps the folded name (trimmed, lower case) of each column to its name in the expression, in their order
    shown_as  the file, for messages
    repeated  the folded names of columns that are there more than once: which one is meant, nobody knows
    written   how the file is written, where it is delimited text
    """

    expression: str
    columns: Mapping[str, str]
    shown_as: str = ""
    repeated: Collection[str] = field(default_factory=frozenset)
    written: Written | None = None

    def column(self, name: str) -> str:
        """SQL for a column, trimmed; a null of type text when the file does not have it. SourceError if it has two."""
        if name in self.repeated:
            raise column_twice(self.shown_as, self.columns[name])
        original = self.columns.get(name)
        return f"trim({identifier(original)})" if original is not None else "cast(null as varchar)"


def open_delimited(
    connection: duckdb.DuckDBPyConnection,
    path: Path,
    shown_as: str,
    dialect: Dialect = Dialect(),
    *,
    rejects: str | None = None,
) -> TextTable:
    """Open a delimited file whose first line is its header. A text that is not plain is copied to where the connection
    spills.

    `rejects` names a temporary table that then collects the lines that have the wrong number of fields or broken
    quotes; without it such a line is an error. Whoever has read the rows calls `require_every_row`. SourceError when
    encoding or header cannot be read.
    """
    written = _written(connection, path, shown_as, dialect)
    header = _header(written, shown_as)
    if dialect.labelled:
        header = [
            f"{before} label" if before.isupper() and not name.isupper() else name
            for before, name in pairwise(["", *header])
        ]
    names, repeated = distinct_names(header)
    columns = ", ".join(f"{literal(name)}: 'VARCHAR'" for name in names.values())
    quote = '"' if written.has_quoting else ""
    options = [
        # DuckDB's detection mistakes an unusual header for data, or unusual data for a header.
        "auto_detect=false",
        "header=true",
        f"columns={{{columns}}}",
        f"delim={literal(written.delimiter)}",
        f"quote={literal(quote)}",
        f"escape={literal(quote)}",
        f"compression='{'gzip' if written.file.gzipped else 'none'}'",
        "null_padding=false",
        "max_line_size=16000000",
        f"skip={written.blank_lines}",
        "comment=''",
        "hive_partitioning=false",
    ]
    if rejects is not None:
        options += [
            "store_rejects=true",
            f"rejects_table={literal(rejects)}",
            f"rejects_scan={literal(rejects + '_scan')}",
        ]
    reader = f"read_csv({one_file(written.file.path)}, {', '.join(options)})"
    return TextTable(reader, names, shown_as, repeated, written)


def spill_folder(connection: duckdb.DuckDBPyConnection) -> Path:
    """The folder that the connection spills into; it goes with the scratch database (see `landing.tables`)."""
    row = connection.execute("select current_setting('temp_directory')").fetchone()
    assert row is not None
    return Path(row[0])


def _written(connection: duckdb.DuckDBPyConnection, path: Path, shown_as: str, dialect: Dialect) -> Written:
    file = plain_text(path, dialect.gzipped, shown_as, spill_folder(connection))
    lines = Written(file).lines()
    blank_lines, first = next(((number, line) for number, line in enumerate(lines) if line.strip()), (0, ""))
    delimiter = delimiter_of(first, dialect.delimiter)
    as_text = file.has_quotes and delimiter == "\t" and quotes_are_text(Written(file).lines())
    return Written(file, delimiter, not as_text, blank_lines)


def _header(written: Written, shown_as: str) -> list[str]:
    """The column names in the first record; a column without a name is called by its position."""
    records = read_records(written.lines(), written.delimiter, shown_as, quotes=written.has_quoting, strict=False)
    first = next(records, None)
    names = first.fields if first else []
    if not any(name.strip() for name in names):
        raise SourceError(
            shown_as,
            found="an empty first line",
            expected="a header with the names of the columns",
            remedy="Is this the table its name says, in its publisher's layout? Fetch it again.",
        )
    return [name if name.strip() else f"column{position}" for position, name in enumerate(names)]


def require_every_row(table: TextTable, records: int) -> None:
    """SourceError unless this many rows, those rejected included, are all that the file has.

    A file without a value over several lines has one row a line. Where the numbers differ, another reader reads the
    file once more: it finds the quotation mark that is not closed, by whose doing rows are lost in one value.
    """
    written = table.written
    if written is None or written.file.lines == written.blank_lines + 1 + records:
        return
    lines = read_records(written.lines(), written.delimiter, table.shown_as, quotes=written.has_quoting, strict=False)
    found = sum(1 for _ in lines) - 1
    if found != records:
        raise SourceError(
            table.shown_as,
            found=f"{records:,} rows where the file has {found:,}",
            expected="every row of the file",
            remedy="Look for quotation marks that are not closed, and mend them or fetch the file again.",
        )


def rejected_lines(connection: duckdb.DuckDBPyConnection, rejects: str) -> str:
    """A query for the lines that could not be split into fields: line, error, text; the header's line is 1.

    One line may break several rules of the reader; it is one row all the same.
    """
    if not connection.execute("select 1 from duckdb_tables() where table_name = ?", [rejects]).fetchone():
        return "select 0::bigint as line, '' as error, '' as text where false"
    # Where lines end in CRLF, DuckDB gives a rejected line with the line feed before it.
    return (
        r"select line, min(error_message) as error, trim(min(csv_line), e'\r\n') as text "
        f"from {rejects} group by line, line_byte_position"
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


def require_columns(table: TextTable, required: Collection[str | tuple[str, ...]], shown_as: str) -> None:
    """SourceError, naming what is missing and what was found, unless each column (or one of each tuple) is there."""
    for wanted in required:
        names = (wanted,) if isinstance(wanted, str) else wanted
        for name in names:
            table.column(name)  # one that is there twice is an error
        if not any(name in table.columns for name in names):
            raise SourceError(
                f"{shown_as}, column {' or '.join(names)}",
                found=f"only the columns {', '.join(table.columns.values())}",
                expected="that column (upper and lower case do not count)",
                remedy="Is this the table its name says, in its publisher's layout? Fetch it again or rename it.",
            )


def unreadable(shown_as: str, error: duckdb.Error, expected: str = "delimited text with a header line") -> UserError:
    """The error for content that DuckDB cannot read; DuckDB's own first line says where. Of a full disk, that one."""
    if (problem := problem_of(error, shown_as)) is not None:
        return problem
    reason = " ".join(str(error).split("\n\n")[0].split())
    return SourceError(
        shown_as,
        found=f"content that cannot be read ({reason[:300]})",
        expected=expected,
        remedy="Open the file at that line and mend it, or fetch it again.",
    )
