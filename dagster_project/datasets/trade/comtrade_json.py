"""Comtrade's rows in the shapes that JSON gives them, as a table of text.

Not here: what the columns mean (see `comtrade_rows`).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from dagster_project.datasets.trade.comtrade_files import FIELDS
from dagster_project.errors import SourceError
from dagster_project.landing.delimited import TextTable, distinct_names, spill_folder, unreadable
from dagster_project.sources.text import plain_text
from dagster_project.sql import identifier, literal, one_file

_EXPECTED = "Comtrade's answer, a list of rows, one row a line, or columns with their values by row"
_AGAIN = "Ask Comtrade again; nothing of this file was used."


def open_json(connection: duckdb.DuckDBPyConnection, path: Path, gzipped: bool, shown_as: str) -> TextTable:
    """Comtrade's envelope {"count": n, "data": [...], "error": ""} (its former service's "dataset" too), a bare list of
    rows, one row a line, or {"column": {"0": ...}} as pandas writes by default.

    SourceError for what is neither, is cut off, or says that Comtrade refused.
    """
    file = plain_text(path, gzipped, shown_as, spill_folder(connection))
    compression = "gzip" if file.gzipped else "uncompressed"
    largest = max(_content_bytes(file.path, file.gzipped) + 1, 1 << 24)  # an answer is one object
    reader = (
        f"read_json_objects({one_file(file.path)}, compression='{compression}', format='auto', "
        f"hive_partitioning=false, maximum_object_size={largest})"
    )
    try:
        connection.execute(f"create or replace temp table payload as select json from {reader}")
        _read_rows(connection, shown_as)
        keys = connection.execute(
            "select distinct unnest(json_keys(r)) as name from json_rows order by name"
        ).fetchall()
    except duckdb.Error as error:
        raise unreadable(shown_as, error, f"whole JSON: {_EXPECTED}") from error
    # An answer without rows has no keys; it is an answer all the same.
    keys_of = [key[0] for key in keys] or list(FIELDS)
    names, repeated = distinct_names(keys_of)
    fields = ", ".join(
        f"r ->> {literal(key)} as {identifier(name)}" for key, name in zip(keys_of, names.values(), strict=True)
    )
    return TextTable(f"(select {fields} from json_rows)", names, shown_as, repeated)


def _read_rows(connection: duckdb.DuckDBPyConnection, shown_as: str) -> None:
    """Table json_rows: each row as an object."""
    rows_of = "coalesce(json -> 'data', json -> 'dataset')"
    envelopes = connection.execute(
        f"select json ->> 'error', json ->> 'count', json_array_length({rows_of}) from payload "
        f"where json_type({rows_of}) = 'ARRAY'"
    ).fetchall()
    for envelope in envelopes:
        _check_envelope(shown_as, *envelope)
    single = None if envelopes else _single_object(connection)
    if single is not None and single and all(isinstance(value, dict | list) for value in single.values()):
        rows = pa.table({"r": _rows_of_columns(single, shown_as)})  # noqa: F841  DuckDB reads it by its name
        connection.execute("create or replace temp table json_rows as select cast(r as json) as r from rows")
        return
    if single is not None:
        _check_no_refusal(single, shown_as)
    query = f"select unnest(cast({rows_of} as json[])) as r from payload" if envelopes else "from payload"
    connection.execute(f"create or replace temp table json_rows as select r from ({query}) as rows(r)")
    _check_rows(connection, shown_as, len(envelopes))


def _single_object(connection: duckdb.DuckDBPyConnection) -> dict[str, Any] | None:
    """The payload's only object; None where there are several, or none."""
    found = connection.execute("select json from payload limit 2").fetchall()
    content = json.loads(found[0][0]) if len(found) == 1 else None
    return content if isinstance(content, dict) else None


def _rows_of_columns(columns: Mapping[str, Any], shown_as: str) -> list[str]:
    """Rows of {"column": {"0": value}} or {"column": [value]}, each as JSON text."""
    by_row = {name: values if isinstance(values, dict) else dict(enumerate(values)) for name, values in columns.items()}
    first, *others = by_row.values()
    if any(values.keys() != first.keys() for values in others) or any(
        isinstance(value, dict | list) for values in by_row.values() for value in values.values()
    ):
        raise SourceError(
            shown_as,
            found=f"an object with {', '.join(list(columns)[:8])}, which do not hold the same rows",
            expected=_EXPECTED,
            remedy='Write it again as a list of rows: in pandas, to_json(orient="records").',
        )
    return [json.dumps({name: values[key] for name, values in by_row.items()}) for key in first]


def _content_bytes(path: Path, gzipped: bool) -> int:
    if not gzipped:
        return path.stat().st_size
    with path.open("rb") as file:  # the last four bytes of a gzip file say how long its content is
        file.seek(-4, 2)
        return int.from_bytes(file.read(4), "little")


def _check_no_refusal(content: Mapping[str, Any], shown_as: str) -> None:
    """Comtrade refuses with one object: {"error": …}, {"errorObject": …} or {"statusCode": …, "message": …}."""
    said = next((content[name] for name in ("error", "errorObject", "message") if content.get(name)), None)
    if said and "reporterCode" not in content:
        raise _refusal(shown_as, said if isinstance(said, str) else json.dumps(said))


def _check_rows(connection: duckdb.DuckDBPyConnection, shown_as: str, envelopes: int) -> None:
    """Every row is an object, and nothing stands beside the envelopes."""
    objects, others, payloads = connection.execute(
        "select count(*) filter (json_type(r) = 'OBJECT'), count(*) filter (json_type(r) is distinct from 'OBJECT'), "
        "(select count(*) from payload) from json_rows"
    ).fetchone() or (0, 0, 0)
    if others or (envelopes and envelopes != payloads):
        raise SourceError(
            shown_as,
            found=f"{others} of {objects + others} rows that are no objects"
            if others
            else f"{payloads - envelopes} objects beside {envelopes} envelopes",
            expected=_EXPECTED,
            remedy=_AGAIN,
        )


def _refusal(shown_as: str, error: str) -> SourceError:
    return SourceError(
        shown_as, found=f"an answer that reports the error {error!r}", expected="an answer with data", remedy=_AGAIN
    )


def _check_envelope(shown_as: str, error: str | None, count: str | None, rows: int) -> None:
    if error:
        raise _refusal(shown_as, error)
    if count is not None and count != str(rows):
        raise SourceError(
            shown_as,
            found=f"count {count} but {rows} rows",
            expected="as many rows as the answer's own count",
            remedy="The answer was cut short: ask Comtrade again.",
        )
