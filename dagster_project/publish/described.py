"""What goes with a published table: units of its columns, and its description in Parquet's own metadata.

A Parquet file carries the mart's name, grain and key and each column's description and unit as key-value metadata, and
each column's once more as its field's, under the key by which Arrow keeps its schema: pyarrow, and R's arrow, show them
there. It is the same for every year of a mart and depends on nothing but the mart, so that a file can be shared by
releases. Not here: the package that describes a whole release (see `datapackage`).
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb

from dagster_project.sql import literal, one_file

if TYPE_CHECKING:  # half a second
    import pyarrow

# What a share, an index, a ratio or a coefficient is measured in.
DIMENSIONLESS = "1"
_BY_ENDING = {"_usd": "USD", "_usd_prev": "USD", "_kg": "kg"}
_MEASURED = ("DOUBLE",)


def unit_by_name(column: str, type_: str) -> str:
    """The unit of a column whose declaration names none; empty for codes, names, counts and dates."""
    for ending, unit in _BY_ENDING.items():
        if column.endswith(ending):
            return unit
    return DIMENSIONLESS if type_.upper() in _MEASURED else ""


def with_unit(description: str, unit: str) -> str:
    """A column's description, and its unit where that says something."""
    return f"{description} Unit: {unit}.".lstrip() if unit and unit != DIMENSIONLESS else description


def key_values(
    name: str, description: str, key: Sequence[str], columns: Mapping[str, Mapping[str, str]]
) -> dict[str, str]:
    """The metadata of a mart's Parquet files. `columns` says of each its type, description and unit."""
    said = {column: {"description": facts["description"], "unit": facts["unit"]} for column, facts in columns.items()}
    table = about_table(name, description, key)
    plain = {**table, "columns": json.dumps(said, ensure_ascii=False, sort_keys=True)}
    with suppress(KeyError):  # types that marts do not have are said in plain words only
        plain["ARROW:schema"] = _arrow_schema(table, columns)
    return plain


def about_table(name: str, description: str, key: Sequence[str]) -> dict[str, str]:
    """What is said of a mart as a whole."""
    return {"name": name, "description": description, "primary_key": json.dumps(list(key))}


def about(column: Mapping[str, str]) -> dict[str, str]:
    """What is said of a column; releases of older versions know no units."""
    return {name: column[name] for name in ("description", "unit") if column.get(name)}


def _arrow_schema(table: Mapping[str, str], columns: Mapping[str, Mapping[str, str]]) -> str:
    """The schema as Arrow writes it into Parquet files, with what is said of each field."""
    import pyarrow as pa

    fields = [pa.field(column, _arrow_type(facts["type"]), metadata=about(facts)) for column, facts in columns.items()]
    return base64.b64encode(pa.schema(fields, metadata=table).serialize().to_pybytes()).decode()


def _arrow_type(duckdb_type: str) -> pyarrow.DataType:
    """The type that Arrow gives a Parquet column which DuckDB wrote from one of this type; KeyError for another."""
    import pyarrow as pa

    if duckdb_type.endswith("[]"):
        return pa.list_(pa.field("element", _arrow_type(duckdb_type.removesuffix("[]"))))
    flat = {
        "INTEGER": pa.int32(), "BIGINT": pa.int64(), "DOUBLE": pa.float64(), "BOOLEAN": pa.bool_(),
        "VARCHAR": pa.string(), "DATE": pa.date32(),
    }  # fmt: skip
    return flat[duckdb_type]


def as_copy_option(values: Mapping[str, str]) -> str:
    """The metadata as an option of COPY."""
    return "kv_metadata {" + ", ".join(f"{literal(name)}: {literal(text)}" for name, text in values.items()) + "}"


def carries(con: duckdb.DuckDBPyConnection, file: Path, values: Mapping[str, str]) -> bool:
    """Whether a Parquet file has this metadata."""
    query = f"select decode(key), decode(value) from parquet_kv_metadata({one_file(file)})"
    return dict(con.execute(query).fetchall()) == dict(values)
