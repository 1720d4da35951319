"""Reference landing: countries, products and conversion weights from every kind of file, or a clear error.

And the account of the rows of these files: each is counted as read, and as landed or under one rule.
"""

from __future__ import annotations

import csv
import io
import json
import math
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import duckdb
import openpyxl
import pytest

from dagster_project.archive.store import Archive, Entry
from dagster_project.datasets.reference.areas import is_country
from dagster_project.datasets.reference.classification import bec5_end_use
from dagster_project.datasets.reference.landing import land
from dagster_project.datasets.reference.reading import ReferenceFile
from dagster_project.errors import AccountingError, SourceError
from dagster_project.settings import load_settings
from tests.helpers.landing_desk import AREAS, Desk, Landed, as_csv
from tests.helpers.real_files import DROP
from tests.helpers.steps import fetch, load_of


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def table(desk: Desk, name: str) -> list[dict[str, Any]]:
    desk.land_reference()
    return Landed(desk.settings.landing_dir, {}).table(f"reference/{name}")


def workbook(sheets: dict[str, list[list[object]]]) -> bytes:
    book = openpyxl.Workbook()
    book.remove(book.worksheets[0])
    for name, rows in sheets.items():
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(row)
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()


# --- countries --------------------------------------------------------------------------------------------------------


def test_what_is_a_country(desk: Desk) -> None:
    countries = {each["country_code"]: each for each in table(desk, "countries")}
    assert {code for code, each in countries.items() if each["is_country"]} == {156, 276, 842, 360, 583, 608, 490}
    assert countries.keys() == AREAS.keys()
    taiwan = countries[490]
    assert (taiwan["iso2"], taiwan["iso3"], taiwan["is_country"]) == ("TW", "TWN", True)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Indonesia", True), ("FS Micronesia", True), ("Philippines", True), ("Polynesia", True),
        ("Areas, nes", False), ("Other Europe, NES", False), ("LAIA nes", False),
        ("Europe, not elsewhere specified", False),
    ],
)  # fmt: skip
def test_nes_counts_as_a_whole_word_only(name: str, expected: bool) -> None:
    assert is_country(1, name, is_group=False) is expected


def test_groups_and_world_codes_are_no_countries_whatever_their_name() -> None:
    assert not any(is_country(code, "Nowhere", is_group=False) for code in (0, 837, 838, 839, 899))
    assert not is_country(97, "European Union", is_group=True)
    assert is_country(490, "Other Asia, nes", is_group=True)


def test_second_list_adds_areas_and_may_take_the_country_away(desk: Desk) -> None:
    listed = [
        {"id": 156, "text": "China", "isGroup": False, "PartnerCodeIsoAlpha2": "CN", "PartnerCodeIsoAlpha3": "CHN"},
        {"id": 276, "text": "Germany", "isGroup": True},
        {"id": 842, "text": "North America, nes", "isGroup": False},
        {"id": 280, "text": "Fed. Rep. of Germany", "isGroup": False, "entryExpiredDate": "1990-12-31T00:00:00"},
    ]  # fmt: skip
    desk.write("reference/partnerAreas.json", json.dumps({"results": listed}))
    found = {each["country_code"]: each for each in table(desk, "countries")}
    assert (found[156]["iso2"], found[156]["iso3"]) == ("CN", "CHN")
    assert [found[code]["is_country"] for code in (156, 276, 842, 280)] == [True, False, False, True]
    assert str(found[280]["valid_to"]) == "1990-12-31" and found[156]["valid_to"] is None


@pytest.mark.parametrize(
    "header",
    [
        "country_code,country_name,country_iso2,country_iso3",
        "country_code,country_name_abbreviation,country_name_full,iso_2digit_alpha,iso_3digit_alpha",
    ],
)
def test_bacis_country_list_in_both_layouts(desk: Desk, header: str) -> None:
    short = header.count(",") == 3
    row = "384,Côte d'Ivoire,CI,CIV" if short else "384,CIV,Côte d'Ivoire,CI,CIV"
    desk.write("baci/country_codes_V202301.csv", f"{header}\n{row}\n".encode("latin-1"))
    [found] = [each for each in table(desk, "countries") if each["country_code"] == 384]
    assert (found["name"], found["iso3"], found["is_country"]) == ("Côte d'Ivoire", "CIV", True)


