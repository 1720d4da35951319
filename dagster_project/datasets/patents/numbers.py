"""Patent numbers in every spelling the sources use, as one spelling each.

The only implementation is in SQL, because millions of numbers pass through it. Not here: any table's columns.
"""

from __future__ import annotations

import duckdb

FIRST_PCT_YEAR = 1978  # the treaty's first filings; also the pivot of two-digit years

_BLANKS = "[\\s\\x{00A0}\\x{2002}\\x{2003}\\x{2009}]"
_SLASHED = "(?:\\d{2}|\\d{4})/"
# WO2012/130123, WO 02/11111, WO/2012/130123, WO-2012130123-A1, WO0211111: the digits, without a kind code
_WO = f"^WO[-/]?({_SLASHED}\\d{{1,8}}|\\d{{7,12}})-?(?:[A-Z]\\d?)?$"
# PCT/EP2015/060757, PCT/EP03/00123, PCTUS2012012345: receiving office and digits
_PCT = f"^PCT[-/]?([A-Z]{{2}})[-/]?({_SLASHED}\\d{{1,6}}|\\d{{7,10}})$"
# US-2012012345-W, BigQuery's application_number of an international application
_DOCDB = "^([A-Z]{2})-?(\\d{7,10})-?W$"


def create_number_table(connection: duckdb.DuckDBPyConnection, name: str, texts: str) -> None:
    """Create the temporary table `name` (text, wo_number, pct_application_number) of the texts of a query.

    `texts` is a query with one column named text. A WO number comes out as WO, four-digit year and a serial padded to
    six digits (WO2002011111); an application number as PCT/<receiving office>/<year>/<serial> (PCT/EP/2003/000123);
    both are null for any other text. Two-digit years from 78 on are 19xx. Without a slash the year has two digits where
    seven digits are given (serials had five digits before 2004) or eight that do not begin like a four-digit year.
    """
    connection.execute(f"""
        create or replace temp table {name} as
        with cleaned as materialized (
            select text, upper(regexp_replace(text, '{_BLANKS}', '', 'g')) as t
            from (select distinct text from ({texts})) where text is not null
        ),
        matched as materialized (
            select text, 'WO' as prefix, '' as slash, regexp_extract(t, '{_WO}', 1) as digits from cleaned
            union all
            select text, 'PCT/' || regexp_extract(t, '{_PCT}', 1) || '/', '/', regexp_extract(t, '{_PCT}', 2)
            from cleaned
            union all
            select text, 'PCT/' || regexp_extract(t, '{_DOCDB}', 1) || '/', '/', regexp_extract(t, '{_DOCDB}', 2)
            from cleaned
        ),
        measured as materialized (
            select *, case
                    when position('/' in digits) > 0 then position('/' in digits) - 1
                    when length(digits) >= 8 and left(digits, 2) in ('19', '20') then 4
                    when length(digits) <= 8 then 2
                    else 0
                end as year_digits
            from matched where digits <> ''
        ),
        split as materialized (
            select text, prefix, slash, ltrim(substr(digits, year_digits + 1), '/') as serial,
                cast(left(digits, year_digits) as integer) + case
                    when year_digits = 4 then 0
                    when cast(left(digits, 2) as integer) >= {FIRST_PCT_YEAR % 100} then 1900
                    else 2000
                end as year
            from measured where year_digits > 0
        ),
        spelt as (
            select text, prefix,
                prefix || year || slash || repeat('0', greatest(0, 6 - length(serial))) || serial as number
            from split where year between {FIRST_PCT_YEAR} and 2099
        )
        select c.text, max(s.number) filter (s.prefix = 'WO') as wo_number,
            max(s.number) filter (s.prefix <> 'WO') as pct_application_number
        from cleaned as c left join spelt as s on s.text = c.text
        group by c.text
    """)
