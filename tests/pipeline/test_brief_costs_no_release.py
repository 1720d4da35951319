"""What a release does about a page that cannot be made as the settings ask."""

from __future__ import annotations

import logging
from types import SimpleNamespace

import pytest

from dagster_project.assets.release import _brief
from dagster_project.publish.read import Release
from dagster_project.settings import load_settings
from tests.unit.test_brief import published, release  # noqa: F401  (fixtures)


@pytest.mark.parametrize(
    ("importer", "years", "said", "shown"),
    [
        ("JPN", "all", "shows the largest importer and all years", "Germany"),
        ("JPN", "2018", "shows the largest importer and 2018", "Germany"),
        ("FRA", "2017", "shows the largest importer and 2017", "Germany"),
        ("DEU", "2030", "shows the largest importer and all years", "Germany"),
        ("FRA", "2018", "", "France"),
    ],
)
def test_a_wrong_importer_or_year_costs_a_warning_and_no_release(
    release: Release,  # noqa: F811
    caplog: pytest.LogCaptureFixture,
    importer: str,
    years: str,
    said: str,
    shown: str,
) -> None:
    settings = load_settings({"CHOKEPOINT_BRIEF_IMPORTER": importer, "CHOKEPOINT_BRIEF_YEARS": years}, dotenv=None)
    with caplog.at_level(logging.WARNING, "of a run"):
        _brief(SimpleNamespace(log=logging.getLogger("of a run")), release, settings)  # type: ignore[arg-type]
    assert f"Supply vulnerability of {shown}" in (release.path / "brief.html").read_text()
    assert [message for message in caplog.messages if said in message] == caplog.messages
    assert bool(caplog.messages) == bool(said) and (not said or "CHOKEPOINT_BRIEF_" in caplog.messages[0])
