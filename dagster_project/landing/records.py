"""Delimited text as records: delimiter and quotes are told by evidence, an open quotation mark is never passed over.

Not here: encodings and line ends (see `sources.text`), and what the columns mean.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from dagster_project.errors import SourceError

# Some exclusion requests have very long texts in one field.
LONGEST_FIELD = 16_000_000
_DELIMITERS = ",\t;|"


@dataclass(frozen=True)
class Record:
    """One record: the lines on which it begins and ends (the first line of a file is 1), and its fields."""

    first_line: int
    last_line: int
    fields: Sequence[str]


def delimiter_of(header: str, otherwise: str = ",") -> str:
    """The delimiter that splits the header into most names; `otherwise` where there is none."""
    bare = re.sub('"[^"]*"', "", header)
    most = max(_DELIMITERS, key=lambda delimiter: (bare.count(delimiter), delimiter == otherwise))
    return most if most in bare else otherwise


def read_records(
    lines: Iterable[str], delimiter: str, shown_as: str, *, quotes: bool = True, strict: bool = True
) -> Iterator[Record]:
    """Each record that is not blank, the header first. A quoted value may go on over several lines.

    SourceError names the line of a quotation mark that is not closed, because it would make one value of many rows.
    Other faults of quotes are errors where the reading is `strict`; else they are read as they stand.
    """
    csv.field_size_limit(LONGEST_FIELD)
    taken: list[str] = []

    def noted() -> Iterator[str]:
        for line in lines:
            taken.append(line)
            yield line

    sign = '"' if quotes else None
    reader = csv.reader(
        noted(),
        delimiter=delimiter,
        quotechar=sign,
        quoting=csv.QUOTE_MINIMAL if sign else csv.QUOTE_NONE,
        strict=strict,
    )
    width = 0
    while True:
        taken.clear()
        first_line = reader.line_num + 1
        try:
            fields = next(reader, None)
        except csv.Error as error:
            if len(taken) > 1:
                raise _open_quote(shown_as, first_line, taken) from error
            raise _broken_quotes(shown_as, first_line, error) from error
        if fields is None:
            return
        width = width or len(fields)
        if len(taken) > 1 and _is_open_quote(taken, fields, width, delimiter):
            raise _open_quote(shown_as, first_line, taken)
        if fields:
            yield Record(first_line, reader.line_num, fields)


def quotes_are_text(lines: Iterable[str]) -> bool:
    """Whether quotation marks are part of the values of a tab-separated text: no value stands in quotes.

    Of CSV they are always its own signs (RFC 4180); of tab-separated text only where its writer chose so.
    """
    quoted = re.compile(r'(?:^|\t)"(?:[^"\t]|"")*"(?:\t|\r?\n|$)')
    return not any('"' in line and quoted.search(line) for line in lines)


def fold(name: str) -> str:
    """A column name without regard to case and outer blanks."""
    return name.removeprefix("\ufeff").strip().lower()


def distinct_names(names: Sequence[str], folded: Callable[[str], str] = fold) -> tuple[dict[str, str], frozenset[str]]:
    """Folded name -> name, and the folded names that come more than once; later ones of a name are numbered.

    A column that is there twice harms nobody who does not need it: whoever needs it raises `column_twice`.
    """
    distinct: dict[str, str] = {}
    repeated = set()
    for name in names:
        known = folded(name)
        if known in distinct:
            repeated.add(known)
            number = next(n for n in range(2, len(names) + 2) if f"{known} ({n})" not in distinct)
            distinct[f"{known} ({number})"] = f"{name} ({number})"
        else:
            distinct[known] = name
    return distinct, frozenset(repeated)


def column_twice(shown_as: str, name: str) -> SourceError:
    """The error for a needed column that is there twice."""
    return SourceError(
        shown_as,
        found=f"the column {name!r} twice (upper and lower case do not count)",
        expected="each column that is read once",
        remedy="Take one of the two out of the file.",
    )


def _is_open_quote(lines: Sequence[str], fields: Sequence[str], width: int, delimiter: str) -> bool:
    """Whether a record over several lines is several rows: it does not end well, or its lines are rows themselves."""
    if len(fields) != width:
        return True
    try:
        next(csv.reader(lines, delimiter=delimiter, strict=True))
    except csv.Error:
        return True
    later = [_may_be_row(line, width, delimiter) for line in lines[1:]]
    return width > 1 and _may_be_row(lines[0], width, delimiter) and 2 * sum(later) > len(later)


def _may_be_row(line: str, width: int, delimiter: str) -> bool:
    """Whether a line alone has as many fields as the header, a quotation mark that opens the last one aside."""
    fields = next(csv.reader([line], delimiter=delimiter), [""])
    return width in (len(fields), len(fields) + fields[-1].count(delimiter))


def _open_quote(shown_as: str, line: int, lines: Sequence[str]) -> SourceError:
    return SourceError(
        f"{shown_as}, line {line}",
        found=f"a quotation mark that is not closed on its own line ({' '.join(lines[0].split())[:120]!r} …)",
        expected="quotation marks that are closed, and doubled inside a value",
        remedy="Close or remove the quotation mark: the rows behind it would be lost in one value.",
    )


def _broken_quotes(shown_as: str, line: int, error: csv.Error) -> SourceError:
    return SourceError(
        f"{shown_as}, line {line}",
        found=f"broken quotes ({error})",
        expected="quotation marks that are closed, and doubled inside a value",
        remedy="Mend that line, or fetch the file again.",
    )
