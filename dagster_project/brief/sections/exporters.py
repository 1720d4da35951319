"""Which exporters hold the goods of high centrality.

Not here: the chart (see `figures`), the exporters of one good (see `good`).
"""

from __future__ import annotations

import duckdb

from dagster_project.brief.data import Rows, Selection, rows
from dagster_project.publish.read import Release

TOP = 15


def ask(connection: duckdb.DuckDBPyConnection, release: Release, selection: Selection) -> Rows | None:
    """Who leads in goods of high centrality, by year."""
    if "exporter_position" not in release.marts:
        return None
    return rows(
        connection,
        f"""select year, exporter_iso3 as exporter, exporter_name as name, n_goods, n_top3,
                  round(top3_share, 4) as top3_share,
                  n_high_centrality, n_high_centrality_rank1 as first, n_high_centrality_top3 as top3,
                  round(high_centrality_top3_share, 4) as high_top3_share
           from marts.exporter_position
           where n_high_centrality_top3 > 0 and list_contains(?, year)
               and {release.of_countries("exporter_position")}
           qualify row_number() over (partition by year
               order by n_high_centrality_rank1 desc, n_high_centrality_top3 desc, exporter_code) <= ?
           order by year, first desc, top3 desc, exporter_code""",
        [list(selection.years), TOP],
    )