@pytest.mark.parametrize(
    "content", ["{}", "[]", '{"results": [{"id": "all", "text": "x"}]}', '{"results": [{"id": 4}]}']
)
def test_files_that_are_no_area_list(desk: Desk, content: str) -> None:
    desk.write("reference/partnerAreas.json", content)
    with pytest.raises(SourceError, match=r"partnerAreas\.json: found no list of areas"):
        desk.land_reference()


def test_texts_that_are_no_country_code(desk: Desk) -> None:
    desk.write("baci/country_codes_V202401b.csv", "country_code,country_name\nCHN,China\n")
    with pytest.raises(SourceError, match=r"country_codes.*'CHN'"):
        desk.land_reference()


def test_no_country_list(desk: Desk) -> None:
    (desk.drop / "reference/Reporters.json").unlink()
    with pytest.raises(SourceError, match=r"country list: found none; expected Reporters\.json"):
        desk.land_reference()


# --- products ---------------------------------------------------------------------------------------------------------


def test_products_are_the_codes_of_the_bec_table_and_of_the_weights(desk: Desk) -> None:
    desk.write_weights("H5", "H4", [("880211", "880211", 1)])
    products = {each["hs6"]: each for each in table(desk, "products")}
    assert products.keys() == {"010121", "270900", "850760", "854231", "854232", "880211"}
    assert products["850760"] == {
        "hs_revision": "H5", "hs6": "850760", "hs6_name": "Batteries", "hs2": "85", "bec4": "53", "bec5": "CAP",
    }  # fmt: skip
    assert products["880211"]["bec4"] is None and products["880211"]["hs2"] == "88"


def test_names_come_from_bacis_list_where_the_bec_table_has_none(desk: Desk) -> None:
    desk.write_weights("H5", "H4", [("880211", "880211", 1)])
    desk.write("baci/product_codes_HS17_V202401b.csv", 'code,description\n880211,"Helicopters, light"\n850760,other\n')
    desk.write("baci/product_codes_HS92_V202401b.csv", "code,description\n880211,of another edition\n")
    names = {each["hs6"]: each["hs6_name"] for each in table(desk, "products")}
    assert (names["880211"], names["850760"]) == ("Helicopters, light", "Batteries")


def test_no_bec_table_for_the_revision(desk: Desk) -> None:
    desk.settings = desk.with_settings(hs_revision="H6")
    with pytest.raises(
        SourceError, match=r"BEC table of HS revision H6 \(HS2022\): found drop:reference/hs2017_bec.csv"
    ):
        desk.land_reference()


CORRELATION = ["HS92", "HS96", "HS02", "HS07", "HS12", "HS17", "HS22", "BEC4", "BEC5", "SITC4"]


@pytest.mark.parametrize("shape", ["xlsx", "csv"])
def test_correlation_workbook_goes_first(desk: Desk, shape: str) -> None:
    rows = [
        ["", "", "", "", "850760", "850760", "850760", "42", "411010", "1"],
        ["", "", "", "", "850760", "850760", "850761", "53", "421020", "2"],  # the first row of a code counts
        ["NULL", "", "", "", "", "010129", "010129", "NULL", "613000", "3"],
        ["", "", "", "", "010130", "999999", "", "21", "", "4"],
    ]
    name = f"reference/HS-SITC-BEC Correlations_2022.{shape}"
    if shape == "xlsx":
        desk.write(name, workbook({"HS SITC BEC": [CORRELATION, *rows]}))
    else:
        desk.write(name, "\n".join(",".join(row) for row in [CORRELATION, *rows]))
    categories = {each["hs6"]: (each["bec4"], each["bec5"]) for each in table(desk, "products")}
    assert {hs6: bec for hs6, bec in categories.items() if any(bec)} == {
        "850760": ("42", "INT"),
        "010129": (None, "CONS"),
    }


