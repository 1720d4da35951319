"""What became of the rows of a year, by file, reporter and rule; and what a user should know of it.

What belongs here: the table that checks judge losses by (`trade_losses`) and the one that names what was found
(`trade_findings`). Not here: which rule takes a row (see `landing`).
"""

from __future__ import annotations

from collections.abc import Sequence

import duckdb

from dagster_project.datasets.trade.parsing import Parsed
from dagster_project.landing.tables import RuleCounts
from dagster_project.sql import literal, parquet

# The findings that count rows which landed all the same.
ROWS_NOTED = ("area_alias", "breakdown_summed", "unreadable_quantity")
# A flow, or an import that its reporter allocates to no country: rows that tell what a country trades.
USABLE = "(rule is null or rule = 'area_partner')"
# Rows that land as trade with a weight, a second quantity or an estimate flag that is none.
_WITHOUT_QUANTITY = (
    "unreadable_quantity is not null and (rule is null or rule in ('area_partner', 're_import')) "
    "and reporter_is_country"
)
DETAIL = """
    concat('reporter ', coalesce(cast(reporter_code as varchar), '?'), ', flow ', coalesce(flow, '?'),
        ', partner ', coalesce(cast(partner_code as varchar), '?'), ', code ', coalesce(cmd_code, '?'),
        ', revision ', coalesce(stated_revision, 'not stated'),
        ', value ', coalesce(cast(value_usd as varchar), '?'))
"""
# What a row is worth in comparisons of value: totals and headings repeat what other rows say.
_WORTH = """
    case when value_usd > 0 and isfinite(value_usd) and partner_code is distinct from 0
        and length(cmd_code) not in (2, 4) and cmd_code <> 'TOTAL' then try_cast(round(value_usd) as hugeint) end
"""


def tally(connection: duckdb.DuckDBPyConnection, judged: str) -> str:
    """A table of the judged rows by payload, reporter, flow and rule (null: a flow)."""
    connection.execute(f"""
        create table tally as
        select archive_entry, source, recency, reporter_code, reporter_is_country, flow, rule, count(*) as n_rows,
            count(*) filter ({USABLE} and value_usd > 0) as n_usable, sum({_WORTH})::double as value_usd,
            count(*) filter ({_WITHOUT_QUANTITY}) as n_without_quantity,
            min(case when rule like 'quarantined:%' then {DETAIL}
                when rule = 'code_level' and length(cmd_code) in (2, 4) then cmd_code end) as example
        from {judged} group by all
    """)
    return "tally"


def rule_counts(connection: duckdb.DuckDBPyConnection, tallied: str, rules: Sequence[str]) -> RuleCounts:
    """The accounting of the tallied rows."""
    by_rule: dict[str | None, int] = dict(
        connection.execute(f"select rule, sum(n_rows)::bigint from {tallied} group by rule order by rule").fetchall()
    )
    return RuleCounts(
        rows_read=sum(by_rule.values()),
        landed=by_rule.get(None, 0),
        rules={rule: by_rule.get(rule, 0) for rule in rules},
        quarantined={
            rule.removeprefix("quarantined:"): n
            for rule, n in by_rule.items()
            if rule and rule.startswith("quarantined:")
        },
    )


def noted(connection: duckdb.DuckDBPyConnection) -> dict[str, int]:
    """Rows that were read in another way than they are written, beside the rule that took them."""
    return dict(
        connection.execute(f"""
            select finding, sum(n_rows)::bigint from findings where finding in {ROWS_NOTED} group by all order by all
        """).fetchall()
    )


def losses(tallied: str, year: int | None, files: Sequence[Parsed]) -> str:
    """A query for trade_losses: rows and value by file, reporter, flow and rule; the reason where the rows are lost.

    A row that another replaces is not lost. A flow that is neither M nor X has none here. The example is a lost row;
    of headings and chapters, their code.
    """
    names = ", ".join(f"({recency}, {literal(table.address)})" for recency, table in enumerate(files))
    return f"""
        select {year if year is not None else "null"}::integer as year, source, file, archive_entry, reporter_code,
            coalesce(reporter_is_country, false) as reporter_is_country,
            case when flow in ('M', 'X') then flow end as flow,
            case when rule like 'quarantined:%' and rule <> 'quarantined:superseded' then rule[13:] end as reason,
            coalesce(rule, 'landed') as rule, sum(n_rows)::bigint as n_rows,
            coalesce(sum(value_usd), 0)::double as value_usd, min(example) as example
        from (select * replace (case when rule = 'quarantined:superseded' then null else example end as example)
            from {tallied}) join (values {names}) as files(recency, file) using (recency)
        group by all
    """


