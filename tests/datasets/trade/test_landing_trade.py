"""Trade landing: every row of every file shape lands, is set aside by a named rule, or is in quarantine with a reason.

Not here: what dbt makes of the landed rows, and the reference tables (test_landing_reference).
"""

from __future__ import annotations

import gzip
import io
import json
import math
import zipfile
from collections import Counter, defaultdict
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dagster_project.archive.store import Archive, Entry
from dagster_project.datasets.reference.landing import land as land_reference
from dagster_project.datasets.trade import landing as trade
from dagster_project.datasets.trade.parsing import parse
from dagster_project.errors import AccountingError, ArchiveDamaged, SettingError, SourceError
from dagster_project.landing import yearly
from dagster_project.landing.tables import RuleCounts
from dagster_project.sample.reporting import YEARS
from dagster_project.sample.truth import truth
from dagster_project.settings import load_settings
from tests.helpers.landing_desk import AREAS, FIELDS, Desk, Landed, as_answer, as_csv, row
from tests.helpers.steps import fetch, load_of


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


# --- the folder and its files -----------------------------------------------------------------------------------------


def test_empty_drop_folder(desk: Desk) -> None:
    with pytest.raises(SourceError, match=r"found no files; expected comtrade/: .*\.csv\.gz.*CHOKEPOINT_DROP_DIR"):
        desk.fetch_trade()


def test_folder_with_only_unknown_files_names_them(desk: Desk) -> None:
    desk.write("comtrade/notes.docx", "x")
    desk.write("comtrade/.DS_Store", "x")
    with pytest.raises(SourceError, match=r"no known table \(1 other files: comtrade/notes\.docx\)"):
        desk.fetch_trade()


def test_real_trade_needs_real_classifications(desk: Desk) -> None:
    desk.rows(row())
    settings = desk.with_settings(reference_source="sample")
    with pytest.raises(SettingError, match="CHOKEPOINT_REFERENCE_SOURCE"):
        fetch("trade", settings)


HTML = "<!DOCTYPE html><html><body>503 Service Unavailable</body></html>"
GOOD = as_csv([row()]).encode()


def zipped(**members: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("name", "content", "found"),
    [
        ("rows.csv", HTML, "HTML"),
        ("rows.csv.gz", gzip.compress(HTML.encode(), mtime=0), "HTML"),
        ("rows.csv", "\ufeff" + HTML, "HTML"),
        ("rows.json", HTML, "HTML"),
        ("rows.csv", as_answer([row()]), "JSON"),
        ("rows.txt", as_answer([row()]), "JSON"),
        ("rows.json", GOOD, "text that begins with 'typeCode"),
        ("rows.csv.gz", zipped(rows=GOOD), "begins with b'PK"),
        ("rows.csv", zipped(rows=GOOD), "zip content"),
        ("rows.csv", gzip.compress(GOOD, mtime=0), "gzip content"),
        ("rows.csv.gz", GOOD, "begins with b'typeCode'"),
        ("rows.json.gz", gzip.compress(GOOD, mtime=0), "text that begins with"),
        ("rows.csv", b"PAR1....", "parquet content"),
        ("rows.csv", b"\x00\x01\x02\x00" + GOOD, "binary content"),
        ("rows.csv", b"", "an empty file"),
        ("rows.csv.gz", gzip.compress(b"", mtime=0), "a gzip of nothing"),
        ("rows.csv.gz", gzip.compress(GOOD * 200, mtime=0)[:-9], "truncated or damaged gzip"),
        ("rows.txt.gz", gzip.compress(GOOD * 200, mtime=0)[:60], "truncated or damaged gzip"),
    ],
)
def test_file_that_is_not_what_its_name_says(desk: Desk, name: str, content: str | bytes, found: str) -> None:
    desk.rows(row(), name="good.csv")
    desk.write(f"comtrade/{name}", content)
    with pytest.raises(SourceError) as error:
        desk.fetch_trade()
    assert f"comtrade/{name}" in str(error.value) and found in error.value.found
    assert not desk.settings.archive_dir.exists()  # nothing is archived beside a broken file


BACI_YEAR = "t,i,j,k,v,q\n2017,842,156,854231,0.1,       1.5\n2017,276,156,854231,0.3,         NA\n"


def test_zip_that_is_no_zip_or_is_cut_short(desk: Desk) -> None:
    whole = zipped(**{"BACI_HS17_Y2017_V202401b.csv": BACI_YEAR.encode() * 50})
    for content in (b"PK\x03\x04 not really", whole[:-40], whole[:30]):
        desk.write("baci/BACI_HS17_V202401b.zip", content)
        with pytest.raises(SourceError, match=r"baci/BACI_HS17_V202401b.zip: found a broken or truncated zip"):
            fetch("trade", desk.with_settings(trade_source="baci_files"), desk.now)


def test_zip_with_a_damaged_member(desk: Desk) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr("BACI_HS17_Y2017_V202401b.csv", BACI_YEAR)
    desk.write("baci/BACI_HS17_V202401b.zip", buffer.getvalue().replace(b"0.3,", b"9.3,"))
    with pytest.raises(SourceError, match="fails its checksum"):
        fetch("trade", desk.with_settings(trade_source="baci_files"), desk.now)


def test_encrypted_zip(desk: Desk) -> None:
    content = bytearray(zipped(**{"BACI_HS17_Y2017_V202401b.csv": BACI_YEAR.encode()}))
    content[6] |= 1  # the encryption bit of the local header and of the central directory
    content[content.index(b"PK\x01\x02") + 8] |= 1
    desk.write("baci/BACI_HS17_V202401b.zip", bytes(content))
    with pytest.raises(SourceError, match="encrypted"):
        fetch("trade", desk.with_settings(trade_source="baci_files"), desk.now)


@pytest.mark.parametrize("member", ["../evil.csv", "/etc/evil.csv", "a/../../evil.csv", "C:\\evil.csv", "..\\evil.csv"])
def test_zip_member_that_leaves_its_folder(desk: Desk, member: str) -> None:
    desk.write("baci/BACI_HS17_V202401b.zip", zipped(**{member: b"x", "BACI_HS17_Y2017_V1.csv": BACI_YEAR.encode()}))
    with pytest.raises(SourceError, match="points outside the zip's own folder"):
        fetch("trade", desk.with_settings(trade_source="baci_files"), desk.now)


