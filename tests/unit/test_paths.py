"""Any legal path works: no character of it is a pattern, the end of a text, or a column."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from dagster_project.publish.read import open_release, verify
from dagster_project.sql import literal, matching, one_file, parquet
from tests.helpers.landing_desk import Desk, as_answer, as_csv, row
from tests.helpers.publish_helpers import make_warehouse, publish_as

NAMES = ["it's", "[a]", "[!a]", "a*b", "**", "year=2024", "{x}", "sp ace", "ü", "a%b", '"q"', "a\\b", "$HOME", "-- x;"]


@pytest.mark.parametrize("name", NAMES)
def test_a_file_is_read_as_it_is(tmp_path: Path, name: str) -> None:
    folder = tmp_path / name / "table" / "year=2018"
    folder.mkdir(parents=True)
    # Another file that a pattern could mean.
    other = tmp_path / "a" / "table" / "year=2018"
    other.mkdir(parents=True)
    with duckdb.connect() as connection:
        for place in (other, folder):
            where = place / "part-0.parquet"
            connection.execute(f"copy (select {literal(place)} as place, 2017 as year) to {literal(where)}")
        table = parquet([folder / "part-0.parquet"])
        assert connection.execute(f"select place, year from {table}").fetchall() == [(str(folder), 2017)]
        pattern = parquet(tmp_path / name / "table" / "year=*" / "*.parquet")
        assert connection.execute(f"select place, year from {pattern}").fetchall() == [(str(folder), 2017)]
        text = folder / "x.csv"
        text.write_text("a\n1\n")
        rows = connection.execute(f"select * from read_csv({one_file(text)}, hive_partitioning=false)").fetchall()
        assert rows == [(1,)]


def test_only_the_last_names_are_a_pattern(tmp_path: Path) -> None:
    wanted = tmp_path / "a*" / "year=2017" / "part-0.parquet"
    for path in (wanted, tmp_path / "ab" / "year=2017" / "part-0.parquet"):
        path.parent.mkdir(parents=True)
        path.touch()
    assert matching(tmp_path / "a*" / "table" / "year=*" / "*.parquet") == []
    assert matching(wanted) == [wanted]


@pytest.fixture
def strange(tmp_path: Path) -> Path:
    return tmp_path / "it's [a] *b* {x}" / "year=2024" / "ü"


def test_no_row_is_relabelled_below_a_folder_named_like_a_year(strange: Path) -> None:
    """CSV, gzip and JSON through the archive, parsing and landing; the year is the row's own."""
    desk = Desk(strange)
    desk.rows(row(), row(refYear=2018))
    desk.write("comtrade/more.json", as_answer([row(cmdCode="854232")]))
    desk.write("comtrade/other.txt", as_csv([row(refYear=2018, cmdCode="854232")], delimiter="\t"))
    landed = desk.land()
    assert sorted((each["year"], each["cmd_code"]) for each in landed.table("trade_flows")) == [
        (2017, "854231"), (2017, "854232"), (2018, "854231"), (2018, "854232"),
    ]  # fmt: skip
    assert landed.quarantine() == []


def test_a_release_below_it_is_published_and_read(strange: Path) -> None:
    strange.mkdir(parents=True)
    warehouse, published = make_warehouse(strange / "warehouse.duckdb", rows=60), strange / "published"
    publish_as(warehouse, published, "a")
    publish_as(warehouse, published, "b")
    with open_release(published) as release, release.connect() as connection:
        verify(release)
        years = connection.execute("select distinct year from marts.trade_flows order by 1").fetchall()
    assert years == [(2017,), (2018,)]
