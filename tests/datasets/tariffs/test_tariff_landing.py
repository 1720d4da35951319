"""Tariff landing: every header layout, the named rules, quarantine, accounting and the errors for a broken file."""

from __future__ import annotations

import gzip
import io
import json
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import openpyxl
import pyarrow.parquet as pq
import pytest

from dagster_project.archive.store import Archive
from dagster_project.datasets.tariffs.files import FILE_KINDS
from dagster_project.datasets.tariffs.landing import land as land_tariffs
from dagster_project.errors import SourceError
from dagster_project.landing.loads import Landed
from dagster_project.sources.files import find_files
from tests.helpers.steps import load_of

LISTS_1_2 = "Doc Type,Request Doc-ID,Organization Name,10-Digit HTS,Date Posted,Response Closes,Reply Closes,Stages\n"
LISTS_3_4A = "Request,Org,Status,HTSUS,Product,Post Date,Close Date\n"
RESEARCH = (
    "id,posteddate,receiveddate,hts,submitterlastname,submitterfirstname,company_name,producttitle,"
    "approved,denied,pending,list_id,responseclosed\n"
)
NOTE_ITEMS = "note,item,list_heading,list,n_hts10,hts10,hts8_mentioned,text\n"


class Drop:
    """A drop folder whose files are landed in the order in which they were written."""

    def __init__(self, root: Path) -> None:
        self.folder, self.landing, self.archive = root / "drop", root / "landing", Archive(root / "archive")
        self._written: list[str] = []

    def write(self, name: str, content: str | bytes) -> Path:
        path = self.folder / "ustr" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        body = content.encode() if isinstance(content, str) else content
        path.write_bytes(gzip.compress(body) if name.endswith(".gz") else body)
        self._written.append(f"drop:ustr/{name}")
        return path

    def land(self) -> Landed:
        payloads = find_files(self.folder, FILE_KINDS).payloads
        entries = [
            self.archive.put(
                payload, retrieved_at=datetime(2026, 1, 1, hour=self._written.index(payload.address), tzinfo=UTC)
            )
            for payload in payloads
        ]
        return land_tariffs(load_of(self.archive, entries, self.landing))

    def rows(self, table: str) -> list[dict[str, Any]]:
        return pq.read_table(self.landing / f"{table}.parquet").to_pylist()

    def quarantine(self) -> list[dict[str, Any]]:
        return self.rows("quarantine/tariffs/part-0")

    def rules(self) -> dict[tuple[str, str], int]:
        return {(row["source"], row["rule"]): row["n"] for row in self.rows("tariffs_rule_counts")}


@pytest.fixture
def drop(tmp_path: Path) -> Drop:
    return Drop(tmp_path)


def column(rows: Sequence[dict[str, Any]], name: str) -> list[Any]:
    return [row[name] for row in rows]


def test_lists_1_2_sheet_keeps_requests_only(drop: Drop) -> None:
    drop.write(
        "list1 requests.csv",
        LISTS_1_2
        + "REQUEST,USTR-2018-0025-0963,Example Corp,8413919010,43300,43314,43321,Exclusion Denied\n"
        + "RESPONSE,USTR-2018-0025-0964,Somebody,8413919010,43300,,,\n",
    )
    landed = drop.land()
    (row,) = drop.rows("tariff_requests")
    assert (row["request_id"], row["list_id"], row["requester"]) == ("USTR-2018-0025-0963", "1", "Example Corp")
    assert (row["hts10"], row["hts8"], row["hs6"]) == ("8413919010", "84139190", "841391")
    assert (row["status_raw"], row["status"], row["layout"]) == ("Exclusion Denied", "denied", "lists_1_2")
    assert (row["date_posted"], row["response_close"], row["reply_close"]) == (
        date(2018, 7, 19),
        date(2018, 8, 2),
        date(2018, 8, 9),
    )
    assert row["source_row"] == 2
    assert drop.rules()["ustr requests", "not_a_request"] == 1
    assert landed.counts["ustr requests"].rows_read == 2


