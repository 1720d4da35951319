"""Patent numbers: every spelling that the sources are known to use, and texts that are no number."""

from __future__ import annotations

from collections.abc import Iterator

import duckdb
import pytest

from dagster_project.datasets.patents.numbers import create_number_table


@pytest.fixture(scope="module")
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as opened:
        yield opened


def _normalised(connection: duckdb.DuckDBPyConnection, column: str, text: str | None) -> str | None:
    connection.execute("create or replace temp table texts as select cast(? as varchar) as text", [text])
    create_number_table(connection, "numbers", "select text from texts")
    row = connection.execute(f"select {column} from numbers").fetchone()
    return row[0] if row is not None else None


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("WO2012/130123", "WO2012130123"),
        ("WO 2012/130123", "WO2012130123"),
        (" wo2012 / 130123 ", "WO2012130123"),
        ("WO/2012/130123", "WO2012130123"),  # WIPO's own spelling
        ("WO02/11111", "WO2002011111"),
        ("WO 04/012345", "WO2004012345"),
        ("WO 04/1234", "WO2004001234"),
        ("WO78/00001", "WO1978000001"),  # the pivot: 78 is 1978 ...
        ("WO77/00001", "WO2077000001"),  # ... and 77 can only be 2077
        ("WO99/12345", "WO1999012345"),
        ("WO 2004/12345678", "WO200412345678"),  # a serial longer than six digits keeps its digits
        ("WO-2012091842-A3", "WO2012091842"),
        ("WO2012091842A1", "WO2012091842"),
        ("WO 2012/091842 A1", "WO2012091842"),
        ("WO2012091842", "WO2012091842"),
        ("WO0211111", "WO2002011111"),  # two-digit year, five-digit serial
        ("WO-0211111-A2", "WO2002011111"),
        ("WO04012345", "WO2004012345"),  # two-digit year, six-digit serial
        ("WO200211111", "WO2002011111"),  # four-digit year, serial not padded
        ("WO20041234", "WO2004001234"),
    ],
)
def test_wo_numbers(connection: duckdb.DuckDBPyConnection, written: str, expected: str) -> None:
    assert _normalised(connection, "wo_number", written) == expected


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("PCT/EP2015/060757", "PCT/EP/2015/060757"),
        ("PCT/EP03/00123", "PCT/EP/2003/000123"),
        ("PCT/CN2012/072345", "PCT/CN/2012/072345"),
        ("pct/us 98/12345", "PCT/US/1998/012345"),
        ("PCT/US/2012/12345", "PCT/US/2012/012345"),
        ("PCTUS2012012345", "PCT/US/2012/012345"),
        ("US-2012012345-W", "PCT/US/2012/012345"),  # BigQuery's application_number
        ("EP-0300123-W", "PCT/EP/2003/000123"),
    ],
)
def test_application_numbers(connection: duckdb.DuckDBPyConnection, written: str, expected: str) -> None:
    assert _normalised(connection, "pct_application_number", written) == expected


@pytest.mark.parametrize("written", ["", None, "US9000001B2", "WO", "WO12", "WO2012/", "WO1970/000001", "EP1234567A1"])
def test_no_wo_number(connection: duckdb.DuckDBPyConnection, written: str | None) -> None:
    assert _normalised(connection, "wo_number", written) is None


@pytest.mark.parametrize("written", ["", None, "PCT", "PCT/EP", "WO2012/130123", "US-13980888-A", "PCT/EP2015"])
def test_no_application_number(connection: duckdb.DuckDBPyConnection, written: str | None) -> None:
    assert _normalised(connection, "pct_application_number", written) is None
