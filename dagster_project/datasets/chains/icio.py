"""The OECD's table as published: a CSV of one row and one column for each country and sector, in million USD.

What belongs here: labels of rows and columns in all editions, and numbers. It is read line by line: no more is held
than the table itself. Not here: which member of which zip it is (see `files`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from dagster_project.datasets.chains.table import (
    MILLION,
    IoTable,
    Label,
    country_of,
    refused,
    require_balance,
    require_flows,
    require_labels,
    without_dead_sectors,
)
from dagster_project.landing.records import delimiter_of

FINAL_USES = ("HFCE", "NPISH", "GGFC", "GFCF", "INVNT", "DPABR", "DIRPA")
_FINAL = "|".join(FINAL_USES)
_COUNTRY_FIRST = re.compile(rf"([A-Z0-9]{{3}})_({_FINAL})")
_USE_FIRST = re.compile(rf"({_FINAL})_([A-Z0-9]{{3}})")  # the 2016 edition
_LABEL = re.compile(r"([A-Z][A-Z0-9]{2})_([A-Z0-9_]+)")  # split at the first _: CHN_C17_18
_TAXES = re.compile(r"TLS|TAXSUB\w*|[A-Z0-9]{3}_TAXSUB\w*")
_VALUE_ADDED, _OUTPUT = ("VA", "VALU"), ("OUT", "OUTPUT", "TOTAL")
_DISCREPANCY = "DISC"


@dataclass(frozen=True)
class _Columns:
    """Where the numbers of a line go: to the uses of a label, of a country, to discrepancy, or to output."""

    names: Sequence[str]
    labels: Sequence[Label]  # of the table, parts of an economy added up
    countries: Sequence[str]
    target: np.ndarray
    own: dict[str, int]  # label in the file -> its column

    @property
    def n(self) -> int:
        return len(self.labels)

    @property
    def discrepancy(self) -> int:
        return self.n + len(self.countries)

    @property
    def output(self) -> int:
        return self.discrepancy + 1

    @property
    def has_final(self) -> bool:
        return bool(((self.target >= self.n) & (self.target < self.discrepancy)).any())

    @property
    def has_output(self) -> bool:
        return bool((self.target == self.output).any())


@dataclass
class _Rows:
    """What the lines gave, by row of the file."""

    names: list[str]
    output: list[float]
    sums: list[float]
    discrepancy: list[float]
    value_added: np.ndarray | None = None
    taxes: np.ndarray | None = None
    column_output: np.ndarray | None = None


def read_csv(lines: Iterable[bytes], where: str) -> IoTable:
    """The table in the lines of a file. SourceError, naming row or column, for a file that is no whole table."""
    stream = iter(lines)
    header = next((line for line in stream if line.strip()), b"")
    delimiter = delimiter_of(_text(header)).encode()
    columns = _columns(_fields(header, delimiter), where)
    flows = np.zeros((columns.n, columns.n))
    final = np.zeros((columns.n, len(columns.countries)))
    counts = {"io_flows": {"rows_read": 0}, "io_final": {"rows_read": 0}}
    rows = _read(stream, delimiter, columns, flows, final, counts, where)
    require_labels(rows.names, where, "row")
    if missing := sorted(set(columns.own) ^ set(rows.names)):
        side = "row without its column" if missing[0] in rows.names else "column without its row"
        raise refused(where, f"the {side} {missing[0]} ({len(missing)} in all)", "a square table")
    table = _finished(columns, rows, flows, final, counts, where)
    if delimiter != b",":
        table.notes.append(f"{where}: separated by {delimiter.decode()!r}, not by commas; read as it is")
    return table


def _finished(
    columns: _Columns, rows: _Rows, flows: np.ndarray, final: np.ndarray, counts: dict[str, dict[str, int]], where: str
) -> IoTable:
    """The table in USD, checked against its own output."""
    place = {label: number for number, label in enumerate(columns.labels)}
    at = np.array([place[_label(name)] for name in rows.names])
    sums, discrepancy = np.array(rows.sums), np.array(rows.discrepancy)
    stated = _stated_output(columns, rows)
    if stated is not None:
        if np.abs(sums + discrepancy - stated).sum() < np.abs(sums - stated).sum():
            sums = sums + discrepancy  # what the publisher could not place is used at home
            home = {country: number for number, country in enumerate(columns.countries)}
            np.add.at(final, (at, np.array([home[columns.labels[number][0]] for number in at])), discrepancy)
        require_balance(sums * MILLION, stated * MILLION, rows.names, where)
    output = np.zeros(columns.n)
    np.add.at(output, at, sums)
    names = ["_".join(label) for label in columns.labels]
    for values in (flows, final, output):
        values *= MILLION
    require_flows(flows, names, where)
    table = IoTable(
        columns.labels,
        flows,
        output,
        columns.countries,
        final if columns.has_final else None,
        None if rows.value_added is None else rows.value_added[: columns.n] * MILLION,
        None if rows.taxes is None else rows.taxes[: columns.n] * MILLION,
        {**counts, "io_output": {"rows_read": len(rows.names)}},
    )
    return without_dead_sectors(table)


def _stated_output(columns: _Columns, rows: _Rows) -> np.ndarray | None:
    """Output by row of the file: the column of it, or else the row of it."""
    if columns.has_output:
        return np.array(rows.output)
    if rows.column_output is None:
        return None
    return rows.column_output[[columns.own[name] for name in rows.names]]


def _columns(names: Sequence[str], where: str) -> _Columns:
    """What every column is. SourceError for one that is nothing known."""
    given = list(names[1:])
    while given and not given[-1]:
        given.pop()  # a delimiter at the end of each line
    own = {name: number for number, name in enumerate(given) if _kind(name, where) == "label"}
    require_labels(given, where, "column")
    labels = sorted({_label(name) for name in own})
    require_labels(["_".join(label) for label in labels], where, "column of a country and sector")
    uses = {name: use for name in given if (use := _final_use(name))}
    countries = sorted({country for country, _ in labels} | {country_of(country) for country in uses.values()})
    place = {label: number for number, label in enumerate(labels)}
    target = np.empty(len(given), np.int64)
    for number, name in enumerate(given):
        if name in own:
            target[number] = place[_label(name)]
        elif name in uses:
            target[number] = len(labels) + countries.index(country_of(uses[name]))
        else:
            target[number] = len(labels) + len(countries) + (name not in (_DISCREPANCY,))
    return _Columns(given, labels, countries, target, own)


def _kind(name: str, where: str) -> str:
    if name == _DISCREPANCY or name in _OUTPUT:
        return "total"
    if _final_use(name):
        return "final"
    if _LABEL.fullmatch(name):
        return "label"
    raise refused(
        f"{where}, column {name!r}",
        "a column that no edition has",
        f"COUNTRY_SECTOR, COUNTRY_<use> with one of {', '.join(FINAL_USES)}, OUT, TOTAL or DISC",
    )


def _final_use(name: str) -> str | None:
    """The country of a column of final use; None for another column."""
    if found := _COUNTRY_FIRST.fullmatch(name):
        return found[1]
    found = _USE_FIRST.fullmatch(name)
    return found[2] if found else None


def _label(name: str) -> Label:
    country, _, sector = name.partition("_")
    return country_of(country), sector


def _read(
    lines: Iterator[bytes],
    delimiter: bytes,
    columns: _Columns,
    flows: np.ndarray,
    final: np.ndarray,
    counts: dict[str, dict[str, int]],
    where: str,
) -> _Rows:
    """Add the lines' numbers to the table, line by line."""
    rows = _Rows([], [], [], [])
    place = {label: number for number, label in enumerate(columns.labels)}
    own = np.flatnonzero(columns.target < columns.n)
    uses = np.flatnonzero((columns.target >= columns.n) & (columns.target < columns.discrepancy))
    for number, line in enumerate(lines, start=2):
        if not line.strip():
            continue
        name, values = _numbers(line, delimiter, columns, f"{where}, line {number}")
        added = np.bincount(columns.target, weights=values, minlength=columns.output + 1)
        if _TAXES.fullmatch(name):
            rows.taxes = added if rows.taxes is None else rows.taxes + added
        elif name in _VALUE_ADDED:
            rows.value_added = added
        elif name in _OUTPUT:
            rows.column_output = values
        elif _LABEL.fullmatch(name) and not _final_use(name):
            _require_numbers(values, name, columns, where)
            row = place.get(_label(name))
            if row is None:
                raise refused(where, f"the row {name}, which has no column", "a square table")
            flows[row] += added[: columns.n]
            final[row] += added[columns.n : columns.discrepancy]
            counts["io_flows"]["rows_read"] += int(np.count_nonzero(values[own]))
            counts["io_final"]["rows_read"] += int(np.count_nonzero(values[uses]))
            rows.names.append(name)
            rows.sums.append(float(added[: columns.discrepancy].sum()))
            rows.discrepancy.append(float(added[columns.discrepancy]))
            rows.output.append(float(added[columns.output]))
        else:
            raise refused(
                f"{where}, line {number}",
                f"the row {name!r}",
                "COUNTRY_SECTOR, TLS (TAXSUB…), VA (VALU) or OUT (OUTPUT)",
            )
    return rows


