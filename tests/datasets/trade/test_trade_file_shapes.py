"""Comtrade's rows under the names and in the shapes in which programs write them, and files that are none.

Not here: encodings, lines and quotes (see `test_landing_trade` and `tests/unit/test_landing_delimited`).
"""

from __future__ import annotations

import io
import json
import re
import zipfile
from collections.abc import Mapping
from pathlib import Path

import pytest

from dagster_project.errors import SourceError
from tests.helpers.landing_desk import FIELDS, Desk, as_answer, as_csv, row
from tests.helpers.steps import fetch

ROWS = [row(), row(partnerCode=276, primaryValue=50)]


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def renamed(names: Mapping[str, str]) -> str:
    """The rows as CSV with only these columns, under other names."""
    columns = list(names.values())
    return as_csv([{new: each[old] for old, new in names.items()} for each in ROWS], columns)


def test_columns_in_snake_case(desk: Desk) -> None:
    desk.write("comtrade/r.csv", renamed({name: re.sub(r"([A-Z])", r"_\1", name).lower() for name in FIELDS}))
    landed = desk.land()
    assert landed.values() == [50, 100]
    assert landed.table("trade_flows")[0]["quantity_unit"] is None
    assert [note for each in landed.years.values() for note in each.notes] == []


FORMER_API = {
    "refYear": "yr", "flowCode": "rgCode", "reporterCode": "rtCode", "partnerCode": "ptCode", "cmdCode": "cmdCode",
    "classificationCode": "pfCode", "primaryValue": "TradeValue", "period": "period",
}  # fmt: skip
FORMER_DOWNLOAD = {
    "refYear": "Year", "flowCode": "Trade Flow", "reporterCode": "Reporter Code", "partnerCode": "Partner Code",
    "cmdCode": "Commodity Code", "classificationCode": "Classification", "primaryValue": "Trade Value (US$)",
}  # fmt: skip


@pytest.mark.parametrize("names", [FORMER_API, FORMER_DOWNLOAD, {**FORMER_API, "flowCode": "rgDesc"}])
def test_the_layout_of_the_former_service_is_read_and_named(desk: Desk, names: Mapping[str, str]) -> None:
    word = "1" if "rgCode" in names.values() else "Import"
    desk.write("comtrade/r.csv", renamed(names).replace(",M,", f",{word},"))
    landed = desk.land()
    assert landed.values() == [50, 100]
    (note,) = (note for each in landed.years.values() for note in each.notes)
    assert note == "drop:comtrade/r.csv: read as the layout of Comtrade's former service, which ended in 2023"


def test_the_former_service_s_answers(desk: Desk) -> None:
    rows = [{new: each[old] for old, new in FORMER_API.items()} | {"rgCode": 1} for each in ROWS]
    desk.write("comtrade/r.json", json.dumps({"validation": {"status": {"name": "Ok"}}, "dataset": rows}))
    assert desk.land().values() == [50, 100]


def test_the_former_layout_without_a_needed_column_is_named_as_such(desk: Desk) -> None:
    names = {"refYear": "yr", "flowCode": "rgDesc", "reporterCode": "rtCode", "primaryValue": "TradeValue"}
    desk.write("comtrade/r.csv", renamed(names))
    with pytest.raises(SourceError, match=r"column partnercode: found the layout of Comtrade's former service.*ptCode"):
        desk.land()


def test_a_column_that_is_there_twice_and_not_needed_is_no_error(desk: Desk) -> None:
    desk.write("comtrade/r.csv", as_csv(ROWS, [*FIELDS, "cmdDesc", "cmdDesc", "CmdDesc"]))
    assert desk.land().values() == [50, 100]
    desk.write("comtrade/r.csv", as_csv(ROWS, [*FIELDS, "primaryValue"]))
    with pytest.raises(SourceError, match="the column 'primaryValue' twice"):
        desk.land()


def by_columns(as_lists: bool) -> str:
    values = {name: [each[name] for each in ROWS] for name in FIELDS}
    columns = values if as_lists else {name: dict(enumerate(column)) for name, column in values.items()}
    return json.dumps(columns)


@pytest.mark.parametrize("as_lists", [True, False])
def test_json_by_columns(desk: Desk, as_lists: bool) -> None:
    desk.write("comtrade/r.json", by_columns(as_lists))
    landed = desk.land()
    assert landed.values() == [50, 100] and landed.counts() == {"rows_read": 2, "landed": 2}


def test_json_by_columns_of_different_rows_is_refused(desk: Desk) -> None:
    content = json.loads(by_columns(False))
    del content["cmdCode"]["1"]
    desk.write("comtrade/r.json", json.dumps(content))
    with pytest.raises(SourceError, match=r"r\.json: found an object with typeCode.*not hold the same rows; expected"):
        desk.land()


@pytest.mark.parametrize("content", [as_answer(ROWS)[:-40], json.dumps(ROWS)[:-40], by_columns(False)[:-40]])
def test_json_that_is_cut_off_is_called_so(desk: Desk, content: str) -> None:
    desk.write("comtrade/r.json", content)
    with pytest.raises(SourceError, match=r"r\.json: found content that cannot be read.*expected whole JSON") as error:
        desk.land()
    assert "delimited" not in str(error.value)


PAGE = """<html><head><title>Error</title><style>p {}</style></head><body>The service is <b>down</b></body></html>"""
DENIED = '{"statusCode": 401, "message": "Access denied due to missing key."}'


@pytest.mark.parametrize(("name", "content", "words"), [
    ("r.csv", PAGE, "'Error The service is down'"), ("r.csv", DENIED, "'Access denied due to missing key.'"),
    ("r.json", DENIED, "'Access denied due to missing key.'"),
    ("r.json", '{"count": 0, "data": [], "error": "No such reporter"}', "'No such reporter'"),
    ("r.csv", "Access denied\n", "only the columns Access denied"),
])  # fmt: skip
def test_what_the_publisher_says_is_quoted(desk: Desk, name: str, content: str, words: str) -> None:
    desk.write(f"comtrade/{name}", content)
    with pytest.raises(SourceError, match=re.escape(words)):
        desk.land()


def test_whatever_is_not_taken_in_is_named_with_the_reason(desk: Desk) -> None:
    desk.write("comtrade/r.csv", as_csv(ROWS))
    desk.write("comtrade/letter.docx", b"PK")
    desk.write("Comtrade data/r.csv", as_csv(ROWS))
    desk.write("r.csv", as_csv(ROWS))
    body = io.BytesIO()
    with zipfile.ZipFile(body, "w") as archive:
        for member in ("Readme.txt", "country_codes_V202401b.csv", "BACI_HS17_Y2022_V202401b.csv"):
            archive.writestr(member, "country_code,country_name\n384,x\n")
    desk.write("baci/BACI_HS17_V202401b.zip", body.getvalue())
    _, of_reference = fetch("reference", desk.settings, desk.now)
    _, of_trade = desk.fetch_trade()
    assert "comtrade/letter.docx" in of_trade
    assert "baci/BACI_HS17_V202401b.zip!Readme.txt" in of_reference
    lists = "drop:baci/BACI_HS17_V202401b.zip!country_codes_V202401b.csv (such a list lies beside the zip)"
    assert lists in of_reference and not [note for note in of_reference if "Y2022" in note]
    named = [note for note in of_reference if "not in a folder that is read" in note]
    assert [note.split(" (")[0] for note in named] == ["Comtrade data/", "r.csv"]
    assert not [note for note in of_trade if "not in a folder" in note]  # once is enough
