"""Comtrade's rows, in any of its file shapes, as typed rows with a reason where a row cannot be used.

What belongs here: Comtrade's columns and the shape and range checks of single rows. Not here: rules that need other
rows or reference tables (see `trade`).
"""

from __future__ import annotations

from pathlib import Path

import duckdb

from dagster_project.archive.store import Entry
from dagster_project.errors import SourceError
from dagster_project.landing.delimited import TextTable, fold_names, open_delimited, require_columns, unreadable
from dagster_project.landing.tables import sql_text

REQUIRED = ("reportercode", "flowcode", "partnercode", "cmdcode", "primaryvalue", ("refyear", "period"))

def typed_rows(connection: duckdb.DuckDBPyConnection, path: Path, entry: Entry, rejects: str) -> str:
    """A query for the typed rows of one payload, in the file's order (columns: `trade.PARSED_COLUMNS`).

    `rejects` names the temporary table that collects unreadable lines. SourceError when the payload is no Comtrade
    table or lacks a required column.
    """
    if entry.parameters.get("format", "csv").lower() == "json":
        table = _open_json(connection, path, entry)
    else:
        table = _open_delimited(connection, path, entry, rejects)
    require_columns(table, REQUIRED, entry.address)
    return _typed(table)


def _open_delimited(connection: duckdb.DuckDBPyConnection, path: Path, entry: Entry, rejects: str) -> TextTable:
    is_csv = entry.parameters.get("format", "csv").lower() == "csv"
    return open_delimited(
        connection,
        path,
        entry.address,
        delimiter="," if is_csv else "\t",
        gzipped=entry.address.lower().endswith(".gz"),
        rejects=rejects,
    )


def _open_json(connection: duckdb.DuckDBPyConnection, path: Path, entry: Entry) -> TextTable:
    """Comtrade's envelope {"count": n, "data": [...], "error": ""}, a bare list of rows, or one row a line."""
    compression = "gzip" if entry.address.lower().endswith(".gz") else "uncompressed"
    reader = f"read_json_objects({sql_text(str(path))}, compression='{compression}', format='auto', "
    reader += f"maximum_object_size={max(_content_bytes(path, compression) + 1, 1 << 24)})"
    try:
        connection.execute(f"create or replace temp table payload as select json from {reader}")
        envelope = connection.execute(
            "select json ->> 'error', cast(json ->> 'count' as bigint), json_array_length(json, '$.data') from payload "
            "where json_type(json, '$.data') = 'ARRAY'"
        ).fetchone()
        if envelope is not None:
            _check_envelope(entry, *envelope)
            rows = "select unnest(cast(json -> 'data' as json[])) as r from payload"
        else:
            rows = "select json as r from payload"
        connection.execute(f"create or replace temp table json_rows as {rows}")
        keys = connection.execute(
            "select distinct unnest(json_keys(r)) as name from json_rows order by name"
        ).fetchall()
    except duckdb.Error as error:
        raise unreadable(entry.address, error) from error
    names = [key[0] for key in keys]
    fields = ", ".join(f"""r ->> {sql_text(name)} as "{name}\"""" for name in names) or "null as nothing"
    return TextTable(f"(select {fields} from json_rows)", fold_names(names, entry.address))


def _content_bytes(path: Path, compression: str) -> int:
    """The size of the text: an answer is one JSON object, and the reader's buffer must hold all of it."""
    if compression != "gzip":
        return path.stat().st_size
    with path.open("rb") as file:  # the last four bytes of a gzip file say how long its content is
        file.seek(-4, 2)
        return int.from_bytes(file.read(4), "little")


def _check_envelope(entry: Entry, error: str | None, count: int | None, rows: int) -> None:
    if error:
        raise SourceError(
            entry.address,
            found=f"an answer that reports the error {error!r}",
            expected="an answer with data",
            remedy="Ask Comtrade again; nothing of this file was used.",
        )
    if count is not None and count != rows:
        raise SourceError(
            entry.address,
            found=f"count {count} but {rows} rows",
            expected="as many rows as the answer's own count",
            remedy="The answer was cut short: ask Comtrade again.",
        )


def _typed(table: TextTable) -> str:
    column = table.column
    code, value, quantity = column("cmdcode"), column("primaryvalue"), column("qty")
    year = f"coalesce({column('refyear')}, left({column('period')}, 4))"
    revision = f"upper({column('classificationcode')})"
    unit = f"coalesce(nullif({column('qtyunitabbr')}, ''), {column('qtyunitcode')})"
    return f"""
        with text_rows as (
            select
                try_cast({year} as integer) as year,
                try_cast({column("reportercode")} as integer) as reporter_code,
                upper({column("flowcode")}) as flow,
                try_cast({column("partnercode")} as integer) as partner_code,
                nullif(nullif({revision}, ''), 'HS') as hs_revision,
                upper({code}) as cmd_code,
                try_cast({value} as double) as value_usd,
                {value} as value_text,
                try_cast(nullif({quantity}, '') as double) as qty,
                nullif({quantity}, '') as qty_text,
                {unit} as unit,
                coalesce({column("typecode")}, '') as type_code,
                coalesce({column("freqcode")}, '') as freq_code,
                length({column("period")}) as period_length,
                coalesce(try_cast(nullif({column("partner2code")}, '') as integer), 0) <> 0
                    or coalesce(nullif({column("motcode")}, ''), '0') <> '0'
                    or coalesce(nullif({column("customscode")}, ''), 'C00') <> 'C00' as is_breakdown,
                received
            from {table.expression} as received
        ),
        judged as (
            select *, case
                when year is null or year not between 1900 and 2100 then 'bad_year'
                when type_code not in ('', 'C') then 'not_goods'
                when freq_code not in ('', 'A') or period_length > 4 then 'not_annual'
                when reporter_code is null or partner_code is null then 'bad_country_code'
                when coalesce(flow, '') = '' then 'missing_flow'
                when hs_revision is not null and not regexp_full_match(hs_revision, 'H[0-6]')
                    then 'unknown_classification'
                when coalesce(cmd_code, '') = '' then 'missing_hs_code'
                when regexp_full_match(cmd_code, '[0-9]+') and length(cmd_code) not in (2, 4, 6)
                    then 'hs_code_length'
                when not regexp_full_match(cmd_code, '[0-9]+|TOTAL|AG[0-9]') then 'bad_hs_code'
                when coalesce(value_text, '') = '' then 'missing_value'
                when value_usd is null then 'value_not_a_number'
                when isnan(value_usd) or isinf(value_usd) then 'value_not_finite'
                when value_usd < 0 then 'negative_value'
                when qty_text is not null and (qty is null or isnan(qty) or isinf(qty) or qty < 0) then 'bad_quantity'
            end as reason
            from text_rows
        )
        select
            year, reporter_code, flow, partner_code, hs_revision, cmd_code, value_usd,
            nullif(qty, 0) as quantity,  -- Comtrade writes 0 for an unknown quantity in some years
            case when nullif(qty, 0) is not null and unit not in ('', '-1', 'N/A') then unit end as quantity_unit,
            is_breakdown, reason,
            case when reason is not null then cast(to_json(received) as varchar) end as raw
        from judged
    """
