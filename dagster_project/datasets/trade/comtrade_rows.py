"""Comtrade's rows, in any of its file shapes, as typed rows with a reason where a row cannot be used.

What belongs here: Comtrade's columns and the shape and range checks of single rows. Not here: rules that need other
rows or reference tables (see `landing`).
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import duckdb

from dagster_project.archive.store import Entry
from dagster_project.datasets.trade.comtrade_files import FIELDS
from dagster_project.errors import SourceError
from dagster_project.hs import REVISIONS
from dagster_project.landing.delimited import (
    Dialect,
    TextTable,
    decimal_number,
    fold_names,
    open_delimited,
    require_columns,
    unreadable,
    whole_number,
)
from dagster_project.sql import identifier, literal, one_file

REQUIRED = ("reportercode", "flowcode", "partnercode", "cmdcode", "primaryvalue", ("refyear", "period"))
KNOWN = frozenset(field.lower() for field in FIELDS)
# Flow as written (upper case, letters and digits only) -> the code it stands for. Comtrade's codes and their
# descriptions, and the numbers of its former service. A word that is not here is no flow that anybody knows.
FLOWS: Mapping[str, str] = {
    **dict.fromkeys(("M", "IMPORT", "IMPORTS", "1"), "M"),
    **dict.fromkeys(("X", "EXPORT", "EXPORTS", "2"), "X"),
    **dict.fromkeys(("RX", "REEXPORT", "REEXPORTS", "3"), "RX"),
    **dict.fromkeys(("RM", "REIMPORT", "REIMPORTS", "4"), "RM"),
    **dict.fromkeys(("DX", "DOMESTICEXPORT", "DOMESTICEXPORTS"), "DX"),
    **dict.fromkeys(("FM", "FOREIGNIMPORT", "FOREIGNIMPORTS"), "FM"),
    **dict.fromkeys(("MIP", "IMPORTOFGOODSFORINWARDPROCESSING"), "MIP"),
    **dict.fromkeys(("MOP", "IMPORTOFGOODSAFTEROUTWARDPROCESSING"), "MOP"),
    **dict.fromkeys(("XIP", "EXPORTOFGOODSAFTERINWARDPROCESSING"), "XIP"),
    **dict.fromkeys(("XOP", "EXPORTOFGOODSFOROUTWARDPROCESSING"), "XOP"),
}
# What tells that the publisher converted a row from the revision in which the country reported it.
ORIGINAL = ("", "TRUE", "T", "1", "YES", "Y")
CONVERTED = ("FALSE", "F", "0", "NO", "N")


def typed_rows(connection: duckdb.DuckDBPyConnection, path: Path, entry: Entry, rejects: str) -> tuple[str, TextTable]:
    """A query for the typed rows of one payload, in the file's order (columns: `parsing.PARSED_COLUMNS`), and its text.

    `rejects` names the temporary table that collects unreadable lines. SourceError when the payload is no Comtrade
    table or lacks a required column.
    """
    if file_format(entry) == "json":
        table = _open_json(connection, path, entry)
    else:
        table = _open_delimited(connection, path, entry, rejects)
    require_columns(table, REQUIRED, entry.address)
    return _typed(table), table


def file_format(entry: Entry) -> str:
    """The payload's format: csv, json, txt or tsv. The publisher's client names bulk files without .txt."""
    bulk = Path(entry.part).name.upper().startswith("COMTRADE-")
    return entry.parameters.get("format", "txt" if bulk else "csv").lower()


def _open_delimited(connection: duckdb.DuckDBPyConnection, path: Path, entry: Entry, rejects: str) -> TextTable:
    is_csv = file_format(entry) == "csv"
    dialect = Dialect("," if is_csv else "\t", gzipped=entry.address.lower().endswith(".gz"))
    return open_delimited(connection, path, entry.address, dialect, rejects=rejects)


def _open_json(connection: duckdb.DuckDBPyConnection, path: Path, entry: Entry) -> TextTable:
    """Comtrade's envelope {"count": n, "data": [...], "error": ""}, a bare list of rows, or one row a line."""
    compression = "gzip" if entry.address.lower().endswith(".gz") else "uncompressed"
    reader = f"read_json_objects({one_file(path)}, compression='{compression}', format='auto', "
    reader += "hive_partitioning=false, "
    reader += f"maximum_object_size={max(_content_bytes(path, compression) + 1, 1 << 24)})"
    try:
        connection.execute(f"create or replace temp table payload as select json from {reader}")
        envelopes = connection.execute(
            "select json ->> 'error', json ->> 'count', json_array_length(json, '$.data') from payload "
            "where json_type(json, '$.data') = 'ARRAY'"
        ).fetchall()
        for envelope in envelopes:
            _check_envelope(entry, *envelope)
        if not envelopes:
            _check_no_refusal(connection, entry)
        rows = "select unnest(cast(json -> 'data' as json[])) as r from payload" if envelopes else "from payload"
        connection.execute(f"create or replace temp table json_rows as select r from ({rows}) as rows(r)")
        _check_rows(connection, entry, len(envelopes))
        keys = connection.execute(
            "select distinct unnest(json_keys(r)) as name from json_rows order by name"
        ).fetchall()
    except duckdb.Error as error:
        raise unreadable(entry.address, error) from error
    # An answer without rows has no keys; it is an answer all the same.
    names = [key[0] for key in keys] or list(FIELDS)
    fields = ", ".join(f"r ->> {literal(name)} as {identifier(name)}" for name in names)
    return TextTable(f"(select {fields} from json_rows)", fold_names(names, entry.address))