def test_bec_workbook(desk: Desk) -> None:
    (desk.drop / "reference/hs2017_bec.csv").unlink()
    rows = [["HS6", "HS6Desc", "BEC4Code4", "BEC4Code", "BEC5EndUse"], ["850760", "Batteries", "x", "42", "INT"]]
    desk.write("reference/HS2012-17-BEC5 -- 08 Nov 2018.xlsx", workbook({"HS17BEC5": rows}))
    [battery] = [each for each in table(desk, "products") if each["hs6"] == "850760"]
    assert (battery["bec4"], battery["bec5"], battery["hs6_name"]) == ("42", "INT", "Batteries")


def test_workbook_without_its_sheet_or_column(desk: Desk) -> None:
    name = "reference/HS-SITC-BEC Correlations_2022.xlsx"
    desk.write(name, workbook({"Notes": [["x"]]}))
    with pytest.raises(SourceError, match="found the sheets Notes; expected a sheet named HS SITC BEC"):
        desk.land_reference()
    desk.write(name, workbook({"HS SITC BEC": [["HS17", "BEC4"], ["850760", "42"]]}))
    with pytest.raises(SourceError, match=r"column bec5: found the columns hs17, bec4"):
        desk.land_reference()


def test_zip_that_is_no_workbook(desk: Desk) -> None:
    import zipfile

    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("x.txt", "x")
    desk.write("reference/HS-SITC-BEC Correlations_2022.xlsx", buffer.getvalue())
    with pytest.raises(SourceError, match="no workbook"):
        desk.land_reference()


BEC = "hs6,description,bec4,bec5_end_use\n"


@pytest.mark.parametrize(
    ("content", "found"),
    [
        ("hs6,bec4\n850760,42\n", "column bec5_end_use"),
        (BEC + "10121,Horses,41,CAP\n", "'10121'"),  # lost its leading zero
        (BEC + "010121,Horses,41\n", "3 fields"),
        (BEC + "010121,Horses,41,CAP\n010121,Horses,42,CAP\n", "BEC 41/CAP and BEC 42/CAP"),
        (BEC.strip() + ",BEC4\n010121,Horses,41,CAP,42\n", "twice"),
    ],
)
def test_bec_table_that_cannot_be_trusted(desk: Desk, content: str, found: str) -> None:
    desk.write("reference/hs2017_bec.csv", content)
    with pytest.raises(SourceError) as error:
        desk.land_reference()
    assert "hs2017_bec.csv" in error.value.where and found in str(error.value)


def test_end_use_is_the_third_digit() -> None:
    assert [bec5_end_use(code) for code in ("411010", "422020", "613000", "64", "649")] == [
        "INT",
        "CAP",
        "CONS",
        None,
        None,
    ]


# --- conversion -------------------------------------------------------------------------------------------------------


def ways(desk: Desk) -> dict[tuple[str, str], dict[str, float]]:
    found: dict[tuple[str, str], dict[str, float]] = {}
    for each in table(desk, "hs_conversion"):
        found.setdefault((each["from_revision"], each["from_code"]), {})[each["hs6"]] = each["weight"]
    return found


def test_chain_of_conversions(desk: Desk) -> None:
    found = ways(desk)
    assert found["H4", "854231"] == {"854231": 0.75, "854232": 0.25}
    assert found["H3", "854230"] == {"854231": 0.75, "854232": 0.25}  # H3 -> H4 -> H5
    assert found["H3", "010119"] == {"010121": 1}
    assert ("H3", "999990") not in found  # its target has no way on: it would lose its value
    assert not any(revision == "H5" for revision, _ in found)
    assert all(math.isclose(sum(targets.values()), 1, abs_tol=1e-6) for targets in found.values())


def test_the_shortest_way_wins_and_a_weight_of_zero_is_no_conversion(desk: Desk) -> None:
    desk.write_weights("H3", "H5", [("854230", "854232", 1), ("854230", "854231", 0)])
    assert ways(desk)["H3", "854230"] == {"854232": 1}


