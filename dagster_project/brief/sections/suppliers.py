"""Who supplies whom: the suppliers of every good of an importer, and the world's flows of the goods looked at closely.

From the flows themselves, which every release with trade has. They are Parquet by year, sorted by importer, so that one
importer's are a small part.

Not here: the flow diagram (see `figures`).
"""

from __future__ import annotations

from typing import Any

import duckdb

from dagster_project.brief.data import Selection
from dagster_project.economy_codes import EUROPEAN_UNION
from dagster_project.publish.read import Release

KEPT, KEPT_BEFORE = 6, 2  # suppliers of a good that are named, in the newest years and before
SHOWN = 7  # exporters and importers of a good that a picture names
NEWEST = 5  # years whose flows of single goods are in a page
COUNTRY = "coalesce({0}_iso3, {0}_name, 'area ' || {0}_code)"

# No flow is the union's own: it buys what its members buy of others.
_OF_THE_UNION = f"""
                union all
                select year, '{EUROPEAN_UNION}', hs6, {COUNTRY.format("exporter")} as supplier, min(exporter_code),
                       sum(value_usd)
                from marts.trade_flows
                where importer_code in (select country_code from marts.countries where is_eu27)
                    and exporter_code not in (select country_code from marts.countries where is_eu27)
                    and year in ({{years}})
                group by all"""


def add_to(
    connection: duckdb.DuckDBPyConnection, release: Release, selection: Selection, goods: dict[str, Any]
) -> bool:
    """Give each block of goods a column `sold`: per good, the largest suppliers with their shares, flattened.

    The largest supplier stands there, and in no column of its own any more. Shares are in thousandths: a page is small.
    """
    if "trade_flows" not in release.marts:
        return False
    codes = ", ".join(str(importer["code"]) for importer in selection.importers)
    union = any(importer["iso3"] == EUROPEAN_UNION for importer in selection.importers) and "countries" in release.marts
    found = connection.execute(
        f"""with bought as (
                select year, importer_iso3 as importer, hs6, {COUNTRY.format("exporter")} as supplier,
                       min(exporter_code) as code, sum(value_usd) as value
                from marts.trade_flows
                where importer_code in ({codes}) and year in ({_listed(selection.years)})
                group by all {_OF_THE_UNION.format(years=_listed(selection.years)) if union else ""}
            ),
            shares as (
                select *, value / sum(value) over (partition by year, importer, hs6) as share,
                       row_number() over (partition by year, importer, hs6
                                          order by round(value, 2) desc, code) as place
                from bought
            )
            select importer, year, hs6, list(supplier order by place), list(round(1000 * share)::integer order by place)
            from shares
            where place <= if(year > {selection.years[-1] - NEWEST}, {KEPT}, {KEPT_BEFORE}) group by all"""
    ).fetchall()
    sold = {(importer, year, hs6): (who, shares) for importer, year, hs6, who, shares in found}
    for block in goods["blocks"]:
        block["sold"] = [_flat(sold.get((block["importer"], block["year"], hs6))) for hs6 in block["hs6"]]
        if all(block["sold"]):
            del block["top"], block["top_share"]
    return True


def _flat(pair: tuple[list[str], list[float]] | None) -> list[Any]:
    return [] if pair is None else [each for both in zip(*pair, strict=True) for each in both]


def flows(
    connection: duckdb.DuckDBPyConnection,
    release: Release,
    years: tuple[int, ...],
    goods: list[str],
    shown: int = SHOWN,
) -> dict[str, Any] | None:
    """{year: {good: [[exporter, importer, value], …]}}: the largest of each; null stands for all others."""
    if "trade_flows" not in release.marts:
        return None
    found = connection.execute(
        f"""with flows as (
                select year, hs6, {COUNTRY.format("exporter")} as exporter, {COUNTRY.format("importer")} as importer,
                       sum(value_usd) as value
                from marts.trade_flows
                where hs6 in (select unnest(?)) and year in ({_listed(years[-NEWEST:])})
                group by all
            ),
            sellers as (
                select year, hs6, exporter, row_number() over (
                    partition by year, hs6 order by round(sum(value), 2) desc, exporter) as place
                from flows group by year, hs6, exporter
            ),
            buyers as (
                select year, hs6, importer, row_number() over (
                    partition by year, hs6 order by round(sum(value), 2) desc, importer) as place
                from flows group by year, hs6, importer
            )
            select year, hs6, if(sellers.place <= {shown}, exporter, null) as seller,
                   if(buyers.place <= {shown}, importer, null) as buyer, round(sum(value)) as value
            from flows join sellers using (year, hs6, exporter) join buyers using (year, hs6, importer)
            group by all order by year, hs6, value desc, seller nulls last, buyer nulls last""",
        [goods],
    ).fetchall()
    answer: dict[str, dict[str, list[list[Any]]]] = {str(year): {} for year in years[-NEWEST:]}
    for year, hs6, seller, buyer, value in found:
        answer[str(year)].setdefault(hs6, []).append([seller, buyer, value])
    return answer


def _listed(years: tuple[int, ...]) -> str:
    return ", ".join(map(str, years)) or "null"
