"""The landing of ideal points: columns, repairs, what is set aside or quarantined, and files that are refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from dagster_project.datasets.politics.files import FILE_KINDS
from dagster_project.errors import SourceError
from tests.helpers.politics_desk import COLUMNS, FIRST, Desk, row, table


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def test_a_row_keeps_its_code_and_gets_year_and_place(desk: Desk) -> None:
    desk.write(table(row(2, 1, 1.67635, "USA", 42), row(710, 78, -0.5, "CHN")))
    landed = desk.land()
    assert desk.points() == [(2, 1, "USA", "USA", 1946, 1.67635, 42), (710, 78, "CHN", "CHN", 2023, -0.5, 70)]
    (entry,) = desk.archive.entries()
    assert [(each["archive_entry"], each["source_row"]) for each in desk.rows("from points")] == [
        (entry.id, 2),
        (entry.id, 3),
    ]
    assert landed.rows == {"ideal_points": 2} and not landed.warnings
    assert desk.counted() == {"rows_read": 2, "landed": 2}


@pytest.mark.parametrize(
    ("printed", "iso3"),
    [("YUG", "SRB"), ("ROM", "ROU"), ("ZAR", "COD"), ("TMP", "TLS"), ("SRB", "SRB"), ("YEM", "YEM"), ("usa", "USA")],
)
def test_codes_that_iso_has_withdrawn_are_repaired(desk: Desk, printed: str, iso3: str) -> None:
    desk.write(table(row(345, 78, 0.25, printed)))
    landed = desk.land()
    assert [(each[2], each[3]) for each in desk.points()] == [(printed, iso3)]
    repaired = {f"{printed} -> {iso3}": 1} if printed.upper() != iso3 else {}
    assert landed.notes["repaired"] == repaired
    assert desk.counted() == {"rows_read": 1, "landed": 1} | ({f"noted:repaired_{printed}": 1} if repaired else {})


def test_na_is_missing(desk: Desk) -> None:
    rows = [row(1, 70, "NA", "AAA"), row(2, 70, 0.5, "BBB", "NA"), row(3, 70, 0.5, "NA"), row(4, 70, "", "DDD", "")]
    desk.write(table(*rows))
    desk.land()
    assert desk.points() == [(2, 70, "BBB", "BBB", 2015, 0.5, None), (3, 70, None, None, 2015, 0.5, 70)]
    assert desk.counted() == {"rows_read": 4, "landed": 2, "no_point": 2, "noted:without_iso3": 1}


def test_the_key_is_state_and_session_not_the_code(desk: Desk) -> None:
    desk.write(table(row(678, 22, -1.0, "YAR"), row(680, 22, -1.5, "YAR")))
    desk.land()
    assert [(each[0], each[3]) for each in desk.points()] == [(678, "YAR"), (680, "YAR")]


def test_a_row_that_is_there_twice_counts_once(desk: Desk) -> None:
    desk.write(table(row(2, 70, 1.5, "USA"), row(20, 70, 1.0, "CAN"), row(2, 70, "1.50", "USA")))
    desk.land()
    assert [each[:2] for each in desk.points()] == [(2, 70), (20, 70)]
    assert desk.counted() == {"rows_read": 3, "landed": 2, "duplicate_equal": 1}
    assert desk.rows("select min(source_row) as first from points where ccode = 2") == [{"first": 2}]


@pytest.mark.parametrize("other", [row(2, 70, 1.25, "USA"), row(2, 70, 1.5, "USA", 71), row(2, 70, 1.5, "CAN")])
def test_rows_that_contradict_each_other_are_quarantined_all_of_them(desk: Desk, other: list[str]) -> None:
    desk.write(table(row(2, 70, 1.5, "USA"), row(20, 70, 1.0, "CAN"), other, row(2, 70, 1.5, "USA")))
    desk.land()
    assert [each[:2] for each in desk.points()] == [(20, 70)]
    assert desk.counted() == {"rows_read": 4, "landed": 1, "quarantined:contradictory": 3}
    kept = desk.rows("select reason, source_row, year from quarantine order by source_row")
    assert [tuple(each.values()) for each in kept] == [("contradictory", line, 2015) for line in (2, 4, 5)]


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (row("", 70, 0.5, "AAA"), "ccode_unreadable"),
        (row("NA", 70, 0.5, "AAA"), "ccode_unreadable"),
        (row("2.5", 70, 0.5, "AAA"), "ccode_unreadable"),
        (row(2, "seventy", 0.5, "AAA"), "session_unreadable"),
        (row(2, 0, 0.5, "AAA"), "session_unreadable"),
        (row(2, -3, 0.5, "AAA"), "session_unreadable"),
        (row(2, 70.5, 0.5, "AAA"), "session_unreadable"),
        (row(2, 70, "high", "AAA"), "ideal_point_unreadable"),
        (row(2, 70, "1_0", "AAA"), "ideal_point_unreadable"),
        (row(2, 70, "Inf", "AAA"), "ideal_point_unreadable"),
        (row(2, 70, "NaN", "AAA"), "ideal_point_unreadable"),
        (row(2, 70, "1e999", "AAA"), "ideal_point_unreadable"),
        (row(2, 70, 0.5, "United States"), "iso3c_unreadable"),
        (row(2, 70, 0.5, "US"), "iso3c_unreadable"),
        (row(2, 70, 0.5, "AAA", "many"), "n_votes_unreadable"),
        (row(2, 70, 0.5, "AAA")[:5], "malformed_row"),
        ([*row(2, 70, 0.5, "AAA"), "more"], "malformed_row"),
    ],
)
def test_an_unusable_row_is_quarantined_with_its_reason_and_place(desk: Desk, bad: list[str], reason: str) -> None:
    desk.write(table(row(1, 70, 0.25, "BBB"), bad, row(3, 70, 0.75, "CCC")))
    landed = desk.land()
    assert [(each["ccode"], each["source_row"]) for each in desk.rows("from points")] == [(1, 2), (3, 4)]
    assert desk.counted() == {"rows_read": 3, "landed": 2, f"quarantined:{reason}": 1}
    (kept,) = desk.rows("from quarantine")
    assert (kept["dataset"], kept["source"], kept["reason"]) == ("politics", "harvard_dataverse/ideal_points", reason)
    assert kept["source_row"] == 3 and kept["archive_entry"] == desk.archive.entries()[0].id
    assert kept["raw"] and kept["detail"]
    assert list(landed.counts) == ["harvard_dataverse/ideal_points"]


def test_of_several_files_the_one_retrieved_last_is_landed(desk: Desk) -> None:
    desk.write(table(row(2, 70, 1.0, "USA"), row(2, 71, 1.1, "USA"), ["broken"]))
    desk.land()
    desk.write(table(row(2, 70, 2.0, "USA")), "Ideal point estimates_All_Apr2025.csv")
    landed = desk.land()
    assert [each[5] for each in desk.points()] == [2.0]
    assert desk.counted() == {"rows_read": 4, "landed": 1, "superseded_file": 3}
    assert not desk.rows("from quarantine"), "of a file that is not used no row is judged"
    assert len(landed.warnings) == 1 and FIRST in landed.warnings[0]


def test_of_files_retrieved_at_once_the_one_that_reaches_further_is_landed(desk: Desk) -> None:
    desk.write(table(row(2, 70, 1.0, "USA"), row(2, 71, 1.1, "USA")), "IdealpointestimatesAll_Jul2025.csv")
    desk.write(table(row(2, 70, 2.0, "USA")))
    desk.land()
    assert [each[5] for each in desk.points()] == [1.0, 1.1]
    assert desk.counted() == {"rows_read": 3, "landed": 2, "superseded_file": 1}


@pytest.mark.parametrize(
    ("name", "known"),
    [
        (FIRST, True),
        ("idealpointestimatesall_jul2025.TAB", True),
        ("Ideal point estimates All.csv", True),
        ("2025/Ideal_point_estimates-All_Jul2025.csv", True),
        ("AgreementScoresAll_Jun2024.csv", False),
        ("IdealpointestimatesAll_Jun2024.csv.gz", False),
        ("IdealpointsPanel.csv", False),
    ],
)
def test_files_are_known_by_their_name_in_both_folders(name: str, known: bool) -> None:
    assert {kind.folder for kind in FILE_KINDS} == {"politics", "reference"}
    assert all((kind.match(name) is not None) == known for kind in FILE_KINDS)


def test_the_reference_folder_is_looked_into_too(desk: Desk) -> None:
    desk.write(table(row(2, 70, 1.0, "USA")), folder="reference")
    desk.land()
    assert len(desk.points()) == 1


def test_dataverses_own_form_is_read(desk: Desk) -> None:
    rows = [["1", "2", "70", "71", "1.5", '"USA"', '"A, B"'], ["2", "20", "70", "", "", '"CAN"', '"C"']]
    desk.write(table(*rows, delimiter="\t", end="\n"), "IdealpointestimatesAll_Jun2024.tab")
    landed = desk.land()
    assert desk.points() == [(2, 70, "USA", "USA", 2015, 1.5, 71)] and not landed.warnings
    assert desk.counted() == {"rows_read": 2, "landed": 1, "no_point": 1}


def test_tab_separated_text_under_a_csv_name_is_read_and_noted(desk: Desk) -> None:
    desk.write(table(row(2, 70, 1.5, "USA", name="A, B"), delimiter="\t"))
    landed = desk.land()
    assert [each[5] for each in desk.points()] == [1.5]
    assert len(landed.warnings) == 1 and "tab-separated although its name says .csv" in landed.warnings[0]


def test_latin_1_is_read_and_noted(desk: Desk) -> None:
    desk.write(table(row(437, 70, 1.5, "CIV", name="Côte d'Ivoire"), row(2, 70, 1.0, "USA")).encode("latin-1"))
    landed = desk.land()
    assert [each[3] for each in desk.points()] == ["USA", "CIV"]
    assert len(landed.warnings) == 1 and "not UTF-8" in landed.warnings[0]


def test_a_byte_order_mark_other_cases_and_further_columns_do_no_harm(desk: Desk) -> None:
    columns = ("CCode", "SESSION", "idealpointall", "ISO3C", "IdealPointImportant")
    desk.write("\ufeff" + table(["2", "70", "1.5", '"USA"', "9"], columns=columns, end="\n"))
    landed = desk.land()
    assert desk.points() == [(2, 70, "USA", "USA", 2015, 1.5, None)]
    assert len(landed.warnings) == 1 and "NVotesAll" in landed.warnings[0]


@pytest.mark.parametrize("missing", ["ccode", "session", "IdealPointAll", "iso3c"])
def test_a_missing_column_is_named(desk: Desk, missing: str) -> None:
    desk.write(table(row(2, 70, 1.5, "USA"), columns=[name if name != missing else "other" for name in COLUMNS]))
    with pytest.raises(SourceError, match=rf"{FIRST}, column {missing}: found only the columns .*Countryname"):
        desk.land()


def test_several_missing_columns_are_named_together(desk: Desk) -> None:
    desk.write("agree,year\n1,1946\n")
    with pytest.raises(SourceError, match="columns ccode, session, IdealPointAll, iso3c: found only the columns agree"):
        desk.land()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "an empty file"),
        ("<!DOCTYPE html><html><body>Service unavailable</body></html>", "an HTML or XML page"),
        ('{"status": "ERROR"}', "JSON"),
        (table(), "a header and no row"),
        (b"\x00\x01\x02\x00 ideal points", "binary content"),
        ("PK\x03\x04 ideal points", "zip content"),
        (table(row(2, 70, 1.5, "USA"), columns=[*COLUMNS[:6], "ISO3C"]), "twice"),
    ],
)
def test_what_is_no_table_is_refused(desk: Desk, content: str | bytes, message: str) -> None:
    desk.write(content)
    with pytest.raises(SourceError, match=message) as raised:
        desk.land()
    assert FIRST in raised.value.where and raised.value.remedy


def test_an_open_quotation_mark_does_not_swallow_the_rows_behind_it(desk: Desk) -> None:
    rows = [row(number, 70, 0.5, "AAA") for number in range(1, 6)]
    rows[1][-1] = '"A'
    rows[3][-1] = 'A"'
    desk.write(table(*rows))
    with pytest.raises(SourceError, match=r"line 3: found a quotation mark that is not closed"):
        desk.land()


def test_a_landing_takes_the_place_of_the_former_one(desk: Desk) -> None:
    desk.write(table(row(2, 70, 1.5, "USA"), row("x", 70, 1.0, "CAN")))
    desk.land()
    desk.write(table(row(2, 71, 1.25, "USA")))
    desk.land()
    assert [each[1] for each in desk.points()] == [71] and not desk.rows("from quarantine")
    assert not [path for path in desk.landing.rglob("*") if path.name.startswith(".")]


def test_the_same_files_give_the_same_bytes(tmp_path: Path) -> None:
    written = []
    for place in ("one", "two"):
        desk = Desk(tmp_path / place)
        desk.write(table(*(row(number, 70, number / 7, "AAA") for number in range(200)), row("x", 1, 1, "AAA")))
        desk.land()
        written.append({path.name: path.read_bytes() for path in sorted(desk.landing.rglob("*.parquet"))})
    assert written[0] == written[1] and len(written[0]) == 3
