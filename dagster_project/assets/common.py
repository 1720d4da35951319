"""What all assets share: owners, freshness, and how rows, entries and provenance are shown as metadata.

Not here: any asset.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import duckdb

from dagster_project.archive.store import Entry
from dagster_project.durable import told
from dagster_project.errors import UserError
from dagster_project.landing.tables import RuleCounts
from dagster_project.markdown import table
from dagster_project.sql import identifier, matching, parquet

OWNERS = ["team:chokepoint"]
WAREHOUSE_POOL = "warehouse"
PREVIEW_ROWS = 8
YEAR_COLUMNS = ("year", "filing_year")


def freshness(warn_days: int, fail_days: int) -> dg.FreshnessPolicy:
    """The UI shows a warning, then a failure, so many days after the last materialisation. No run is affected."""
    return dg.FreshnessPolicy.time_window(fail_window=timedelta(days=fail_days), warn_window=timedelta(days=warn_days))


# What is made from annual data: a new year appears once a year, and revisions of old ones in between.
ANNUAL = freshness(200, 400)


def provenance_metadata(entries: Sequence[Entry]) -> dict[str, Any]:
    """Publisher, citation and licence of what an asset is made from, and whether it is synthetic."""
    return {
        "synthetic": any(entry.synthetic for entry in entries),
        "publisher": "; ".join(sorted({entry.publisher for entry in entries})),
        "citation": "; ".join(sorted({entry.citation for entry in entries})),
        "licence": "; ".join(sorted({entry.licence for entry in entries})),
    }


def entries_metadata(entries: Sequence[Entry]) -> dict[str, Any]:
    """What was archived: the table of payloads, and their provenance."""
    rows = [
        {
            "part": entry.part,
            "address": entry.address,
            "bytes": entry.bytes,
            "sha256": entry.sha256,
            "retrieved_at": entry.retrieved_at,
            "entry": entry.id,
        }
        for entry in entries
    ]
    return {
        **provenance_metadata(entries),
        "payloads": len(entries),
        "entries": markdown_table(rows),
    }


@contextmanager
def user_errors() -> Iterator[None]:
    """Turn a user's mistake, or what the machine refuses, into a failure whose description says what to do, with its
    parts as metadata.
    """
    try:
        with told("data directory"):
            yield
    except UserError as error:
        parts = {"where": error.where, "found": error.found, "expected": error.expected, "remedy": error.remedy}
        raise dg.Failure(str(error), metadata=parts, allow_retries=False) from error


def counts_metadata(counts: Mapping[str, RuleCounts]) -> dict[str, Any]:
    """The accounting of a load as a table with one column per part of it (a year, a file); nothing for no parts."""
    if not counts:
        return {}
    rules = list(dict.fromkeys(rule for each in counts.values() for rule, _ in each.as_rows()))
    rows = [
        {"rule": rule, **{load: dict(each.as_rows()).get(rule, 0) for load, each in counts.items()}} for rule in rules
    ]
    return {
        "accounting": markdown_table(rows),
        "rows_read": sum(each.rows_read for each in counts.values()),
        "rows_landed": sum(each.landed for each in counts.values()),
        "rows_quarantined": sum(sum(each.quarantined.values()) for each in counts.values()),
    }


def parquet_metadata(pattern: Path) -> dict[str, Any]:
    """Rows, bytes, years and a preview of a landing table."""
    with duckdb.connect() as connection:
        return {
            **relation_metadata(connection, parquet(pattern)),
            "bytes": sum(path.stat().st_size for path in matching(pattern)),
        }


def year_metadata(pattern: Path, year: int) -> dict[str, Any]:
    """Rows and bytes of one year of a landing table that has a folder per year."""
    files = sorted((pattern.parent.parent / f"year={year}").glob(pattern.name))
    rows = 0
    if files:
        with duckdb.connect() as connection:
            found = connection.execute(f"select count(*) from {parquet(files)}").fetchone()
            rows = found[0] if found else 0
    size = sum(path.stat().st_size for path in files)
    return {"dagster/row_count": rows, "bytes": size, "years": str(year)}


def relation_metadata(
    connection: duckdb.DuckDBPyConnection, relation: str, by_year: Mapping[int | None, int] | None = None
) -> dict[str, Any]:
    """Rows, years and a preview of a table, view or table function, whose rows by year may be known already."""
    counted = rows_by_year(connection, relation) if by_year is None else by_year
    years = ", ".join(str(year) for year in sorted(year for year in counted if year is not None))
    metadata = {"dagster/row_count": sum(counted.values()), "preview": preview(connection, relation)}
    return {**metadata, "years": years} if years else metadata


def rows_by_year(connection: duckdb.DuckDBPyConnection, relation: str) -> dict[int | None, int]:
    """Year -> rows of a table, view or table function, in one scan; all rows have year None where there is no year."""
    columns = [row[0] for row in connection.execute(f"describe select * from {relation}").fetchall()]
    year = next((name for name in YEAR_COLUMNS if name in columns), "null")
    rows = connection.execute(f"select {year}, count(*) from {relation} group by all").fetchall()
    return dict(rows) or {None: 0}


def table_bytes(connection: duckdb.DuckDBPyConnection, schema: str, table: str) -> dict[str, Any]:
    """The size of a table in the database file, in whole blocks, as metadata; empty for a view."""
    sql = """select count(distinct block_id) * (select block_size from pragma_database_size())
             from pragma_storage_info($name) where block_id >= 0"""
    stored = connection.execute(
        "select 1 from duckdb_tables() where schema_name = ? and table_name = ?", [schema, table]
    ).fetchone()
    if stored is None:
        return {}
    row = connection.execute(sql, {"name": f"{identifier(schema)}.{identifier(table)}"}).fetchone()
    assert row is not None
    return {"bytes": row[0]}


def preview(connection: duckdb.DuckDBPyConnection, relation: str) -> dg.MarkdownMetadataValue:
    """The first rows of a table."""
    result = connection.execute(f"select * from {relation} limit {PREVIEW_ROWS}")
    names = [column[0] for column in result.description or ()]
    return markdown_table([dict(zip(names, row, strict=True)) for row in result.fetchall()])


def markdown_table(rows: Sequence[Mapping[str, Any]]) -> dg.MarkdownMetadataValue:
    """Rows as a Markdown table; their keys are the columns."""
    if not rows:
        return dg.MetadataValue.md("(no rows)")
    names = list(rows[0])
    return dg.MetadataValue.md(table(names, [[_cell(row.get(name)) for name in names] for row in rows]))


def _cell(value: Any) -> str:
    return (f"{value:,.6g}" if isinstance(value, float) else "" if value is None else str(value))[:200]
