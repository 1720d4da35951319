"""The brief of an importer as one HTML page that opens from disk.

What belongs here: the order of the page, and what each part is given. Not here: questions and words (see `sections`),
charts (see `figures`), the frame (see `shell`), the page of one good (see `good`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from dagster_project.brief import data, shell
from dagster_project.brief.markup import section
from dagster_project.brief.sections import (
    countries,
    exclusions,
    exporters,
    goods,
    industries,
    patents,
    politics,
    prices,
    published,
    shocks,
    suppliers,
    vintage,
    words,
)
from dagster_project.publish.read import Release

NAME = "brief.html"
NAV = {
    "exposed": "Exposed goods",
    "suppliers": "Who supplies what",
    "closer": "One good",
    "ranking": "Industries",
    "holders": "Exporters",
    "relations": "Relations",
    "shocks": "If supply stops",
    "tariffs": "Exclusions",
    "core": "Core patents",
    "published": "Published figures",
    "method": "Method",
    "vintage": "Data",
}


@dataclass(frozen=True)
class BriefOptions:
    """What a page covers: an ISO 3166-1 alpha-3 code or `auto`, and years (None: all that the release holds)."""

    importer: str = data.AUTO
    years: tuple[int, ...] | None = None


def write_brief(release: Release, target: Path, options: BriefOptions = BriefOptions()) -> Path:
    """Write the page of a release to `target`; raises as `render_brief` does."""
    target.write_text(render_brief(release, options), encoding="utf-8")
    return target


def render_brief(release: Release, options: BriefOptions = BriefOptions()) -> str:
    """The page of a release as HTML text.

    SettingError for an importer or years that the release does not hold, ReleaseError when it holds no trade marts.
    Marts that were left out leave a sentence in their place that says why.
    """
    with release.connect() as connection:
        selection = data.select(connection, release, options.importer, options.years)
        own = goods.ask(connection, selection)
        suppliers.add_to(connection, release, selection, own)
        selection = goods.with_room(own, selection)
        answers = {"goods": own, **_answers(connection, release, selection, own)}
        figures_published = published.ask(connection, release)
    from dagster_project.brief.figures import CATEGORIES, COUNTRIES, IMPORTER_FIGURES, specifications

    first = selection.importers[0]["name"]
    manifest = release.manifest
    content = {
        **answers,
        "selection": {
            "importers": [{"iso3": each["iso3"], "name": each["name"]} for each in selection.importers],
            "years": selection.years,
        },
        "categories": CATEGORIES,
        "compared": COUNTRIES,
        "specs": specifications(IMPORTER_FIGURES),
    }
    return shell.page(
        release,
        "importer",
        f"Supply vulnerability of {first}",
        content,
        NAV,
        importers=shell.choices((each["iso3"], each["name"]) for each in selection.importers),
        years=shell.choices((year, year) for year in reversed(selection.years)),
        scope=vintage.scope(manifest) + _left_out(selection),
        no_flows=section(answers["flows"], manifest, "trade_flows", lambda _: ""),
        no_prices=section(answers["prices"], manifest, "export_price_index", lambda _: ""),
        politics=section(answers["politics"], manifest, "political_exposure", politics.shown),
        shocks=section(answers["shocks"], manifest, "scenario_losses", shocks.shown),
        industries=section(answers["industries"], manifest, "industry_vulnerability", lambda _: ""),
        exporters=section(answers["exporters"], manifest, "exporter_position", lambda _: ""),
        exclusions=section(answers["exclusions"], manifest, "exclusion_rates", exclusions.shown),
        patents=section(answers["patents"], manifest, "patent_core_share", patents.shown),
        benchmarks=section(figures_published, manifest, "published_benchmarks", published.shown),
        method=words.shown(manifest),
        vintage=vintage.shown(manifest),
    )


def _answers(
    connection: duckdb.DuckDBPyConnection, release: Release, selection: data.Selection, own: dict[str, Any]
) -> Mapping[str, Any]:
    """What the scripts are given beside the importers' goods, part by part."""
    closely = goods.looked_at_closely(own, selection)
    return {
        "countries": countries.ask(connection, release),
        "members": countries.members(connection, release),
        "flows": suppliers.flows(connection, release, selection.years, closely),
        "prices": prices.ask(connection, release, selection.years, closely),
        "thresholds": goods.thresholds(connection, selection),
        "summary": goods.summary(connection, release, selection),
        "industries": industries.ask(connection, release, selection),
        "exporters": exporters.ask(connection, release, selection),
        "politics": politics.ask(connection, release, selection),
        "shocks": shocks.ask(connection, release, selection),
        "exclusions": exclusions.ask(connection, release),
        "patents": patents.ask(connection, release),
    }


def _left_out(selection: data.Selection) -> str:
    if not selection.left_out:
        return ""
    first, last = min(selection.left_out), max(selection.left_out)
    return (
        f" The years {first} to {last} are not in this page, to keep it small: choose years with <code>--years</code>."
    )