def _require_numbers(values: np.ndarray, name: str, columns: _Columns, where: str) -> None:
    negative = (columns.target < columns.n) & (values < 0)
    wrong = negative | ~np.isfinite(values)
    if wrong.any():
        column = int(np.argmax(wrong))
        raise refused(
            f"{where}, row {name}, column {columns.names[column]}",
            f"{values[column]:g}",
            "a number, of intermediate use one of 0 or more",
        )


def _numbers(line: bytes, delimiter: bytes, columns: _Columns, where: str) -> tuple[str, np.ndarray]:
    """A line's label and numbers; an empty cell is 0."""
    name, _, rest = line.partition(delimiter)
    values = _quick(rest, delimiter, len(columns.names))
    if values is None:
        values = _slow(_fields(line, delimiter)[1:], columns, where)
    return _text(name).strip().strip('"').strip(), values


def _quick(rest: bytes, delimiter: bytes, n: int) -> np.ndarray | None:
    """The numbers of a line that has nothing else; None where it has."""
    rest = rest.rstrip(b"\r\n" + delimiter)
    if rest.count(delimiter) != n - 1 or delimiter * 2 in rest or b'"' in rest or delimiter not in b",;\t|":
        return None
    try:
        values = np.fromstring(rest, dtype=np.float64, sep=delimiter.decode())
    except ValueError:
        return None
    return values if len(values) == n else None


def _slow(fields: Sequence[str], columns: _Columns, where: str) -> np.ndarray:
    n = len(columns.names)
    if len(fields) < n or any(fields[n:]):
        raise refused(where, f"{len(fields)} numbers", f"{n}, one for each column of the header")
    values = np.zeros(n)
    for number, text in enumerate(fields[:n]):
        try:
            values[number] = float(text) if text else 0.0
        except ValueError:
            raise refused(f"{where}, column {columns.names[number]}", repr(text), "a number or an empty cell") from None
    return values


def _fields(line: bytes, delimiter: bytes) -> list[str]:
    """The fields of a line. No label or number holds a delimiter."""
    return [field.strip().strip('"').strip() for field in _text(line).split(delimiter.decode())]


def _text(line: bytes) -> str:
    """Labels and numbers are ASCII; whatever else there is, is shown as it is."""
    try:
        return line.decode("utf-8-sig").strip("\r\n")
    except UnicodeDecodeError:
        return line.decode("latin-1").strip("\r\n")
