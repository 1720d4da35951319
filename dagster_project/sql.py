"""Text that goes into SQL. What belongs here: quoting, and the files of a pattern. Not here: any query."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path


def literal(value: str | Path) -> str:
    """A text, or a path, as an SQL string literal."""
    return "'" + str(value).replace("'", "''") + "'"


def identifier(name: str) -> str:
    """A name of a table, column or schema, quoted."""
    return '"' + name.replace('"', '""') + '"'


def one_file(path: str | Path) -> str:
    """A path as an SQL string literal for a function that takes patterns: no character of it has a meaning."""
    return literal("".join(f"[{each}]" if each in "[*?" else each for each in str(path)))


def matching(pattern: Path) -> list[Path]:
    """The files of a pattern, sorted. Only its last names may be patterns: a directory above may be called anything."""
    base, names = pattern, list[str]()
    while "*" in base.name:
        base, names = base.parent, [base.name, *names]
    return sorted(base.glob("/".join(names))) if names else [pattern]


def parquet(files: Path | Iterable[Path], *, numbered: bool = False) -> str:
    """A table expression over Parquet files, named one by one or by a pattern (see `matching`).

    `numbered` adds the column `file_row_number`, which counts the rows of a file from 0. Hive partitioning is off:
    DuckDB would else take any folder `name=value` of a path for a column, also one above the data directory.
    """
    listed = (matching(files) or [files]) if isinstance(files, Path) else list(files)
    options = "hive_partitioning = false" + (", file_row_number = true" if numbered else "")
    return f"read_parquet([{', '.join(one_file(file) for file in listed)}], {options})"
