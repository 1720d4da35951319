"""How export prices of single goods moved, by exporter, and how fast they fall as output doubles.

Not here: the charts (see `figures`).
"""

from __future__ import annotations

import duckdb

from dagster_project.brief.data import Rows, rows
from dagster_project.publish.read import Release

EXPORTERS = 4


def ask(
    connection: duckdb.DuckDBPyConnection,
    release: Release,
    years: tuple[int, ...],
    goods: list[str],
    exporters: int = EXPORTERS,
) -> Rows | None:
    """Chained Fisher indices of the largest exporters of each good, over their latest unbroken run of years."""
    if "export_price_index" not in release.marts:
        return None
    return rows(
        connection,
        """with priced as (
               select hs6, year, exporter, name, quality, start_year, price from (
                   select product_code as hs6, year, exporter_code, exporter_iso3 as exporter, exporter_name as name,
                          quality, chain_start_year as start_year, round(chain_fisher, 4) as price,
                          sum(value_usd) over (partition by product_code, exporter_code) as sold,
                          max(chain_start_year) over (partition by product_code, exporter_code) as latest
                   from marts.export_price_index
                   where product_level = 'hs6' and basis = 'baseline' and list_contains($goods, product_code)
                         and list_contains($years, year) and chain_fisher is not null
               )
               where start_year = latest
               qualify dense_rank() over (partition by hs6 order by round(sold, 2) desc, exporter_code) <= $exporters
           )
           from priced order by hs6, exporter, year""",
        {"goods": goods, "years": list(years), "exporters": exporters},
    )


def learning(connection: duckdb.DuckDBPyConnection, release: Release, good: str) -> Rows | None:
    """Learning rates of one good by exporter, those with a rate first."""
    if "learning_rate" not in release.marts:
        return None
    return rows(
        connection,
        """select exporter_name as name, exporter_iso3 as exporter, quality, n, first_year, last_year, doublings,
                  learning_rate as rate, learning_rate_low as low, learning_rate_high as high, reason, small_sample
           from marts.learning_rate
           where product_level = 'hs6' and product_code = ? and cumulative = 'own'
           order by rate is null, n desc, doublings desc nulls last, exporter_code limit 15""",
        [good],
    )


def involution(connection: duckdb.DuckDBPyConnection, release: Release, good: str) -> Rows | None:
    """Who sold more of a good for less, by year."""
    if "involution" not in release.marts:
        return None
    return rows(
        connection,
        """select year, exporter_name as name, exporter_iso3 as exporter, quality, value_usd as value,
                  round(fisher, 4) as price, round(quantity_fisher, 4) as quantity, is_involution as more_for_less,
                  years_in_a_row as in_a_row
           from marts.involution where hs6 = ? and is_measured
           qualify row_number() over (partition by year order by round(value_usd, 2) desc, exporter_code) <= 15
           order by year, round(value_usd, 2) desc, exporter_code""",
        [good],
    )