@pytest.mark.parametrize("name", ["baci/BACI_HS17_V202401b.zip", "baci/BACI_HS17_Y2017_V202401b.csv.gz"])
def test_bomb(desk: Desk, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dagster_project.sources.integrity.MAX_EXPANDED_BYTES", 100_000)
    bomb = b"\0" * 200_000
    desk.write(name, zipped(**{"BACI_HS17_Y2017_V202401b.csv": bomb}) if name.endswith("zip") else gzip.compress(bomb))
    with pytest.raises(SourceError, match=r"expands to .* expected at most 100,000 bytes"):
        fetch("trade", desk.with_settings(trade_source="baci_files"), desk.now)


def test_same_file_twice_counts_once_and_is_reported(desk: Desk) -> None:
    desk.rows(row(), name="a.csv")
    desk.rows(row(), name="b.csv")
    entries, passed_over = desk.fetch_trade()
    assert [entry.part for entry in entries] == ["a.csv"]
    assert passed_over == ["drop:comtrade/b.csv (same content as another file)"]
    assert desk.land(entries=entries).counts() == {"rows_read": 1, "landed": 1}


def test_same_rows_in_two_files_count_once(desk: Desk) -> None:
    desk.rows(row(), row(partnerCode=276), name="a.csv")
    desk.write("comtrade/b.csv.gz", gzip.compress(as_csv([row(), row(partnerCode=276)]).encode()))
    landed = desk.land()
    assert landed.counts() == {"rows_read": 4, "landed": 2, "duplicate_equal": 2}
    assert landed.values() == [100, 100]


# --- columns ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("column", ["reporterCode", "flowCode", "partnerCode", "cmdCode", "primaryValue"])
@pytest.mark.parametrize("shape", ["csv", "json"])
def test_missing_required_column_names_file_column_and_what_was_found(desk: Desk, column: str, shape: str) -> None:
    kept = [field for field in FIELDS if field != column]
    rows = [{field: value for field, value in row().items() if field != column}]
    desk.write(f"comtrade/rows.{shape}", as_csv(rows, kept) if shape == "csv" else as_answer(rows))
    with pytest.raises(SourceError) as error:
        desk.land()
    assert "comtrade/rows." in error.value.where and column.lower() in error.value.where
    assert all(field in error.value.found for field in kept)


def test_year_may_be_named_by_either_column(desk: Desk) -> None:
    desk.write("comtrade/a.csv", as_csv([row()], [field for field in FIELDS if field != "refYear"]))
    desk.write("comtrade/b.csv", as_csv([row(flowCode="X")], [field for field in FIELDS if field != "period"]))
    desk.write("comtrade/c.json", as_answer([row(partnerCode=276, refYear="", period=2017)]))
    assert desk.land().counts() == {"rows_read": 3, "landed": 3}
    desk.write("comtrade/d.csv", as_csv([row()], [field for field in FIELDS if field not in ("refYear", "period")]))
    with pytest.raises(SourceError, match="column refyear or period"):
        desk.land()


@pytest.mark.parametrize("shape", ["csv", "json"])
def test_extra_columns_are_accepted_and_noted(desk: Desk, shape: str) -> None:
    wide = {**row(), "myNote": "x, y", "cmdDesc": "known to Comtrade and used by nothing"}
    text = (
        as_csv([{**wide, "myNote": '"x, y"'}], [*FIELDS, "myNote", "cmdDesc"]) if shape == "csv" else as_answer([wide])
    )
    desk.write(f"comtrade/rows.{shape}", text)
    for _ in range(2):  # also when the table was parsed before
        landed = desk.land()
        assert landed.values() == [100]
        assert landed.years[2017].notes == [f"drop:comtrade/rows.{shape}: columns that nothing reads: myNote"]


def test_header_case_blanks_quotes_and_bom(desk: Desk) -> None:
    header, rest = as_csv([row()]).split("\n", 1)
    for number, changed in enumerate(
        (header.upper(), header.lower(), header.replace(",", " , "), f'"{header}"'.replace(",", '","'))
    ):
        desk.write(
            f"comtrade/{number}.csv",
            f"\ufeff{changed}\r\n{rest.replace('854231', f'85423{number}')}".replace("\r\n", "\n"),
        )
    desk.write("comtrade/crlf.csv", as_csv([row(cmdCode="010121")]).replace("\n", "\r\n"))
    landed = desk.land()
    assert landed.counts()["rows_read"] == 5
    assert not {"malformed_row", "bad_year"} & landed.reasons()


@pytest.mark.parametrize("spelling", ["primaryValue", "PRIMARYVALUE", " primaryvalue "])
def test_column_that_is_there_twice(desk: Desk, spelling: str) -> None:
    header, rest = as_csv([row()]).split("\n", 1)
    desk.write("comtrade/rows.csv", f"{header},{spelling}\n{rest.strip()},999\n")
    with pytest.raises(SourceError, match="twice"):
        desk.land()


def test_line_before_the_header(desk: Desk) -> None:
    desk.write("comtrade/rows.csv", f"UN Comtrade download of today\n{as_csv([row()])}")
    with pytest.raises(SourceError, match=r"comtrade/rows\.csv"):
        desk.land()


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("above", ["", "\n"])
def test_the_header_tells_the_delimiter(desk: Desk, delimiter: str, above: str) -> None:
    desk.write("comtrade/rows.csv", above + as_csv([row()], delimiter=delimiter))
    landed = desk.land()
    assert landed.values() == [100] and landed.counts() == {"rows_read": 1, "landed": 1}


# --- lines and shapes -------------------------------------------------------------------------------------------------


def test_malformed_lines_are_quarantined_where_they_stood(desk: Desk) -> None:
    good = as_csv([row(cmdCode=code) for code in ("854231", "x", "010121", "-", "270900")]).splitlines()
    lines = [
        good[0],
        "1,2,3",
        *good[1:3],
        good[3] + ",too,many",
        good[3],
        'C,"A" b,' + good[4][4:],
        good[4],
        good[5],
        "C",
    ]
    desk.write("comtrade/rows.csv", "\n".join(lines))
    landed = desk.land()
    assert landed.quarantine() == [
        ("bad_hs_code", 3), ("bad_hs_code", 7),
        ("malformed_row", 1), ("malformed_row", 4), ("malformed_row", 6), ("malformed_row", 9),
    ]  # fmt: skip
    assert landed.counts()["rows_read"] == 9 and landed.counts()["landed"] == 3
    assert [each["source_row"] for each in landed.table("trade_flows")] == [2, 5, 8] or sorted(
        each["source_row"] for each in landed.table("trade_flows")
    ) == [2, 5, 8]
    texts = [json.loads(each["raw"]).get("text") for each in landed.table("quarantine/trade")]
    assert "1,2,3" in texts and "C" in texts  # the line itself is kept


def test_bytes_that_are_no_utf8_quarantine_their_line_only_in_text_that_is_otherwise(desk: Desk) -> None:
    lines = as_csv([row(), row(partnerCode=276, qtyUnitAbbr="mX"), row(partnerCode=360, qtyUnitAbbr="m²")]).encode()
    desk.write("comtrade/rows.csv", lines.replace(b"mX", b"m\xb2") + lines.splitlines()[-1] + b"\n")
    landed = desk.land()
    assert landed.quarantine() == [("malformed_row", 2)] and landed.values() == [100, 100]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "latin-1"])
