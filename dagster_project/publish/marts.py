"""The marts that are published: what the caller says of each, what the warehouse holds of it, and a copy compared.

Not here: writing copies (see `release` and `database`).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import duckdb

from dagster_project.errors import ReleaseError
from dagster_project.publish.content import EMPTY, ContentHash, columns_of, combined, hash_content
from dagster_project.publish.described import key_values, unit_by_name
from dagster_project.publish.read import SCHEMA
from dagster_project.sql import identifier

# A mart without years has a PRIMARY KEY in the DuckDB file up to so many rows, one by year has none. The index takes a
# quarter of a megabyte at least; for a million rows 46 MB beside 23 of data, five seconds, 120 MB of memory, and every
# year that is replaced leaves a hole in it. The checks have made sure of the key, and the table's comment names it.
KEYED_ROWS = 20_000


@dataclass(frozen=True)
class MartSpec:
    """What the caller knows of one mart.

    key          the columns that identify a row
    description  the grain, from dbt; becomes the table's comment
    columns      column -> description, from dbt; become the columns' comments
    units        column -> unit, where its declaration names one
    required     the columns that are declared never to be null, beside the key
    year_column  the column by which there is one Parquet file and one content hash per year; None: one file
    in_database  whether the DuckDB file holds the mart; one that is not there needs a year column
    ready        year -> Parquet file that holds exactly the mart's rows of that year; it is copied, not written again.
                 Never linked: who rewrites a published file in place must not reach what later releases are made of
    """

    name: str
    key: Sequence[str]
    description: str
    columns: Mapping[str, str]
    year_column: str | None = None
    in_database: bool = True
    ready: Mapping[int, Path] = field(default_factory=dict)
    units: Mapping[str, str] = field(default_factory=dict)
    required: Collection[str] = ()

    def described(self, types: Mapping[str, str]) -> dict[str, dict[str, Any]]:
        """Column -> type, description, unit and whether it is never null, of a table with columns of these types."""
        return {
            name: {
                "type": type_,
                "description": self.columns.get(name, ""),
                "unit": self.units.get(name, unit_by_name(name, type_)),
                "required": name in self.key or name in self.required,
            }
            for name, type_ in types.items()
        }

    def key_values(self, types: Mapping[str, str]) -> dict[str, str]:
        """The metadata of its Parquet files."""
        return key_values(self.name, self.description, self.key, self.described(types))


@dataclass(frozen=True)
class Known:
    """What the release before says of years that did not change since: their content, under these columns and types."""

    types: Mapping[str, str]
    years: Mapping[int, ContentHash]


@dataclass(frozen=True)
class Mart:
    """A mart as it stands in the warehouse: column types in table order, content hash by year (or under None)."""

    spec: MartSpec
    types: Mapping[str, str]
    parts: Mapping[Any, ContentHash]

    def files(self) -> dict[str, Any]:
        """Parquet file of the release -> the year it holds, None for all rows."""
        if self.spec.year_column:
            return {year_file(self.spec.name, year): year for year in self.parts}
        return {f"parquet/{self.spec.name}.parquet": None}

    def content(self, year: Any) -> ContentHash:
        """The hash of one of `files()`."""
        return self.parts[year]

    @property
    def rows(self) -> int:
        """How many rows it has."""
        return combined(self.parts).rows

    @property
    def keyed(self) -> bool:
        """Whether the DuckDB file holds it to its key with a primary key."""
        return self.spec.in_database and not self.spec.year_column and self.rows <= KEYED_ROWS

    @property
    def described(self) -> dict[str, dict[str, Any]]:
        """Column -> type, description, unit (empty for what is not measured) and whether it is never null."""
        return self.spec.described(self.types)

    @cached_property
    def key_values(self) -> dict[str, str]:
        """The metadata of its Parquet files."""
        return self.spec.key_values(self.types)

    def facts(self) -> dict[str, Any]:
        """The mart's section of the manifest."""
        years = {str(year): {"rows": part.rows, "content_hash": str(part)} for year, part in self.parts.items()}
        total = combined(self.parts)
        return {
            "description": self.spec.description,
            "key": list(self.spec.key),
            "partitioned": self.spec.year_column is not None,
            "in_database": self.spec.in_database,
            "keyed": self.keyed,
            "rows": total.rows,
            "content_hash": str(total),
            **({"years": years} if self.spec.year_column else {}),
            "columns": self.described,
            "files": list(self.files()),
        }


