"""The explorer's pages: a module each, with the questions that only that page asks, and `PAGES`, which lists them.

Not here: what pages share (see `parts`) and how they look.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

from dagster_project.explore.choice import Choice
from dagster_project.explore.content import Page
from dagster_project.explore.pages import (
    chains,
    country,
    exclusions,
    exporter,
    good,
    mart,
    overview,
    patents,
    politics,
    prices,
    provenance,
    published,
    scenario,
    supply,
)
from dagster_project.explore.reader import Reader


class Entry(NamedTuple):
    """A page's name in the contents (none: it is reached from others) and what makes it."""

    title: str
    page: Callable[[Reader, Choice], Page]


PAGES: Mapping[str, Entry] = {
    "/": Entry("Overview", overview.page),
    "/country": Entry("Country", country.page),
    "/supply": Entry("", supply.page),
    "/good": Entry("Good", good.page),
    "/exporter": Entry("Exporter", exporter.page),
    "/scenario": Entry("Scenario", scenario.page),
    "/prices": Entry("Prices", prices.page),
    "/politics": Entry("Politics", politics.page),
    "/chains": Entry("Value chains", chains.page),
    "/exclusions": Entry("Exclusions", exclusions.page),
    "/patents": Entry("Patents", patents.page),
    "/published": Entry("Published figures", published.page),
    "/mart": Entry("Marts", mart.page),
    "/release": Entry("Release", provenance.page),
    "/find": Entry("", overview.found),
}
