"""The sample's patents through landing and dbt: marts recomputed in plain Python.

Not here: hand-worked values of single formulas (unit tests beside the models), landing's rules
(test_patents_landing.py) and checks (test_patent_checks.py).
"""

from __future__ import annotations

from collections import defaultdict
from math import isclose
from typing import Any

import numpy as np
import pytest

from tests.helpers.built_patents import Built, Row
from tests.helpers.dbt_command import dbt

MARTS = (
    *("patent_core_share", "patent_country_summary", "patent_collaboration", "patent_reconciliation"),
    *("kaizen_patents", "kaizen_summary"),
)


def _five_years_later(day: Any) -> Any:
    try:
        return day.replace(year=day.year + 5)
    except ValueError:
        return day.replace(year=day.year + 5, day=28)


@pytest.fixture(scope="module")
def expected(built: Built) -> dict[tuple[int, str, str], Row]:
    """patent_core_share by brute force: applications, core applications and whether windows are closed."""
    publications = {row["pct_id"]: row for row in built.landed("pct_publications") if row["filing_year"]}
    counted: dict[str, int] = dict.fromkeys(publications, 0)
    for citation in built.landed("pct_citations"):
        cited = publications.get(citation["cited_pct_id"])
        if cited and cited["window_start"] and citation["citing_date"] < _five_years_later(cited["window_start"]):
            counted[citation["cited_pct_id"]] += 1
    cohorts: dict[tuple[int, str], list[Row]] = defaultdict(list)
    for field in built.landed("pct_fields"):
        if field["wipo_field_id"] and field["pct_id"] in publications:
            cohorts[publications[field["pct_id"]]["filing_year"], field["wipo_field_id"]].append(field)
    countries: dict[str, list[Row]] = defaultdict(list)
    for applicant in built.landed("pct_applicants"):
        countries[applicant["pct_id"]].append(applicant)
    found: dict[tuple[int, str, str], Row] = defaultdict(lambda: {"applications": 0.0, "core": 0.0, "closed": True})
    for (year, field_id), members in cohorts.items():
        threshold = np.quantile([counted[member["pct_id"]] for member in members], 0.9)
        for member in members:
            publication = publications[member["pct_id"]]
            for applicant in countries[member["pct_id"]]:
                cell = found[year, applicant["country_iso2"] or "ZZ", field_id]
                weight = member["weight"] * applicant["weight"]
                cell["applications"] += weight
                if counted[member["pct_id"]] >= max(threshold, 1):
                    cell["core"] += weight
        closed = all(
            _five_years_later(publications[m["pct_id"]]["window_start"]) <= publication["citations_until"]
            for m in members
        )
        for (y, _, f), cell in found.items():
            if (y, f) == (year, field_id):
                cell["closed"] = closed
    return dict(found)


def test_core_shares_are_those_of_brute_force(built: Built, expected: dict[tuple[int, str, str], Row]) -> None:
    mart = {(row["filing_year"], row["country_iso2"], row["field_id"]): row for row in built.mart("patent_core_share")}
    assert mart.keys() == expected.keys()
    of_field: dict[tuple[int, str], float] = defaultdict(float)
    for (year, _, field_id), cell in expected.items():
        of_field[year, field_id] += cell["applications"]
    for key, cell in expected.items():
        row = mart[key]
        assert isclose(row["applications"], cell["applications"], rel_tol=1e-9), key
        assert isclose(row["core_share"], cell["core"] / cell["applications"], abs_tol=1e-9), key
        assert isclose(row["world_share"], cell["applications"] / of_field[key[0], key[2]], rel_tol=1e-9), key
        assert row["window_complete"] == cell["closed"], key
    assert any(row["core_share_family"] for row in mart.values())


def test_summaries_hold_every_publication(built: Built) -> None:
    rows = built.mart("patent_country_summary")
    publications = [row for row in built.landed("pct_publications") if row["filing_year"]]
    assert isclose(sum(row["applications"] for row in rows), len(publications), rel_tol=1e-9)
    assert isclose(sum(row["unclassified_applications"] for row in rows), 1, rel_tol=1e-9)
    complete = {row["filing_year"]: row["window_complete"] for row in rows}
    assert complete[2015] and not complete[2016], "the window of the last years is still open"
    china = {row["filing_year"]: row for row in rows if row["country_iso2"] == "CN"}
    assert china[2018]["country_iso3"] == "CHN"
    growth = china[2018]["applications"] / china[2013]["applications"] - 1
    assert isclose(china[2018]["growth_5y"], growth, rel_tol=1e-9)
    usa = {row["country_name"] for row in rows if row["country_iso2"] == "US"}
    assert usa == {"USA"}, "the name of the country as it is now"


def test_partners_share_out_a_countrys_joint_publications(built: Built) -> None:
    countries: dict[str, set[str]] = defaultdict(set)
    for applicant in built.landed("pct_applicants"):
        if applicant["country_iso2"]:
            countries[applicant["pct_id"]].add(applicant["country_iso2"])
    joint: dict[str, float] = defaultdict(float)
    for row in built.mart("patent_collaboration"):
        joint[row["country_iso2"]] += row["joint_applications"]
    for country, total in joint.items():
        whole = sum(len(members) > 1 and country in members for members in countries.values())
        assert isclose(total, whole, rel_tol=1e-9), country


def test_reconciliation_says_why(built: Built) -> None:
    rows = built.mart("patent_reconciliation")
    assert {row["technology"] for row in rows} > {"ALL", "Chemistry", "Instruments"}
    (china,) = [r for r in rows if (r["filing_year"], r["country_iso2"], r["technology"]) == (2012, "CN", "ALL")]
    assert china["coverage"] < china["world_coverage"] < 1
    assert "granted in the United States" in china["explanation"] and "lower" in china["explanation"]


def test_building_again_gives_the_same_values_bit_for_bit(built: Built) -> None:
    before = {mart: sorted(map(repr, built.mart(mart))) for mart in MARTS}
    dbt(built.warehouse.parent, "run", "--select", "fqn:*.patents.*")
    assert before == {mart: sorted(map(repr, built.mart(mart))) for mart in MARTS}