def test_weights_go_before_the_workbook_of_the_same_step(desk: Desk) -> None:
    rows = [["From HS2012", "To HS2017"], ["854231", "850760"]]
    desk.write("reference/HS 2012 to HS 2017 ConversionAndCorrelationTables.xlsx", workbook({"first": rows}))
    rows = [["From HS 2022", "To HS 2017"], ["854239", "854231"], [854290, 999999]]
    rows[0] = ["From HS2022", "To HS2017"]
    desk.write("reference/HS 2022 to HS 2017 ConversionAndCorrelationTables.xlsx", workbook({"first": rows}))
    found = ways(desk)
    assert found["H4", "854231"] == {"854231": 0.75, "854232": 0.25}
    assert found["H6", "854239"] == {"854231": 1} and found["H6", "854290"] == {"999999": 1}


def test_lost_leading_zeros_of_the_publisher_are_padded_and_noted(desk: Desk) -> None:
    desk.write_weights("H4", "H5", [("10121", "010121", 1)])
    warnings = desk.land_reference().warnings
    assert ways(desk)["H4", "010121"] == {"010121": 1}
    [warning] = warnings
    assert "conversion_weights_H4_to_H5.csv: 1 codes had lost their leading zero" in warning


@pytest.mark.parametrize(
    ("weights", "found"),
    [
        ([("854231", "854231", 0.7), ("854231", "854232", 0.2)], "weights that sum to 0.89"),
        ([("854231", "854231", 1.5), ("854231", "854232", -0.5)], "weights that sum to 1.0"),
        ([("854231", "854231", "nan")], "the weight 'nan'"),
        ([("854231", "854231", "inf")], "the weight 'inf'"),
        ([("854231", "854231", "")], "the weight ''"),
        ([("854231", "854231", "1_0")], "the weight '1_0'"),
        ([("854231", "854231", 1), ("854231", "854231", 0.5)], "the weights 1.0 and 0.5"),
        ([("85423X", "854231", 1)], "'85423X'"),
        ([("854231", "8542311", 1)], "'8542311'"),
    ],
)
def test_weights_that_cannot_be_trusted(desk: Desk, weights: list[tuple[str, str, object]], found: str) -> None:
    desk.write_weights("H4", "H5", weights)
    with pytest.raises(SourceError) as error:
        desk.land_reference()
    assert "conversion_weights_H4_to_H5.csv" in error.value.where and found in error.value.found


@pytest.mark.parametrize(
    ("rows", "found"),
    [
        ([["854231", "854231"], ["854231", "854232"]], "the targets 854231 and 854232"),
        ([[10121, "010121"]], "'10121'"),
        ([["854231", ""]], "''"),
    ],
)
def test_conversion_workbook_that_cannot_be_trusted(desk: Desk, rows: list[list[object]], found: str) -> None:
    content = workbook({"first": [["From HS2012", "To HS2017"], *rows]})
    desk.write("reference/HS 2012 to HS 2017 ConversionAndCorrelationTables.xlsx", content)
    with pytest.raises(SourceError) as error:
        desk.land_reference()
    assert found in str(error.value)


def test_conversion_workbook_of_an_unknown_edition(desk: Desk) -> None:
    desk.write("reference/HS 1988 to HS 2017 conversion.csv", as_csv([], ("From HS1988", "To HS2017")))
    with pytest.raises(SourceError, match="the HS editions 1988 and 2017"):
        desk.land_reference()


def test_nothing_is_replaced_when_a_file_is_wrong(desk: Desk) -> None:
    before = table(desk, "countries")
    desk.write_weights("H4", "H5", [("854231", "854231", 0.5)])
    with pytest.raises(SourceError):
        desk.land_reference()
    assert Landed(desk.settings.landing_dir, {}).table("reference/countries") == before


# --- the account of every row -----------------------------------------------------------------------------------------

BACI_GOODS = "code,description\n"
STEP = ("From HS2012", "To HS2017")


def account(desk: Desk, group: str) -> dict[str, int]:
    """The rules of a source and kind of file, with rows read first."""
    return dict(desk.land_reference().counts[group].as_rows())


