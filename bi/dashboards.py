"""The dashboards, one for each theme, and all that they are made of. Not here: what a theme shows."""

from __future__ import annotations

from bi import chains, dependence, every_page, exclusions, prices
from bi.dashboard import Chart

DASHBOARDS = (dependence.DEPENDENCE, prices.PRICES, chains.CHAINS, exclusions.EXCLUSIONS)
DATASETS = (
    *every_page.DATASETS,
    *dependence.DATASETS,
    *prices.DATASETS,
    *chains.DATASETS,
    *exclusions.DATASETS,
)
# Of the categories of goods, in every chart.
COLOURS = dict(zip(every_page.CATEGORY.values(), ("#c0392b", "#e59866", "#f4d03f", "#aeb6bf"), strict=True))


def charts() -> list[Chart]:
    """Every chart once, though it be on several pages."""
    return list({chart.title: chart for page in DASHBOARDS for chart in page.charts()}.values())
