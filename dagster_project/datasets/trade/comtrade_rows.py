"""Comtrade's rows, in any of its file shapes, as typed rows with a reason where a row cannot be used.

What belongs here: the shape and range checks of single rows. Not here: other names of columns (see `comtrade_names`),
the shapes of JSON (see `comtrade_json`), and rules that need other rows or reference tables (see `landing`).
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import duckdb

from dagster_project.archive.store import Entry
from dagster_project.datasets.trade.comtrade_json import open_json
from dagster_project.datasets.trade.comtrade_names import FORMER_LAYOUT, KNOWN, is_former_layout, with_known_names
from dagster_project.errors import SourceError
from dagster_project.hs import REVISIONS
from dagster_project.landing.delimited import (
    Dialect,
    TextTable,
    decimal_number,
    open_delimited,
    require_columns,
    whole_number,
)
from dagster_project.sql import literal

REQUIRED = ("reportercode", "flowcode", "partnercode", "cmdcode", "primaryvalue", ("refyear", "period"))
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
# How a flag is written, in upper case: whether a row is in the revision in which the country reported it, and whether
# the publisher estimated a number. A flag that is not there tells nothing.
TRUE = ("TRUE", "T", "1", "YES", "Y")
FALSE = ("FALSE", "F", "0", "NO", "N")
# Units in which amounts of different goods and countries can be compared, as Comtrade and its former service name them.
KILOGRAM = ("kg", "weight in kilograms")
PIECE = ("u", "number of items")


def typed_rows(
    connection: duckdb.DuckDBPyConnection, path: Path, entry: Entry, shown_as: str, rejects: str
) -> tuple[str, TextTable]:
    """A query for the typed rows of one payload, in the file's order (columns: `parsing.PARSED_COLUMNS`), and its text.

    `rejects` names the temporary table that collects unreadable lines. SourceError when the payload is no Comtrade
    table or lacks a required column.
    """
    gzipped = entry.address.lower().endswith(".gz")
    written_as = _file_format(entry)
    if written_as == "json":
        received = open_json(connection, path, gzipped, shown_as)
    else:
        dialect = Dialect("," if written_as == "csv" else "\t", gzipped)
        received = open_delimited(connection, path, shown_as, dialect, rejects=rejects)
    table = with_known_names(received)
    _require(table)
    return _typed(table), table


def remarks(table: TextTable) -> list[str]:
    """What is odd about how the table is written, without harm to any row."""
    extra = [written for name, written in table.columns.items() if name not in KNOWN]
    return [
        *(table.written.notes if table.written else []),
        *([f"read as {FORMER_LAYOUT}"] if is_former_layout(table) else []),
        *([f"columns that nothing reads: {', '.join(extra)}"] if extra else []),
    ]


def _file_format(entry: Entry) -> str:
    """The payload's format: csv, json, txt or tsv. The publisher's client names bulk files without .txt."""
    bulk = Path(entry.part).name.upper().startswith("COMTRADE-")
    return entry.parameters.get("format", "txt" if bulk else "csv").lower()


def _require(table: TextTable) -> None:
    """SourceError unless the required columns are there; of the former service's tables it says that they are such."""
    try:
        require_columns(table, REQUIRED, table.shown_as)
    except SourceError as error:
        if not is_former_layout(table):
            raise
        raise SourceError(
            error.where,
            found=f"{FORMER_LAYOUT}, with {error.found}",
            expected="reporter, partner, flow, commodity, year and value as codes and numbers (rtCode, ptCode, rgCode, "
            "cmdCode, yr, TradeValue), or the layout of today",
            remedy="Download the data again from comtradeplus.un.org.",
        ) from error


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
    original = column("isoriginalclassification")
    revision = f"upper({column('classificationcode')})"
    unit, other_unit = _unit(table, ""), _unit(table, "alt")
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
                {_number(column("altqty"))} as alt_qty,
                {other_unit} as alt_unit,
                {_number(column("netwgt"))} as net_weight,
                {_flag(column("isqtyestimated"))} as qty_is_estimated,
                {_flag(column("isaltqtyestimated"))} as alt_is_estimated,
                {_flag(column("isnetwgtestimated"))} as weight_is_estimated,
                {_unreadable(table)} as unreadable_quantity,
                coalesce({column("typecode")}, '') as type_code,
                coalesce({column("freqcode")}, '') as freq_code,
                {period} as period,
                {whole_number(partner2)} as partner2_code,
                {whole_number(mode)} as mode_code,
                {customs} as customs_code,
                {original} as original,
                {_flag(original)} as is_original,
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
                when is_original is null and original <> '' then 'unknown_original_classification'
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
            {_usable("net_weight")} as net_weight_kg,
            case when net_weight_kg is not null then weight_is_estimated end as net_weight_estimated,
            -- Never the second quantity: what it calls kilograms is at times something else.
            coalesce(
                {_usable("net_weight", "weight_is_estimated")},
                case when lower(unit) in {KILOGRAM} then {_usable("qty", "qty_is_estimated")} end
            ) as quantity_kg,
            coalesce(
                case when lower(unit) in {PIECE} then {_usable("qty", "qty_is_estimated")} end,
                case when lower(alt_unit) in {PIECE} then {_usable("alt_qty", "alt_is_estimated")} end
            ) as quantity_units,
            case when partner2_code <> 0 or mode_code <> 0 or customs_code <> 'C00'
                then concat_ws('/', partner2_code, mode_code, customs_code) end as breakdown,
            is_original is false as is_converted, unreadable_quantity, reason,
            case when reason is not null then cast(to_json(received) as varchar) end as raw
        from judged
    """


def _unit(table: TextTable, prefix: str) -> str:
    """SQL for the unit of a quantity (`prefix` alt: the second one), null where no column states one.

    Answers without descriptions state only the code; the two units of most goods get the name that others state.
    """
    code = table.column(f"{prefix}qtyunitcode")
    named = f"case {code} when '8' then 'kg' when '5' then 'u' else {code} end"
    return f"coalesce(nullif({table.column(f'{prefix}qtyunitabbr')}, ''), {named})"


def _number(text: str) -> str:
    """SQL for a text as a finite number that is not negative, null unless it is one."""
    number = decimal_number(text)
    return f"case when {number} between 0 and 1.7976931348623157e308 then {number} end"


def _flag(text: str) -> str:
    """SQL for a text as a boolean, null unless it is one."""
    # Nearly all rows have one of two spellings. A case, because DuckDB makes a join of a list of five words and more.
    words = " ".join(
        f"when {literal(word)} then {value}" for value, known in (("true", TRUE), ("false", FALSE)) for word in known
    )
    return f"case {text} when 'False' then false when 'True' then true else case upper({text}) {words} end end"


def _usable(number: str, is_estimated: str = "false") -> str:
    """SQL for an amount that may enter a price: known, not 0 (which is how Comtrade writes unknown), not estimated."""
    return f"case when {number} > 0 and {is_estimated} is not true then {number} end"


def _unreadable(table: TextTable) -> str:
    """SQL for the texts that are no weight, second quantity or estimate flag, by column; null where there are none."""
    read_as = {
        "netwgt": "net_weight",
        "altqty": "alt_qty",
        "isqtyestimated": "qty_is_estimated",
        "isaltqtyestimated": "alt_is_estimated",
        "isnetwgtestimated": "weight_is_estimated",
    }
    nothing_read = {
        name: f"{value} is null and {table.column(name)} <> ''"
        for name, value in read_as.items()
        if name in table.columns
    }
    if not nothing_read:
        return "cast(null as varchar)"
    texts = (
        f"case when {is_it} then {literal(table.columns[name] + ' ')} || {table.column(name)} end"
        for name, is_it in nothing_read.items()
    )
    has_one = " or ".join(f"({is_it})" for is_it in nothing_read.values())
    return f"case when {has_one} then concat_ws(', ', {', '.join(texts)}) end"
