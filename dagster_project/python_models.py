"""What dbt's Python models read and give back, in one place for all of them and for both engines.

Models take Arrow tables and return them with a schema of their own: both engines read and write these with the same
types, where their pandas frames differ in dates and nulls. A model by year (materialization `yearly_python`) is called
once per year and finds it in its configuration. Not here: what a model computes (its dataset's module).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pyarrow as pa

from dagster_project.sql import literal

_BATCH = 1_000_000  # rows


def year_of(dbt: Any) -> int:
    """The year that the model is to compute."""
    return int(dbt.config.get("build_year"))


def arrow_table(relation: Any) -> pa.Table:
    """What `dbt.ref(…)` gives, with all rows in this process: DuckDB's relation, or Spark's DataFrame.

    The rows come in any order. It is for aggregates, which fit in memory however much trade there is.
    """
    return _batches(relation).read_all()


def rows_of_year(relation: Any, year: int, *columns: str, only: Mapping[str, str] | None = None) -> pa.Table:
    """These columns of a relation with a column `year`, of one year, in any order; texts as dictionaries.

    `only` limits it to the rows whose columns hold these texts.

    From DuckDB they are read batch by batch: as texts, the goods of ten million flows would take half of the memory.
    Spark collects them as texts first, 10 bytes for each good.
    """
    texts = [f"{name} = {literal(text)}" for name, text in (only or {}).items()]
    found = _batches(relation.filter(" and ".join([f"year = {year}", *texts])).select(*columns))
    kept = pa.schema([pa.field(each.name, _stored(each.type)) for each in found.schema])
    batches = (_as_dictionaries(batch, kept) for batch in found)
    return pa.Table.from_batches(batches, kept).unify_dictionaries()


def _batches(relation: Any) -> pa.RecordBatchReader:
    if hasattr(relation, "toArrow"):  # Spark's
        return relation.toArrow().to_reader(_BATCH)
    return relation.to_arrow_reader(_BATCH)


def _stored(kind: pa.DataType) -> pa.DataType:
    return pa.dictionary(pa.int32(), kind) if pa.types.is_string(kind) else kind


def _as_dictionaries(batch: pa.RecordBatch, schema: pa.Schema) -> pa.RecordBatch:
    columns = [
        column.dictionary_encode() if pa.types.is_dictionary(field.type) else column
        for column, field in zip(batch.columns, schema, strict=True)
    ]
    return pa.RecordBatch.from_arrays(columns, schema=schema)


def given_back(session: Any, rows: pa.Table) -> Any:
    """The rows as the model returns them.

    As a relation of the session DuckDB writes them in the transaction of the model, and a run that fails leaves no
    trace; a table would be written, and committed, by another connection. For Spark, which has no transactions, the
    materialization writes the table.
    """
    return session.from_arrow(rows) if hasattr(session, "from_arrow") else rows
