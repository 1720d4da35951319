"""One economy, one code: which of the codes that mean the same economy counts in a year.

The country lists decide: codes of countries with the same ISO 3166 alpha-3 code are one economy (842, 840 and, up to
1980, 841 are the USA). The code that counts is the one that Comtrade's list of reporters holds valid in the year; of
several, the one that came last. Not here: the lists (`reference.areas`).
"""

from __future__ import annotations

from pathlib import Path

import duckdb

from dagster_project.sql import parquet


def rows_of_economies(connection: duckdb.DuckDBPyConnection, rows: str, countries: Path, year: int) -> str:
    """A view of the rows by economy, and the codes they came with in `reporter_stated` and `partner_stated`."""
    connection.execute(f"""
        create table aliases as
        with dated as (
            select *, coalesce(valid_from, date '0001-01-01') as since, coalesce(valid_to, date '9999-12-31') as until,
                since <= make_date({year}, 12, 31) and until >= make_date({year}, 1, 1) as is_valid
            from {parquet(countries)}
            where is_country and iso3 is not null
        ),
        placed as (
            select country_code, first_value(country_code) over (
                partition by iso3
                order by is_valid and is_reporter desc, is_valid desc, is_reporter desc, since desc, until, country_code
            ) as economy_code
            from dated
        )
        select * from placed where country_code <> economy_code
    """)
    used = connection.execute(f"""
        select 1 from {rows} where reporter_code in (select country_code from aliases)
            or partner_code in (select country_code from aliases) limit 1
    """).fetchone()
    if used is None:
        connection.execute(f"""
            create view by_economy as
            select *, reporter_code as reporter_stated, partner_code as partner_stated from {rows}
        """)
    else:
        connection.execute(f"""
            create view by_economy as
            select r.* replace (
                    coalesce(reporter.economy_code, r.reporter_code) as reporter_code,
                    coalesce(partner.economy_code, r.partner_code) as partner_code
                ),
                r.reporter_code as reporter_stated, r.partner_code as partner_stated
            from {rows} as r
            left join aliases as reporter on reporter.country_code = r.reporter_code
            left join aliases as partner on partner.country_code = r.partner_code
        """)
    return "by_economy"
