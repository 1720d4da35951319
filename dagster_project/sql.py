"""Text that goes into SQL. What belongs here: quoting. Not here: any query."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path


def literal(value: str | Path) -> str:
    """A text, or a path, as an SQL string literal."""
    return "'" + str(value).replace("'", "''") + "'"


def identifier(name: str) -> str:
    """A name of a table, column or schema, quoted."""
    return '"' + name.replace('"', '""') + '"'


def parquet(files: Path | Iterable[Path], *, numbered: bool = False) -> str:
    """A table expression over Parquet files, named one by one or by a pattern.

    `numbered` adds the column `file_row_number`, which counts the rows of a file from 0. Hive partitioning is off:
    DuckDB would else take any folder `name=value` of a path for a column, also one above the data directory.
    """
    listed = [files] if isinstance(files, Path) else list(files)
    options = "hive_partitioning = false" + (", file_row_number = true" if numbered else "")
    return f"read_parquet([{', '.join(literal(file) for file in listed)}], {options})"
