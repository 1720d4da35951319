"""How far an importer's suppliers stand from it by their votes in the UN General Assembly.

Not here: the chart (see `figures`).
"""

from __future__ import annotations

from typing import Any

import duckdb

from dagster_project.brief.data import Selection, rows
from dagster_project.brief.markup import figure
from dagster_project.publish.read import Release

TOP = 15


def ask(connection: duckdb.DuckDBPyConnection, release: Release, selection: Selection) -> dict[str, Any] | None:
    """Shares by distance and what distance adds to the risk, and the largest suppliers with theirs."""
    if "political_exposure" not in release.marts:
        return None
    exposure = rows(
        connection,
        """select year, importer_iso3 as importer, share_close as close, share_middle as middle,
                  share_distant as distant, share_unscored as unscored, risk_econ as econ, risk_distance as plain,
                  risk_distance_own as own, pol_ratio as ratio, pol_ratio_own as ratio_own
           from marts.political_exposure
           where list_contains(?, year) and list_contains(?, importer_iso3) order by year, importer_code""",
        selection.parameters,
    )
    suppliers = None
    if "political_exposure_supplier" in release.marts:
        suppliers = rows(
            connection,
            """select year, importer_iso3 as importer, exporter_iso3 as supplier, round(share, 4) as share,
                      round(distance, 3) as distance, closeness
               from marts.political_exposure_supplier
               where list_contains(?, year) and list_contains(?, importer_iso3)
               qualify row_number() over (partition by year, importer_code
                                          order by round(share, 12) desc, exporter_code) <= ?
               order by year, importer_code, round(share, 12) desc, exporter_code""",
            [*selection.parameters, TOP],
        )
    return {"exposure": exposure, "suppliers": suppliers}


def shown(answer: dict[str, Any]) -> str:
    """What the script fills for the importer and year chosen, and what a reader must know of the numbers."""
    picture = figure(
        "distances",
        "Dot chart of the largest suppliers by political distance and share of imports.",
        "The largest suppliers of goods in scope. To the right: those that vote differently from the importer in the "
        "UN General Assembly. Suppliers without a point, such as Taiwan, are in the table only.",
    )
    return (
        '<p id="relations-said"></p>'
        + (picture if answer["suppliers"] is not None else "")
        + '<div id="distances-table"></div><div id="relations-table"></div>'
        '<p class="note">Distance is that of two states\' votes in the UN General Assembly. Both scalings of distance '
        "are published and neither is the headline: with the plain one the chapter's claim (China below the United "
        "States on economics alone, above it once relations count) fails by construction of the UN points, with the "
        "importer's own scale it holds.</p>"
    )
