"""`chokepoint export`: a workbook, CSV and Parquet of marts; what a condition may do, and what errors say."""

from __future__ import annotations

import datetime
import shlex
from collections.abc import Callable
from pathlib import Path

import duckdb
import openpyxl
import pyarrow.parquet as pq
import pytest

from dagster_project import cli
from dagster_project import export as export_module
from dagster_project.publish.release import publish
from dagster_project.workbook import Sheet, write_workbook
from tests.helpers.publish_helpers import MARTS, RATES, make_context, make_warehouse, run_sql

Export = Callable[..., int]
FORMULA = '=HYPERLINK("http://x")'


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data directory with a release in it; one of its lists has the name of a formula."""
    data = tmp_path_factory.mktemp("data")
    warehouse = make_warehouse(data / "warehouse.duckdb")
    run_sql(warehouse, f"update marts.exclusion_rates set list_id = '{FORMULA}' where list_id = 'list_0'")
    publish(warehouse, data / "published", MARTS, make_context(), retain=1)
    return data


@pytest.fixture
def export(data: Path, monkeypatch: pytest.MonkeyPatch) -> Export:
    """The command, as a user types it, after `export --to`."""
    monkeypatch.setenv("CHOKEPOINT_DATA_DIR", str(data))

    def run(target: Path, arguments: str) -> int:
        return cli.main(["export", "--to", str(target), *shlex.split(arguments)])

    return run


def test_a_workbook_has_a_cover_and_a_sheet_per_small_mart(
    export: Export, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(export_module, "SMALL", 100)
    assert export(tmp_path / "book.xlsx", "--format xlsx") == 0
    book = openpyxl.load_workbook(tmp_path / "book.xlsx")
    assert book.sheetnames == ["About", "Columns", "exclusion_rates", "import_vulnerability"]
    cover = {row[0]: row[1] for row in book["About"].iter_rows(values_only=True)}
    assert cover["SYNTHETIC"].startswith("SYNTHETIC") and "release" in cover["To cite"]
    assert cover["Source: this project: trade"] == "synthetic. Terms: none needed. Retrieved 2026-01-01."
    assert "trade_flows" in cover["Not in this workbook"]
    page = book["import_vulnerability"]
    assert page.freeze_panes == "A2" and page.max_row == 1 + 80
    assert [cell.value for cell in page[2]] == [2017, 100, "000000", 1, 1]
    assert [cell.number_format for cell in page[2]] == ["0", "0", "@", "0.0000", "0"]
    meanings = {row[1]: row for row in book["Columns"].iter_rows(values_only=True) if row[0] == "import_vulnerability"}
    assert meanings["import_hhi"][3:] == ("DOUBLE", "1", MARTS[1].columns["import_hhi"])


def test_text_that_looks_like_a_formula_is_text(export: Export, tmp_path: Path) -> None:
    assert export(tmp_path / "book.xlsx", "--format xlsx --mart exclusion_rates") == 0
    cells = [row[0] for row in openpyxl.load_workbook(tmp_path / "book.xlsx")["exclusion_rates"].iter_rows()]
    assert [cell.value for cell in cells if cell.value == FORMULA and cell.data_type == "s"] == [FORMULA]


def test_every_kind_of_value_is_written(tmp_path: Path) -> None:
    columns = {name: {"type": "DATE" if name == "e" else "X", "description": ""} for name in "abcdefg"}
    values = (None, True, float("nan"), 1.5, datetime.date(2019, 1, 2), "x" * 40_000, [1, 2])
    facts = {"description": "", "key": ["a"], "columns": columns}
    manifest = {
        "release_id": "x", "created_at": "2026-01-01T00:00:00+00:00", "code_version": "1", "synthetic": False,
        "archive_entries": [],
    }  # fmt: skip
    marts = [f"{'long' * 10}_{n}" for n in range(2)]
    write_workbook(tmp_path / "b.xlsx", manifest, [Sheet(mart, facts, 1, [values]) for mart in marts], "", [])
    book = openpyxl.load_workbook(tmp_path / "b.xlsx")
    assert len({name.lower() for name in book.sheetnames}) == 4
    found = [cell.value for cell in book[book.sheetnames[3]][2]]
    assert found[:4] == [None, True, "nan", 1.5] and len(found[5]) == 32_767 and found[6] == "1, 2"
    assert found[4].date() == datetime.date(2019, 1, 2)


def test_csv_and_parquet_hold_the_rows_of_a_condition_in_the_order_of_the_key(export: Export, tmp_path: Path) -> None:
    where = "--mart trade_flows --where 'year = 2018 and value_usd > 2100'"
    assert export(tmp_path / "f.csv", f"--format csv {where}") == 0
    assert export(tmp_path / "f.parquet", f"--format parquet {where}") == 0
    read = f"select year, exporter_code, importer_code, hs6, value_usd from '{tmp_path}/f.parquet'"
    rows = duckdb.sql(read).fetchall()
    assert len(rows) == 153 and rows == sorted(rows)
    as_text = f"read_csv('{tmp_path}/f.csv', types = {{'hs6': 'varchar'}})"
    assert duckdb.sql(f"select count(*), min(hs6), sum(value_usd) from {as_text}").fetchone() == (
        153, min(row[3] for row in rows), pytest.approx(sum(row[4] for row in rows)),
    )  # fmt: skip
    assert pq.read_schema(tmp_path / "f.parquet").field("value_usd").metadata[b"unit"] == b"USD"


def test_several_marts_become_files_in_a_folder(
    export: Export, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert export(tmp_path / "out", "--format csv --mart exclusion_rates --mart import_vulnerability") == 0
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        "exclusion_rates.csv", "import_vulnerability.csv",
    ]  # fmt: skip
    assert "(80 rows, " in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ("--mart exclusion_rate", "Did you mean exclusion_rates?"),
        ("--mart zzz", "Name one of these"),
        ("--mart exclusion_rates --where 'nosuch = 1'", '"nosuch" not found'),
        ("--mart exclusion_rates --where 'nosuch = 1'", "its columns list_id, approval_share"),
        ("--mart exclusion_rates --where '1 = 1) to (x'", "syntax error"),
        ("--mart exclusion_rates --where \"list_id = 'a'; drop table marts.x\"", "single SELECT"),
        ("--mart exclusion_rates --where \"exists (from read_text('/etc/hostname'))\"", "disabled by configuration"),
        ("--mart import_vulnerability --where \"year = 'a'\"", "Could not convert"),
        ("--where 'year = 2019'", "Name the mart"),
    ],
)
def test_errors_say_what_to_do(
    export: Export, tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: str, said: str
) -> None:
    assert export(tmp_path / "out.csv", f"--format csv {arguments}") == 1
    assert said in capsys.readouterr().err and not list(tmp_path.iterdir())


def test_a_condition_that_fails_on_the_way_leaves_no_file(
    export: Export, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    where = "case when list_id = 'list_3' then error('no') else true end"
    assert export(tmp_path / "out.csv", f'--format csv --mart {RATES.name} --where "{where}"') == 1
    assert "found" in capsys.readouterr().err and not list(tmp_path.iterdir())


def test_too_many_rows_for_a_sheet_are_refused(
    export: Export, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(export_module, "MAX_ROWS", 799)
    assert export(tmp_path / "out.xlsx", "--format xlsx --mart trade_flows") == 1
    assert "800 rows; expected at most 799" in capsys.readouterr().err


def test_nothing_is_written_among_the_releases_nor_several_marts_into_one_file(
    export: Export, data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert export(data / "published/current/x.csv", "--format csv --mart exclusion_rates") == 1
    assert "among the releases" in capsys.readouterr().err
    assert export(tmp_path / "x.csv", "--format csv --mart exclusion_rates --mart trade_flows") == 1
    assert "for 2 marts" in capsys.readouterr().err
