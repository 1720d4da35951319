"""Is there news at a live source? The cheap question before a run, one to a few availability calls and no data call.

What belongs here: the question and its answer as plain data. Not here: Dagster (see `sensors`), and pulling.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from dagster_project.datasets.patents import uspto
from dagster_project.datasets.tariffs import web as ustr_web
from dagster_project.datasets.trade import comtrade_api
from dagster_project.datasets.trade.landing import landed_entries, landed_years
from dagster_project.planning.intake import taken_in
from dagster_project.planning.state import Built, entries_fingerprint
from dagster_project.settings import Settings
from dagster_project.sources import cepii as baci_web
from dagster_project.sources.live import Live, live


@dataclass(frozen=True)
class News:
    """What moved. `years`: the years of trade to compute (all asked for, where a release holds them together)."""

    years: tuple[int, ...] = ()
    others: bool = False

    @property
    def nothing(self) -> bool:
        """Whether nothing moved."""
        return not (self.years or self.others)


def _comtrade(surroundings: Live) -> News:
    asked = set(comtrade_api.asked_years(surroundings))
    changed = set(comtrade_api.changed_years(surroundings)) | _uncomputed(surroundings.settings, asked)
    return News(years=tuple(sorted(changed)))


def _baci(surroundings: Live) -> News:
    settings = surroundings.settings
    asked = set(settings.years or map(int, Built.load(settings).years))
    if baci_web.changed(surroundings):
        return News(years=tuple(sorted(asked)), others=not asked)
    return News(years=tuple(sorted(_uncomputed(settings, asked))))


def _uncomputed(settings: Settings, asked: set[int]) -> set[int]:
    """The years whose marts are not of what was last taken in: a run failed after it had pulled."""
    built, landed = Built.load(settings).years, landed_years(settings.landing_dir)
    known = set(landed_entries(settings.landing_dir))
    waiting = [entry for entry in taken_in("trade", settings) if entry.id not in known]
    named = {int(year) for entry in waiting if (year := entry.parameters.get("period") or entry.parameters.get("year"))}
    return {year for year in asked if year in named or landed.get(year) is None or built.get(str(year)) != landed[year]}


def _whole(dataset: str, changed: Callable[[Live], bool]) -> Callable[[Live], News]:
    """News of a dataset without years: the source moved, or its marts are not of what was last taken in."""

    def ask(surroundings: Live) -> News:
        settings = surroundings.settings
        taken = entries_fingerprint(taken_in(dataset, settings))
        computed = Built.load(settings).datasets.get(dataset, "").rpartition("/")[2]
        return News(others=changed(surroundings) or computed != taken)

    return ask


NEWS: Mapping[tuple[str, str], Callable[[Live], News]] = {
    ("trade", "comtrade"): _comtrade,
    ("trade", "baci"): _baci,
    ("tariffs", "ustr"): _whole("tariffs", ustr_web.changed),
    ("patents", "uspto"): _whole("patents", uspto.changed),
}


def look(dataset: str, source: str, settings: Settings) -> News:
    """Ask a live source. SourceError when it cannot be asked, Deferred when it wants no calls now."""
    with live(settings, in_passing=True) as surroundings:
        return NEWS[dataset, source](surroundings)
