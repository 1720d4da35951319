"""The sample's patents: the same bytes everywhere, every trap met, and something for the measures to show."""

from __future__ import annotations

import hashlib
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import duckdb
import pytest

from dagster_project.archive.store import Archive
from dagster_project.datasets import samples as sample
from dagster_project.datasets.patents.landing import land as land_patents
from dagster_project.datasets.patents.sample import (
    ANNIVERSARY,
    ON_ANNIVERSARY,
    ONLY_APPLICATION,
    WITHDRAWN,
    patent_files,
)
from dagster_project.datasets.patents.sample_inventions import FIELDS, citations, inventions
from dagster_project.landing.loads import Landed
from tests.helpers.steps import load_of

SHA256 = "ea6e8d7210c0cb75f5fe650a48bf5367f779155bf826d694fb01da82790a9f6b"


@pytest.fixture(scope="module")
def landed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Landed, Path]:
    root = tmp_path_factory.mktemp("patents")
    archive = Archive(root / "archive")
    found = [payload for payload in sample.payloads() if payload.dataset == "patents"]
    entries = [archive.put(payload, retrieved_at=datetime(2026, 1, 1, tzinfo=UTC)) for payload in found]
    return land_patents(load_of(archive, entries, root / "landing")), root / "landing" / "patents"


def rows(folder: Path, query: str) -> list[tuple[object, ...]]:
    """Run a query in which {name} stands for a landed table."""
    with duckdb.connect() as connection:
        paths = {path.stem: f"'{path}'" for path in folder.glob("*.parquet")}
        return connection.execute(query.format(**paths)).fetchall()


def test_same_bytes_on_every_machine() -> None:
    digest = hashlib.sha256()
    for path, body, _ in patent_files():
        digest.update(path.encode() + body)
    assert digest.hexdigest() == SHA256


def test_it_is_small_enough_for_a_demo() -> None:
    assert 2_000 < len(inventions()) < 5_000
    assert 20_000 < len(citations()) < 30_000
    assert len(FIELDS) == 35 and len({field.sector for field in FIELDS}) == 5


def test_every_rule_and_quarantine_reason_is_met(landed: tuple[Landed, Path]) -> None:
    counts, _ = landed
    found = {key: (set(each.rules), set(each.quarantined)) for key, each in counts.counts.items()}
    assert found["patentsview/g_pct_data"] == (
        {"withdrawn", "duplicate_row", "patent_not_found"},
        {"malformed_row", "unreadable_number", "unknown_document_type"},
    )
    assert found["patentsview/g_patent"] == ({"withdrawn"}, {"unknown_withdrawn"})
    assert found["patentsview/publications"][0] == {"same_publication"}
    assert found["patentsview/g_wipo_technology"][0] == {"not_pct", "other_scheme"}
    assert found["patentsview/g_assignee_disambiguated"][0] == {
        "not_pct",
        "duplicate_row",
        "other_patent_of_publication",
    }
    assert found["patentsview/g_us_patent_citation"][0] == {
        "not_pct",
        "duplicate_row",
        "citing_patent_withdrawn",
        "citing_patent_not_found",
    }
    assert found["google_patents/wo_publications"] == (
        {"not_wo", "same_application", "fills_patentsview", "not_in_patentsview"},
        {"malformed_row"},
    )
    noted = counts.notes["patentsview/publications"]
    assert all(
        noted[name]
        for name in (
            "without_applicant",
            "applicants_without_country",
            "without_field",
            "without_publication_date",
            "without_wo_number",
            "without_application_number",
            "filing_date_from_us_application",
            "without_filing_year",
        )
    )


def test_all_spellings_become_the_publications_they_are(landed: tuple[Landed, Path]) -> None:
    _, folder = landed
    left_out = (WITHDRAWN, ONLY_APPLICATION)
    expected = {f"WO{i.published.year}{i.serial:06d}" for i in inventions() if i.number not in left_out}
    found = {row[0] for row in rows(folder, "select pct_id from {pct_publications}")}
    assert expected < found
    alone = inventions()[ONLY_APPLICATION - 1]
    assert found - expected == {
        "WO2002011111",
        f"PCT/{alone.office}/{alone.filed.year}/{alone.number:06d}",
    }


def test_titles_with_tabs_and_line_ends_survive(landed: tuple[Landed, Path]) -> None:
    _, folder = landed
    query = "select count(*) from {pct_publications} where title = 'Device with a \"quoted\"\tpart\nand a second line'"
    ((found,),) = rows(folder, query)
    assert isinstance(found, int) and found > 20


def test_the_fifth_anniversary_is_in_the_data(landed: tuple[Landed, Path]) -> None:
    _, folder = landed
    cited = inventions()[ANNIVERSARY - 1]
    query = (
        "select citing_id, citing_date from {pct_citations} "
        f"where cited_pct_id = 'WO{cited.published.year}{cited.serial:06d}' and citing_id like '99%' order by 1"
    )
    anniversary = cited.published.replace(year=cited.published.year + 5)
    on_it, day_before, before_publication = rows(folder, query)
    assert on_it == (ON_ANNIVERSARY, anniversary)
    assert day_before[1] == anniversary - timedelta(days=1)
    assert isinstance(before_publication[1], date) and before_publication[1] < cited.published


def test_there_is_something_to_show(landed: tuple[Landed, Path]) -> None:
    _, folder = landed
    (found,) = rows(
        folder,
        "select (select count(*) from {pct_citations} where is_self), "
        "(select count(*) from (select pct_id from {pct_fields} group by pct_id having count(*) > 3)), "
        "(select count(distinct country_iso2) from {pct_applicants})",
    )
    assert all(isinstance(n, int) and n >= least for n, least in zip(found, (400, 100, 20), strict=True))
    ((together,),) = rows(
        folder,
        "select count(*) from (select pct_id from {pct_applicants} group by pct_id "
        "having bool_or(country_iso2 = 'CN') and count(distinct country_iso2) > 1)",
    )
    assert isinstance(together, int) and together > 40