def test_every_row_lands_whatever_the_encoding_and_line_ends(desk: Desk, encoding: str, end: str) -> None:
    columns = [*FIELDS, "partnerDesc"]
    rows = [{**row(), "partnerDesc": "Türkiye"}, {**row(partnerCode=276), "partnerDesc": "Côte d'Ivoire"}]
    content = as_csv(rows, columns).replace("\n", end)
    desk.write("comtrade/rows.csv", content.encode(encoding))
    landed = desk.land()
    assert landed.counts() == {"rows_read": 2, "landed": 2} and landed.values() == [100, 100]
    notes = [note for each in landed.years.values() for note in each.notes]
    assert any("Windows-1252" in note for note in notes) == (encoding == "latin-1")


def test_a_footer_is_one_malformed_row(desk: Desk) -> None:
    content = as_csv([row(), row(partnerCode=276)]) + "Source: somebody\n"
    desk.write("comtrade/rows.csv", content.replace("\n", "\r\n"))
    landed = desk.land()
    assert landed.quarantine() == [("malformed_row", 3)] and landed.values() == [100, 100]
    assert json.loads(landed.table("quarantine/trade")[0]["raw"])["text"] == "Source: somebody"


def test_a_quoted_line_break_is_part_of_its_row(desk: Desk) -> None:
    columns = [*FIELDS, "cmdDesc"]
    texts = {842: '"\n of two lines"', 276: '"of\nthree\nlines"', 360: ""}
    rows = [{**row(partnerCode=partner), "cmdDesc": text} for partner, text in texts.items()]
    desk.write("comtrade/rows.csv", as_csv(rows, columns))
    assert desk.land().counts() == {"rows_read": 3, "landed": 3}


@pytest.mark.parametrize("closed", [True, False])
@pytest.mark.parametrize("column", ["qtyUnitAbbr", "cmdDesc"])
def test_open_quotation_mark_is_an_error_not_the_end_of_many_rows(desk: Desk, closed: bool, column: str) -> None:
    columns = [*FIELDS, "cmdDesc"]
    rows = [row(partnerCode=partner) for partner in (842, 276, 360, 583, 608)]
    rows[1][column] = '"kg'
    if closed:
        rows[3][column] = 'kg"'
        rows = [dict(each) for each in rows]
    content = as_csv(rows, columns)
    if closed:  # the lines in between become one well-formed value
        head, open_line, *between, last, end = content.splitlines()[:1] + content.splitlines()[2:]
        content = "\n".join([head, open_line.split('"')[0] + '"' + open_line.split('"')[1], *between, last, end]) + "\n"
    desk.write("comtrade/rows.csv", content)
    with pytest.raises(SourceError, match=r"rows\.csv, line [23]: found a quotation mark that is not closed"):
        desk.land()


def test_blank_lines_are_no_rows(desk: Desk) -> None:
    desk.write("comtrade/rows.csv", as_csv([row(), row(flowCode="X")]).replace("\n", "\n\n"))
    assert desk.land().counts() == {"rows_read": 2, "landed": 2}


def test_several_gzip_members_are_all_read(desk: Desk) -> None:
    first, second = as_csv([row()]), as_csv([row(flowCode="X")]).split("\n", 1)[1]
    desk.write("comtrade/rows.csv.gz", gzip.compress(first.encode()) + gzip.compress(second.encode()))
    big = as_answer([row(refYear=2018), *[row(refYear=2018, flowCode="RX", cmdCode=f"{n:06d}") for n in range(500)]])
    desk.write("comtrade/rows.json.gz", gzip.compress(big[:40].encode()) + gzip.compress(big[40:].encode()))
    assert desk.land().counts() == {"rows_read": 503, "landed": 3, "other_flow": 500}


@pytest.mark.parametrize("shape", ["envelope", "bare list", "lines", "gzipped"])
def test_json_shapes(desk: Desk, shape: str) -> None:
    rows = [row(), {**row(flowCode="X"), "primaryValue": 1.5e3, "qty": None, "aggrLevel": 6}]
    text = {
        "bare list": json.dumps(rows),
        "lines": "\n".join(map(json.dumps, rows)),
    }.get(shape, as_answer(rows))
    if shape == "gzipped":
        desk.write("comtrade/rows.json.gz", gzip.compress(text.encode()))
    else:
        desk.write("comtrade/rows.json", text)
    landed = desk.land()
    assert landed.counts() == {"rows_read": 2, "landed": 2} and landed.values() == [100, 1500]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (as_answer([], error="Invalid subscription key"), "Invalid subscription key"),
        (json.dumps({"count": 0, "data": None, "error": "Too many requests"}), "Too many requests"),
        (json.dumps({"statusCode": 401, "message": "Access denied due to missing key"}), "Access denied"),
        (as_answer([row()], count=2), "count 2 but 1 rows"),
        (as_answer([row(), row()])[:-30], "cannot be read"),
        (as_answer([row(), 5]), "1 of 2 rows that are no objects"),  # type: ignore[list-item]
        (json.dumps([row(), None]), "rows that are no objects"),
        (json.dumps([1, 2]), "rows that are no objects"),
        (as_answer([row()]) + "\n" + json.dumps(row()), "1 objects beside 1 envelopes"),
        (as_answer([row()]) + "\n" + as_answer([row()], count=7), "count 7 but 1 rows"),
    ],
)
def test_json_that_cannot_be_trusted(desk: Desk, text: str, found: str) -> None:
    desk.write("comtrade/rows.json", text)
    with pytest.raises(SourceError) as error:
        desk.land()
    assert "comtrade/rows.json" in error.value.where and found in error.value.found


def test_answer_without_rows_is_an_answer(desk: Desk) -> None:
    desk.write("comtrade/a.json", as_answer([]))
    desk.write("comtrade/b.csv", as_csv([]))
    desk.rows(row())
    assert desk.land().counts() == {"rows_read": 1, "landed": 1}


def test_json_numbers_and_odd_names(desk: Desk) -> None:
    first = {**row(), "reporterCode": 156, "cmdCode": 10121, 'say "hi"': 1}
    desk.write("comtrade/rows.json", as_answer([first, row(primaryValue=True), row(primaryValue=[1])]))
    landed = desk.land()
    assert landed.quarantine() == [("hs_code_length", 1), ("value_not_a_number", 2), ("value_not_a_number", 3)]
    assert 'say "hi"' in landed.years[2017].notes[0]


def test_bulk_file(desk: Desk) -> None:
    bulk = as_csv([row(cmdCode="010121"), row(classificationCode="H4", refYear=2018)], delimiter="\t")
    desk.write("comtrade/COMTRADE-FINAL-CA156201701H5.txt.gz", gzip.compress(bulk.encode()))
    landed = desk.land()
    assert [(each["year"], each["hs_revision"], each["cmd_code"]) for each in landed.table("trade_flows")] == [
        (2017, "H5", "010121"), (2018, "H4", "854231"),
    ]  # fmt: skip


