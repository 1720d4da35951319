"""The sample's patents through landing, checks and dbt: marts recomputed in plain Python, and checks that find faults.

Not here: hand-worked values of single formulas (unit tests beside the models) and landing's rules (unit tests).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from datetime import UTC, datetime
from math import isclose
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pytest

from dagster_project.archive.store import Archive
from dagster_project.checks import engine
from dagster_project.checks.declarations import Stage
from dagster_project.checks.views import CheckedData, over_landing, over_warehouse
from dagster_project.datasets import samples as sample
from dagster_project.datasets.patents.checks import PATENT_LANDING, PATENT_MARTS
from dagster_project.datasets.patents.landing import TABLES
from dagster_project.datasets.patents.landing import land as land_patents
from tests.helpers.dbt_command import build, dbt
from tests.helpers.steps import load_of

MARTS = ("patent_core_share", "patent_country_summary", "patent_collaboration", "patent_reconciliation")
Row = dict[str, Any]


class Built:
    """The sample's patents, landed and built."""

    def __init__(self, root: Path) -> None:
        self.landing, self.warehouse = root / "landing", root / "warehouse.duckdb"
        archive = Archive(root / "archive")
        found = [payload for payload in sample.payloads() if payload.dataset == "patents"]
        entries = [archive.put(payload, retrieved_at=datetime(2026, 1, 1, tzinfo=UTC)) for payload in found]
        land_patents(load_of(archive, entries, self.landing))
        (self.landing / "reference").mkdir()
        with duckdb.connect() as connection:
            connection.execute(f"""
                copy (
                    select * from (values
                        (156, 'CN', 'CHN', 'China', true, null), (842, 'US', 'USA', 'USA', true, null),
                        (841, 'US', 'USA', 'USA and Puerto Rico (...1980)', true, date '1980-12-31')
                    ) as t(country_code, iso2, iso3, name, is_country, valid_to)
                ) to '{self.landing / "reference" / "countries.parquet"}'
            """)
        build(root, "--select", "fqn:*.patents.*")

    def landed(self, table: str) -> list[Row]:
        return _rows(f"from '{self.landing / 'patents' / f'{table}.parquet'}'")

    def mart(self, table: str) -> list[Row]:
        with duckdb.connect(str(self.warehouse), read_only=True) as connection:
            return _fetched(connection.execute(f"select * from marts.{table}"))

    def files(self) -> Mapping[str, Path]:
        return {
            **{table: self.landing / "patents" / f"{table}.parquet" for table in TABLES},
            "quarantine_patents": self.landing / "quarantine" / "patents" / "*.parquet",
            "patents_rule_counts": self.landing / "patents_rule_counts.parquet",
        }


def _rows(query: str) -> list[Row]:
    with duckdb.connect() as connection:
        return _fetched(connection.execute(query))


def _fetched(result: duckdb.DuckDBPyConnection) -> list[Row]:
    names = [column[0] for column in result.description or ()]
    return [dict(zip(names, row, strict=True)) for row in result.fetchall()]


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    return Built(tmp_path_factory.mktemp("patents"))


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


# --- checks -----------------------------------------------------------------------------------------------------------


def _failed(stage: Stage, data: CheckedData) -> set[tuple[str, str]]:
    outcomes = engine.run(stage, data)
    crashed = [outcome for outcome in outcomes if outcome.status in ("crashed", "missing")]
    assert not crashed, crashed
    return {(outcome.table, outcome.check) for outcome in outcomes if outcome.status == "failed"}


def test_the_sample_passes_but_for_its_quarantined_rows(built: Built) -> None:
    assert _failed(PATENT_LANDING, over_landing(built.files())) == {("quarantine_patents", "nothing_quarantined")}
    assert _failed(PATENT_MARTS, over_warehouse(built.warehouse)) == set()


def _broken(data: CheckedData, table: str, change: str) -> CheckedData:
    """The same data with one table made a real one and changed."""

    def setup(connection: Any) -> None:
        data.setup(connection)
        connection.execute(f"create table changed as from {table}")
        connection.execute(f"drop view {table}")
        connection.execute(f"alter table changed rename to {table}")
        connection.execute(change)

    return CheckedData(setup, data.absent)


LANDING_FAULTS = [
    ("pct_publications", "insert into pct_publications from pct_publications limit 1", "publications_unique"),
    ("pct_publications", "update pct_publications set publication_date = date '1990-01-01'", "dates_in_order"),
    ("pct_applicants", "update pct_applicants set weight = 0.9 where pct_id = (select min(pct_id) from pct_applicants)",
     "weights_sum_to_one"),
    ("pct_applicants", "update pct_applicants set country_iso2 = null where seq = 0", "countries_known"),
    ("pct_fields", "delete from pct_fields where pct_id = (select max(pct_id) from pct_fields)", "weights_sum_to_one"),
    ("pct_fields", "update pct_fields set wipo_field_id = 'D5' where wipo_field_id = '4'", "weights_sum_to_one"),
    ("pct_fields", "update pct_fields set wipo_field_id = null where wipo_field_id < '3'", "fields_known"),
    ("pct_citations", "update pct_citations set cited_pct_id = 'X' where citing_id like '99%'", "citations_plausible"),
    ("pct_citations", "insert into pct_citations from pct_citations limit 1", "citations_plausible"),
    ("reference_totals", "update reference_totals set value = 9e9 where country_iso2 = 'CN'", "economies_within_world"),
    ("patents_rule_counts", "update patents_rule_counts set n = n + 1 where rule = 'landed'", "rows_accounted_for"),
    ("quarantine_patents", "delete from quarantine_patents where reason = 'malformed_row'", "counts_match_rows"),
    ("patents_rule_counts", "update patents_rule_counts set n = 900 where rule = 'quarantined:malformed_row'",
     "few_quarantined"),
]  # fmt: skip
MART_FAULTS = [
    ("patent_core_share", "update patent_core_share set core_share = 1.5 where field_id = '4'", "shares_plausible"),
    ("patent_core_share", "delete from patent_core_share where country_iso2 = 'CN'", "world_shares_sum_to_one"),
    ("patent_core_share", "update patent_core_share set rta = rta * 2 where country_iso2 = 'CN'", "rta_averages_one"),
    ("patent_country_summary", "update patent_country_summary set field_hhi = 0.01", "measures_plausible"),
    ("patent_country_summary", "update patent_country_summary set applications = 99", "totals_match_fields"),
    ("patent_collaboration", "delete from patent_collaboration where partner_iso2 = 'US'", "shares_sum_to_one"),
    ("patent_reconciliation", "update patent_reconciliation set share_difference = 0.5", "shares_near_reference"),
]  # fmt: skip


@pytest.mark.parametrize(("table", "change", "check"), LANDING_FAULTS)
def test_each_landing_check_finds_its_fault(built: Built, table: str, change: str, check: str) -> None:
    found = _failed(PATENT_LANDING, _broken(over_landing(built.files()), table, change))
    assert check in {name for _, name in found}, found


@pytest.mark.parametrize(("table", "change", "check"), MART_FAULTS)
def test_each_mart_check_finds_its_fault(built: Built, table: str, change: str, check: str) -> None:
    found = _failed(PATENT_MARTS, _broken(over_warehouse(built.warehouse), table, change))
    assert check in {name for _, name in found}, found