def test_all_rows_of_the_small_folder(desk: Desk) -> None:
    landed = desk.land_reference()
    assert {group: dict(counts.as_rows()) for group, counts in landed.counts.items()} == {
        "comtrade reporters": {"rows_read": 15, "landed": 15},
        "unsd bec_table": {"rows_read": 5, "landed": 5},
        "growth_lab conversion_weights": {"rows_read": 6, "landed": 5, "dead_end": 1},
    }
    with duckdb.connect() as connection:
        rows = connection.execute(f"from '{desk.settings.landing_dir}/reference_rule_counts.parquet'").fetchall()
    assert ("growth_lab conversion_weights", "dead_end", 1) in rows
    assert rows == [(group, *rule) for group, counts in landed.counts.items() for rule in counts.as_rows()]


def test_merged_area(desk: Desk) -> None:
    listed = [{"id": 156, "text": "China"}, {"id": 384, "text": "Côte d'Ivoire"}, {"id": 384, "text": "Ivory Coast"}]
    desk.write("reference/partnerAreas.json", json.dumps({"results": listed}))
    desk.write("baci/country_codes_V202401.csv", "country_code,country_name\n156,China\n699,India\n")
    assert account(desk, "comtrade partner_areas") == {"rows_read": 3, "landed": 1, "merged": 2}
    assert account(desk, "baci baci_countries") == {"rows_read": 2, "landed": 1, "merged": 1}


@pytest.mark.parametrize("shape", ["xlsx", "csv"])
def test_correlation_rows_without_code_and_repeated(desk: Desk, shape: str) -> None:
    rows = [
        ["", "", "", "", "850760", "850760", "850760", "42", "411010", "1"],
        ["", "", "", "", "850761", "850760", "850760", "42", "411010", "2"],
        ["", "", "", "", "850760", "850760", "850761", "53", "421020", "3"],
        ["010130", "NULL", "", "", "010130", "999999", "", "21", "", "4"],
        ["010130", "", "", "", "010130", "", "", "21", "", "5"],
    ]
    name = f"reference/HS-SITC-BEC Correlations_2022.{shape}"
    if shape == "xlsx":
        desk.write(name, workbook({"Notes": [["x"], ["y"]], "HS SITC BEC": [CORRELATION, *rows]}))
    else:
        desk.write(name, "\n".join(",".join(row) for row in [CORRELATION, *rows]))
    assert account(desk, "unsd correlations") == {
        "rows_read": 5, "landed": 1, "duplicate_equal": 1, "duplicate_superseded": 1, "no_code": 2,
    }  # fmt: skip
    assert account(desk, "unsd bec_table") == {"rows_read": 5, "landed": 0, "superseded": 5}


def test_bec_tables_that_are_not_needed(desk: Desk) -> None:
    header = ["HS6", "HS6Desc", "BEC4Code", "BEC5EndUse"]
    row = ["850760", "Batteries", "42", "INT"]
    sheets = {"HS12BEC5": [header, row, row, row], "HS17BEC5": [header, row, row], "BEC5REF": [["cmdCode"], ["1"]]}
    desk.write("reference/HS2012-17-BEC5 -- 08 Nov 2018.xlsx", workbook(sheets))
    desk.write("reference/hs2012_bec.csv", "hs6,bec4,bec5_end_use\n850760,42,INT\n")
    assert account(desk, "unsd bec_workbook") == {
        "rows_read": 5, "landed": 1, "duplicate_equal": 1, "other_revision": 3,
    }  # fmt: skip
    assert account(desk, "unsd bec_table") == {"rows_read": 6, "landed": 0, "other_revision": 1, "superseded": 5}
    correlation = ",".join(CORRELATION) + "\n,,,,,850760,,42,411010,1\n"
    desk.write("reference/HS-SITC-BEC Correlations_2022.csv", correlation)
    assert account(desk, "unsd bec_workbook") == {"rows_read": 5, "landed": 0, "other_revision": 3, "superseded": 2}
    desk.write("reference/HS-SITC-BEC Correlations_2023.csv", correlation + "\n")
    assert account(desk, "unsd correlations") == {"rows_read": 2, "landed": 1, "superseded": 1}


