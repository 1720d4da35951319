"""Delimited text: its header, its lines, and texts as exact numbers. Not here: trade's columns (test_landing_trade)."""

from __future__ import annotations

import gzip
from pathlib import Path

import duckdb
import pytest

from dagster_project.errors import SourceError
from dagster_project.landing.delimited import (
    Dialect,
    decimal_number,
    fold_names,
    open_delimited,
    require_closed_quotes,
    require_columns,
    require_one_line_each,
    whole_number,
)


@pytest.fixture
def connection() -> duckdb.DuckDBPyConnection:
    return duckdb.connect()


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("0", 0), ("156", 156), ("0156", 156), ("156.0", 156), ("156.00", 156), ("-5", -5), ("2147483647", 2147483647),
        ("156.5", None), (".5", None), ("1e2", None), ("1_000", None), ("0x10", None), ("0b11", None), ("+5", None),
        ("1,000", None), ("1 000", None), ("", None), ("x", None), ("99999999999", None), ("١٢", None), ("NaN", None),
    ],
)  # fmt: skip
def test_whole_numbers(connection: duckdb.DuckDBPyConnection, text: str, number: int | None) -> None:
    connection.execute("create table t as select ? as x", [text])
    assert connection.execute(f"select {whole_number('x')} from t").fetchone() == (number,)


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("0", 0.0), ("1.5", 1.5), ("-1.5", -1.5), ("1e3", 1000.0), ("1E-3", 0.001), ("+5", 5.0), (".5", 0.5),
        ("5.", 5.0),
        ("1_000", None), ("1,234.5", None), ("0x10", None), ("1 000", None), ("12abc", None), ("", None), ("١٢", None),
    ],
)  # fmt: skip
def test_decimal_numbers(connection: duckdb.DuckDBPyConnection, text: str, number: float | None) -> None:
    connection.execute("create table t as select ? as x", [text])
    assert connection.execute(f"select {decimal_number('x')} from t").fetchone() == (number,)


def test_null_is_no_number(connection: duckdb.DuckDBPyConnection) -> None:
    connection.execute("create table t as select null::varchar as x")
    assert connection.execute(f"select {whole_number('x')}, {decimal_number('x')} from t").fetchone() == (None, None)


@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("gzipped", [False, True])
def test_names_are_folded_and_values_are_text(
    connection: duckdb.DuckDBPyConnection, tmp_path: Path, line_end: str, gzipped: bool
) -> None:
    content = line_end.join(["\ufeff Code ,,VALUE", '00012,x," 1,5 "', ""]).encode()
    path = tmp_path / "object"  # archived files have no suffix
    path.write_bytes(gzip.compress(content) if gzipped else content)
    table = open_delimited(connection, path, "x.csv", Dialect(gzipped=gzipped))
    assert list(table.columns) == ["code", "column1", "value"]
    picked = ", ".join(table.column(name) for name in ("code", "value", "missing"))
    assert connection.execute(f"select {picked} from {table.expression}").fetchall() == [("00012", "1,5", None)]


def test_odd_first_rows_are_data_all_the_same(connection: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    """DuckDB's sniffer would take a first line of numbers for data, and a short first row for a preamble."""
    path = tmp_path / "x.csv"
    path.write_text("2016,2017\n1,2\n")
    table = open_delimited(connection, path, "x.csv")
    assert list(table.columns) == ["2016", "2017"]
    path.write_text("a,b\n1\n2,3\n")
    table = open_delimited(connection, path, "x.csv", rejects="rejected")
    assert connection.execute(f"from {table.expression}").fetchall() == [("2", "3")]
    assert connection.execute("select line from rejected").fetchall() == [(2,)]


def test_short_line_is_an_error_where_rejects_are_not_collected(
    connection: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    path = tmp_path / "x.csv"
    path.write_text("a,b\n1\n")
    with pytest.raises(duckdb.Error, match="Expected Number of Columns: 2"):
        connection.execute(f"from {open_delimited(connection, path, 'x.csv').expression}").fetchall()


def test_names_that_fold_together() -> None:
    assert fold_names(["A", " b "], "x.csv") == {"a": "A", "b": " b "}
    with pytest.raises(SourceError, match=r"x\.csv: found the column ' a' twice"):
        fold_names(["A", " a"], "x.csv")


def test_one_of_several_names_is_enough(connection: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_text("A,period\n1,2\n")
    table = open_delimited(connection, path, "x.csv")
    require_columns(table, ("a", ("year", "period")), "x.csv")
    with pytest.raises(SourceError, match=r"x\.csv, column year or refyear: found only the columns A, period"):
        require_columns(table, (("year", "refyear"),), "x.csv")


def test_value_over_several_lines_is_found_in_a_column_that_is_not_read(
    connection: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    path = tmp_path / "x.csv"
    path.write_text('a,b\n1,x\n2,"y\n3,z\n4,"\n\n')
    table = open_delimited(connection, path, "x.csv")
    assert connection.execute(f"select count(*) from {table.expression}").fetchone() == (2,)
    with pytest.raises(SourceError, match=r"x\.csv, row 2: found a quoted value that goes on over several lines"):
        require_one_line_each(connection, table, path, False, "x.csv", 2)
    path.write_text("a,b\n\n1,x\n\n2,y")  # blank lines are none
    require_one_line_each(connection, open_delimited(connection, path, "x.csv"), path, False, "x.csv", 2)


@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
def test_a_short_line_is_no_open_quotation_mark_whatever_ends_the_lines(
    connection: duckdb.DuckDBPyConnection, tmp_path: Path, line_end: str
) -> None:
    path = tmp_path / "x.csv"
    path.write_bytes(line_end.join(["a,b", "1,x", "2", "3,y,z", "4,w", ""]).encode())
    table = open_delimited(connection, path, "x.csv", rejects="rejected")
    assert connection.execute(f"from {table.expression}").fetchall() == [("1", "x"), ("4", "w")]
    require_closed_quotes(connection, "rejected", "x.csv")
    path.write_bytes(line_end.join(["a,b", '1,"x', "2,y", '3,"z', "4,w", ""]).encode())
    table = open_delimited(connection, path, "x.csv", rejects="rejected_too")
    connection.execute(f"from {table.expression}").fetchall()
    with pytest.raises(SourceError, match="goes on over several lines"):
        require_closed_quotes(connection, "rejected_too", "x.csv")