def _content_bytes(path: Path, compression: str) -> int:
    """The size of the text: an answer is one JSON object, and the reader's buffer must hold all of it."""
    if compression != "gzip":
        return path.stat().st_size
    with path.open("rb") as file:  # the last four bytes of a gzip file say how long its content is
        file.seek(-4, 2)
        return int.from_bytes(file.read(4), "little")


def _check_no_refusal(connection: duckdb.DuckDBPyConnection, entry: Entry) -> None:
    """Comtrade refuses with one object: {"error": …}, {"errorObject": …} or {"statusCode": …, "message": …}."""
    row = connection.execute(
        "select coalesce(json ->> 'error', json ->> 'errorObject', json ->> 'message') from payload "
        "where (select count(*) from payload) = 1 and (json ->> 'reporterCode') is null"
    ).fetchone()
    if row is not None and row[0]:
        raise _refusal(entry, row[0])


def _check_rows(connection: duckdb.DuckDBPyConnection, entry: Entry, envelopes: int) -> None:
    """Every row is an object, and nothing stands beside the envelopes."""
    objects, others, payloads = connection.execute(
        "select count(*) filter (json_type(r) = 'OBJECT'), count(*) filter (json_type(r) is distinct from 'OBJECT'), "
        "(select count(*) from payload) from json_rows"
    ).fetchone() or (0, 0, 0)
    if others or (envelopes and envelopes != payloads):
        raise SourceError(
            entry.address,
            found=f"{others} of {objects + others} rows that are no objects"
            if others
            else f"{payloads - envelopes} objects beside {envelopes} envelopes",
            expected="Comtrade's answer, a list of rows, or one row a line",
            remedy="Ask Comtrade again; nothing of this file was used.",
        )


def _refusal(entry: Entry, error: str) -> SourceError:
    return SourceError(
        entry.address,
        found=f"an answer that reports the error {error!r}",
        expected="an answer with data",
        remedy="Ask Comtrade again; nothing of this file was used.",
    )


def _check_envelope(entry: Entry, error: str | None, count: str | None, rows: int) -> None:
    if error:
        raise _refusal(entry, error)
    if count is not None and count != str(rows):
        raise SourceError(
            entry.address,
            found=f"count {count} but {rows} rows",
            expected="as many rows as the answer's own count",
            remedy="The answer was cut short: ask Comtrade again.",
        )