def test_bec_workbook_without_the_base_revision(desk: Desk) -> None:
    header = ["HS6", "HS6Desc", "BEC4Code", "BEC5EndUse"]
    sheets = {"HS12BEC5": [header, ["850760", "", "42", "INT"]], "HS17BEC5": [header]}
    desk.write("reference/HS2012-17-BEC5 -- 08 Nov 2018.xlsx", workbook(sheets))
    desk.write("reference/hs2007_bec.csv", "hs6,bec4,bec5_end_use\n850760,42,INT\n")
    desk.settings = desk.with_settings(hs_revision="H3")
    assert account(desk, "unsd bec_workbook") == {"rows_read": 1, "landed": 0, "other_revision": 1}
    assert account(desk, "unsd bec_table") == {"rows_read": 6, "landed": 1, "other_revision": 5}


def test_bec_row_that_is_there_twice(desk: Desk) -> None:
    desk.write("reference/hs2017_bec.csv", BEC + "010121,Horses,41,CAP\n010121,Horses again,41,CAP\n")
    assert account(desk, "unsd bec_table") == {"rows_read": 2, "landed": 1, "duplicate_equal": 1}


def test_names_of_products(desk: Desk) -> None:
    desk.write_weights("H5", "H4", [("880211", "880211", 1), ("880212", "880212", 1), ("880220", "880220", 1)])
    rows = "850760,known\n999998,no product\n880211,a\n880211,a\n880212,a\n880212,b\n880220,c\n"
    desk.write("baci/product_codes_HS17_V202401b.csv", BACI_GOODS + rows)
    desk.write("baci/product_codes_HS92_V202401b.csv", BACI_GOODS + "880211,x\n880212,y\n")
    assert account(desk, "baci baci_products") == {
        "rows_read": 9, "landed": 3, "already_named": 1, "no_product": 1, "other_revision": 2, "duplicate_equal": 1,
        "duplicate_superseded": 1,
    }  # fmt: skip
    names = {each["hs6"]: each["hs6_name"] for each in table(desk, "products")}
    assert (names["880211"], names["880212"], names["880220"]) == ("a", "b", "c")  # the last row of a code counts


def test_conversion_rows_that_give_no_conversion(desk: Desk) -> None:
    weights = [
        ("010121", "010121", 1),
        ("010121", "010121", 1),
        ("854231", "854231", 1),
        ("854231", "854232", 0),
        ("999999", "854231", 1),
    ]
    desk.write_weights("H4", "H5", weights)  # beside H3 -> H4, whose code 999990 leads to a code that H4 -> H5 lacks
    desk.write_weights("H5", "H4", [("854231", "854231", 1), ("854232", "854231", 1)])
    assert account(desk, "growth_lab conversion_weights") == {
        "rows_read": 10, "landed": 4, "dead_end": 1, "duplicate_equal": 1, "no_code": 1, "not_on_the_way": 2,
        "zero_weight": 1,
    }  # fmt: skip


def test_all_rows_of_a_code_that_is_lost_in_part_are_dead_ends(desk: Desk) -> None:
    desk.write_weights("H3", "H4", [("854230", "854231", 0.5), ("854230", "777777", 0.5)])
    assert account(desk, "growth_lab conversion_weights") == {"rows_read": 5, "landed": 3, "dead_end": 2}


def test_conversion_row_that_makes_a_product_has_landed(desk: Desk) -> None:
    weights = [("854231", "854231", 1), ("880211", "880211", 1), ("880212", "880211", 1), ("880212", "880212", 0)]
    desk.write_weights("H5", "H4", weights)
    counts = account(desk, "growth_lab conversion_weights")
    assert counts == {"rows_read": 10, "landed": 8, "dead_end": 1, "not_on_the_way": 1}
    assert {"880211", "880212"} <= {each["hs6"] for each in table(desk, "products")}


def test_conversion_step_that_a_shorter_chain_makes_unnecessary(desk: Desk) -> None:
    desk.write_weights("H3", "H5", [("854230", "854232", 1)])
    assert account(desk, "growth_lab conversion_weights") == {"rows_read": 7, "landed": 4, "not_on_the_way": 3}


def test_superseded_conversion_workbook(desk: Desk) -> None:
    rows = [STEP, ["854231", "850760"], ["854231", "850760"], ["854232", "850760"], ["", ""]]
    content = "\n".join(",".join(row) for row in rows)
    desk.write("reference/HS 2012 to HS 2017 ConversionAndCorrelationTables.csv", content)
    assert account(desk, "unsd conversion_workbook") == {
        "rows_read": 4, "landed": 0, "duplicate_equal": 1, "no_code": 1, "superseded": 2,
    }  # fmt: skip