def year_file(mart: str, year: Any) -> str:
    """The Parquet file of a year of a mart by year.

    The folder is called 2017, not year=2017: readers that take `year` from a folder's name (pandas, pyarrow) would have
    it twice, in two types, and stop.
    """
    return f"parquet/{mart}/{year}/part-0.parquet"


def warehouse_table(mart: str) -> str:
    """The mart where the warehouse is attached as `warehouse`."""
    return f"warehouse.{SCHEMA}.{identifier(mart)}"


def in_years(relation: str, spec: MartSpec, years: Sequence[int]) -> str:
    """A table expression: the rows of these years."""
    within = ", ".join(str(int(year)) for year in years) or "null"
    return f"(select * from {relation} where {identifier(str(spec.year_column))} in ({within}))"


def rows_by_year(con: duckdb.DuckDBPyConnection, relation: str, spec: MartSpec) -> dict[Any, int]:
    """Year -> number of rows."""
    year = identifier(str(spec.year_column))
    return dict(con.execute(f"select {year}, count(*) from {relation} group by 1 order by 1").fetchall())


def read_mart(con: duckdb.DuckDBPyConnection, warehouse: Path, spec: MartSpec, known: Known | None) -> Mart:
    """Types and content hashes of a mart; ReleaseError when it is not what the spec says.

    The years that are `known` are not hashed, where the warehouse holds as many rows of them under the same columns.
    """
    source = warehouse_table(spec.name)
    try:
        types = columns_of(con, source)
    except duckdb.CatalogException:
        raise _not_as_specified(warehouse, spec, "no such table", "a table that dbt has built") from None
    needed = {*spec.key, *spec.columns, *([spec.year_column] if spec.year_column else [])}
    if missing := sorted(needed - set(types)):
        raise _not_as_specified(warehouse, spec, f"columns {', '.join(types)}", f"also {', '.join(missing)}")
    if spec.year_column is None:
        return Mart(spec, types, hash_content(con, source, types))
    rows = rows_by_year(con, source, spec)
    if None in rows:
        found = f"{rows[None]} rows without {spec.year_column}"
        raise _not_as_specified(warehouse, spec, found, "a year in every row")
    same = known.years if known and list(known.types.items()) == list(types.items()) else {}
    parts = {year: part for year, part in same.items() if rows.get(year) == part.rows}
    changed = [year for year in rows if year not in parts]
    if changed:
        relation = in_years(source, spec, changed) if parts else source
        parts |= hash_content(con, relation, types, spec.year_column)
    return Mart(spec, types, dict(sorted(parts.items())))


def _not_as_specified(warehouse: Path, spec: MartSpec, found: str, expected: str) -> ReleaseError:
    return ReleaseError(
        f"warehouse {warehouse.name}, mart {spec.name}",
        found=found,
        expected=expected,
        remedy="Materialise the mart again (a full refresh after a change of columns), then publish.",
    )


def compare(con: duckdb.DuckDBPyConnection, mart: Mart, relation: str, name: str, wanted: ContentHash) -> None:
    """ReleaseError unless a reopened copy in file `name` has the mart's columns and types, and this content."""
    where = f"mart {mart.spec.name}, file {name}"
    types = columns_of(con, relation)
    if types != mart.types:
        changed = sorted(set(mart.types.items()) ^ set(types.items()))
        raise ReleaseError(
            where,
            found=f"other columns or types when reopened: {', '.join(f'{n} {t}' for n, t in changed)}",
            expected="those of the warehouse",
            remedy="Cast these columns in the mart to a type that Parquet has (BIGINT or DOUBLE instead of HUGEINT).",
        )
    copied = hash_content(con, relation, types).get(None, EMPTY)
    if copied != wanted:
        raise ReleaseError(
            where,
            found=f"{copied.rows} rows, content {copied}, when reopened",
            expected=f"{wanted.rows} rows, content {wanted}, as in the warehouse",
            remedy="Nothing was published. Publish again; if it happens again, check the disk.",
        )
