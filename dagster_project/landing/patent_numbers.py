"""Patent numbers in every spelling the sources use, as one spelling each.

The only implementation is in SQL (DuckDB macros), because millions of rows pass through it. Not here: any table.
"""

from __future__ import annotations

import duckdb

FIRST_PCT_YEAR = 1978  # the treaty's first filings; also the pivot of two-digit years

# Digits without a slash: the year has two digits up to mid-2004 and four since; serials had five digits before 2004 and
# have six since. Eight digits are a two-digit year and six more, unless they begin like a four-digit year.
_MACROS = f"""
create or replace temp macro patent_text(t) as
    upper(regexp_replace(t, '[\\s\\x{{00A0}}\\x{{2002}}\\x{{2003}}\\x{{2009}}]', '', 'g'));

create or replace temp macro patent_year(y) as
    case
        when length(y) = 2
            then cast(y as integer) + case when cast(y as integer) >= {FIRST_PCT_YEAR % 100} then 1900 else 2000 end
        when length(y) = 4 then cast(y as integer)
    end;

create or replace temp macro split_year(digits) as
    case
        when length(digits) = 7 then 2
        when length(digits) = 8 and left(digits, 2) not in ('19', '20') then 2
        when length(digits) between 8 and 12 and left(digits, 2) in ('19', '20') then 4
        else 0
    end;

-- 'year/serial' or bare digits -> year and serial padded to six digits; null where no such reading is possible
create or replace temp macro year_and_serial(t, slash) as
    case
        when t = '' then null
        when position('/' in t) > 0 then
            case when patent_year(split_part(t, '/', 1)) between {FIRST_PCT_YEAR} and 2099
                then patent_year(split_part(t, '/', 1)) || slash
                    || repeat('0', greatest(0, 6 - length(split_part(t, '/', 2)))) || split_part(t, '/', 2)
            end
        when split_year(t) > 0 then
            case when patent_year(left(t, split_year(t))) between {FIRST_PCT_YEAR} and 2099
                then patent_year(left(t, split_year(t))) || slash
                    || repeat('0', greatest(0, 6 - length(substr(t, split_year(t) + 1)))) || substr(t, split_year(t) + 1)
            end
    end;

-- WO2012/130123, WO 02/11111, WO/2012/130123, WO-2012130123-A1, WO0211111 -> WO2012130123
create or replace temp macro wo_number(t) as
    'WO' || year_and_serial(
        regexp_extract(patent_text(t), '^WO[-/]?((?:\\d{{2}}|\\d{{4}})/\\d{{1,8}}|\\d{{7,12}})-?(?:[A-Z]\\d?)?$', 1), ''
    );

create or replace temp macro pct_office(t) as
    coalesce(
        nullif(regexp_extract(t, '^PCT[-/]?([A-Z]{{2}})[-/]?(?:(?:\\d{{2}}|\\d{{4}})/\\d{{1,6}}|\\d{{7,10}})$', 1), ''),
        nullif(regexp_extract(t, '^([A-Z]{{2}})-?\\d{{7,10}}-?W$', 1), '')
    );

create or replace temp macro pct_digits(t) as
    coalesce(
        nullif(regexp_extract(t, '^PCT[-/]?[A-Z]{{2}}[-/]?((?:\\d{{2}}|\\d{{4}})/\\d{{1,6}}|\\d{{7,10}})$', 1), ''),
        nullif(regexp_extract(t, '^[A-Z]{{2}}-?(\\d{{7,10}})-?W$', 1), ''),
        ''
    );

-- PCT/EP2015/060757, PCT/EP03/00123, US-2012012345-W -> PCT/EP/2015/060757
create or replace temp macro pct_application_number(t) as
    'PCT/' || pct_office(patent_text(t)) || '/' || year_and_serial(pct_digits(patent_text(t)), '/');
"""


def install_number_macros(connection: duckdb.DuckDBPyConnection) -> None:
    """Define `wo_number(text)` and `pct_application_number(text)` on a connection; both give null for anything else.

    A WO number comes out as WO, four-digit year and a serial padded to six digits (WO2002011111); an application
    number as PCT/<receiving office>/<year>/<serial> (PCT/EP/2003/000123). Two-digit years from 78 on are 19xx.
    """
    for statement in _MACROS.split(";\n"):
        if statement.strip():
            connection.execute(statement)