@pytest.mark.parametrize(
    ("name", "content", "layout"),
    [
        (
            "status.csv",
            LISTS_3_4A + "USTR-2019-0005-0001,Example LLC,Granted,4015191010,Disposable gloves,1-Jul-19,15-Jul-19\n",
            "lists_3_4a",
        ),
        (
            "status.csv",
            "\ufeffRequest_ID,Org,HTSUS,Product_Name,Status,Post Date\n"
            "USTR-2019-0005-0001,Example LLC,4015191010,Disposable gloves,Granted,1-Jul-19\n",
            "lists_3_4a",
        ),
        (
            "portal.csv",
            "Submission ID,Organization  Name,HTSUS code,Product,Stage,Date Posted,Response Closes\n"
            "USTR-2019-0005-0001,Example LLC,4015.19.1010,Disposable gloves,Approved,7/1/2019,\n",
            "portal",
        ),
        (
            "scrape_list3.csv.gz",
            "subid,orgname,hts,productdesc,status,posted,respclose\n"
            "12345,Example LLC,4015191010,Disposable gloves,Granted,2019-07-01T09:30,2019-07-15T23:59\n",
            "scrape",
        ),
        (
            "requests/anything.csv",
            RESEARCH
            + "USTR-2019-0005-0001,2019-07-01 00:00:00,,4015191010,Doe,Jane,Example LLC,gloves,1,0,0,3,2019-07-15\n",
            "research",
        ),
    ],
)
def test_every_other_layout(drop: Drop, name: str, content: str, layout: str) -> None:
    drop.write(name, content)
    drop.land()
    (row,) = drop.rows("tariff_requests")
    assert (row["layout"], row["list_id"], row["requester"]) == (layout, "3", "Example LLC")
    assert (row["hts10"], row["status"], row["date_posted"]) == ("4015191010", "granted", date(2019, 7, 1))


def test_windows_1252_text(drop: Drop) -> None:
    drop.write(
        "status.csv",
        (LISTS_3_4A + "USTR-2019-0005-1,Café Société,Denied,4015191010,Gloves,1-Jul-19,\n").encode("cp1252"),
    )
    drop.land()
    assert column(drop.rows("tariff_requests"), "requester") == ["Café Société"]


