"""The goods of each importer: what the sentences, the map of categories, the table and the trends are made of.

Not here: the charts (see `figures`), suppliers beyond the largest (see `suppliers`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Any

import duckdb

from dagster_project.brief.data import Rows, Selection, rows
from dagster_project.brief.markup import packed
from dagster_project.publish.read import Release

# One list of values per column and block; `sold` is a list of [supplier, share] of the largest suppliers.
COLUMNS = (
    *("hs6", "value", "suppliers", "hhi", "top", "top_share", "category", "index", "centrality"),
    *("exporter", "exporter_share"),
)
# How many goods of the newest year are looked at closely, of the first importer and of each other one.
CLOSELY, CLOSELY_OTHERS = 30, 8
MOST_CLOSELY = 100
# What the goods may take of a page, which is to stay below 3 MB, as they stand in it.
MOST_BYTES = 2_250_000


def ask(connection: duckdb.DuckDBPyConnection, selection: Selection) -> dict[str, Any]:
    """Every good in scope of the chosen importers and years, most vulnerable first, by importer and year.

    Column by column and rounded to what a reader can see, to keep the page small.
    """
    found = connection.execute(
        """select v.importer_iso3, v.year, v.hs6, v.import_value_usd, v.n_suppliers, round(v.import_hhi, 3),
                  v.top_supplier_iso3, round(v.top_supplier_share, 3), v.category, round(v.vulnerability_index, 4),
                  round(c.export_centrality, 4), c.top_exporter_iso3, round(c.top_exporter_share, 3)
           from marts.import_vulnerability as v join marts.product_centrality as c using (year, hs6)
           where v.in_scope and list_contains(?, v.year) and list_contains(?, v.importer_iso3)
           order by v.importer_code, v.year, round(v.vulnerability_index, 12) desc nulls last, v.hs6""",
        selection.parameters,
    ).fetchall()
    blocks = [
        {"importer": importer, "year": year, **_columns([row[2:] for row in block])}
        for (importer, year), block in groupby(found, key=lambda row: (row[0], row[1]))
    ]
    codes = sorted({row[2] for row in found})
    names = "select hs6, any_value(hs6_name) from marts.product_centrality where list_contains(?, hs6) group by hs6"
    return {"blocks": blocks, "names": dict(connection.execute(names, [codes]).fetchall())}


def _columns(block: list[tuple[Any, ...]]) -> dict[str, list[Any]]:
    columns = {name: list(values) for name, values in zip(COLUMNS, zip(*block, strict=True), strict=True)}
    return {**columns, "value": [_four_digits(value) for value in columns["value"]]}


def _four_digits(value: float) -> int:
    return round(float(f"{value:.4g}"))


def with_room(answer: dict[str, Any], selection: Selection) -> Selection:
    """The selection that fits the page, and the answer without what does not.

    The first importer comes first, its newest years before older ones; another importer is there whole or not at all.
    """
    room = MOST_BYTES
    first, *others = selection.importers
    kept: list[int] = []
    for year in reversed(selection.years):
        room -= _size(answer, first, [year])
        if room < 0 and kept:
            break
        kept.append(year)
    fitting = [first]
    for other in others:
        room -= _size(answer, other, selection.years)
        if room < 0:
            break
        fitting.append(other)
    years = tuple(sorted(kept))
    codes = {importer["iso3"] for importer in fitting}
    answer["blocks"] = [b for b in answer["blocks"] if b["year"] in years and b["importer"] in codes]
    return Selection(tuple(fitting), years, tuple(sorted(set(selection.years) - set(years))))


def _size(answer: dict[str, Any], importer: Mapping[str, Any], years: Sequence[int]) -> int:
    blocks = [b for b in answer["blocks"] if b["importer"] == importer["iso3"] and b["year"] in years]
    return len(packed(blocks)) if blocks else 0


def looked_at_closely(answer: dict[str, Any], selection: Selection) -> list[str]:
    """The goods whose flows and prices are in the page too: the most exposed ones of each importer's newest year."""
    chosen: dict[str, None] = {}
    for place, importer in enumerate(selection.importers):
        blocks = [block for block in answer["blocks"] if block["importer"] == importer["iso3"]]
        for block in sorted(blocks, key=lambda each: -each["year"])[:1]:
            chosen |= dict.fromkeys(block["hs6"][: CLOSELY_OTHERS if place else CLOSELY])
    return list(chosen)[:MOST_CLOSELY]


def thresholds(connection: duckdb.DuckDBPyConnection, selection: Selection) -> Rows:
    """The two quartile lines of the map, per importer and year: continuous, over values rounded as the marts do."""
    return rows(
        connection,
        """with central as (
               select year, quantile_cont(round(export_centrality, 12), 0.75) as centrality
               from marts.product_centrality where in_scope and export_centrality is not null group by year
           )
           select v.year, v.importer_iso3 as importer, quantile_cont(round(v.import_hhi, 12), 0.75) as hhi,
                  any_value(c.centrality) as centrality
           from marts.import_vulnerability as v left join central as c using (year)
           where v.in_scope and list_contains(?, v.year) and list_contains(?, v.importer_iso3)
           group by all order by all""",
        selection.parameters,
    )


def summary(connection: duckdb.DuckDBPyConnection, release: Release, selection: Selection) -> Rows | None:
    """Goods and value in each category."""
    if "vulnerability_summary" not in release.marts:
        return None
    return rows(
        connection,
        """select year, importer_iso3 as importer, category, n_goods, goods_share,
                  import_value_usd as value, value_share
           from marts.vulnerability_summary
           where list_contains(?, year) and list_contains(?, importer_iso3) order by year, importer_code, category""",
        selection.parameters,
    )