def test_only_the_first_sheet_of_a_conversion_workbook_is_a_table(desk: Desk) -> None:
    sheets = {"first": [["From HS2022", "To HS2017"], ["854231", "854231"]], "Correlation Tables": [["x"], ["y"]]}
    name = "reference/HS 2022 to HS 2017 ConversionAndCorrelationTables.xlsx"
    desk.write(name, workbook(sheets))  # type: ignore[arg-type]
    assert account(desk, "unsd conversion_workbook") == {"rows_read": 1, "landed": 1}


@pytest.mark.parametrize("needed", [True, False])
@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
def test_a_row_is_a_record_whatever_its_lines(desk: Desk, line_end: str, needed: bool) -> None:
    rows = ["hs6,description,bec4,bec5_end_use", '010121,"Horses', 'for breeding",41,CAP', "", "850760,x,42,INT", ""]
    desk.write(f"reference/hs{2017 if needed else 2012}_bec.csv", line_end.join(rows))
    counts = account(desk, "unsd bec_table")
    assert counts == ({"rows_read": 2, "landed": 2} if needed else {"rows_read": 7, "landed": 5, "other_revision": 2})


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_how_a_table_is_written_is_told_by_its_content(desk: Desk, encoding: str, end: str, delimiter: str) -> None:
    lines = [["country_code", "country_name", "country_iso2"], ["384", "Côte d’Ivoire", "CI"], ["531", "Curaçao", "CW"]]
    content = "\n".join([*map(delimiter.join, lines), "", "Source: somebody", ""])
    desk.write("baci/country_codes_V202301.csv", content.replace("\n", end).encode(encoding))
    names = {each["country_code"]: each["name"] for each in table(desk, "countries")}
    assert (names[384], names[531]) == ("Côte d’Ivoire", "Curaçao")
    counts = account(desk, "baci baci_countries")
    assert counts == {"rows_read": 3, "landed": 2, "footer": 1}


def test_text_of_no_known_encoding_is_refused_as_that(desk: Desk) -> None:
    content = "country_code,country_name\n156,中华人民共和国\n".encode("gb18030")
    desk.write("baci/country_codes_V202301.csv", content)
    with pytest.raises(SourceError, match=r"country_codes_V202301\.csv: found text that is neither UTF-8 nor UTF-16"):
        desk.land_reference()


def test_a_column_that_is_there_twice_is_an_error_only_where_it_is_needed(desk: Desk) -> None:
    header, row = "country_code,country_name,country_iso2,note,Note", "384,x,CI,a,b"
    desk.write("baci/country_codes_V202301.csv", f"{header}\n{row}\n")
    assert 384 in {each["country_code"] for each in table(desk, "countries")}
    desk.write("baci/country_codes_V202301.csv", f"{header},Country_ISO2\n{row},CW\n")
    with pytest.raises(SourceError, match="the column 'country_iso2' twice"):
        desk.land_reference()


def test_sheets_that_nothing_reads_are_named(desk: Desk) -> None:
    rows: list[list[object]] = [["From HS2022", "To HS2017"], ["854239", "854231"]]
    name = "reference/HS 2022 to HS 2017 ConversionAndCorrelationTables.xlsx"
    desk.write(name, workbook({"Conversion": rows, "Correlation": rows, "Notes": [["x"]]}))
    warnings = desk.land_reference().warnings
    assert f"drop:{name}: sheets that nothing reads: Correlation, Notes" in warnings


@pytest.mark.parametrize("year", [2017, 2012])
def test_open_quotation_mark_swallows_no_rows(desk: Desk, year: int) -> None:
    header = "hs6,bec4,bec5_end_use,description\n"
    desk.write(f"reference/hs{year}_bec.csv", header + '010121,41,CAP,"Horses\n850760,42,INT,Batteries\n')
    with pytest.raises(SourceError, match=rf"hs{year}_bec\.csv, line 2: found a quotation mark that is not closed"):
        desk.land_reference()


