"""Landing of PCT patents: both sources into one shape, every row accounted for."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pytest

from dagster_project.datasets.patents.files import FILE_KINDS, OECD
from dagster_project.datasets.patents.landing import land as land_patents
from dagster_project.errors import SourceError
from dagster_project.landing.loads import Landed
from tests.helpers.patent_tables import (
    COLUMNS,
    LOCATIONS,
    Drop,
    assignee,
    citation,
    field,
    patent,
    pct_row,
    small_world,
    tsv,
    zipped,
)
from tests.helpers.real_files import CASES, DROP
from tests.helpers.steps import load_of


@pytest.fixture
def drop(tmp_path: Path) -> Drop:
    return Drop(tmp_path)


def land(drop: Drop) -> Landed:
    return land_patents(load_of(drop.archive, drop.entries, drop.landing))


def one_publication(drop: Drop, columns: str) -> tuple[Any, ...]:
    (row,) = drop.read("patents/pct_publications.parquet", columns)
    return row


@pytest.mark.parametrize("form", [".tsv.zip", ".tsv.gz", ".tsv"])
def test_two_rows_of_a_patent_are_one_publication(drop: Drop, form: str) -> None:
    drop.patentsview(small_world(), form)
    counts = land(drop)
    assert drop.read("patents/pct_publications.parquet") == [
        (
            "WO2012130123", "WO2012130123", "PCT/CN/2012/072345", "9000001", None, None, date(2012, 3, 15),
            "pct_application", 2012, date(2012, 10, 4), date(2012, 10, 4), False, date(2017, 5, 2), date(2015, 1, 6),
            "A thing", "patentsview", "patents granted to 2017-05-02",
        )
    ]  # fmt: skip
    assert drop.read("patents/pct_applicants.parquet") == [
        ("WO2012130123", 0, "huawei", "HUAWEI", "3", False, "CN", 0.5),
        ("WO2012130123", 1, "siemens", "SIEMENS", "3", False, "DE", 0.5),
    ]
    assert drop.read("patents/pct_fields.parquet") == [
        ("WO2012130123", 0, "4", "Field 4", "Electrical engineering", 0.5),
        ("WO2012130123", 1, "6", "Field 6", "Electrical engineering", 0.5),
    ]
    assert drop.read("patents/pct_citations.parquet") == [
        ("WO2012130123", "9100000", None, date(2016, 5, 3), "examiner", False),
        ("WO2012130123", "9200000", None, date(2017, 5, 2), "examiner", False),
    ]
    assert counts.counts["patentsview/g_pct_data"].landed == 2


def test_columns_are_read_by_name_whatever_their_order_and_case(drop: Drop) -> None:
    world = small_world()
    drop.patentsview({name: rows for name, rows in world.items() if name != "g_pct_data"})
    columns = ["pct_doc_type", "extra", "PATENT_ID", "pct_doc_number", "published_filed_date"]
    rows = [
        {
            "pct_doc_type": row["pct_doc_type"],
            "PATENT_ID": row["patent_id"],
            "pct_doc_number": row["pct_doc_number"],
            "published_filed_date": row["published_or_filed_date"],
        }
        for row in world["g_pct_data"]
    ]
    drop.put("g_pct_data", "g_pct_data.tsv", tsv(columns, rows))
    land(drop)
    assert one_publication(drop, "pct_id, filing_date, publication_date") == (
        "WO2012130123",
        date(2012, 3, 15),
        date(2012, 10, 4),
    )


def test_tabs_newlines_and_quotes_inside_fields(drop: Drop) -> None:
    title = 'A "quoted"\ttitle\nin two lines\r\nor three'
    drop.patentsview(small_world(g_patent=[patent("9000001", "2015-01-06", title), patent("9100000", "2016-05-03")]))
    land(drop)
    assert one_publication(drop, "title") == (title.replace("\r\n", "\n"),)
    assert len(drop.read("patents/pct_citations.parquet")) == 1


def test_withdrawn_patents_neither_publish_nor_cite(drop: Drop) -> None:
    drop.patentsview(
        small_world(
            g_pct_data=[
                *small_world()["g_pct_data"],
                pct_row("9300000", "wo_grant", "WO2013/000001", "2013-01-03"),
            ],
            g_patent=[
                patent("9000001", "2015-01-06", withdrawn=""),
                patent("9100000", "2016-05-03", withdrawn="TRUE"),
                patent("9200000", "2017-05-02", withdrawn="false"),
                patent("9300000", "2017-05-02", withdrawn="1"),
            ],
        )
    )
    counts = land(drop)
    assert drop.read("patents/pct_publications.parquet", "pct_id") == [("WO2012130123",)]
    assert drop.read("patents/pct_citations.parquet", "citing_id") == [("9200000",)]
    assert counts.counts["patentsview/g_pct_data"].rules == {"withdrawn": 1}
    assert counts.counts["patentsview/g_patent"].rules["withdrawn"] == 2
    assert counts.counts["patentsview/g_us_patent_citation"].rules["citing_patent_withdrawn"] == 1


def test_a_publication_document_alone_and_an_application_document_alone(drop: Drop) -> None:
    numbers = ("9000001", "9000002", "9000003", "9000004")
    drop.patentsview(
        small_world(
            g_pct_data=[
                pct_row("9000001", "wo_grant", "WO02/11111", "2002-02-07"),  # US filing is the international one
                pct_row("9000002", "wo_grant", "WO02/22222", "2002-03-07"),  # US filing came after publication
                pct_row("9000003", "pct_application", "PCT/EP03/00123", "2003-01-08"),
                pct_row("9000004", "pct_application", "PCT/EP03/00456", ""),
            ],
            g_patent=[patent(number, "2006-01-03") for number in numbers],
            g_application=[
                {"patent_id": "9000001", "filing_date": "2001-07-30"},
                {"patent_id": "9000002", "filing_date": "2003-09-01"},
            ],
            g_us_patent_citation=[],
        )
    )
    counts = land(drop)
    columns = "pct_id, filing_date, filing_date_basis, filing_year, window_start, window_start_estimated"
    assert drop.read("patents/pct_publications.parquet", columns) == [
        ("PCT/EP/2003/000123", date(2003, 1, 8), "pct_application", 2003, date(2004, 7, 8), True),
        ("PCT/EP/2003/000456", None, "application_number", 2003, None, True),
        ("WO2002011111", date(2001, 7, 30), "us_application", 2001, date(2002, 2, 7), False),
        ("WO2002022222", None, None, None, date(2002, 3, 7), False),
    ]
    noted = counts.notes["patentsview/publications"]
    assert noted["filing_date_from_us_application"] == 1
    assert noted["without_filing_year"] == 1
    assert noted["without_publication_date"] == 2


def test_several_us_patents_of_one_application_are_one_publication(drop: Drop) -> None:
    drop.patentsview(
        small_world(
            g_pct_data=[
                *small_world()["g_pct_data"],
                pct_row("9000002", "pct_application", "PCT/CN2012/072345", "2012-03-15"),  # knows no WO number
            ],
            g_patent=[
                patent("9000001", "2015-01-06"),
                patent("9000002", "2016-01-05"),
                patent("9100000", "2016-05-03"),
            ],
            g_assignee_disambiguated=[assignee("9000001", "huawei"), assignee("9000002", "siemens", "l-de")],
            g_wipo_technology=[field("9000002", "6")],  # the first patent has no field, the second has
            g_us_patent_citation=[citation("9100000", "9000001"), citation("9100000", "9000002")],
        )
    )
    counts = land(drop)
    assert one_publication(drop, "pct_id, us_patent_id, grant_date") == ("WO2012130123", "9000001", date(2015, 1, 6))
    assert drop.read("patents/pct_applicants.parquet", "applicant_id, weight") == [("huawei", 1.0)]
    assert drop.read("patents/pct_fields.parquet", "wipo_field_id, weight") == [("6", 1.0)]
    assert len(drop.read("patents/pct_citations.parquet")) == 1, "one citing patent counts once per publication"
    assert counts.counts["patentsview/publications"].rules == {"same_publication": 1}
    assert counts.counts["patentsview/g_assignee_disambiguated"].rules["other_patent_of_publication"] == 1
    assert counts.counts["patentsview/g_us_patent_citation"].rules["duplicate_row"] == 1


def test_unknown_countries_and_applicants_stay_and_are_counted(drop: Drop) -> None:
    numbers = ("9000001", "9000002")
    drop.patentsview(
        small_world(
            g_pct_data=[pct_row(n, "wo_grant", f"WO2012/00000{n[-1]}", "2012-02-02") for n in numbers],
            g_assignee_disambiguated=[
                assignee("9000001", "huawei", "l-cn", "0", "13"),  # part interest of a foreign company
                assignee("9000001", "huawei", "l-us", "1"),  # the same applicant again
                assignee("9000001", "somebody", "", "2", "5"),
                assignee("9000001", "elsewhere", "l-none", "3"),
                assignee("9000001", "nowhere", "l-xx", "4"),
            ],
            g_location_disambiguated=[*LOCATIONS, {"location_id": "l-xx", "disambig_country": "XX"}],
            g_patent=[patent(n, "2015-01-06") for n in numbers],
            g_wipo_technology=[],
        )
    )
    counts = land(drop)
    columns = "pct_id, applicant_id, type, part_interest, country_iso2, weight"
    assert drop.read("patents/pct_applicants.parquet", columns) == [
        ("WO2012000001", "elsewhere", "3", False, None, 0.25),
        ("WO2012000001", "huawei", "3", True, "CN", 0.25),
        ("WO2012000001", "nowhere", "3", False, None, 0.25),
        ("WO2012000001", "somebody", "5", False, None, 0.25),
        ("WO2012000002", None, None, False, None, 1.0),
    ]
    assert drop.read("patents/pct_fields.parquet", "wipo_field_id, weight") == [(None, 1.0), (None, 1.0)]
    noted = counts.notes["patentsview/publications"]
    assert (noted["without_applicant"], noted["applicants_without_country"], noted["without_field"]) == (1, 3, 2)


def test_weights_sum_to_one_with_more_than_three_fields(drop: Drop) -> None:
    fields = [field("9000001", number, str(i)) for i, number in enumerate(("4", "6", "13", "10", "8"))]
    twice = [field("9000001", "4", "7"), field("9000001", "D3", "8")]
    drop.patentsview(small_world(g_wipo_technology=[*fields, *twice, field("777", "4")]))
    counts = land(drop)
    for table in ("pct_fields", "pct_applicants"):
        (weights,) = drop.read(f"patents/{table}.parquet", "sum(weight)")
        assert weights[0] == pytest.approx(1)
    assert drop.read("patents/pct_fields.parquet", "count(*)") == [(5,)]
    assert counts.counts["patentsview/g_wipo_technology"].rules == {
        "not_pct": 1,
        "other_scheme": 1,
        "duplicate_row": 1,
    }


def test_a_citation_knows_the_publication_of_the_citing_patent_whichever_of_its_patents_cites(drop: Drop) -> None:
    """Patents 9100000 and 9200000 are of one publication, of which the first one comes; 9300000 is of none."""
    world = small_world()
    drop.patentsview(
        small_world(
            g_pct_data=[
                *world["g_pct_data"],
                pct_row("9100000", "pct_application", "PCT/CN2013/000002", "2013-03-15"),
                pct_row("9100000", "wo_grant", "WO2013/000022", "2013-10-04"),
                pct_row("9200000", "pct_application", "PCT/CN2013/000002", "2013-03-15"),
            ],
            g_patent=[*world["g_patent"], patent("9300000", "2018-05-01")],
            g_us_patent_citation=[*world["g_us_patent_citation"], citation("9300000", "9000001")],
        )
    )
    land(drop)
    assert drop.read("patents/pct_citations.parquet", "citing_id, citing_pct_id") == [
        ("9100000", "WO2013000022"),
        ("9200000", "WO2013000022"),
        ("9300000", None),
    ]


def test_self_citations_and_citing_patents_that_are_unknown(drop: Drop) -> None:
    drop.patentsview(
        small_world(
            g_assignee_disambiguated=[
                assignee("9000001", "huawei"),
                assignee("9100000", "huawei"),
                assignee("9100000", "siemens", "l-de", "1"),
                assignee("9200000", "siemens", "l-de"),
            ],
            g_us_patent_citation=[
                citation("9100000", "9000001", "cited by applicant"),
                citation("9100000", "9000001", "cited by examiner"),
                citation("9200000", "9000001", ""),
                citation("8888888", "9000001"),
                citation("9200000", "5000000"),
            ],
        )
    )
    counts = land(drop)
    assert drop.read("patents/pct_citations.parquet", "citing_id, category, is_self") == [
        ("9100000", "applicant", True),
        ("9200000", None, False),
    ]
    assert counts.counts["patentsview/g_us_patent_citation"].rules == {
        "not_pct": 1,
        "duplicate_row": 1,
        "citing_patent_not_found": 1,
    }


def test_every_unusable_row_is_quarantined_with_its_reason(drop: Drop) -> None:
    rows = [
        *small_world()["g_pct_data"],
        pct_row("9000001", "wo_grant", "WO2012/130123", "2012-10-04"),
        pct_row("9000001", "wo_grant", "WO2099/999999", "2013-10-04"),
        pct_row("", "wo_grant", "WO2012/130123", "2012-10-04"),
        pct_row("9000001", "something", "WO2012/130123", "2012-10-04"),
        pct_row("9000001", "wo_grant", "no number", "2012-10-04"),
        pct_row("1", "wo_grant", "WO2012/130124", "2012-10-04"),
    ]
    world = small_world()
    drop.patentsview({name: table for name, table in world.items() if name != "g_pct_data"})
    broken = tsv(COLUMNS["g_pct_data"].split(), rows) + b'"9000001"\t"too short"\n'
    drop.put("g_pct_data", "g_pct_data.tsv", broken)
    counts = land(drop)
    accounting = counts.counts["patentsview/g_pct_data"]
    assert accounting.rows_read == 9
    assert accounting.rules == {"duplicate_row": 1, "further_number": 1, "patent_not_found": 1}
    assert accounting.quarantined == {
        "malformed_row": 1,
        "missing_patent_id": 1,
        "unknown_document_type": 1,
        "unreadable_number": 1,
    }
    reasons = [row[0] for row in drop.read("quarantine/patents/part-0.parquet", "reason")]
    assert reasons == sorted(accounting.quarantined)
    in_file = drop.read("patents_rule_counts.parquet", "rule, n", "source = 'patentsview/g_pct_data'")
    assert dict(in_file)["quarantined:malformed_row"] == 1
    assert dict(in_file)["rows_read"] == 9


def test_a_missing_column_is_named_with_its_file_and_what_was_found(drop: Drop) -> None:
    drop.patentsview({name: rows for name, rows in small_world().items() if name != "g_wipo_technology"})
    drop.put("g_wipo_technology", "g_wipo_technology.tsv", b'"patent_id"\t"field"\n"1"\t"2"\n')
    with pytest.raises(SourceError, match=r"g_wipo_technology\.tsv, column wipo_field_id: found only .*_id, field"):
        land(drop)
    assert not (drop.landing / "patents").exists(), "a failed load leaves nothing behind"


def test_missing_tables_are_named(drop: Drop) -> None:
    drop.patentsview({"g_pct_data": small_world()["g_pct_data"]})
    with pytest.raises(SourceError, match="g_patent, g_wipo_technology"):
        land(drop)


def test_no_patent_level_table(drop: Drop) -> None:
    drop.concordance()
    with pytest.raises(SourceError, match=r"no patent-level table, only wipo_ipc.*CHOKEPOINT_PATENT_SOURCE=off"):
        land(drop)


def test_one_table_twice_is_an_error(drop: Drop) -> None:
    drop.patentsview(small_world())
    drop.put("g_patent", "copy/g_patent.tsv", b"patent_id\n")
    with pytest.raises(SourceError, match="two files"):
        land(drop)


def test_a_zip_without_exactly_one_table(drop: Drop) -> None:
    drop.patentsview({name: rows for name, rows in small_world().items() if name != "g_patent"})
    drop.put("g_patent", "g_patent.tsv.zip", zipped("readme.txt", b"nothing"))
    with pytest.raises(SourceError, match=r"0 members that end with \.tsv"):
        land(drop)


def test_a_truncated_zip(drop: Drop) -> None:
    drop.patentsview({name: rows for name, rows in small_world().items() if name != "g_patent"})
    whole = zipped("g_patent.tsv", b"x" * 10_000)
    drop.put("g_patent", "g_patent.tsv.zip", whole[: len(whole) // 2])
    with pytest.raises(SourceError, match=r"g_patent\.tsv\.zip: found a broken or truncated zip"):
        land(drop)


def test_a_stored_zip_member(drop: Drop) -> None:
    world = small_world()
    drop.patentsview({name: rows for name, rows in world.items() if name != "g_patent"})
    content = tsv(COLUMNS["g_patent"].split(), world["g_patent"])
    drop.put("g_patent", "g_patent.tsv.zip", zipped("folder/g_patent.tsv", content, zipfile.ZIP_STORED))
    assert land(drop).rows["pct_publications"] == 1


def test_without_citations_and_applications(drop: Drop) -> None:
    left_out = ("g_us_patent_citation", "g_application")
    drop.patentsview({name: rows for name, rows in small_world().items() if name not in left_out})
    assert land(drop).rows["pct_citations"] == 0
    assert one_publication(drop, "citations_until") == (None,)


WO_ROWS: list[dict[str, Any]] = [
    {
        "publication_number": "WO-2012130123-A1",
        "application_number": "CN-2012072345-W",
        "country_code": "WO",
        "kind_code": "A1",
        "family_id": "44",
        "publication_date": "20121004",
        "filing_date": 20120315,
        "title_localized": [{"text": "Une chose", "language": "fr"}, {"text": "A thing", "language": "en"}],
        "assignee_harmonized": [
            {"name": "HUAWEI", "country_code": "CN"},
            {"name": "SIEMENS", "country_code": "DE"},
        ],
        "ipc": [{"code": "H04L12/28"}, {"code": "H04L  29/06"}, {"code": "G06F17/30"}],
        "citation": [],
    },
    {
        "publication_number": "WO-2014000007-A2",
        "pct_number": "PCT/US2013/000007",
        "country_code": "WO",
        "publication_date": "20140102",
        "filing_date": "20130615",
        "assignee_harmonized": [{"name": "Huawei ", "country_code": "CN"}],
        "cpc": [{"code": "G06F3/01"}],
        "citation": [{"publication_number": "WO-2012130123-A1", "category": "SEA"}],
    },
    {
        "publication_number": "WO-2014000007-A3",
        "pct_number": "PCT/US2013/000007",
        "country_code": "WO",
        "publication_date": "20140501",
        "filing_date": "20130615",
        "assignee_harmonized": [],
        "citation": [
            {"publication_number": "WO-2012130123-A1", "category": "ISR"},
            {"application_number": "CN-2012072345-W", "publication_number": "", "category": "ISR"},
        ],
    },
]  # fmt: skip


def test_bigquery_export(drop: Drop) -> None:
    drop.concordance()
    bad_date = {**WO_ROWS[0], "publication_number": "WO-2013000001-A1", "application_number": "CN-2012000001-W",
                "publication_date": "0", "filing_date": "20121345"}  # fmt: skip
    drop.export([*WO_ROWS, {"publication_number": "US-9000001-B2", "country_code": "US"}, bad_date])
    drop.put("wo_publications", "wo_publications2.jsonl", b'{"publication_number": "WO-1", "publication_date": "0", '
             b'"assignee_harmonized": []}\n{broken\n')  # fmt: skip
    counts = land(drop)
    columns = "pct_id, pct_application_number, family_id, filing_date, publication_date, title, source"
    assert drop.read("patents/pct_publications.parquet", columns) == [
        ("WO2012130123", "PCT/CN/2012/072345", "44", date(2012, 3, 15), date(2012, 10, 4), "A thing", "google_patents"),
        ("WO2013000001", "PCT/CN/2012/000001", "44", None, None, "A thing", "google_patents"),
        ("WO2014000007", "PCT/US/2013/000007", None, date(2013, 6, 15), date(2014, 1, 2), None, "google_patents"),
    ]
    assert drop.read("patents/pct_applicants.parquet", "pct_id, applicant_id, country_iso2, weight") == [
        ("WO2012130123", "HUAWEI", "CN", 0.5),
        ("WO2012130123", "SIEMENS", "DE", 0.5),
        ("WO2013000001", "HUAWEI", "CN", 0.5),
        ("WO2013000001", "SIEMENS", "DE", 0.5),
        ("WO2014000007", "HUAWEI", "CN", 1.0),
    ]
    assert drop.read("patents/pct_fields.parquet", "wipo_field_id, wipo_field, weight", "pct_id = 'WO2012130123'") == [
        ("4", "Field 4, named", 0.5),
        ("6", "Field 6, named", 0.5),
    ]
    assert drop.read("patents/pct_citations.parquet") == [
        ("WO2012130123", "WO2014000007", "WO2014000007", date(2014, 1, 2), "isr", True)
    ]
    accounting = counts.counts["google_patents/wo_publications"]
    assert accounting.rules == {"not_wo": 1, "same_application": 1}
    assert accounting.quarantined == {"malformed_row": 1, "unreadable_number": 1}
    assert counts.notes["google_patents/wo_publications"]["unreadable_date"] == 1


def test_parquet_and_json_exports_land_alike(tmp_path: Path) -> None:
    as_json, as_parquet = Drop(tmp_path / "json"), Drop(tmp_path / "parquet")
    for drop in (as_json, as_parquet):
        drop.concordance()
    as_json.export(WO_ROWS, "wo_publications-000.json.gz")
    file = tmp_path / "export.parquet"
    with duckdb.connect() as connection:
        (tmp_path / "rows.json").write_bytes(as_json.archive.open_path(as_json.entries[-1]).read_bytes())
        connection.execute(
            f"copy (select * replace (cast(publication_date as bigint) as publication_date) from "
            f"read_json('{tmp_path / 'rows.json'}', compression='gzip')) to '{file}' (format parquet)"
        )
    as_parquet.put("wo_publications", "wo_publications.parquet", file.read_bytes())
    for drop in (as_json, as_parquet):
        land(drop)
    for table in ("pct_publications", "pct_applicants", "pct_fields", "pct_citations"):
        assert as_json.read(f"patents/{table}.parquet") == as_parquet.read(f"patents/{table}.parquet")
        assert as_json.read(f"patents/{table}.parquet")


def test_an_export_without_a_required_column(drop: Drop) -> None:
    drop.concordance()
    drop.export([{"publication_number": "WO-2012130123-A1", "publication_date": "20121004"}])
    with pytest.raises(SourceError, match=r"wo_publications\.jsonl, column assignee_harmonized"):
        land(drop)


def test_ipc_codes_need_the_concordance(drop: Drop) -> None:
    drop.export(WO_ROWS)
    with pytest.raises(SourceError, match="no concordance"):
        land(drop)


@pytest.mark.parametrize(
    ("code", "expected"),
    [("H04N21/20", "4"), ("H04N 5/225", "2"), ("H04N   101/00", "2"), ("H04N99/00", None), ("G01N33/50", "11"),
     ("G01N1/00", "10")],
)  # fmt: skip
def test_the_longest_pattern_wins(drop: Drop, code: str, expected: str | None) -> None:
    drop.concordance([("4", "H04N  21/%"), ("2", "H04N   5/%"), ("2", "H04N 101/%"), ("10", "G01N%"),
                      ("11", "G01N  33/%")])  # fmt: skip
    drop.export([{**WO_ROWS[0], "ipc": [{"code": code}]}])
    land(drop)
    assert drop.read("patents/pct_fields.parquet", "wipo_field_id") == [(expected,)]


def test_both_sources_give_the_same_tables_for_the_same_publications(tmp_path: Path) -> None:
    """Two publications, the second citing the first, in the form of both sources."""
    from_us, from_wo = Drop(tmp_path / "us"), Drop(tmp_path / "wo")
    for drop in (from_us, from_wo):
        drop.concordance()
    from_us.patentsview(
        {
            "g_pct_data": [
                pct_row("9000001", "pct_application", "PCT/CN2012/072345", "2012-03-15"),
                pct_row("9000001", "wo_grant", "WO2012/130123", "2012-10-04"),
                pct_row("9100000", "pct_application", "PCT/US2013/000007", "2013-06-15"),
                pct_row("9100000", "wo_grant", "WO 2014/000007", "2014-01-02"),
            ],
            "g_patent": [patent("9000001", "2015-01-06"), patent("9100000", "2014-01-02")],
            "g_wipo_technology": [field("9000001", "4"), field("9000001", "6", "1"), field("9100000", "6")],
            "g_assignee_disambiguated": [
                assignee("9000001", "HUAWEI"),
                assignee("9000001", "SIEMENS", "l-de", "1"),
                assignee("9100000", "HUAWEI"),
            ],
            "g_location_disambiguated": LOCATIONS,
            "g_us_patent_citation": [citation("9100000", "9000001")],
        }
    )
    from_wo.export(WO_ROWS)
    for drop in (from_us, from_wo):
        land(drop)
    same: Mapping[str, str] = {
        "pct_publications": "pct_id, wo_number, pct_application_number, filing_date, filing_year, publication_date, "
        "window_start",
        "pct_applicants": "pct_id, seq, applicant_id, country_iso2, weight",
        "pct_fields": "pct_id, seq, wipo_field_id, weight",
        "pct_citations": "cited_pct_id, citing_date, is_self",
    }
    for table, columns in same.items():
        rows = from_us.read(f"patents/{table}.parquet", columns)
        assert rows, table
        assert rows == from_wo.read(f"patents/{table}.parquet", columns), table


def test_an_export_beside_patentsview_only_fills_what_is_open(drop: Drop) -> None:
    drop.concordance()
    drop.patentsview(small_world(g_pct_data=[pct_row("9000001", "wo_grant", "WO2012/130123", "2012-10-05")]))
    drop.export([{**WO_ROWS[0], "family_size": "7"}, *WO_ROWS[1:]])
    counts = land(drop)
    columns = "pct_id, filing_date, publication_date, family_id, family_size, source"
    assert drop.read("patents/pct_publications.parquet", columns) == [
        ("WO2012130123", date(2012, 3, 15), date(2012, 10, 5), "44", 7, "patentsview")
    ]
    assert counts.counts["google_patents/wo_publications"].rules == {
        "same_application": 1,
        "fills_patentsview": 1,
        "not_in_patentsview": 1,
    }


def test_reference_totals(drop: Drop) -> None:
    drop.patentsview(small_world())
    drop.totals(
        "PCT,ALL,World,2012,100\nPCT,ALL,China,2012,40.0\nPCT,ALL,EU-27<sup>b</sup>,2012,30\n"
        "PCT,ALL,China,2012,40.0\nPCT,ALL,China,twelve,40\nPCT,ALL,Japan,2012,-1\n"
    )
    counts = land(drop)
    assert drop.read("patents/reference_totals.parquet", "economy, country_iso2, year, value") == [
        ("China", "CN", 2012, 40.0),
        ("EU-27", None, 2012, 30.0),
        ("World", None, 2012, 100.0),
    ]
    assert counts.counts["ncses/totals"].quarantined == {"bad_value": 1, "bad_year": 1}
    assert counts.counts["ncses/totals"].rules == {"duplicate_row": 1}


OECD_HEADER = (
    "STRUCTURE,PATENT_AUTHORITIES,Patent authorities,MEASURE,Measure,DATE_TYPE,REF_AREA,Reference area,PARTNER_AREA,"
    "AGENT_ROLE,COOPERATION_TYPE,WIPO,WIPO technology domains,OECD_TECHNOLOGY_PATENT,TIME_PERIOD,OBS_VALUE\n"
)


def test_totals_of_oecd_are_those_of_applicants_by_application_year(drop: Drop) -> None:
    drop.patentsview(small_world())

    def row(
        area: str = "CHN,China", role: str = "APPLICANT", field: str = "_T,Total", end: str = "_Z,2012,40.5"
    ) -> str:
        return f"DATAFLOW,9P50_1,PCT,AP,Applications,APPLICATION,{area},_Z,{role},_Z,{field},{end}\n"

    lines = row() + row("OECD,OECD") + row(role="INVENTOR") + row(field="14,Chemistry") + row(end="AI,2012,1")
    drop.put(
        "oecd_totals", "oecd.csv", (OECD_HEADER + lines + row(end="_T,2012,40.5") + row(end="_Z,2012,x")).encode(), OECD
    )
    counts = land(drop)
    assert drop.read("patents/reference_totals.parquet", "field, economy, country_iso3, year, value, source") == [
        ("ALL", "China", "CHN", 2012, 40.5, "oecd"),
        ("ALL", "OECD", "OECD", 2012, 40.5, "oecd"),
        ("Chemistry", "China", "CHN", 2012, 40.5, "oecd"),
    ]
    assert counts.counts["oecd/totals"].rules == {"duplicate_row": 1, "other_series": 2}
    assert counts.counts["oecd/totals"].quarantined == {"bad_value": 1}


def test_loading_twice_gives_the_same_tables(drop: Drop) -> None:
    drop.patentsview(small_world())
    land(drop)
    first = {path.name: drop.read(f"patents/{path.name}") for path in (drop.landing / "patents").iterdir()}
    land(drop)
    assert first == {path.name: drop.read(f"patents/{path.name}") for path in (drop.landing / "patents").iterdir()}
    assert set(first) == {
        f"{name}.parquet"
        for name in ("pct_publications", "pct_applicants", "pct_fields", "pct_citations", "wipo_fields",
                     "reference_totals")
    }  # fmt: skip


REAL_FILES = DROP / "patents"


@pytest.mark.skipif(not REAL_FILES.exists(), reason="the real reference files are not on this machine")
def test_the_real_reference_tables_are_read_whole(drop: Drop) -> None:
    totals = REAL_FILES / "ncses_pct_and_patent_families_by_economy.csv.gz"
    concordance = REAL_FILES / "wipo_ipc_technology_concordance_35_fields.csv"
    for kind, path in (("ncses_totals", totals), ("wipo_concordance", concordance)):
        (found,) = [each for each in FILE_KINDS if each.kind == kind]
        assert found.match(path.name), "the publisher's own file name is recognised"
        drop.put(kind, path.name, path.read_bytes(), found.provenance)
    drop.export(
        [{**WO_ROWS[0], "ipc": [{"code": code} for code in ("G01N33/50", "G01N21/00", "H04N21/20", "G06Q10/00")]}]
    )
    counts = land(drop)
    assert counts.counts["ncses/totals"].landed == 59_271
    assert counts.counts["wipo/ipc_technology_concordance"].landed == 771
    assert counts.rows["quarantine_patents"] == 0
    assert drop.read("patents/pct_fields.parquet", "wipo_field_id, wipo_field") == [
        ("10", "Measurement"),
        ("11", "Analysis of biological materials"),
        ("4", "Digital communication"),
        ("7", "IT methods for management"),
    ]
    china = drop.read(
        "patents/reference_totals.parquet",
        "value",
        "family = 'Patent Cooperation Treaty applications' and field = 'ALL' and country_iso2 = 'CN' and year = 2017",
    )
    assert china == [(38_680.0,)]
    unnamed = drop.read("patents/reference_totals.parquet", "distinct economy", "country_iso2 is null")
    assert {row[0] for row in unnamed} == {
        "Africa", "African IPO", "African Regional IPO", "Asia", "Australia and Oceania",
        "Central America and Caribbean", "EU-27", "EU-27 + UK", "EU-27 and United Kingdom",
        "Eurasian Patent Organization", "Europe", "European Patent Office", "Gulf States Patent Office", "Middle East",
        "North America", "Other Europe", "Other Europe (2020)", "Other Europe-2020", "South America", "Unclassified",
        "WIPO", "World",
    }  # fmt: skip


def test_a_title_that_begins_with_a_quotation_mark_takes_no_patents_along(drop: Drop) -> None:
    """Of 300 patents, 240 were read: an unquoted table with two such titles."""
    numbers = [str(9000001 + n) for n in range(5)]
    titles = dict.fromkeys(numbers, "A thing") | {numbers[1]: '"Open quote only', numbers[3]: '"Second" one'}
    lines = ["patent_id\tpatent_type\tpatent_date\tpatent_title\twithdrawn"]
    lines += [f"{number}\tutility\t2015-01-06\t{title}\t0" for number, title in titles.items()]
    drop.patentsview(small_world())
    drop.entries = [entry for entry in drop.entries if entry.parameters["kind"] != "g_patent"]
    drop.put("g_patent", "g_patent.tsv", "\n".join(lines).encode())
    landed = land(drop)
    assert landed.counts["patentsview/g_patent"].rows_read == 5
    assert one_publication(drop, "title") == ("A thing",)


def test_an_open_quotation_mark_in_a_quoted_table_stops_with_file_and_line(drop: Drop) -> None:
    rows = [f'"{number}"\t"2015-01-06"\t"A thing"\t"0"' for number in range(9000001, 9000009)]
    rows[2] = rows[2][:-1]
    drop.patentsview(small_world())
    drop.entries = [entry for entry in drop.entries if entry.parameters["kind"] != "g_patent"]
    header = '"patent_id"\t"patent_date"\t"patent_title"\t"withdrawn"'
    drop.put("g_patent", "g_patent.tsv", "\n".join([header, *rows]).encode())
    with pytest.raises(SourceError, match=r"g_patent\.tsv, line 4: found a quotation mark that is not closed"):
        land(drop)


@pytest.mark.skipif(not (CASES / "52-open-quote").is_dir(), reason="no cases beside the checkout")
def test_three_hundred_patents(drop: Drop) -> None:
    for path in sorted((CASES / "52-open-quote" / "patents").iterdir()):
        drop.put(path.stem, path.name, path.read_bytes())
    landed = land(drop)
    assert landed.counts["patentsview/g_patent"].rows_read == 300
    assert len(drop.read("patents/pct_publications.parquet")) == 300
