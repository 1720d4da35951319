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
    open_delimited,
    rejected_lines,
    require_columns,
    require_every_row,
    whole_number,
)


@pytest.fixture
def connection(tmp_path: Path) -> duckdb.DuckDBPyConnection:
    return duckdb.connect(config={"temp_directory": str(tmp_path / "spill")})


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


def test_a_column_that_is_there_twice_is_an_error_only_for_who_needs_it(
    connection: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    path = tmp_path / "x.csv"
    path.write_text("A,note, a,Note,b\n1,x,2,y,3\n")
    table = open_delimited(connection, path, "x.csv")
    assert connection.execute(f"select {table.column('b')} from {table.expression}").fetchall() == [("3",)]
    with pytest.raises(SourceError, match=r"x\.csv: found the column 'A' twice"):
        table.column("a")
    with pytest.raises(SourceError, match="'note' twice"):
        require_columns(table, ("b", "note"), "x.csv")


def test_one_of_several_names_is_enough(connection: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_text("A,period\n1,2\n")
    table = open_delimited(connection, path, "x.csv")
    require_columns(table, ("a", ("year", "period")), "x.csv")
    with pytest.raises(SourceError, match=r"x\.csv, column year or refyear: found only the columns A, period"):
        require_columns(table, (("year", "refyear"),), "x.csv")


def read(
    connection: duckdb.DuckDBPyConnection, path: Path, content: bytes, name: str = "x.csv"
) -> list[tuple[str, ...]]:
    """The rows of a file of two columns; SourceError unless all of them were read."""
    path.write_bytes(content)
    for table in ("rejected", "rejected_scan"):
        connection.execute(f"drop table if exists {table}")
    dialect = Dialect("\t" if name.endswith(".tsv") else ",")
    opened = open_delimited(connection, path, name, dialect, rejects="rejected")
    rows = connection.execute(f"select * from {opened.expression}").fetchall()
    rejected = connection.execute(rejected_lines(connection, "rejected")).fetchall()
    require_every_row(opened, len(rows) + len(rejected))
    return rows


LINE_ENDS = [b"\n", b"\r\n", b"\r"]


@pytest.mark.parametrize("end", LINE_ENDS)
def test_quoted_line_breaks_are_part_of_their_row(
    connection: duckdb.DuckDBPyConnection, tmp_path: Path, end: bytes
) -> None:
    content = end.join([b"a,b", b'1,"x', b'y"', b'2,"', b' z"', b"", b"3,w"])
    rows = read(connection, tmp_path / "x", content)
    assert [(a, b.split()) for a, b in rows] == [("1", ["x", "y"]), ("2", ["z"]), ("3", ["w"])]


@pytest.mark.parametrize("end", LINE_ENDS)
@pytest.mark.parametrize(("lines", "line"), [
    ([b"a,b", b"1,x", b'2,"y', b"3,z", b'4,"', b"", b"5,w"], 3),
    ([b"a,b", b"1,x", b'2,"y', b"3,z", b"4,w"], 3),
    ([b"a,b", b"1,x", b"2,z", b'3,"y', b'4,"w"', b"5,v"], 4),
    ([b"a,b", b'1,"x', b"Source: somebody"], 2),
])  # fmt: skip
def test_an_open_quotation_mark_stops_with_file_and_line(
    connection: duckdb.DuckDBPyConnection, tmp_path: Path, end: bytes, lines: list[bytes], line: int
) -> None:
    with pytest.raises(SourceError, match=rf"x\.csv, line {line}: found a quotation mark that is not closed"):
        read(connection, tmp_path / "x", end.join([*lines, b""]))


def test_quotation_marks_of_a_text_without_quoting_are_text(
    connection: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    content = b'a\tb\n1\t"Open only\n2\t"Second" one\n3\tsize 5"\n'
    assert read(connection, tmp_path / "x", content, "x.tsv") == [
        ("1", '"Open only'),
        ("2", '"Second" one'),
        ("3", 'size 5"'),
    ]
    quoted = b'"a"\t"b"\n1\t"A ""quoted"" word"\n2\t"b\tc"\n'
    assert read(connection, tmp_path / "x", quoted, "x.tsv") == [("1", 'A "quoted" word'), ("2", "b\tc")]


@pytest.mark.parametrize("end", LINE_ENDS)
def test_a_short_line_is_no_open_quotation_mark_whatever_ends_the_lines(
    connection: duckdb.DuckDBPyConnection, tmp_path: Path, end: bytes
) -> None:
    rows = read(connection, tmp_path / "x", end.join([b"a,b", b"1,x", b"2", b"3,y,z", b"4,w", b""]))
    assert rows == [("1", "x"), ("4", "w")]


@pytest.mark.parametrize("content", [
    b"a,b\r\n1,x\n2,y\r\n", b"a,b\n1,x\r\n2,y\n", b"a,b\n\n1,x\n\n2,y", b"\xef\xbb\xbfa,b\n1,x\n2,y",
    b"a;b\n1;x\n2;y\n", b"a\tb\r1\tx\r2\ty\r", "a,b\r\n1,x\r\n2,y\r\n".encode("utf-16"),
    "a,b\n1,x\n2,y".encode("utf-16-le"), "a,b\n1,x\n2,y".encode("utf-16-be"),
])  # fmt: skip
def test_line_ends_delimiters_and_encodings_are_told_by_what_is_there(
    connection: duckdb.DuckDBPyConnection, tmp_path: Path, content: bytes
) -> None:
    assert read(connection, tmp_path / "x", content) == [("1", "x"), ("2", "y")]


def test_a_line_break_inside_a_value_that_ends_no_line_is_a_blank(
    connection: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    assert read(connection, tmp_path / "x", b"a,b\n1,x\ry\n2,z\n") == [("1", "x y"), ("2", "z")]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "iso-8859-1", "cp1252"])
def test_letters_beyond_ascii(connection: duckdb.DuckDBPyConnection, tmp_path: Path, encoding: str) -> None:
    content = "a,b\r\n384,Côte d'Ivoire\r\n531,Curaçao\r\n792,Türkiye\r\n".encode(encoding)
    rows = read(connection, tmp_path / "x", content)
    assert rows == [("384", "Côte d'Ivoire"), ("531", "Curaçao"), ("792", "Türkiye")]


@pytest.mark.parametrize("encoding", ["gb18030", "shift_jis", "cp1251", "mac-roman"])
def test_text_that_is_of_no_known_encoding_is_refused_as_that(
    connection: duckdb.DuckDBPyConnection, tmp_path: Path, encoding: str
) -> None:
    text = {"cp1251": "Российская Федерация", "mac-roman": "Côte d'Ivoire, Curaçao"}.get(encoding, "中国日本国")
    with pytest.raises(SourceError, match=r"x\.csv: found text that is neither UTF-8 nor UTF-16.*expected UTF-8"):
        read(connection, tmp_path / "x", f'a,b\n1,"{text}"\n'.encode(encoding))
