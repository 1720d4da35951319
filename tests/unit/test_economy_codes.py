"""The codes of economies, and what a wrong one is taken for."""

from __future__ import annotations

import pytest

from dagster_project.economy_codes import ALPHA3, ALPHA3_BY_ALPHA2, nearest
from dagster_project.errors import SettingError
from dagster_project.sample.areas import EXPIRED, economies
from dagster_project.settings import load_settings


def test_the_list_is_whole() -> None:
    assert len(ALPHA3_BY_ALPHA2) == len(set(ALPHA3_BY_ALPHA2.values())) == 249
    assert {each.iso2: each.iso3 for each in economies() if each.iso2}.items() <= ALPHA3_BY_ALPHA2.items()
    assert {each.iso3 for each in EXPIRED} <= ALPHA3


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("GER", "DEU"), ("ger", "DEU"), ("DE", "DEU"), ("UK", "GBR"), ("ENG", "GBR"), ("SUI", "CHE"), ("NED", "NLD"),
        ("JAP", "JPN"), ("UAE", "ARE"), ("CHI", "CHN"), ("TAI", "TWN"), ("DUE", "DEU"), ("UAS", "USA"), ("XQX", ""),
    ],
)  # fmt: skip
def test_an_importer_that_is_no_code_is_refused_before_a_run_with_the_code_that_is_meant(text: str, meant: str) -> None:
    assert nearest(text) == meant
    with pytest.raises(SettingError, match="CHOKEPOINT_BRIEF_IMPORTER") as error:
        load_settings({"CHOKEPOINT_BRIEF_IMPORTER": text}, dotenv=None)
    assert (f"Did you mean {meant}?" if meant else "Set one of") in error.value.remedy
    assert f"{text!r}, which is no such code" in error.value.found


@pytest.mark.parametrize("text", ["auto", "DEU", "deu", "TWN", "YUG", " USA "])
def test_codes_are_taken(text: str) -> None:
    assert (
        load_settings({"CHOKEPOINT_BRIEF_IMPORTER": text}, dotenv=None).brief_importer.upper() == text.strip().upper()
    )
