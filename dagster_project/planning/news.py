"""Does a live source offer something new since it was last used? Only availability is asked, and nothing is archived.

What belongs here: from a service's answer to the years and datasets that a run must compute. Not here: Dagster (see
`sensors`), and how a service is asked (see `datasets`).
"""

from __future__ import annotations

from dataclasses import dataclass

from dagster_project.datasets.declaration import Dataset, LiveService
from dagster_project.landing import yearly
from dagster_project.planning.intake import current_inputs
from dagster_project.planning.loading import load_of
from dagster_project.planning.state import Built, entries_fingerprint
from dagster_project.settings import Settings
from dagster_project.sources.live import Live, live_session


@dataclass(frozen=True)
class News:
    """What is new. `years`: the years to compute; `others`: something that belongs to no year."""

    years: tuple[int, ...] = ()
    others: bool = False

    @property
    def nothing(self) -> bool:
        """Whether nothing is new."""
        return not (self.years or self.others)


def watched(each: Dataset, settings: Settings) -> LiveService | None:
    """The live service that the settings choose for a dataset, where it can be asked for news."""
    source = each.source(settings)
    if isinstance(source, LiveService) and (source.changed or source.changed_years):
        return source
    return None


def look(each: Dataset, settings: Settings) -> News:
    """Ask the dataset's live service. SourceError when it cannot be asked, Deferred when it accepts no calls now."""
    service = watched(each, settings)
    assert service is not None, f"{each.name} has no live service to ask"
    with live_session(settings, brief=True) as session:
        return _news_by_year(each, service, session) if each.yearly else _news(each, service, session)


def _news_by_year(each: Dataset, service: LiveService, session: Live) -> News:
    settings = session.settings
    if service.changed_years is not None:
        new = set(service.changed_years(session))
        held = set(settings.years or ())
    else:
        held = set(settings.years or map(int, Built.load(settings).years_of(each)))
        assert each.yearly is not None
        if each.yearly.has_gaps:  # years that it lacks would be news for ever
            held &= set(each.yearly.identities(load_of(each, settings)))
        changed = service.changed is not None and service.changed(session)
        if not held:
            return News(others=changed)
        new = held if changed else set()
    return News(years=tuple(sorted(new | _not_computed(each, settings, held))))


def _news(each: Dataset, service: LiveService, session: Live) -> News:
    """Whether the source has changed, or the marts lack what was last archived because a run failed after fetching."""
    computed = Built.load(session.settings).datasets.get(each.name, "").rpartition("/")[2]
    current = entries_fingerprint(current_inputs(each, session.settings))
    changed = service.changed is not None and service.changed(session)
    return News(others=changed or computed != current)


def _not_computed(each: Dataset, settings: Settings, asked: set[int]) -> set[int]:
    """The years whose marts lack what was last archived: a run failed after fetching."""
    built = Built.load(settings).years_of(each)
    landed = yearly.landed_years(settings.landing_dir, each.name)
    known = set(yearly.landed_entries(settings.landing_dir, each.name))
    waiting = [entry for entry in current_inputs(each, settings) if entry.id not in known]
    named = {int(year) for entry in waiting if (year := entry.parameters.get("period") or entry.parameters.get("year"))}
    return {year for year in asked if year in named or landed.get(year) is None or built.get(str(year)) != landed[year]}
