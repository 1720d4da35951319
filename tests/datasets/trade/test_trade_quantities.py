"""Weights, kilograms and pieces of landed reports: from each source, and from what is missing, estimated or wrong."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.helpers.landing_desk import DEFAULTS, FIELDS, Desk, Landed, as_answer, as_csv, row

# The columns that tell amounts, beside the unit and the quantity.
AMOUNTS = (
    "isQtyEstimated", "altQtyUnitAbbr", "altQty", "isAltQtyEstimated", "netWgt", "isNetWgtEstimated"
)  # fmt: skip
COLUMNS = [*FIELDS, *AMOUNTS]
QUANTITIES = ("net_weight_kg", "net_weight_estimated", "quantity_kg", "quantity_units")
NOTHING = (None, None, None, None)
BATTERIES, CARS = "850760", "010121"


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def amounts(**fields: object) -> dict[str, object]:
    """A row with amounts: flags say reported, and numbers are unknown, but for the fields given."""
    known = {name: fields.pop(name) for name in AMOUNTS if name in fields}
    flags = {name: "False" for name in AMOUNTS if name.startswith("is")}
    return {**row(**fields), **dict.fromkeys(AMOUNTS, ""), **flags, **known}


def landed_amounts(landed: Landed, table: str = "trade_flows") -> list[tuple[Any, ...]]:
    return [tuple(each[name] for name in QUANTITIES) for each in landed.table(table)]


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        # A reported weight goes before a quantity in kilograms.
        ({"netWgt": "12.5", "qty": "12", "qtyUnitAbbr": "kg"}, (12.5, False, 12.5, None)),
        ({"netWgt": "12.5", "isNetWgtEstimated": "True", "qty": "12"}, (12.5, True, 12, None)),
        ({"netWgt": "12.5", "isNetWgtEstimated": "true", "qty": "12", "isQtyEstimated": "1"}, (12.5, True, None, None)),
        # Pieces have a weight of their own; estimated pieces are none, unless the second quantity has them.
        ({"netWgt": "12.5", "qty": "3", "qtyUnitAbbr": "u"}, (12.5, False, 12.5, 3)),
        ({"qty": "3", "qtyUnitAbbr": "u", "isQtyEstimated": "TRUE"}, NOTHING),
        (
            {"qty": "9", "qtyUnitAbbr": "u", "isQtyEstimated": "True", "altQty": "3", "altQtyUnitAbbr": "u"},
            (None, None, None, 3),
        ),
        ({"altQty": "3", "altQtyUnitAbbr": "u", "isAltQtyEstimated": "True"}, NOTHING),
        # The second quantity gives no kilograms: a country's 33,250 "kg" of cars worth USD 702 million are none.
        ({"altQty": "33250", "altQtyUnitAbbr": "kg"}, NOTHING),
        # 0 is how Comtrade writes unknown.
        ({"netWgt": "0.0", "qty": "0.0", "altQty": "0.0", "altQtyUnitAbbr": "u"}, NOTHING),
        # Without a unit, or in another one, a number tells nothing.
        *(({"qty": "7", "qtyUnitAbbr": unit}, NOTHING) for unit in ("N/A", "-1", "", "1000 KG", "2u", "kg P2O5", "l")),
        ({}, NOTHING),
    ],
)
def test_which_amounts_may_enter_a_price(desk: Desk, fields: dict[str, object], expected: tuple[Any, ...]) -> None:
    desk.write("comtrade/r.csv", as_csv([amounts(**fields)], COLUMNS))
    landed = desk.land()
    assert landed_amounts(landed) == [expected]
    assert landed.counts() == {"rows_read": 1, "landed": 1}


def test_codes_of_units_stand_for_their_names(desk: Desk) -> None:
    rows = [
        {**amounts(cmdCode=BATTERIES, qty="4"), "qtyUnitCode": 8},
        {**amounts(cmdCode=CARS, qty="3"), "qtyUnitCode": 5},
        {**amounts(cmdCode="270900", altQty="2"), "altQtyUnitCode": 5},
        {**amounts(cmdCode="854232", qty="9"), "qtyUnitCode": -1},
    ]
    columns = [name for name in COLUMNS if not name.endswith("Abbr")] + ["qtyUnitCode", "altQtyUnitCode"]
    desk.write("comtrade/r.csv", as_csv(rows, columns))
    found = {
        each["cmd_code"]: (each["quantity_kg"], each["quantity_units"]) for each in desk.land().table("trade_flows")
    }
    assert found == {BATTERIES: (4, None), CARS: (None, 3), "270900": (None, 2), "854232": (None, None)}


def test_absent_columns_are_unknown(desk: Desk) -> None:
    """A file without weights and flags: a quantity in kilograms counts, since nothing says that it is estimated."""
    desk.rows(row(cmdCode=BATTERIES, qty="4"), row(cmdCode=CARS, qty="3", qtyUnitAbbr="u"))
    assert landed_amounts(desk.land()) == [(None, None, None, 3), (None, None, 4, None)]


@pytest.mark.parametrize("name", ["netWeight", "NETWGT", "net_wgt", "netwgt"])
def test_other_headings_of_the_net_weight(desk: Desk, name: str) -> None:
    text = as_csv([amounts(netWgt="12.5")], COLUMNS)
    desk.write("comtrade/r.csv", text.replace(",netWgt,", f",{name},"))
    assert landed_amounts(desk.land()) == [(12.5, False, 12.5, None)]


def test_the_name_of_today_goes_before_the_older_one(desk: Desk) -> None:
    each = {**amounts(netWgt="12.5"), "netWeight": "99"}
    desk.write("comtrade/r.csv", as_csv([each], ["netWeight", *COLUMNS]))
    assert landed_amounts(desk.land()) == [(12.5, False, 12.5, None)]


def test_the_former_service_names_its_units_in_words(desk: Desk) -> None:
    names = {
        "refYear": "yr", "flowCode": "rgCode", "reporterCode": "rtCode", "partnerCode": "ptCode", "cmdCode": "cmdCode",
        "classificationCode": "pfCode", "primaryValue": "TradeValue", "qtyUnitAbbr": "qtDesc", "qty": "TradeQuantity",
        "netWgt": "NetWeight",
    }  # fmt: skip
    rows = [
        amounts(cmdCode=BATTERIES, qty="4", qtyUnitAbbr="Weight in kilograms"),
        amounts(cmdCode=CARS, qty="3", qtyUnitAbbr="Number of items", netWgt="900"),
    ]
    desk.write(
        "comtrade/r.csv",
        as_csv([{new: each[old] for old, new in names.items()} for each in rows], list(names.values())),
    )
    assert landed_amounts(desk.land()) == [(900, None, 900, 3), (None, None, 4, None)]


def test_json_has_numbers_flags_and_nulls(desk: Desk) -> None:
    numbers = {"netWgt": 12.5, "isNetWgtEstimated": False, "qty": 3.0, "isQtyEstimated": True, "altQty": 2.0,
               "altQtyUnitAbbr": None, "altQtyUnitCode": 5, "isAltQtyEstimated": False, "qtyUnitAbbr": "u"}  # fmt: skip
    unknown = dict.fromkeys(numbers)
    rows = [{**DEFAULTS, **numbers, "cmdCode": BATTERIES}, {**DEFAULTS, **unknown, "cmdCode": CARS}]
    desk.write("comtrade/a.json", as_answer(rows))
    landed = desk.land()
    assert landed_amounts(landed) == [NOTHING, (12.5, False, 12.5, 2)]
    assert "noted:unreadable_quantity" not in landed.counts()


def test_bulk_files_have_them_too(desk: Desk) -> None:
    desk.write(
        "comtrade/C_A_156_201701_H5_O.txt", as_csv([amounts(netWgt="12.5", isNetWgtEstimated="1")], COLUMNS, "\t")
    )
    assert landed_amounts(desk.land()) == [(12.5, True, None, None)]


@pytest.mark.parametrize(
    ("fields", "said", "expected"),
    [
        ({"netWgt": "n/a", "qty": "4"}, "netWgt n/a", (None, None, 4, None)),
        ({"netWgt": "-3", "qty": "4"}, "netWgt -3", (None, None, 4, None)),
        ({"netWgt": "NaN"}, "netWgt NaN", NOTHING),
        ({"netWgt": "inf"}, "netWgt inf", NOTHING),
        ({"netWgt": "1_0"}, "netWgt 1_0", NOTHING),
        ({"altQty": "x", "altQtyUnitAbbr": "u"}, "altQty x", NOTHING),
        ({"netWgt": "5", "isNetWgtEstimated": "perhaps"}, "isNetWgtEstimated perhaps", (5, None, 5, None)),
        ({"netWgt": "?", "isQtyEstimated": "?"}, "netWgt ?, isQtyEstimated ?", NOTHING),
    ],
)
def test_what_cannot_be_read_is_unknown_and_counted(
    desk: Desk, fields: Mapping[str, object], said: str, expected: tuple[Any, ...]
) -> None:
    sound = amounts(cmdCode=CARS, netWgt="8")
    desk.write("comtrade/r.csv", as_csv([amounts(cmdCode=BATTERIES, **fields), sound], COLUMNS))
    landed = desk.land()
    assert landed_amounts(landed) == [(8, False, 8, None), expected]
    assert landed.counts() == {"rows_read": 2, "landed": 2, "noted:unreadable_quantity": 1}
    [found] = [each for each in landed.table("trade_findings") if each["finding"] == "unreadable_quantity"]
    assert (found["reporter_code"], found["n_rows"], found["value_usd"]) == (156, 1, 100)
    assert found["detail"] == f"read as unknown, such as {said}"


def test_rows_that_are_set_aside_are_not_counted_as_unreadable(desk: Desk) -> None:
    rows = [amounts(netWgt="n/a", primaryValue=-1), amounts(netWgt="n/a", partnerCode=0), amounts(netWgt="n/a")]
    desk.write("comtrade/r.csv", as_csv(rows, COLUMNS))
    assert desk.land().counts()["noted:unreadable_quantity"] == 1


def test_no_usable_amount_at_all_is_no_error(desk: Desk) -> None:
    rows = [amounts(cmdCode=code, netWgt="5", isNetWgtEstimated="True") for code in (BATTERIES, CARS)]
    desk.write("comtrade/r.csv", as_csv(rows, COLUMNS))
    assert landed_amounts(desk.land()) == [(5, True, None, None), (5, True, None, None)]


def test_a_unit_that_changes_between_years_is_never_mixed(desk: Desk) -> None:
    rows = [amounts(refYear=2017, qty="30", qtyUnitAbbr="u"), amounts(refYear=2018, qty="600", qtyUnitAbbr="kg")]
    desk.write("comtrade/r.csv", as_csv(rows, COLUMNS))
    assert landed_amounts(desk.land()) == [(None, None, None, 30), (None, None, 600, None)]


def test_areas_and_reimports_have_them_too(desk: Desk) -> None:
    desk.write("comtrade/r.csv", as_csv([amounts(partnerCode=code, netWgt="8") for code in (899, 156, 0)], COLUMNS))
    landed = desk.land()
    for table in ("trade_unallocated", "trade_reimports", "trade_control_totals"):
        assert landed_amounts(landed, table) == [(8, False, 8, None)], table


# --- rows that repeat others, or are added up


@pytest.mark.parametrize("first", ["with", "without"])
def test_of_equal_rows_the_one_with_an_amount_stays(desk: Desk, first: str) -> None:
    rows = {"with": amounts(netWgt="12.5"), "without": amounts()}
    second = next(name for name in rows if name != first)
    for number, name in enumerate((first, second)):
        desk.write(f"comtrade/{number}.csv", as_csv([rows[name]], COLUMNS))
    landed = desk.land()
    assert landed.counts() == {"rows_read": 2, "landed": 1, "duplicate_equal": 1}
    assert landed_amounts(landed) == [(12.5, False, 12.5, None)]


def test_a_stated_revision_goes_before_an_amount(desk: Desk) -> None:
    desk.write("comtrade/0.csv", as_csv([amounts(classificationCode="H5")], COLUMNS))
    desk.write("comtrade/1.csv", as_csv([amounts(classificationCode="HS", netWgt="12.5")], COLUMNS))
    landed = desk.land()
    assert landed_amounts(landed) == [NOTHING]
    assert not landed.table("trade_flows")[0]["revision_assumed"]


def test_the_correction_of_a_value_keeps_no_amount_of_the_row_before(desk: Desk) -> None:
    desk.write("comtrade/0.csv", as_csv([amounts(netWgt="12.5")], COLUMNS))
    desk.write("comtrade/1.csv", as_csv([amounts(primaryValue=120)], COLUMNS))
    assert landed_amounts(desk.land()) == [NOTHING]


def test_parts_are_added_up_where_each_has_an_amount(desk: Desk) -> None:
    parts = [amounts(motCode=2100, netWgt="5", qty="2", qtyUnitAbbr="u"),
             amounts(motCode=1000, netWgt="7", qty="1", qtyUnitAbbr="u", isNetWgtEstimated="True")]  # fmt: skip
    desk.write("comtrade/r.csv", as_csv(parts, COLUMNS))
    landed = desk.land()
    assert landed.values() == [200]
    assert landed_amounts(landed) == [(12, True, None, 3)]  # the kilograms of one part are estimated


# --- BACI


def test_tons_of_baci_are_kilograms(desk: Desk) -> None:
    desk.settings = desk.with_settings(trade_source="baci_files")
    header, known, unknown = (
        "t,i,j,k,v,q",
        "2017,842,156,854231,0.1,        1.5",
        "2017,842,156,010121,0.3,           NA",
    )
    desk.write("baci/BACI_HS17_Y2017_V202401.csv", "\n".join([header, known, unknown]) + "\n")
    landed = desk.land()
    assert landed_amounts(landed) == [NOTHING, (None, None, 1500, None)]
    assert [each["quantity"] for each in landed.table("trade_flows")] == [None, 1.5]


def test_amounts_are_the_same_from_json_and_text(desk: Desk, tmp_path: Path) -> None:
    each = amounts(netWgt="12.5", qty="3", qtyUnitAbbr="u")
    desk.write("comtrade/r.csv", as_csv([each], COLUMNS))
    other = Desk(tmp_path / "other")
    other.write("comtrade/r.json", json.dumps([each]))
    assert landed_amounts(desk.land()) == landed_amounts(other.land()) == [(12.5, False, 12.5, 3)]
