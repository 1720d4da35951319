"""Which industries of an importer are most exposed.

Not here: the chart (see `figures`).
"""

from __future__ import annotations

import duckdb

from dagster_project.brief.data import Rows, Selection, rows
from dagster_project.publish.read import Release

TOP = 20


def ask(connection: duckdb.DuckDBPyConnection, release: Release, selection: Selection) -> Rows | None:
    """The most exposed industries of each importer and year."""
    if "industry_vulnerability" not in release.marts:
        return None
    return rows(
        connection,
        """select year, importer_iso3 as importer, rank, hs2, hs2_name as name, n_goods, import_value_usd as value,
                  round(vulnerability, 5) as vulnerability, round(vulnerability_mean, 4) as mean, n_category1
           from marts.industry_vulnerability
           where list_contains(?, year) and list_contains(?, importer_iso3) and rank <= ?
           order by year, importer_code, rank, hs2""",
        [*selection.parameters, TOP],
    )
