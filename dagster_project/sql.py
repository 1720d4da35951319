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


def parquet(files: Path | Iterable[Path]) -> str:
    """A table expression over Parquet files, named one by one or by a pattern.

    DuckDB would take any folder `name=value` of a path for a column, also one above the data directory: never here.
    """
    listed = [files] if isinstance(files, Path) else list(files)
    return f"read_parquet([{', '.join(literal(file) for file in listed)}], hive_partitioning = false)"
