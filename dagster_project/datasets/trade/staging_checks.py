"""The staging stage's checks: did everything that was landed arrive, and do the reference tables cover the trade?

Not here: single rows (see `landing_checks`), and column types, which dbt's contracts hold.
"""

from __future__ import annotations

from dagster_project.checks.declarations import Check, Expect, Stage, no_rows, not_empty
from dagster_project.hs import UNSPECIFIED_GOODS


def _as_landed(landed: str) -> Expect:
    """Rows and value per year are those of the landing table."""
    return no_rows(f"""
        with staged as (
            select year, count(*) as rows_staged, sum(value_usd) as staged_usd from {{batch}} group by all
        ),
        landed as (
            select year, count(*) as rows_landed, sum(value_usd) as landed_usd from landed.{landed} group by all
        )
        select * from staged full join landed using (year)
        where rows_staged is distinct from rows_landed or abs(staged_usd - landed_usd) > 1e-9 * landed_usd + 0.01
    """)


# A country whose code changed (Germany 280 and 276, the United States 841 and 842) and that reports under both in one
# year would be two countries.
_COUNTRIES_UNDER_TWO_CODES = """
    select r.year, r.flow, c.iso3, string_agg(r.reporter_code::varchar, ', ' order by r.reporter_code) as codes,
        string_agg(c.name, ', ' order by r.reporter_code) as names
    from {batch} as r join stg_countries as c on c.country_code = r.reporter_code
    where c.iso3 is not null group by all having count(*) > 1
"""
_TRADED_GOODS = f"""
    with traded as (
        select hs_revision, cmd_code as hs6, count(*) as n_rows, sum(value_usd) as value_usd from stg_trade_flows
        group by all
    )
    select traded.*, hs6_name, bec4 from traded left join stg_products using (hs6)
    where traded.hs_revision = (select max(hs_revision) from stg_products) and hs6 <> '{UNSPECIFIED_GOODS}'
"""
_GOODS_WITHOUT_BEC = "select * from {batch} where bec4 is null order by value_usd desc, hs6"
_BEC_FACTS = """
    select count(*) as goods, count(*) filter (bec4 is not null) as goods_with_bec,
        sum(value_usd) filter (bec4 is not null) / nullif(sum(value_usd), 0) as value_share_with_bec
    from {batch}
"""

TRADE_STAGING = Stage(
    name="staging",
    prepare={"traded_goods": _TRADED_GOODS},
    checks=(
        Check(
            "all_rows_arrived",
            "stg_trade_flows",
            "ERROR",
            "Staging holds the rows and the value that were landed, per year.",
            (not_empty(), _as_landed("trade_flows")),
        ),
        Check(
            "all_rows_arrived",
            "stg_trade_unallocated",
            "ERROR",
            "Staging holds the unallocated rows and their value that were landed, per year.",
            (_as_landed("trade_unallocated"),),
        ),
        Check(
            "bec_covers_trade",
            "stg_trade_flows",
            "WARN",
            "Every good traded in the base revision has a BEC code; those without are in no scope.",
            (no_rows(_GOODS_WITHOUT_BEC),),
            on="traded_goods",
            facts=_BEC_FACTS,
        ),
        Check(
            "one_code_per_country",
            "stg_trade_reporters",
            "WARN",
            "No country reports a year under two codes.",
            (no_rows(_COUNTRIES_UNDER_TWO_CODES),),
        ),
    ),
)
