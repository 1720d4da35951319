"""Delimited text as a DuckDB relation of text columns with folded names. Not here: what the columns mean."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb

from dagster_project.errors import SourceError
from dagster_project.landing.tables import sql_text


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
        return f"trim({_identifier(original)})" if original is not None else "cast(null as varchar)"


def open_delimited(
    connection: duckdb.DuckDBPyConnection,
    path: Path,
    shown_as: str,
    *,
    delimiter: str = ",",
    gzipped: bool = False,
    encoding: str = "utf-8",
    rejects: str | None = None,
) -> TextTable:
    """Open a delimited file with a header line; nothing is read but the header.

    `rejects` names a temporary table that then collects the lines that have the wrong number of fields or broken
    quotes; without it such a line is an error. SourceError when the header cannot be read or names a column twice.
    """
    options = [
        "header=true",
        "all_varchar=true",
        f"delim={sql_text(delimiter)}",
        """quote='"'""",
        """escape='"'""",
        f"compression='{'gzip' if gzipped else 'none'}'",
        f"encoding={sql_text(encoding)}",
        "null_padding=false",
        "max_line_size=16000000",
        "skip=0",
        "comment=''",
    ]
    if rejects is not None:
        options += [
            "store_rejects=true",
            f"rejects_table={sql_text(rejects)}",
            f"rejects_scan={sql_text(rejects + '_scan')}",
        ]
    expression = f"read_csv({sql_text(str(path))}, {', '.join(options)})"
    try:
        described = connection.execute(f"describe select * from {expression}").fetchall()
    except duckdb.Error as error:
        raise unreadable(shown_as, error) from error
    return TextTable(expression, fold_names([row[0] for row in described], shown_as))


def fold_names(names: Sequence[str], shown_as: str) -> dict[str, str]:
    """Folded name -> name as written. SourceError when two columns differ only in case or blanks."""
    folded: dict[str, str] = {}
    for name in names:
        key = name.removeprefix("\ufeff").strip().lower()
        if key in folded:
            raise SourceError(
                shown_as,
                found=f"the column {name!r} twice (upper and lower case do not count)",
                expected="each column once",
                remedy="Take one of the two out of the file.",
            )
        folded[key] = name
    return folded


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


def unreadable(shown_as: str, error: duckdb.Error) -> SourceError:
    """The error for content that DuckDB cannot read; DuckDB's own first line says where."""
    reason = " ".join(str(error).split("\n\n")[0].split())
    return SourceError(
        shown_as,
        found=f"content that cannot be read ({reason[:300]})",
        expected="delimited text with a header line, UTF-8",
        remedy="Open the file at that line and mend it, or fetch it again.",
    )


def _identifier(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
