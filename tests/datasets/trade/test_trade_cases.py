"""Inputs of kinds that people really have, where somebody has placed them beside the checkout: what each must give."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest

from dagster_project.datasets.trade import landing as trade
from dagster_project.datasets.trade.parsing import parse, years_held
from tests.helpers.landing_desk import Desk, Landed
from tests.helpers.real_files import CASES, DROP

pytestmark = pytest.mark.skipif(not (CASES.is_dir() and DROP.is_dir()), reason="no cases beside the checkout")
YEAR = 2022
BATTERIES, LITHIUM = "850760", "283691"
Land = Callable[..., Landed]


@pytest.fixture
def land(tmp_path: Path) -> Land:
    """Lands a case beside a real year, with the real reference files."""

    def landed(case: str, *, source: str = "files", reference: str = "*", beside: bool = True) -> Landed:
        desk = Desk(tmp_path)
        for path in (desk.drop / "reference").iterdir():
            path.unlink()
        files = [path for path in sorted((CASES / case).rglob("*")) if path.is_file()]
        for path in files:
            desk.write(path.relative_to(CASES / case).as_posix(), path.read_bytes())
        for path in sorted((DROP / "reference").glob(reference)):
            desk.write(f"reference/{path.name}", path.read_bytes())
        if beside:
            desk.write("comtrade/base_2022.csv", gzip.decompress((CASES / "base_2022.csv.gz").read_bytes()))
        desk.settings = desk.with_settings(trade_source=source)
        desk.land_reference()
        load = desk.load(desk.fetch_trade()[0])
        parsed = parse(load, None)
        years = {year: trade.land_year(load, parsed, year) for year in years_held(parsed)}
        trade.land_rest(parsed, load.landing, list(years))
        trade.write_empty_tables(load.landing)
        return Landed(load.landing, years)

    return landed


def imports(landed: Landed, reporter: int, code: str) -> dict[int, float]:
    """The reporter's imports of a good by partner, in million USD."""
    pattern = f"{landed.landing}/trade_flows/year={YEAR}/*.parquet"
    with duckdb.connect() as connection:
        found = connection.execute(
            f"select partner_code, value_usd / 1e6 from '{pattern}' where flow = 'M' and reporter_code = ? "
            "and cmd_code = ?",
            [reporter, code],
        ).fetchall()
    assert len(dict(found)) == len(found)
    return dict(found)


def test_breakdown_rows_without_a_total(land: Land) -> None:
    landed = land("01-breakdown-only")
    assert imports(landed, 608, BATTERIES) == {156: 160, 392: 40}
    assert landed.counts()["noted:breakdown_summed"] == 4


def test_two_codes_of_one_economy(land: Land) -> None:
    landed = land("02-two-codes-one-economy")
    batteries = imports(landed, 704, BATTERIES)
    assert batteries == {156: 100, 842: 80}
    assert sum((value / 180) ** 2 for value in batteries.values()) == pytest.approx(0.5062, abs=5e-5)
    assert imports(landed, 704, LITHIUM) == {251: 40}


def test_words_for_flows(land: Land) -> None:
    landed = land("11-flow-words")
    assert imports(landed, 50, BATTERIES) == {156: 100, 392: 50}
    assert imports(landed, 704, BATTERIES) == {156: 100, 392: 50}
    assert "unknown_flow" not in landed.reasons()


@pytest.mark.parametrize(("case", "expected"), [
    ("08-client-bulk-name", {156: 100, 392: 50}), ("72-revised-bulk-file", {156: 120}),
])  # fmt: skip
def test_bulk_files(land: Land, case: str, expected: dict[int, float]) -> None:
    assert imports(land(case), 704, BATTERIES) == expected


def test_linked_folder(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    (desk.drop / "comtrade").mkdir()
    (desk.drop / "comtrade" / "2022").symlink_to(CASES / "18-linked-folder" / "comtrade")
    entries, passed_over = desk.fetch_trade()
    assert [entry.part for entry in entries] == ["2022/npl.csv"] and list(passed_over) == []


def test_baci_with_codes_as_numbers(land: Land) -> None:
    landed = land("60-baci-integer-codes", source="baci_files", beside=False)
    codes = {each["cmd_code"] for each in landed.table("trade_flows")}
    assert {"850760", "010121", "020130", "030617"} <= codes
    assert not landed.quarantine()


def test_baci_zip_with_its_lists(land: Land) -> None:
    landed = land("61-zip-with-lists", source="baci_files", reference="*bec*", beside=False)
    assert landed.table("trade_flows") and not landed.quarantine()
    assert len(landed.table("reference/countries")) == 238


def test_a_download_in_latin_1(land: Land) -> None:
    landed = land("06-latin1-crlf")
    assert imports(landed, 704, BATTERIES) == {384: 100, 531: 1, 392: 50}
    assert not landed.quarantine()


def test_json_by_columns(land: Land) -> None:
    landed = land("14-json-by-columns")
    assert imports(landed, 704, BATTERIES) == {156: 100, 392: 50}
    assert imports(landed, 704, LITHIUM) == {36: 5}


def test_a_footer_after_crlf(land: Land) -> None:
    landed = land("73-footer-crlf")
    assert [reason for reason, _ in landed.quarantine()] == ["malformed_row"]
    assert imports(landed, 704, BATTERIES) == {156: 100}