def _typed(table: TextTable) -> str:
    column = table.column
    code, value, quantity = column("cmdcode"), column("primaryvalue"), column("qty")
    period = f"nullif({column('period')}, '')"
    year = f"coalesce(nullif({column('refyear')}, ''), left({period}, 4))"
    partner2, mode = (f"coalesce(nullif({column(name)}, ''), '0')" for name in ("partner2code", "motcode"))
    customs = f"coalesce(nullif(upper({column('customscode')}), ''), 'C00')"
    flow = f"upper({column('flowcode')})"
    # 1.0 is 1; "Re-Import" and "re import" are one word.
    word = f"regexp_replace(regexp_replace({flow}, '\\.0+$', ''), '[^A-Z0-9]', '', 'g')"
    known_flows = " ".join(f"when {literal(word)} then {literal(code)}" for word, code in FLOWS.items())
    original = f"upper(coalesce({column('isoriginalclassification')}, ''))"
    revision = f"upper({column('classificationcode')})"
    # Answers without descriptions state only the code; the two units of most goods get the name that others state.
    named = f"case {column('qtyunitcode')} when '8' then 'kg' when '5' then 'u' else {column('qtyunitcode')} end"
    unit = f"coalesce(nullif({column('qtyunitabbr')}, ''), {named})"
    return f"""
        with text_rows as (
            select
                {whole_number(year)} as year,
                {whole_number(column("reportercode"))} as reporter_code,
                {flow} as flow_stated,
                -- Nearly all rows have a code, which needs no look at its letters.
                case when flow_stated in ('M', 'X') then flow_stated else case {word} {known_flows} end end as flow,
                {whole_number(column("partnercode"))} as partner_code,
                nullif(nullif({revision}, ''), 'HS') as stated_revision,
                upper({code}) as cmd_code,
                {decimal_number(value)} as value_usd,
                {value} as value_text,
                {decimal_number(f"nullif({quantity}, '')")} as qty,
                nullif({quantity}, '') as qty_text,
                {unit} as unit,
                coalesce({column("typecode")}, '') as type_code,
                coalesce({column("freqcode")}, '') as freq_code,
                {period} as period,
                {whole_number(partner2)} as partner2_code,
                {whole_number(mode)} as mode_code,
                {customs} as customs_code,
                {original} as original,
                received
            from {table.expression} as received
        ),
        judged as (
            select *, case
                when year is null or year not between 1900 and 2100 then 'bad_year'
                when type_code = 'S' then 'not_goods'
                when type_code not in ('', 'C') then 'unknown_type'
                when freq_code in ('M', 'Q') or length(period) > 4 then 'not_annual'
                when freq_code not in ('', 'A') then 'unknown_frequency'
                when left(period, 4) <> cast(year as varchar) then 'year_and_period_differ'
                when reporter_code is null or partner_code is null or partner2_code is null or partner2_code < 0
                    then 'bad_country_code'
                when coalesce(flow_stated, '') = '' then 'missing_flow'
                when flow is null then 'unknown_flow'
                when mode_code is null or mode_code < 0 then 'unknown_transport_mode'
                when not regexp_full_match(customs_code, 'C[0-9]{{1,3}}') then 'unknown_customs_procedure'
                when original not in {ORIGINAL + CONVERTED} then 'unknown_original_classification'
                when stated_revision not in {REVISIONS} then 'unknown_classification'
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
            year, reporter_code, coalesce(flow, flow_stated) as flow, partner_code, stated_revision, cmd_code,
            value_usd,
            nullif(qty, 0) as quantity,  -- Comtrade writes 0 for an unknown quantity in some years
            case when nullif(qty, 0) is not null and unit not in ('', '-1', 'N/A') then unit end as quantity_unit,
            case when partner2_code <> 0 or mode_code <> 0 or customs_code <> 'C00'
                then concat_ws('/', partner2_code, mode_code, customs_code) end as breakdown,
            original in {CONVERTED} as is_converted, reason,
            case when reason is not null then cast(to_json(received) as varchar) end as raw
        from judged
    """