def rest_of_file(table: Parsed) -> str:
    """A query for the rows of a file that have a year: in trade_losses, what its rows without one are held against."""
    return f"""
        select null::integer, {literal(table.source)}, {literal(table.address)}, {literal(table.entry_id)},
            null::integer, false, null::varchar, null::varchar, null::varchar, count(*),
            coalesce(sum({_WORTH}), 0)::double, null::varchar
        from {parquet(table.path)} where year between 1900 and 2100
    """


def reporters(tallied: str) -> str:
    """A query for trade_reporters: countries of whose reports at least one row is usable."""
    return f"""
        select any_value(year) as year, reporter_code, flow, sum(n_usable)::bigint as n_rows
        from {tallied} cross join (select max(year) as year from all_rows)
        where reporter_is_country and flow in ('M', 'X')
        group by reporter_code, flow having sum(n_usable) > 0 order by reporter_code, flow
    """


def find(connection: duckdb.DuckDBPyConnection, judged: str, tallied: str, year: int) -> str:
    """A table of what a user should know of the year: findings by name, reporter, flow and code."""
    connection.execute(f"""
        create table findings as
        with by_rule as (
            select reporter_code, flow, coalesce(rule, 'landed') as rule, sum(n_rows) as n_rows,
                sum(n_usable) as n_usable, sum(value_usd) as value_usd
            from {tallied} where reporter_is_country and flow in ('M', 'X') group by all
        )
        select {year} as year, 'reported_nothing_usable' as finding, reporter_code, flow, null::varchar as code,
            sum(n_rows)::bigint as n_rows, coalesce(sum(value_usd), 0)::double as value_usd,
            string_agg(concat(rule, ' ', n_rows), ', ' order by n_rows desc, rule) as detail
        from by_rule group by reporter_code, flow having sum(n_usable) = 0
    """)
    for name, exists, query in (
        (
            "breakdown_summed",
            "select 1 from duckdb_tables() where table_name = 'parts'",
            """
            select reporter_stated, flow, cmd_code, count(*), sum(value_usd order by recency, source_row),
                concat('summed to ', count(distinct partner_stated), ' flows of this good, by ',
                    any_value(breakdown order by breakdown), ' …')
            from parts where place = 1 and is_taken and partner_stated <> 0 group by reporter_stated, flow, cmd_code
            """,
        ),
        (
            "area_alias",
            "select 1 from aliases limit 1",
            f"""
            select case when side = 'reporter' then reporter_code end, flow, stated::varchar, count(*),
                sum(value_usd order by recency, source_row), concat('as ', side, ', taken for ', taken)
            from (
                select 'reporter' as side, reporter_stated as stated, reporter_code as taken, * from {judged}
                where reporter_stated <> reporter_code
                union all
                select 'partner', partner_stated, partner_code, * from {judged} where partner_stated <> partner_code
            )
            where value_usd is not null and isfinite(value_usd) group by all
            """,
        ),
        (
            "unreadable_quantity",
            f"select 1 from {tallied} where n_without_quantity > 0 limit 1",
            f"""
            select reporter_code, flow, null::varchar, count(*), sum(value_usd order by recency, source_row),
                concat('read as unknown, such as ', first(unreadable_quantity order by recency, source_row))
            from {judged} where {_WITHOUT_QUANTITY} group by all
            """,
        ),
        (
            "heading_only",
            f"select 1 from {tallied} where rule in ('code_level', 'control_total') limit 1",
            f"""
            with headings as (
                select reporter_code, flow, cmd_code, count(*) as n_rows,
                    coalesce(sum(value_usd order by recency, source_row) filter (partner_code <> 0),
                        sum(value_usd order by recency, source_row)) as value_usd
                from {judged}
                where rule in ('code_level', 'control_total') and length(cmd_code) in (2, 4) and cmd_code <> '99'
                    and reporter_is_country and cmd_code similar to '[0-9]+'
                group by all
            ),
            goods as (
                select distinct reporter_code, flow, left(cmd_code, 4) as heading from {judged}
                where rule is null or rule in ('area_partner', 're_import')
            ),
            below as (
                select reporter_code, flow, heading as cmd_code from goods
                union select reporter_code, flow, left(heading, 2) from goods
                union select reporter_code, flow, left(cmd_code, 2) from headings where length(cmd_code) = 4
            )
            select reporter_code, flow, cmd_code, n_rows, value_usd, 'no usable row of a six-digit code below it'
            from headings anti join below using (reporter_code, flow, cmd_code)
                anti join findings using (reporter_code, flow)
            """,
        ),
    ):
        if connection.execute(exists).fetchone() is not None:
            columns = "reporter_code, flow, code, n_rows, value_usd, detail"
            connection.execute(f"insert into findings select {year}, '{name}', * from ({query}) as f({columns})")
    return "findings"
