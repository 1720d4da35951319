"""What a Python model reads, whichever engine runs it. Not here: what models compute from it.

A Python model takes an Arrow table and returns one with a schema of its own: both engines read and write these with the
same types, where their pandas frames differ in dates and nulls.
"""

from __future__ import annotations

from typing import Any

import pyarrow as pa


def arrow_table(relation: Any) -> pa.Table:
    """What `dbt.ref(…)` gives, with all rows in this process: DuckDB's relation, or Spark's DataFrame.

    The rows come in any order. It is for aggregates, which fit in memory however much trade there is.
    """
    table: pa.Table = relation.toArrow() if hasattr(relation, "toArrow") else relation.to_arrow_table()
    return table