# --- values, codes, years ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("column", "text", "reason"),
    [
        *(("primaryValue", text, "value_not_a_number")
          for text in ("1,234.5", "1_000", "0x10", "12abc", "1 000", "--5", "1.2.3", "n/a", "٣")),
        *(("primaryValue", text, "value_not_finite") for text in ("NaN", "inf", "-Infinity", "1e400")),
        *(("primaryValue", text, "negative_value") for text in ("-1", "-0.01")),
        *(("primaryValue", text, "missing_value") for text in ("", "   ")),
        *(("qty", text, "bad_quantity") for text in ("abc", "-1", "nan", "inf", "1_0", "0x1")),
        *(("cmdCode", text, "hs_code_length") for text in ("10121", "85423100", "1", "854", "8542310")),
        *(("cmdCode", text, "bad_hs_code")
          for text in ("85423X", "8542.31", "'854231", "854231.0", "８５４２３１", "854 31")),
        ("cmdCode", "", "missing_hs_code"),
        *((column, text, "bad_country_code")
          for column in ("reporterCode", "partnerCode")
          for text in ("", "CHN", "156.5", "1_56", "0x9C", "1e2", "99999999999")),
        ("partner2Code", "CHN", "bad_country_code"),
        *((column, text, "unknown_country")
          for column in ("reporterCode", "partnerCode") for text in ("1", "-156", "999")),
        ("flowCode", "", "missing_flow"),
        *(("flowCode", text, "unknown_flow") for text in ("Imp", "E", "Import/Export", "0", "12", "Einfuhr", "MX")),
        *(("motCode", text, "unknown_transport_mode") for text in ("1000.5", "Sea", "-1")),
        *(("customsCode", text, "unknown_customs_procedure") for text in ("home use", "Total", "0")),
        *(("classificationCode", text, "unknown_classification") for text in ("S4", "H7", "B5", "5")),
        ("classificationCode", "H2", "no_conversion"),
        ("typeCode", "S", "not_goods"),
        ("typeCode", "goods", "unknown_type"),
        *(("freqCode", text, "not_annual") for text in ("M", "Q")),
        ("freqCode", "yearly", "unknown_frequency"),
        ("period", "201706", "not_annual"),
        ("period", "2018", "year_and_period_differ"),
        *(("refYear", text, "bad_year") for text in ("17", "20I7", "2017.5", "2_017", "0x7e1", "9999", "-2017")),
    ],
)  # fmt: skip
def test_row_that_cannot_be_used(desk: Desk, column: str, text: str, reason: str) -> None:
    rows = [
        row(flowCode="X"),
        row(**{column: f'"{text}"' if "," in text else text, **({"period": ""} if column == "refYear" else {})}),
    ]
    desk.rows(*rows)
    landed = desk.land()
    assert landed.quarantine() == [(reason, 2)]
    [quarantined] = landed.table("quarantine/trade")
    assert (quarantined["raw"] and quarantined["detail"]) and quarantined["archive_entry"] in {
        each["archive_entry"] for each in landed.table("trade_flows")
    }
    assert landed.counts() == {"rows_read": 2, "landed": 1, f"quarantined:{reason}": 1}
    if reason not in ("unknown_country", "no_conversion"):
        assert text.strip() in (json.loads(quarantined["raw"])[column] or "")  # as received


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1e5", 1e5),
        ("1.5E3", 1500),
        ("+5", 5),
        (" 12 ", 12),
        (".5", 0.5),
        ("5.", 5),
        ("0", 0),
        ("007", 7),
        ("1e-3", 1e-3),
    ],
)
def test_numbers_that_are_what_they_say(desk: Desk, text: str, value: float) -> None:
    desk.rows(row(primaryValue=text))
    assert desk.land().values() == [value]


def test_whole_numbers_written_as_decimals_or_with_zeros_are_the_number(desk: Desk) -> None:
    desk.rows(
        row(reporterCode="156.0", partnerCode="0842", partner2Code="0.0", motCode="0.0", refYear=" 2017 ", period="")
    )
    [flow] = desk.land().table("trade_flows")
    assert (flow["reporter_code"], flow["partner_code"], flow["year"]) == (156, 842, 2017)


def test_quantities(desk: Desk) -> None:
    goods = {
        "854231": ("5.5", "kg"),
        "010121": ("0", "u"),
        "270900": ("", "kg"),
        "850760": ("7", "N/A"),
        "854232": ("7", "-1"),
    }
    desk.rows(*(row(cmdCode=code, qty=qty, qtyUnitAbbr=unit) for code, (qty, unit) in goods.items()))
    found = {each["cmd_code"]: (each["quantity"], each["quantity_unit"]) for each in desk.land().table("trade_flows")}
    assert found == {
        "854231": (5.5, "kg"), "010121": (None, None), "270900": (None, None), "850760": (7, None), "854232": (7, None)
    }  # fmt: skip


def test_years_outside_the_request_are_counted(desk: Desk) -> None:
    desk.rows(*(row(refYear=year) for year in (2016, 2017, 2017, 2018)), row(refYear="?", period=""))
    landed = desk.land(years=[2017])
    assert list(landed.years) == [2017] and {each["year"] for each in landed.table("trade_flows")} == {2017}
    assert landed.counts() == {
        "rows_read": 5, "landed": 1, "duplicate_equal": 1, "year_not_requested": 2, "quarantined:bad_year": 1
    }  # fmt: skip


def test_year_without_rows_is_an_error_that_names_those_held(desk: Desk) -> None:
    desk.rows(row(), row(refYear=2019))
    desk.land_reference()
    load = desk.load(desk.fetch_trade()[0])
    parsed = parse(load, None)
    with pytest.raises(SourceError, match="year 2018: found no rows of that year; the source holds 2017, 2019"):
        trade.land_year(load, parsed, 2018)


def test_year_that_is_no_longer_there_leaves_every_table(desk: Desk) -> None:
    desk.rows(row(), row(partnerCode=0), row(refYear=2018), row(refYear=2018, cmdCode="bad"))
    desk.land()
    desk.rows(row(), row(partnerCode=0))
    landed = desk.land()
    for table in (*trade.KINDS, "trade_reporters", "trade_rule_counts", "quarantine/trade"):
        assert {each["year"] for each in landed.table(table)} <= {2017, None}, table


def test_partition_of_a_crashed_landing_does_not_stay(desk: Desk) -> None:
    desk.rows(row(refYear=2018))
    landed = desk.land()
    yearly.forget_year(landed.landing, "trade", 2018)
    desk.rows(row())
    assert {each["year"] for each in desk.land().table("trade_flows")} == {2017}


