"""What an importer would lose if a supplier delivered less, and what others could deliver in its place.

Not here: the chart (see `figures`), a scenario asked at the terminal (see `scenario`).
"""

from __future__ import annotations

from typing import Any

import duckdb

from dagster_project.brief.data import Rows, Selection, rows
from dagster_project.brief.markup import figure
from dagster_project.publish.read import Release

TOP = 10


def ask(connection: duckdb.DuckDBPyConnection, release: Release, selection: Selection) -> dict[str, Any] | None:
    """Losses of the scenarios, of removed suppliers, and the suppliers on which most of the imports hang."""
    if "scenario_losses" not in release.marts:
        return None
    return {
        "scenarios": rows(
            connection,
            """select year, importer_iso3 as importer, title, exporter_iso3 as exporter, n_goods, n_irreplaceable,
                      round(loss_usd) as loss, round(loss_share, 5) as loss_share, round(shortfall_usd) as shortfall,
                      round(replaceable_share, 4) as replaceable
               from marts.scenario_losses
               where list_contains(?, year) and list_contains(?, importer_iso3)
               order by year, importer_code, round(loss_usd, 2) desc, scenario_id""",
            selection.parameters,
        ),
        "removals": _removals(connection, release, selection),
        "holders": _holders(connection, release, selection),
    }


def _removals(connection: duckdb.DuckDBPyConnection, release: Release, selection: Selection) -> Rows | None:
    if "supplier_removal_summary" not in release.marts:
        return None
    return rows(
        connection,
        """select year, importer_iso3 as importer, exporter_iso3 as exporter, n_goods, n_irreplaceable,
                  round(lost_usd) as loss, round(lost_share, 4) as loss_share,
                  round(replaceable_share, 4) as replaceable
           from marts.supplier_removal_summary
           where list_contains(?, year) and list_contains(?, importer_iso3)
           order by year, importer_code, round(lost_usd, 2) desc, exporter_code""",
        selection.parameters,
    )


def _holders(connection: duckdb.DuckDBPyConnection, release: Release, selection: Selection) -> Rows | None:
    if "shock_exposure" not in release.marts:
        return None
    return rows(
        connection,
        """select year, importer_iso3 as importer, exporter_iso3 as exporter, n_goods,
                  round(exposed_value_usd) as value, round(exposure_share, 5) as loss_share
           from marts.shock_exposure
           where list_contains(?, year) and list_contains(?, importer_iso3)
           qualify row_number() over (partition by year, importer_code
                                      order by round(exposed_value_usd, 2) desc, exporter_code) <= ?
           order by year, importer_code, round(exposed_value_usd, 2) desc, exporter_code""",
        [*selection.parameters, TOP],
    )


def shown(answer: dict[str, Any]) -> str:
    """Sentences, a chart and a table, which the script fills."""
    return (
        '<ul id="shocks-said" class="sentences"></ul>'
        + figure(
            "scenarios",
            "Bar chart of what each scenario takes away, and how much of it others could deliver.",
            "What does not come in each scenario, in USD, on a logarithmic scale: hollow marks at first, filled ones "
            "after others have delivered what they can.",
        )
        + '<div id="scenarios-table"></div><div id="holders-of-imports"></div>'
        '<p class="note">A first-order loss is no forecast: no price moves, no stock is drawn down, and nothing is '
        "passed on to what is made from the goods. Nobody knows how much more others could sell; each scenario assumes "
        "it.</p>"
    )