def test_file_that_is_not_needed_is_only_counted(desk: Desk) -> None:
    desk.write("reference/hs2012_bec.csv", "hs6;bec4\n10121;41,x\nno code,,,\n")
    desk.write("baci/product_codes_HS92_V202401b.csv", "code\n")
    assert account(desk, "unsd bec_table") == {"rows_read": 7, "landed": 5, "other_revision": 2}
    assert account(desk, "baci baci_products") == {"rows_read": 0, "landed": 0}


def test_row_that_nothing_counted_stops_the_load(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    before = table(desk, "countries")
    desk.write("reference/partnerAreas.json", json.dumps({"results": [{"id": 156, "text": "China", "isGroup": True}]}))
    monkeypatch.setattr(ReferenceFile, "set_aside", lambda *_: None)
    with pytest.raises(AccountingError, match="reference landing, comtrade partner_areas: found 1 rows read but 0"):
        desk.land_reference()
    assert Landed(desk.settings.landing_dir, {}).table("reference/countries") == before


def rows_in(path: Path, entry: Entry) -> int:
    """The rows of a payload, counted without the program."""
    if entry.part.endswith(".json"):
        return len(json.loads(path.read_text("utf-8-sig"))["results"])
    if entry.part.endswith(".csv"):
        with path.open(encoding="latin-1", newline="") as file:
            return sum(1 for record in csv.reader(file) if record) - 1
    book = openpyxl.load_workbook(io.BytesIO(path.read_bytes()), read_only=True)
    sheets = book.sheetnames[:1] if entry.parameters["kind"] == "conversion_workbook" else ["HS12BEC5", "HS17BEC5"]
    lines = (any(row) for sheet in sheets for row in book[sheet].iter_rows(values_only=True))
    return sum(lines) - len(sheets)


@pytest.mark.parametrize(
    ("source", "revision"),
    [
        ("sample", "H5"),
        *(
            pytest.param(
                "files", revision, marks=pytest.mark.skipif(not (DROP / "reference").is_dir(), reason="no real files")
            )
            for revision in ("H4", "H5")
        ),
    ],
)
def test_rows_read_are_rows_landed_and_set_aside(source: str, revision: str, tmp_path: Path) -> None:
    """Of the sample and, where they lie beside the checkout, of the publishers' files."""
    given = {"DATA_DIR": str(tmp_path), "DROP_DIR": str(DROP), "REFERENCE_SOURCE": source, "HS_REVISION": revision}
    settings = load_settings({f"CHOKEPOINT_{name}": value for name, value in given.items()}, dotenv=None)
    archive = Archive(settings.archive_dir)
    entries, _ = fetch("reference", settings)
    landed = land(load_of(archive, entries, settings.landing_dir, settings=settings))
    in_files: Counter[str] = Counter()
    for entry in entries:
        in_files[f"{entry.source} {entry.parameters['kind']}"] += rows_in(archive.open_path(entry), entry)
    assert {group: counts.rows_read for group, counts in landed.counts.items()} == in_files
    for counts in landed.counts.values():
        assert counts.landed + sum(counts.rules.values()) == counts.rows_read and not counts.quarantined
    assert_tables_come_from_landed_rows(landed.counts, settings.landing_dir)


def assert_tables_come_from_landed_rows(counts: Mapping[str, Any], landing: Path) -> None:
    def landed(*kinds: str) -> int:
        return sum(count.landed for group, count in counts.items() if group.split(" ")[1] in kinds)

    with duckdb.connect() as connection:
        for name in ("countries", "products", "hs_conversion"):
            connection.execute(f"create view {name} as from '{landing}/reference/{name}.parquet'")

        def number(query: str) -> int:
            row = connection.execute(query).fetchone()
            assert row is not None
            return int(row[0])

        assert landed("reporters", "partner_areas", "baci_countries") == number("select count(*) from countries")
        assert landed("bec_workbook", "bec_table") == number("select count(*) from products where bec4 is not null")
        # Each code that is converted has at least one row in the table of its revision.
        codes = number("select count(distinct (from_revision, from_code)) from hs_conversion")
        assert landed("conversion_weights", "conversion_workbook") >= codes > 0