def test_crash_while_landing_a_year_leaves_no_receipt_of_it(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.rows(row(primaryValue=1))
    first = desk.fetch_trade()[0]
    desk.land(entries=first)
    desk.rows(row(primaryValue=2))
    second = desk.fetch_trade()[0]
    real = trade._write_table

    def crash(connection: object, landing: Path, table: str, year: int | None, query: str) -> None:
        if table == "trade_reporters":
            raise KeyboardInterrupt
        real(connection, landing, table, year, query)  # type: ignore[arg-type]

    monkeypatch.setattr(trade, "_write_table", crash)
    with pytest.raises(KeyboardInterrupt):
        desk.land(entries=second)
    monkeypatch.undo()
    assert desk.land(entries=first).values() == [1]  # back to the first input: its year is landed again


def test_unchanged_year_is_not_landed_again(desk: Desk) -> None:
    desk.rows(row(), row(refYear=2018), name="a.csv")
    entries = desk.fetch_trade()[0]
    assert all(each.changed for each in desk.land(entries=entries).years.values())
    assert not any(each.changed for each in desk.land(entries=entries).years.values())
    desk.rows(row(refYear=2018, flowCode="X"), name="b.csv")
    changed = {year: each.changed for year, each in desk.land().years.items()}
    assert changed == {2017: False, 2018: True}


# --- duplicates -------------------------------------------------------------------------------------------------------


def test_equal_rows_count_once_and_the_stated_revision_stays(desk: Desk) -> None:
    desk.rows(row(classificationCode="H5"), row(classificationCode="HS", primaryValue=100 * (1 + 5e-10)))
    landed = desk.land()
    [flow] = landed.table("trade_flows")
    assert (flow["hs_revision"], flow["revision_assumed"], flow["source_row"]) == ("H5", False, 1)
    assert landed.counts() == {"rows_read": 2, "landed": 1, "duplicate_equal": 1}


def test_different_values_the_last_in_the_file_wins(desk: Desk) -> None:
    desk.rows(row(primaryValue=100), row(primaryValue=300), row(primaryValue=200), row(primaryValue=200))
    landed = desk.land()
    assert landed.values() == [200]
    assert landed.quarantine() == [("superseded", 1), ("superseded", 2)]
    assert landed.counts()["duplicate_equal"] == 1


def test_different_values_the_last_file_name_wins(desk: Desk) -> None:
    desk.rows(row(primaryValue=100), name="b.csv")
    desk.rows(row(primaryValue=200), name="a.csv")
    assert desk.land().values() == [100]


def test_different_values_the_payload_retrieved_last_wins(desk: Desk) -> None:
    desk.rows(row(primaryValue=100), name="z_old.csv")
    desk.fetch_trade()
    desk.rows(row(primaryValue=200), name="a_correction.csv")
    landed = desk.land()
    assert landed.values() == [200] and landed.reasons() == {"superseded"}


def test_two_revisions_of_one_code_are_one_key_and_the_base_revision_counts(desk: Desk) -> None:
    desk.rows(row(classificationCode="H5", primaryValue=1), row(classificationCode="H4", primaryValue=2))
    [flow] = desk.land().table("trade_flows")
    assert (flow["hs_revision"], flow["value_usd"]) == ("H5", 1)


def test_breakdown_duplicates_do_not_compete(desk: Desk) -> None:
    desk.rows(
        row(primaryValue=10), row(primaryValue=4, partner2Code=276), row(primaryValue=3, motCode=1000),
        row(primaryValue=3, customsCode="C01"), row(primaryValue=3, motCode="2100.0"),
    )  # fmt: skip
    landed = desk.land()
    assert landed.values() == [10] and landed.counts()["breakdown_duplicate"] == 4


def test_repeated_control_totals_count_as_control_totals_and_one_is_kept(desk: Desk) -> None:
    world = row(partnerCode=0, primaryValue=500)
    desk.rows(world, world, {**world, "primaryValue": 600}, row())
    landed = desk.land()
    assert landed.counts() == {"rows_read": 4, "landed": 1, "control_total": 3}
    assert landed.values("trade_control_totals") == [600]


# --- rules ------------------------------------------------------------------------------------------------------------


def test_each_rule_and_their_order(desk: Desk) -> None:
    desk.rows(
        row(),
        row(flowCode="RX", cmdCode="8542"),  # other flow before code level
        row(partnerCode=0, motCode=1000),  # control total before breakdown
        row(cmdCode="TOTAL", motCode=1000),  # breakdown before code level
        row(cmdCode="8542"), row(cmdCode="TOTAL"), row(cmdCode="AG6"), row(cmdCode="85"),
        row(reporterCode=97, partnerCode=97),  # re-import before areas
        row(reporterCode=156, partnerCode=156),
        row(reporterCode=97, partnerCode=899),  # the reporter's area before the partner's
        row(partnerCode=97), row(partnerCode=899), row(partnerCode=568),
        row(partnerCode=899, cmdCode="111111"),  # areas before conversion
        row(cmdCode="111111", partnerCode=276), row(cmdCode="111111", partnerCode=360, classificationCode="H4"),
    )  # fmt: skip
    assert desk.land().counts() == {
        "rows_read": 17, "landed": 1, "other_flow": 1, "control_total": 1, "breakdown_duplicate": 1, "code_level": 4,
        "re_import": 2, "area_reporter": 1, "area_partner": 4, "quarantined:unknown_hs_code": 1,
        "quarantined:no_conversion": 1,
    }  # fmt: skip


def test_areas_that_are_no_country_at_either_end(desk: Desk) -> None:
    rows = [row(partnerCode=code, primaryValue=code) for code in AREAS if code not in (0, 156)]
    rows += [{**each, "flowCode": "X", "reporterCode": each["partnerCode"], "partnerCode": 156} for each in rows]
    desk.rows(*rows)
    landed = desk.land()
    countries = {276, 842, 360, 583, 608, 490}
    assert {each["partner_code"] for each in landed.table("trade_flows") if each["flow"] == "M"} == countries
    assert {each["reporter_code"] for each in landed.table("trade_flows") if each["flow"] == "X"} == countries
    others = {97, 975, 568, 837, 838, 839, 899}
    assert {each["partner_code"] for each in landed.table("trade_unallocated")} == others
    assert landed.counts()["area_reporter"] == len(others) == landed.counts()["area_partner"]


def test_reporters_are_those_with_a_usable_row(desk: Desk) -> None:
    desk.rows(
        row(partnerCode=0, cmdCode="TOTAL"), row(reporterCode=276, flowCode="RX"), row(reporterCode=842, cmdCode="bad"),
        row(reporterCode=97), row(reporterCode=360, flowCode="X", partnerCode=899),
    )  # fmt: skip
    reporters = [(each["reporter_code"], each["flow"]) for each in desk.land().table("trade_reporters")]
    assert reporters == [(360, "X")]


@pytest.mark.parametrize("word", ["M", "m", "Import", "IMPORTS", "1", " 1 ", "1.0", "import "])
def test_words_for_imports(desk: Desk, word: str) -> None:
    desk.rows(row(flowCode=word), row(flowCode=word, partnerCode=276))
    landed = desk.land()
    assert landed.counts() == {"rows_read": 2, "landed": 2}
    assert {each["flow"] for each in landed.table("trade_flows")} == {"M"}


def test_words_for_one_flow_are_one_flow(desk: Desk) -> None:
    desk.rows(row(flowCode="Export"), row(flowCode="2"), row(flowCode="X"), row(flowCode="exports"))
    landed = desk.land()
    assert landed.counts() == {"rows_read": 4, "landed": 1, "duplicate_equal": 3}
    assert [each["flow"] for each in landed.table("trade_flows")] == ["X"]


@pytest.mark.parametrize(
    "word", ["RM", "RX", "DX", "FM", "MIP", "MOP", "XIP", "XOP", "Re-Import", "re-export", "3", "4", "Domestic Export"]
)
def test_known_flows_that_are_parts_of_others(desk: Desk, word: str) -> None:
    desk.rows(row(), row(flowCode=word))
    assert desk.land().counts() == {"rows_read": 2, "landed": 1, "other_flow": 1}


@pytest.mark.parametrize("stated", ["HS", "", "hs"])
def test_revision_that_is_not_stated(desk: Desk, stated: str) -> None:
    desk.rows(row(classificationCode=stated), row(classificationCode=stated, cmdCode="010119"))
    landed = desk.land()
    [flow] = landed.table("trade_flows")
    assert (flow["hs_revision"], flow["revision_assumed"]) == ("H5", True)
    assert landed.quarantine() == [("revision_not_stated", 2)]


def test_codes_with_a_way_to_the_base_revision_land_as_reported(desk: Desk) -> None:
    desk.rows(
        row(classificationCode="H4"), row(classificationCode="H3", cmdCode="010119"),
        row(classificationCode="H3", cmdCode="854230"), row(classificationCode="H3", cmdCode="999990"),
        row(classificationCode="H1", cmdCode="999999"), row(cmdCode="999999", classificationCode="HS", flowCode="X"),
    )  # fmt: skip
    landed = desk.land()
    assert {(each["hs_revision"], each["cmd_code"]) for each in landed.table("trade_flows")} == {
        ("H4", "854231"), ("H3", "010119"), ("H3", "854230"), ("H1", "999999"), ("H5", "999999"),
    }  # fmt: skip
    assert landed.quarantine() == [("no_conversion", 4)]  # its only way leads to a code without one


# --- BACI -------------------------------------------------------------------------------------------------------------


def baci(desk: Desk) -> Desk:
    desk.settings = desk.with_settings(trade_source="baci_files")
    return desk


@pytest.mark.parametrize("shape", ["csv", "csv.gz", "zip"])
def test_baci_shapes(desk: Desk, shape: str) -> None:
    name = "BACI_HS17_Y2017_V202401b.csv"
    if shape == "zip":
        content = zipped(**{name: BACI_YEAR.encode(), "Readme.txt": b"x", "country_codes_V202401b.csv": b"x"})
        desk.write("baci/BACI_HS17_V202401b.zip", content)
    else:
        content = gzip.compress(BACI_YEAR.encode()) if shape == "csv.gz" else BACI_YEAR.encode()
        desk.write(f"baci/sub/{name}{shape.removeprefix('csv')}", content)
    landed = baci(desk).land()
    flows = {(each["partner_code"], each["reporter_code"], each["flow"]): each for each in landed.table("trade_flows")}
    assert flows.keys() == {(842, 156, "M"), (276, 156, "M")}
    first, second = flows[842, 156, "M"], flows[276, 156, "M"]
    assert (first["value_usd"], first["quantity"], first["quantity_unit"]) == (100, 1.5, "t")  # thousand USD, tons
    assert (second["value_usd"], second["quantity"], second["quantity_unit"]) == (300, None, None)
    assert {each["source"] for each in flows.values()} == {"baci"} and first["hs_revision"] == "H5"


@pytest.mark.parametrize("name", ["BACI_HS17_Y2017_V202401b.csv", "BACI_HS17_V202401b.zip"])
def test_a_payload_is_not_read_again_unless_it_was_touched_since_it_was_parsed(
    desk: Desk, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A plan over thirty years would read and unpack them all, to find that nothing is new."""
    content = BACI_YEAR.encode()
    desk.write(f"baci/{name}", content if name.endswith("csv") else zipped(**{"BACI_HS17_Y2017_V202401b.csv": content}))
    baci(desk).land_reference()
    load = desk.load(desk.fetch_trade()[0])
    before = parse(load, None)

    def refused(archive: Archive, entry: Entry) -> Path:
        raise AssertionError(f"{entry.address} was opened")

    monkeypatch.setattr(Archive, "open_path", refused)
    assert parse(load, None) == before
    load.archive.located(load.entries[0]).touch()
    with pytest.raises(AssertionError, match=name):
        parse(load, None)


@pytest.mark.parametrize("name", ["BACI_HS17_Y2017_V202401b.csv", "BACI_HS17_V202401b.zip"])
def test_a_payload_that_the_archive_lost_is_named_though_it_is_parsed(desk: Desk, name: str) -> None:
    content = BACI_YEAR.encode()
    desk.write(f"baci/{name}", content if name.endswith("csv") else zipped(**{"BACI_HS17_Y2017_V202401b.csv": content}))
    baci(desk).land_reference()
    load = desk.load(desk.fetch_trade()[0])
    parse(load, None)
    load.archive.located(load.entries[0]).unlink()
    with pytest.raises(ArchiveDamaged, match=f"{name}.*no such file"):
        parse(load, None)


LANDED = "trade_flows/year=2017/part-0.parquet"


def parsed_files(desk: Desk) -> list[Path]:
    return list((desk.settings.landing_dir / "parsed").glob("*.parquet"))


def test_a_year_without_a_fault_lands_as_the_file_that_was_parsed(desk: Desk) -> None:
    desk.write("baci/BACI_HS17_Y2017_V202401b.csv", BACI_YEAR)
    landed = baci(desk).land()
    [parsed] = parsed_files(desk)
    assert (desk.settings.landing_dir / LANDED).samefile(parsed)
    [entry] = {each["archive_entry"] for each in landed.table("trade_flows")}
    assert entry == desk.fetch_trade()[0][0].id
    assert landed.counts() == {"rows_read": 2, "landed": 2}


@pytest.mark.parametrize(
    "more",
    ["2017,842,156,999991,1,1", "2017,842,842,854231,1,1", "2017,899,156,854231,1,1", "x,842,156,854232,1,1",
     "2017,842,156,854231,1,1", "2017,842,156,854231,1,1,1", "2017,842,156,854232,-1,1"],
    ids=["unknown good", "re-import", "no country", "no year", "repeated", "malformed", "negative"],
)  # fmt: skip
def test_a_year_with_a_fault_is_written_anew_and_alone(desk: Desk, more: str) -> None:
    desk.write("baci/BACI_HS17_Y2017_V202401b.csv", f"{BACI_YEAR}{more}\n")
    landed = baci(desk).land()
    [parsed] = parsed_files(desk)
    assert not (desk.settings.landing_dir / LANDED).samefile(parsed)
    assert landed.counts()["rows_read"] == 3 and landed.counts()["landed"] == 2
    assert [each["source_row"] for each in landed.table("trade_flows")] in ([1, 2], [2, 1], [2, 3], [3, 2])


def test_two_files_of_a_year_are_written_anew(desk: Desk) -> None:
    desk.rows(row(), name="a.csv")
    desk.rows(row(cmdCode="854232"), name="b.csv")
    desk.land()
    assert len(parsed_files(desk)) == 2
    assert not any((desk.settings.landing_dir / LANDED).samefile(parsed) for parsed in parsed_files(desk))


def test_a_landed_file_that_was_changed_is_made_again_with_the_parsed_one(desk: Desk) -> None:
    desk.write("baci/BACI_HS17_Y2017_V202401b.csv", BACI_YEAR)
    before = baci(desk).land().values()
    [parsed] = parsed_files(desk)
    content = parsed.read_bytes()
    with (desk.settings.landing_dir / LANDED).open("r+b") as file:  # both names are one file
        file.seek(len(content) // 2)
        file.write(b"\xff")
    trade.land(desk.load(desk.fetch_trade()[0], years=[2017]))
    assert desk.land().values() == before
    assert parsed.read_bytes() == content


def test_baci_bad_rows(desk: Desk) -> None:
    bad = ["2017,842,156,121,1,1", "2017,842,156,854231,-1,1", "2017,842,156,854231,NaN,1",
           "2017,x,156,854231,1,1",
           "20_17,842,156,854231,1,1", "2017,842,156,854231,1_0,1", "2017,842,156,854231,1,x",
           "2017,842,156"]  # fmt: skip
    desk.write("baci/BACI_HS17_Y2017_V202401b.csv", BACI_YEAR + "\n".join(bad))
    landed = baci(desk).land()
    assert [reason for reason, _ in sorted(landed.quarantine(), key=lambda each: each[1])] == [
        "hs_code_length", "negative_value", "value_not_finite", "bad_country_code", "bad_year", "value_not_a_number",
        "bad_quantity", "malformed_row",
    ]  # fmt: skip
    assert landed.counts()["rows_read"] == 10 and landed.values() == [100, 300]


def test_baci_missing_column_and_extra_column(desk: Desk) -> None:
    desk.write("baci/BACI_HS17_Y2017_V202401b.csv", "t,i,j,k,v\n2017,842,156,854231,1\n")
    with pytest.raises(
        SourceError, match=r"BACI_HS17_Y2017_V202401b.csv, column q: found only the columns t, i, j, k, v"
    ):
        baci(desk).land()
    desk.write("baci/BACI_HS17_Y2017_V202401b.csv", "T,I,J,K,V,Q,note\n2017,842,156,854231,1,1,x\n")
    assert "note" in desk.land().years[2017].notes[0]


def test_baci_the_newest_release_of_the_base_edition(desk: Desk) -> None:
    old, new = BACI_YEAR.replace("0.1", "7"), BACI_YEAR
    desk.write("baci/BACI_HS17_Y2017_V202301.csv", old)
    desk.write("baci/BACI_HS17_Y2017_V202401.csv", old)
    desk.write("baci/BACI_HS17_Y2017_V202401b.csv", new)
    desk.write("baci/BACI_HS92_Y2017_V202401b.csv", old)
    entries, passed_over = baci(desk).fetch_trade()
    assert [entry.part for entry in entries] == ["BACI_HS17_Y2017_V202401b.csv"] and len(passed_over) == 3


def test_baci_editions_of_which_none_is_the_base(desk: Desk) -> None:
    desk.write("baci/BACI_HS92_Y2017_V202401b.csv", BACI_YEAR)
    desk.write("baci/BACI_HS96_Y2017_V202401b.csv", BACI_YEAR)
    with pytest.raises(SourceError, match=r"HS92, HS96.*one that is the base revision H5"):
        baci(desk).fetch_trade()


def test_baci_zip_beside_yearly_files(desk: Desk) -> None:
    desk.write("baci/BACI_HS17_Y2017_V202401b.csv", BACI_YEAR)
    desk.write("baci/BACI_HS17_V202401b.zip", zipped(**{"BACI_HS17_Y2017_V202401b.csv": BACI_YEAR.encode()}))
    with pytest.raises(SourceError, match="beside yearly files"):
        baci(desk).fetch_trade()


def test_baci_zip_without_tables(desk: Desk) -> None:
    desk.write("baci/BACI_HS17_V202401b.zip", zipped(**{"Readme.txt": b"x"}))
    with pytest.raises(SourceError, match=r"a zip with the members Readme\.txt"):
        baci(desk).land()


def test_baci_years_not_asked_for_stay_in_the_zip(desk: Desk) -> None:
    other = b"t,i,j\nnot even a table"
    names = {"BACI_HS17_Y2017_V202401b.csv": BACI_YEAR.encode(), "BACI_HS17_Y2018_V202401b.csv": other}
    desk.write("baci/BACI_HS17_V202401b.zip", zipped(**names))
    assert baci(desk).land(years=[2017]).values() == [100, 300]


# --- the sample, and any rows at all ----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def sample_landing(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("sample")
    chosen = load_settings({"CHOKEPOINT_DATA_DIR": str(root)}, dotenv=None)
    archive, now = Archive(chosen.archive_dir), datetime(2024, 1, 1, tzinfo=UTC)
    land_reference(load_of(archive, fetch("reference", chosen, now)[0], chosen.landing_dir, chosen.hs_revision))
    trade.land(load_of(archive, fetch("trade", chosen, now)[0], chosen.landing_dir, settings=chosen, years=YEARS))
    return chosen.landing_dir


@pytest.mark.parametrize(
    ("table", "expected"),
    [
        ("trade_flows", "landed"), ("trade_unallocated", "landed_unallocated"), ("trade_reimports", "re_imports"),
        ("trade_control_totals", "control_totals"),
    ],
)  # fmt: skip
def test_sample_lands_as_its_truth_says(sample_landing: Path, table: str, expected: str) -> None:
    rows = Landed(sample_landing, {}).table(table)
    found = {
        (each["year"], each["reporter_code"], each["flow"], each["partner_code"], each["cmd_code"]): each["value_usd"]
        for each in rows
    }
    assert len(found) == len(rows)  # the key is unique
    known = getattr(truth(), expected)
    assert found.keys() == known.keys()
    assert all(found[key] == pytest.approx(value, rel=1e-12) for key, value in known.items())


def test_amounts_of_the_sample_land_as_its_truth_says(sample_landing: Path) -> None:
    """Import reports whose code converts to itself alone, and whose good comes from no other code."""
    known, compared = truth().quantities, 0
    for each in Landed(sample_landing, {}).table("trade_flows"):
        if each["flow"] == "M" and each["hs_revision"] == "H5":
            key = (each["year"], each["partner_code"], each["reporter_code"], each["cmd_code"])
            expected = known[key]
            assert (each["quantity_kg"], each["quantity_units"]) == expected, key
            compared += expected != (None, None)
    assert compared > 10_000


KEY = ("refYear", "reporterCode", "flowCode", "partnerCode", "cmdCode")
texts = st.sampled_from(["", "1", "x", "1e3", "-1", "nan", "0"])
some_rows = st.lists(
    st.builds(
        row,
        refYear=st.sampled_from([2017, 2017, 2017, 2018, "", "x"]),
        reporterCode=st.sampled_from([156, 156, 842, 97, 490, 1]),
        flowCode=st.sampled_from(["M", "M", "X", "RX", "", "?"]),
        partnerCode=st.sampled_from([0, 156, 842, 842, 899, 490, 5]),
        partner2Code=st.sampled_from([0, 0, 0, 276]),
        classificationCode=st.sampled_from(["stated", "stated", "HS", "S1"]),
        cmdCode=st.sampled_from(["854231", "854231", "010121", "10121", "8542", "TOTAL", "111111", "999999"]),
        qty=st.sampled_from(["", "", "", "3", "x", "nan", "-1"]),
        primaryValue=st.one_of(texts, st.integers(0, 3), st.floats(0, 1e9, width=32)),
    ),
    max_size=14,
)


def reason_of(each: dict[str, object]) -> str | None:
    """The first check or rule that takes a row out before de-duplication, in the order in which they apply."""
    text = str(each["primaryValue"])
    value = None if text in ("", "x") else float(text)
    steps = [
        (each["refYear"] in ("", "x"), "quarantined:bad_year"),
        (each["flowCode"] == "", "quarantined:missing_flow"),
        (each["flowCode"] == "?", "quarantined:unknown_flow"),
        (each["classificationCode"] == "S1", "quarantined:unknown_classification"),
        (each["cmdCode"] == "10121", "quarantined:hs_code_length"),
        (text == "", "quarantined:missing_value"),
        (value is None, "quarantined:value_not_a_number"),
        (value != value, "quarantined:value_not_finite"),
        (value is not None and value < 0, "quarantined:negative_value"),
        (each["qty"] in ("x", "nan", "-1"), "quarantined:bad_quantity"),
        (each["reporterCode"] == 1 or each["partnerCode"] == 5, "quarantined:unknown_country"),
        (each["flowCode"] == "RX", "other_flow"),
        (each["partnerCode"] == 0, "control_total"),
        (each["partner2Code"] == 0 and len(str(each["cmdCode"])) != 6, "code_level"),
    ]
    return next((rule for applies, rule in steps if applies), None)


def rule_of(each: dict[str, object]) -> str:
    """Where a row ends that is no duplicate."""
    unknown = {"H5": "unknown_hs_code", "H4": "no_conversion", "HS": "revision_not_stated"}
    steps = [
        (each["reporterCode"] == each["partnerCode"], "re_import"),
        (each["reporterCode"] == 97, "area_reporter"),
        (each["partnerCode"] == 899, "area_partner"),
        (each["cmdCode"] == "111111", f"quarantined:{unknown[str(each['classificationCode'])]}"),
    ]
    return next((rule for applies, rule in steps if applies), "landed")


def by_hand(files: list[list[dict[str, object]]]) -> tuple[Counter[str], dict[str, list[float]]]:
    """Rows per rule, and the values per rule that a table of its own keeps."""
    counts: Counter[str] = Counter(rows_read=sum(map(len, files)))
    values: dict[str, list[float]] = defaultdict(list)
    same: dict[tuple[object, ...], list[dict[str, object]]] = defaultdict(list)
    parts: dict[tuple[object, ...], list[dict[str, object]]] = defaultdict(list)
    totals: set[tuple[object, ...]] = set()
    for each in (each for rows in files for each in rows):
        key = tuple(each[name] for name in KEY)
        if reason := reason_of(each):
            counts[reason] += 1
            totals |= {key} if reason == "code_level" else set()
        elif each["partner2Code"] != 0:
            parts[key].append(each)
        else:
            same[key].append(each)
            totals.add(key)
    for key, rows in parts.items():
        if key in totals or len(str(rows[0]["cmdCode"])) != 6:
            counts["breakdown_duplicate" if key in totals else "code_level"] += len(rows)
        else:  # all are the same part of a total that is not there
            same[key] = rows
            counts["noted:breakdown_summed"] += 1
    for key, rows in same.items():
        newest = float(str(rows[-1]["primaryValue"]))
        twins = [each for each in rows if math.isclose(float(str(each["primaryValue"])), newest, rel_tol=1e-9)]
        stated = [each for each in twins if each["classificationCode"] != "HS"]
        kept = (stated if stated and key not in parts.keys() - totals else twins)[-1]
        counts["duplicate_equal"] += len(twins) - 1
        counts["quarantined:superseded"] += len(rows) - len(twins)
        counts[rule_of(kept)] += 1
        values[rule_of(kept)].append(float(str(kept["primaryValue"])))
    return +counts, values


@pytest.mark.slow
@settings(max_examples=30, deadline=None)
@given(
    files=st.lists(some_rows, min_size=1, max_size=3), short=st.booleans(), revision=st.sampled_from(["H5", "H5", "H4"])
)
def test_every_row_and_every_value_is_somewhere(
    tmp_path_factory: pytest.TempPathFactory, files: list[list[dict[str, object]]], short: bool, revision: str
) -> None:
    desk = Desk(tmp_path_factory.mktemp("rows"))
    for each in (each for rows in files for each in rows if each["classificationCode"] == "stated"):
        each["classificationCode"] = revision
    for number, rows in enumerate(files):
        text = as_csv([{**each, "qtyUnitAbbr": f"u{number}"} for each in rows])
        desk.write(f"comtrade/{number}.csv", text + (f"C,A,{number}\n" if short else ""))
    landed = desk.land()
    counts, values = by_hand(files)
    broken = Counter({"rows_read": len(files), "quarantined:malformed_row": len(files)}) if short else Counter()
    if short or len({tuple(map(str, rows)) for rows in files}) == len(files):  # else one file equals another
        assert landed.counts() == counts + broken
        assert landed.values("trade_flows") == sorted(values["landed"])
        assert landed.values("trade_unallocated") == sorted(values["area_partner"])
        assert landed.values("trade_reimports") == sorted(values["re_import"])
    quarantined = sum(n for rule, n in landed.counts().items() if rule.startswith("quarantined:"))
    assert quarantined == len(landed.table("quarantine/trade"))


def test_row_unaccounted_for_stops_the_load() -> None:
    RuleCounts(5, 2, {"other_flow": 1}, {"bad_year": 2}).check("trade")
    with pytest.raises(AccountingError, match="5 rows read but 4 accounted for"):
        RuleCounts(5, 1, {"other_flow": 1}, {"bad_year": 2}).check("trade")
