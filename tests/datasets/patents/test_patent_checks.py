"""The checks of patents: they pass on the built sample but for its quarantined rows, and each fails on its fault."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from dagster_project.checks.views import CheckedData, over_landing, over_warehouse
from dagster_project.datasets.patents.checks import PATENT_LANDING, PATENT_MARTS
from tests.helpers.built_patents import Built
from tests.helpers.check_cases import Case, add, assert_fails, assert_passes, case, each, not_passed, rows, sql
from tests.helpers.sound_reference import quarantined

PUBLICATION = "PCT/US/2008/000052"
ONE_CITATION = rows("pct_citations", cited_pct_id="WO2008000024", citing_id="9000128")
ALL_APPLICATIONS = {"family": "Patent Cooperation Treaty applications", "field": "ALL", "year": 2009}

LANDING_CASES = [
    case(
        "a publication that is there twice",
        rows("pct_publications", pct_id=PUBLICATION).repeat(),
        fails="pct_publications.publications_unique",
        shows={"pct_id": PUBLICATION},
    ),
    case(
        "publications of 1990 filed after it",
        rows("pct_publications").set(publication_date=date(1990, 1, 1)),
        fails="pct_publications.dates_in_order",
        shows={"publication_date": "1990-01-01"},
    ),
    case(
        "applicants whose weights sum to 0.9",
        rows("pct_applicants", pct_id=PUBLICATION).set(weight=0.9),
        fails="pct_applicants.weights_sum_to_one",
        shows={"pct_id": PUBLICATION, "sum_of_weights": 0.9},
    ),
    case(
        "first applicants of unknown country",
        rows("pct_applicants", seq=0).set(country_iso2=None),
        fails="pct_applicants.countries_known",
        shows={"publications_of_unknown_country": pytest.approx(2736.7, abs=0.1)},
    ),
    case(
        "a publication that lost its fields",
        rows("pct_fields", pct_id=PUBLICATION).remove(),
        fails="pct_fields.weights_sum_to_one",
        shows={"pct_id": PUBLICATION, "sum_of_weights": None},
    ),
    case(
        "a field that is none of the 35",
        rows("pct_fields", wipo_field_id="4").set(wipo_field_id="D5"),
        fails="pct_fields.weights_sum_to_one",
        shows={"wipo_field_id": "D5"},
    ),
    case(
        "publications without a field",
        rows("pct_fields", "wipo_field_id < '3'").set(wipo_field_id=None),
        fails="pct_fields.fields_known",
        shows={"publications": 2967},
    ),
    case(
        "citations of a publication that was not landed",
        rows("pct_citations", "citing_id like '99%'").set(cited_pct_id="X"),
        fails="pct_citations.citations_plausible",
        shows={"cited_pct_id": "X"},
    ),
    case(
        "a citation by a publication that was not landed",
        ONE_CITATION.set(citing_pct_id="X"),
        fails="pct_citations.citations_plausible",
        shows={"cited_pct_id": "WO2008000024", "n_rows": 1},
    ),
    case(
        "a citation that is there twice",
        ONE_CITATION.repeat(),
        fails="pct_citations.citations_plausible",
        shows={**ONE_CITATION.values, "n_rows": 2},
    ),
    case(
        "China with more applications than the world",
        rows("reference_totals", **ALL_APPLICATIONS, country_iso2="CN").set(value=9e9),
        fails="reference_totals.economies_within_world",
        shows=ALL_APPLICATIONS,
    ),
    case(
        "more rows landed than were read",
        rows("patents_rule_counts", rule="landed").set(n=sql("n + 1")),
        fails="quarantine_patents.rows_accounted_for",
        shows={"source": "google_patents/wo_publications"},
    ),
    case(
        "a quarantined row of a new reason",
        add("quarantine_patents", quarantined("unheard_of", dataset="patents", source="sample")),
        fails="quarantine_patents.nothing_quarantined",
        shows={"reason": "unheard_of", "n_rows": 1},
    ),
    case(
        "rows that were counted as quarantined and are not there",
        rows("quarantine_patents", reason="malformed_row").remove(),
        fails="quarantine_patents.counts_match_rows",
        shows={"reason": "malformed_row", "rows_found": 0},
    ),
    case(
        "200 publications without a filing year",
        rows("patents_rule_counts", rule="noted:without_filing_year").set(n=200),
        fails="quarantine_patents.few_noted",
        shows={"noted": "without_filing_year", "n_noted": 200},
    ),
    case(
        "400 US filing dates that cannot be read",
        rows("patents_rule_counts", rule="noted:unreadable_date").set(n=400),
        fails="quarantine_patents.few_noted",
        shows={"noted": "unreadable_date", "n_noted": 400},
    ),
    case(
        "a quarter of the publications without an applicant",
        rows("patents_rule_counts", rule="noted:without_applicant").set(n=740),
        fails="quarantine_patents.seldom_noted",
        shows={"noted": "without_applicant", "n_noted": 740},
    ),
    case(
        "900 rows quarantined",
        rows("patents_rule_counts", rule="quarantined:malformed_row").set(n=900),
        fails="quarantine_patents.few_quarantined",
        shows={"source": "google_patents/wo_publications", "rows_quarantined": 900},
    ),
]
# Numbers that can be wrong by a factor and still be plausible, by check.
SCALED = {
    "kaizen_patents.recomputed_from_publications": ("mean_depth", "median_lag", "self_citation_share", "cd5_mean"),
    "kaizen_summary.recomputed_from_publications": ("followon_share", "followon_share_raw", "field_coverage"),
    "patent_core_share.recomputed_from_publications": (
        *("applications", "core_applications", "core_share", "core_share_top1", "core_share_net_self"),
        *("core_share_family", "world_share", "rta"),
    ),
    "patent_country_summary.recomputed_from_publications": (
        *("applications", "core_applications", "core_share", "core_share_top1"),
        *("core_share_net_self", "core_share_family", "world_share", "field_hhi", "growth_5y"),
    ),
    "patent_collaboration.recomputed_from_publications": (
        *("joint_applications", "joint_publications", "share_of_joint"),
    ),
    "patent_reconciliation.recomputed_from_publications_and_totals": (
        *("our_applications", "reference_applications", "our_share", "reference_share", "share_difference"),
        *("coverage", "world_coverage"),
    ),
}

MART_CASES = [
    *(
        case(
            f"{column} of China a tenth of what it is",
            rows(check.split(".")[0], country_iso2="CN").set(**{column: sql(f"{column} / 10")}),
            fails=check,
            shows={"country_iso2": "CN"},
        )
        for check, columns in SCALED.items()
        for column in columns
    ),
    case(
        "chains that are a step too deep",
        rows("int_kaizen_publications", "depth > 1").set(depth=sql("depth + 1")),
        fails="kaizen_patents.recomputed_from_publications",
        shows={"depth": 3, "depth_recomputed": 2},
    ),
    case(
        "publications that follow none of their own",
        rows("int_kaizen_publications", "follows").set(follows=False),
        fails="kaizen_patents.recomputed_from_publications",
        shows={"follows": False, "follows_recomputed": True},
    ),
    case(
        "the CD index of a publication without predecessors taken for 1",
        rows("int_kaizen_publications", "cd5 is not null").set(cd5=1.0),
        fails="kaizen_patents.recomputed_from_publications",
        shows={"cd5": 1.0},
    ),
    case(
        "a core share above 1",
        rows("patent_core_share", field_id="4").set(core_share=1.5),
        fails="patent_core_share.shares_plausible",
        shows={"field_id": "4", "core_share": 1.5},
    ),
    case(
        "China left out of the world of a field",
        rows("patent_core_share", country_iso2="CN", filing_year=2015, field_id="7").remove(),
        fails="patent_core_share.world_shares_sum_to_one",
        shows={"filing_year": 2015, "field_id": "7", "sum_of_shares": pytest.approx(0.986, abs=0.001)},
    ),
    case(
        "advantages of China twice what they are",
        rows("patent_core_share", country_iso2="CN").set(rta=sql("rta * 2")),
        fails="patent_core_share.rta_averages_one",
        shows={"country_iso2": "CN", "weighted_rta": pytest.approx(2)},
    ),
    case(
        "half of the applications of large years core patents",
        rows("patent_core_share").set(applications=1000, core_applications=500),
        fails="patent_core_share.core_is_about_a_tenth",
        shows={"core_share": 0.5},
    ),
    case(
        "a concentration below that of 35 equal fields",
        rows("patent_country_summary").set(field_hhi=0.01),
        fails="patent_country_summary.measures_plausible",
        shows={"field_hhi": 0.01},
    ),
    case(
        "other applications than those of the fields",
        rows("patent_country_summary").set(applications=99),
        fails="patent_country_summary.totals_match_fields",
        shows={"applications": 99.0},
    ),
    case(
        "a year of the release before that is gone",
        rows("patent_country_summary", filing_year=2012).remove(),
        fails="patent_country_summary.coverage_applications",
        shows={"filing_year": 2012, "change": -1.0},
    ),
    case(
        "the United States left out of China's partners",
        rows("patent_collaboration", country_iso2="CN", partner_iso2="US", filing_year=2012).remove(),
        fails="patent_collaboration.shares_sum_to_one",
        shows={"filing_year": 2012, "country_iso2": "CN", "sum_of_shares": pytest.approx(0.556, abs=0.001)},
    ),
    case(
        "a share that is half of the world off the reference",
        rows("patent_reconciliation").set(share_difference=0.5),
        fails="patent_reconciliation.shares_near_reference",
        shows={"share_difference": 0.5},
    ),
]


@pytest.fixture(scope="module")
def landed(built: Built) -> CheckedData:
    return over_landing(built.files())


@pytest.fixture(scope="module")
def marts(built: Built) -> CheckedData:
    """The marts, with a release before that is the same."""
    alone = over_warehouse(built.warehouse)

    def setup(connection: Any) -> None:
        alone.setup(connection)
        connection.execute("create schema previous")
        connection.execute("create table previous.patent_country_summary as from patent_country_summary")

    return CheckedData(setup)


def test_the_sample_passes_but_for_its_quarantined_rows(landed: CheckedData, marts: CheckedData) -> None:
    found = not_passed(PATENT_LANDING, landed)
    assert {check: each.status for check, each in found.items()} == {"quarantine_patents.nothing_quarantined": "failed"}
    assert_passes(PATENT_MARTS, marts)


@each(LANDING_CASES)
def test_a_fault_at_landing_is_found(case: Case, landed: CheckedData) -> None:
    assert_fails(case, PATENT_LANDING, landed)


@each(MART_CASES)
def test_a_fault_in_the_marts_is_found(case: Case, marts: CheckedData) -> None:
    assert_fails(case, PATENT_MARTS, marts)
