"""The charts of the pages, as Vega-Lite specifications made with Altair (and one in Vega); pages hand them their data.

What belongs here: marks, scales and words of a chart, one module per subject. Not here: data (see `sections`).
"""

from collections.abc import Callable, Mapping
from functools import cache

from dagster_project.brief.figures.common import Spec
from dagster_project.brief.figures.exclusions import exclusions_by_industry, exclusions_by_list
from dagster_project.brief.figures.flows import flow
from dagster_project.brief.figures.good import exporters_by_year, learning_rates, shares_moved
from dagster_project.brief.figures.goods import (
    CATEGORIES,
    exporter_positions,
    industry_ranking,
    map_of_goods,
    prices_by_year,
    suppliers_by_year,
    trend_of_exports,
    trend_of_good,
)
from dagster_project.brief.figures.patents import COUNTRIES, patents_by_field, patents_by_year
from dagster_project.brief.figures.politics import distances, scenarios

__all__ = ["CATEGORIES", "COUNTRIES", "GOOD_FIGURES", "IMPORTER_FIGURES", "specifications"]

IMPORTER_FIGURES: dict[str, Callable[[], Spec]] = {
    "map": map_of_goods,
    "bought": flow,
    "trend_of_good": trend_of_good,
    "supplier_shares": suppliers_by_year,
    "world": flow,
    "good_prices": prices_by_year,
    "industries": industry_ranking,
    "exporters": exporter_positions,
    "distances": distances,
    "scenarios": scenarios,
    "lists": exclusions_by_list,
    "list_industries": exclusions_by_industry,
    "fields": patents_by_field,
    "trend": patents_by_year,
}
GOOD_FIGURES: dict[str, Callable[[], Spec]] = {
    "world": flow,
    "over_years": trend_of_exports,
    "exporter_shares": exporters_by_year,
    "good_prices": prices_by_year,
    "moved": shares_moved,
    "rates": learning_rates,
}


def specifications(figures: Mapping[str, Callable[[], Spec]]) -> dict[str, Spec]:
    """The specification of each figure, by name."""
    return {name: _made(figure) for name, figure in figures.items()}


@cache
def _made(figure: Callable[[], Spec]) -> Spec:
    return figure()
