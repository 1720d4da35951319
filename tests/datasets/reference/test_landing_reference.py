"""Reference landing: countries, products and conversion weights from every kind of file, or a clear error."""

from __future__ import annotations

import io
import json
import math
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from dagster_project.datasets.reference.landing import bec5_end_use, is_country
from dagster_project.errors import SourceError
from tests.helpers.landing_desk import AREAS, Desk, Landed, as_csv
from tests.helpers.steps import load_of


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def table(desk: Desk, name: str) -> list[dict[str, Any]]:
    desk.land_reference(load_of())
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


def test_groups_and_world_codes_are_none_whatever_their_name() -> None:
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
def test_area_list_that_is_none(desk: Desk, content: str) -> None:
    desk.write("reference/partnerAreas.json", content)
    with pytest.raises(SourceError, match=r"partnerAreas\.json: found no list of areas"):
        desk.land_reference(load_of())


def test_country_code_that_is_none(desk: Desk) -> None:
    desk.write("baci/country_codes_V202401b.csv", "country_code,country_name\nCHN,China\n")
    with pytest.raises(SourceError, match=r"country_codes.*'CHN'"):
        desk.land_reference(load_of())


def test_no_country_list(desk: Desk) -> None:
    (desk.drop / "reference/Reporters.json").unlink()
    with pytest.raises(SourceError, match=r"country list: found none; expected Reporters\.json"):
        desk.land_reference(load_of())


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
        desk.land_reference(load_of())


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
        desk.land_reference(load_of())
    desk.write(name, workbook({"HS SITC BEC": [["HS17", "BEC4"], ["850760", "42"]]}))
    with pytest.raises(SourceError, match=r"column bec5: found the columns hs17, bec4"):
        desk.land_reference(load_of())


def test_zip_that_is_no_workbook(desk: Desk) -> None:
    import zipfile

    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("x.txt", "x")
    desk.write("reference/HS-SITC-BEC Correlations_2022.xlsx", buffer.getvalue())
    with pytest.raises(SourceError, match="no workbook"):
        desk.land_reference(load_of())


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
        desk.land_reference(load_of())
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


def test_shortest_way_wins_and_weight_zero_is_none(desk: Desk) -> None:
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
    notes = desk.land_reference(load_of()).notes
    assert ways(desk)["H4", "010121"] == {"010121": 1}
    [note] = notes
    assert "conversion_weights_H4_to_H5.csv: 1 codes had lost their leading zero" in note


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
        desk.land_reference(load_of())
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
        desk.land_reference(load_of())
    assert found in str(error.value)


def test_conversion_workbook_of_an_unknown_edition(desk: Desk) -> None:
    desk.write("reference/HS 1988 to HS 2017 conversion.csv", as_csv([], ("From HS1988", "To HS2017")))
    with pytest.raises(SourceError, match="the HS editions 1988 and 2017"):
        desk.land_reference(load_of())


def test_nothing_is_replaced_when_a_file_is_wrong(desk: Desk) -> None:
    before = table(desk, "countries")
    desk.write_weights("H4", "H5", [("854231", "854231", 0.5)])
    with pytest.raises(SourceError):
        desk.land_reference(load_of())
    assert Landed(desk.settings.landing_dir, {}).table("reference/countries") == before