def test_workbook_with_a_title_serial_dates_and_numeric_codes(drop: Drop, tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    book.active.title = "Read me"
    sheet = book.create_sheet("Requests")
    sheet.append(["Section 301 exclusion requests"])
    sheet.append(["Doc Type", "Request Doc-ID", "Organization Name", "10-Digit HTS", "Date Posted", "Stages"])
    sheet.append(["REQUEST", "USTR-2018-0032-0001", "Example Corp", 3048310 * 100 + 15, 43390, "Exclusion Granted"])
    sheet.append(
        ["REQUEST", "USTR-2018-0032-0002", "Example Corp", 8413919010, datetime(2018, 10, 18), "Stage 1: Posted"]
    )
    file = tmp_path / "book.xlsx"
    book.save(file)
    drop.write("List 2 requests.xlsx", file.read_bytes())
    drop.land()
    first, second = drop.rows("tariff_requests")
    assert (first["hts10"], first["status"], first["date_posted"]) == ("0304831015", "granted", date(2018, 10, 17))
    assert (second["hts10"], second["status"], second["date_posted"]) == ("8413919010", "pending", date(2018, 10, 18))
    assert column([first, second], "source_row") == [3, 4]
    assert drop.rules()["ustr requests", "noted:hts_zero_padded"] == 1


def test_unusable_rows_are_quarantined_with_their_reason(drop: Drop) -> None:
    line = "{id},Example LLC,{status},{hts},Gloves,{day},\n"
    drop.write(
        "status.csv",
        LISTS_3_4A
        + line.format(id="USTR-2019-0005-1", status="Granted", hts="40151910", day="1-Jul-19")
        + line.format(id="USTR-2019-0005-2", status="Granted", hts="4015191", day="1-Jul-19")
        + line.format(id="USTR-2019-0005-3", status="Granted", hts="4.02E+09", day="1-Jul-19")
        + line.format(id="", status="Granted", hts="4015191010", day="1-Jul-19")
        + line.format(id="99", status="Granted", hts="4015191010", day="1-Jul-19")
        + line.format(id="USTR-2019-0005-4", status="Lost in the post", hts="401519101", day="someday")
        + "USTR-2019-0005-5,too,few\n"
        + 'USTR-2019-0005-6,"Example, LLC",Denied,4015191010,Gloves,1-Jul-19,,and more\n',
    )
    landed = drop.land()
    by_id = {row["request_id"]: row for row in drop.rows("tariff_requests")}
    assert set(by_id) == {"USTR-2019-0005-1", "USTR-2019-0005-4"}
    assert by_id["USTR-2019-0005-1"]["hts10"] == "40151910"  # eight digits stay eight
    assert (by_id["USTR-2019-0005-4"]["status"], by_id["USTR-2019-0005-4"]["date_posted"]) == ("unknown", None)
    assert sorted(column(drop.quarantine(), "reason")) == [
        "hts_length",
        "hts_rounded",
        "list_unknown",
        "malformed_row",
        "malformed_row",
        "request_id_missing",
    ]
    assert set(column(drop.quarantine(), "dataset")) == {"tariffs"}
    rules = drop.rules()
    assert rules["ustr requests", "rows_read"] == 8
    assert rules["ustr requests", "landed"] == 2
    assert rules["ustr requests", "quarantined:malformed_row"] == 2
    assert rules["ustr requests", "noted:status_unknown"] == 1
    assert rules["ustr requests", "noted:date_unreadable"] == 1
    assert any("'Lost in the post' (1)" in warning for warning in landed.warnings)


def test_of_a_request_in_two_files_the_latest_row_stays(drop: Drop) -> None:
    line = "USTR-2019-0005-{n},Example LLC,{status},4015191010,Gloves,1-Jul-19,\n"
    pending = "Initial Substantive Review"
    drop.write("z status.csv", LISTS_3_4A + line.format(n=1, status=pending) + line.format(n=2, status="Denied"))
    drop.write("a status.csv", LISTS_3_4A + line.format(n=1, status="Granted") + line.format(n=2, status="Denied"))
    drop.land()
    assert {row["request_id"]: row["status"] for row in drop.rows("tariff_requests")} == {
        "USTR-2019-0005-1": "granted",
        "USTR-2019-0005-2": "denied",
    }
    rules = drop.rules()
    assert rules["ustr requests", "duplicate_superseded"] == 1
    assert rules["ustr requests", "duplicate_equal"] == 1
    assert rules["ustr requests", "landed"] == 2


def test_a_list_column_that_contradicts_the_docket_is_quarantined(drop: Drop) -> None:
    drop.write(
        "requests.csv", RESEARCH + "USTR-2018-0025-1,2018-07-16,,8413919010,Doe,Jane,Example LLC,pump,1,0,0,3,\n"
    )
    drop.land()
    assert column(drop.quarantine(), "reason") == ["list_contradicts_docket"]


def test_personal_names_are_in_no_table(drop: Drop) -> None:
    drop.write(
        "requests.csv",
        RESEARCH
        + "USTR-2018-0025-1,2018-07-16,,84,Doe,Jane,Example LLC,pump,1,0,0,1,\n"
        + "USTR-2018-0025-2,2018-07-16,,8413919010,Doe,Jane,Example LLC,pump, with a comma,1,0,0,1,\n",
    )
    drop.land()
    assert sorted(column(drop.quarantine(), "reason")) == ["hts_length", "malformed_row"]
    assert "Example LLC" in "".join(column(drop.quarantine(), "raw"))
    for file in drop.landing.rglob("*.parquet"):
        text = json.dumps(pq.read_table(file).to_pylist(), default=str)
        assert "Doe" not in text and "Jane" not in text, file


def test_lists_of_three_compilers(drop: Drop) -> None:
    drop.write(
        "quantgov_lists.csv",
        "hts,hts_six_digit,imports_2016,imports_2017,list_id\n3048310,30483,5,7.5,3\n84139190,841391,,,4\n",
    )
    drop.write("mitsuo_lists.csv", "hts8,list\n03048310,3\n84139190,4A\n84139190,4A\n8413919,3\n")
    drop.write(
        "s301_product_lists.csv",
        "hts8,list,ch99_code,vintage\n03048310,3,9903.88.03,HTS 2024 rev. 5\n38180000,biden_50,9903.91.02,\n84,1,x,\n",
    )
    drop.land()
    rows = {(row["source"], row["hts8"], row["list_id"]): row for row in drop.rows("tariff_lists")}
    assert set(rows) == {
        ("ustr_final_lists", "03048310", "3"),
        ("ustr_final_lists", "84139190", "4"),
        ("ustr_annexes", "03048310", "3"),
        ("ustr_annexes", "84139190", "4A"),
        ("ustr_annexes", "08413919", "3"),
        ("usitc_china_tariffs", "03048310", "3"),
        ("usitc_china_tariffs", "38180000", "biden_50"),
    }
    assert rows["ustr_final_lists", "03048310", "3"]["imports_2017_usd"] == 7.5
    assert rows["ustr_final_lists", "84139190", "4"]["imports_2017_usd"] is None
    assert rows["usitc_china_tariffs", "03048310", "3"]["vintage"] == "HTS 2024 rev. 5"
    assert "later edition" in rows["usitc_china_tariffs", "38180000", "biden_50"]["vintage"]
    assert drop.rules()["mitsuo lists", "duplicate_equal"] == 1
    assert drop.rules()["budget_lab lists", "quarantined:hts_length"] == 1


def test_headings_of_two_editions_in_the_order_of_their_numbers(drop: Drop) -> None:
    line = {"htsno": "9903.88.03", "description": "Articles of China", "general": "The duty … + 10%"}
    raised = {**line, "general": "The duty provided in the applicable subheading\n+ 25 percent"}
    late = {**line, "description": "Articles [Compiler’s note: provision suspended.]"}
    other = {"htsno": "9903.01.24", "description": "Other action", "general": "+ 10%"}
    drop.write("hts_2018HTSRev9.json", json.dumps([line, other, {**other, "htsno": ""}]))
    drop.write("hts_2018_revision_10_json.json", json.dumps([raised, {**late, "htsno": "9903.88.16"}]))
    drop.land()
    rows = sorted(drop.rows("tariff_headings"), key=lambda row: (row["edition"], row["heading"]))
    assert [(r["heading"], r["additional_duty"], r["is_suspended"], r["edition"]) for r in rows] == [
        ("9903.88.03", 0.1, False, 2_018_009),
        ("9903.88.03", 0.25, False, 2_018_010),
        ("9903.88.16", 0.1, True, 2_018_010),
    ]
    assert drop.rules()["usitc headings", "other_line"] == 2


def test_granted_exclusions_by_code_with_the_dates_of_their_text(drop: Drop) -> None:
    drop.write(
        "note20_granted_exclusions.csv",
        NOTE_ITEMS
        + "20(h),1,9903.88.01,1,1,8412210075,,8412.21.0075\n"
        + '20(h),2,9903.88.01,1,2,9025198040;9025198020,,"described in 9025.19.8040 prior to July 1, 2020; '
        + 'described in 9025.19.8020 effective July 1, 2020"\n'
        + "20(h),3,9903.88.01,1,0,,,[Deleted.]\n"
        + "20(h),4,9903.88.01,1,0,,84122100,All of 8412.21.00\n"
        + "20(h),5,9903.88.01,1,0,,,nothing to go by\n"
        + "20(h),6,9903.88.01,1,1,8412210075,,heading 9903.88.47 and U.S. note 20(zz)\n"
        + "20(h),7,9903.88.01,,1,8412210075,,8412.21.0075\n"
        + "20(h),8,9903.88.01,1,0,,,described in statistical reporting number 8716.8050.90\n",
    )
    drop.write(
        "granted_exclusions_by_notice.csv",
        "notice_no,list,granted_date,hts10,source_url\n"
        "3,1,2019-04-18,8412210075,https://example.org/%2434_Billion.pdf\n"
        "4,,,8412210075,\n5,2,2019-07-31,,https://example.org/x.pdf\n",
    )
    drop.land()
    rows = drop.rows("tariff_exclusions")
    from_note = {row["hts10"]: (row["valid_from"], row["valid_to"]) for row in rows if row["source"] == "htsus_note_20"}
    assert from_note == {
        "8412210075": (None, None),
        "9025198040": (None, date(2020, 6, 30)),
        "9025198020": (date(2020, 7, 1), None),
        "84122100": (None, None),
        "8716805090": (None, None),
    }
    (notice,) = [row for row in rows if row["source"] == "ustr_notices"]
    assert (notice["document"], notice["granted_date"]) == ("USTR notice 3 ($34_Billion.pdf)", date(2019, 4, 18))
    rules = drop.rules()
    assert rules["usitc exclusions", "rows_read"] == 8
    assert rules["usitc exclusions", "landed"] == 4
    assert rules["usitc exclusions", "deleted_exclusion"] == 1
    assert rules["usitc exclusions", "noted:hts_from_text"] == 1
    assert sorted(column(drop.quarantine(), "reason")) == [
        "hts_missing",
        "hts_missing",
        "list_unknown",
        "list_unknown",
        "not_an_exclusion",
    ]


def test_absent_tables_are_empty_and_warned_of(drop: Drop) -> None:
    drop.write("status.csv", LISTS_3_4A + "USTR-2019-0005-1,Example LLC,Granted,4015191010,Gloves,1-Jul-19,\n")
    landed = drop.land()
    assert drop.rows("tariff_lists") == []
    assert "tariff_lists: no file holds it, so it is empty" in landed.warnings


def test_a_table_without_a_needed_column_is_an_error_that_names_it(drop: Drop) -> None:
    drop.write("status.csv", "Request,Org,HTSUS,Post Date\nUSTR-2019-0005-1,Example LLC,4015191010,1-Jul-19\n")
    with pytest.raises(SourceError) as error:
        drop.land()
    message = str(error.value)
    assert "ustr/status.csv" in message and "column status" in message and "Request, Org, HTSUS, Post Date" in message


def test_a_list_without_a_needed_column_is_an_error_that_names_it(drop: Drop) -> None:
    drop.write("s301_product_lists.csv", "hts8,heading\n84139190,9903.88.01\n")
    with pytest.raises(SourceError, match=r"s301_product_lists\.csv, column list, ch99_code: found only the columns"):
        drop.land()


def test_broken_quotes_are_an_error_with_the_line(drop: Drop) -> None:
    drop.write("status.csv", LISTS_3_4A + 'USTR-2019-0005-1,"Example LLC,Granted,4015191010,Gloves,1-Jul-19,\n')
    with pytest.raises(SourceError, match=r"status\.csv, line 2: found broken quotes"):
        drop.land()


def test_a_workbook_without_a_known_header_is_an_error(drop: Drop, tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    book.active.append(["a", "b"])
    book.save(tmp_path / "book.xlsx")
    drop.write("requests.xlsx", (tmp_path / "book.xlsx").read_bytes())
    with pytest.raises(SourceError, match="no sheet with a known header"):
        drop.land()


def requests(first: int, n: int) -> list[list[object]]:
    """Rows of requests about list 3, numbered from `first` on."""
    return [
        [f"USTR-2019-0005-{number}", f"Example {number}", "Granted", "4015191010", "Gloves", "2019-07-01", "2019-07-15"]
        for number in range(first, first + n)
    ]


HEADER: list[object] = ["Request", "Org", "Status", "HTSUS", "Product", "Post Date", "Close Date"]


def workbook(sheets: Mapping[str, Sequence[Sequence[object]]]) -> bytes:
    book = openpyxl.Workbook()
    for name, rows in sheets.items():
        sheet = book.create_sheet(name)
        for cells in rows:
            sheet.append(cells)
    del book["Sheet"]
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()


def test_every_sheet_of_a_workbook_is_read_or_named(drop: Drop) -> None:
    """Of 50 requests 20 were published: those on the first sheet."""
    sheets = {
        "Notes": [["About this workbook"]],
        "July": [HEADER, *requests(1, 20)],
        "August": [["Requests of August"], [], HEADER, *requests(21, 30)],
        "Summary": [["Status", "Request"], ["Granted", 50]],
    }
    drop.write("list 3 requests.xlsx", workbook(sheets))
    landed = drop.land()
    assert len(drop.rows("tariff_requests")) == 50 and landed.counts["ustr requests"].rows_read == 50
    named = [warning for warning in landed.warnings if "not read" in warning]
    assert len(named) == 2
    assert "sheet 'Notes': not read, no row names known columns (it begins with ['About this workbook'])" in named[0]
    assert "sheet 'Summary', column" in named[1]


def test_a_workbook_without_any_readable_sheet_is_an_error(drop: Drop) -> None:
    drop.write("status.xlsx", workbook({"Summary": [["Status", "Request"], ["Granted", 50]]}))
    with pytest.raises(SourceError, match=r"sheet 'Summary', column org, htsus, post date"):
        drop.land()


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
@pytest.mark.parametrize("delimiter", [",", "\t", ";"])
def test_how_a_table_is_written_is_told_by_its_content(drop: Drop, encoding: str, end: str, delimiter: str) -> None:
    rows = [HEADER, *requests(1, 2)]
    rows[1][1], rows[2][4] = "Société Générale de l’Été", '"of two\nlines"'
    content = "\n".join(delimiter.join(map(str, cells)) for cells in rows) + "\nSource: somebody\n"
    drop.write("status.csv", content.replace("\n", end).encode(encoding))
    drop.land()
    assert column(drop.rows("tariff_requests"), "requester") == ["Société Générale de l’Été", "Example 2"]
    assert column(drop.rows("tariff_requests"), "product") == ["Gloves", "of two\nlines"]
    assert column(drop.quarantine(), "reason") == ["malformed_row"]


def test_an_open_quotation_mark_stops_with_file_and_line(drop: Drop) -> None:
    rows = [HEADER, *requests(1, 9)]
    rows[3][4], rows[6][4] = '"Gloves', 'of rubber"'
    drop.write("status.csv", "\n".join(",".join(map(str, cells)) for cells in rows))
    with pytest.raises(SourceError, match=r"status\.csv, line 4: found a quotation mark that is not closed"):
        drop.land()


def test_a_column_that_is_there_twice_is_an_error_only_where_it_is_needed(drop: Drop) -> None:
    rows = [[*cells, "x", "y"] for cells in requests(1, 1)]
    drop.write("status.xlsx", workbook({"a": [[*HEADER, "Remark", "remark"], *rows]}))
    drop.land()
    assert len(drop.rows("tariff_requests")) == 1
    drop.write("status.xlsx", workbook({"a": [[*HEADER, "Remark", "STATUS"], *rows]}))
    with pytest.raises(SourceError, match="sheet 'a': found the column 'Status' twice"):
        drop.land()
