"""What a page is made of: sections with sentences, figures in tiles, charts and tables; and how a value is written.

What belongs here: the parts, sorting, and CSV. Not here: HTML (the template) and questions (see `pages`).
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from dagster_project.explore.reader import Row

NUMERIC = frozenset({"usd", "share", "number", "count", "index"})
NONE = "–"
SHOWN = 20
MOST_SHOWN = 2000


def written(value: Any, kind: str) -> str:
    """A value as a reader sees it; CSV has it as the release does."""
    if value is None or (isinstance(value, float) and value != value):
        return NONE
    if kind == "usd":
        return money(value)
    if kind == "share":
        return f"{100 * value:.1f} %"
    if kind == "count":
        return f"{value:,.0f}" if float(value).is_integer() else f"{value:,.1f}"
    if kind == "index":
        return f"{value:.3f}"
    if kind == "number":
        return f"{value:,.4g}" if abs(value) < 1e4 else f"{value:,.0f}"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if kind == "value" and isinstance(value, int | float):
        return written(value, "number")
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return str(value)


def money(usd: float) -> str:
    """USD with three digits and a unit."""
    for size, unit in ((1e12, "trn"), (1e9, "bn"), (1e6, "m"), (1e3, "k")):
        if abs(usd) >= size:
            amount = usd / size
            return f"{amount:.{0 if abs(amount) >= 100 else 1 if abs(amount) >= 10 else 2}f} {unit}"
    return f"{usd:.0f}"


@dataclass(frozen=True)
class Column:
    """A column of a table: the key in its rows, its heading, how values are written, and where they lead."""

    key: str
    title: str
    kind: str = "text"
    link: Callable[[Row], str | None] | None = None
    about: str = ""

    @property
    def numeric(self) -> bool:
        """Whether it stands at the right edge."""
        return self.kind in NUMERIC


@dataclass(frozen=True)
class Table:
    """Rows under columns. `name` is its name in addresses: of its order, of all its rows, and of its CSV."""

    name: str
    caption: str
    columns: Sequence[Column]
    rows: Sequence[Row]
    empty: str = "Nothing for this choice."

    def in_order(self, wanted: str) -> list[Row]:
        """The rows by a column, `-` in front of it for the largest first; missing values last. Else as they came."""
        key, falling = wanted.removeprefix("-"), wanted.startswith("-")
        if key not in {column.key for column in self.columns}:
            return list(self.rows)
        known = [row for row in self.rows if row[key] is not None]
        known.sort(key=lambda row: _comparable(row[key]), reverse=falling)
        return known + [row for row in self.rows if row[key] is None]

    def csv(self, wanted: str = "") -> str:
        """All rows, values as the release has them."""
        target = io.StringIO()
        lines = csv.writer(target, lineterminator="\r\n")
        lines.writerow([column.key for column in self.columns])
        lines.writerows([[_plain(row[column.key]) for column in self.columns] for row in self.in_order(wanted)])
        return target.getvalue()


def _comparable(value: Any) -> Any:
    return (0, float(value), "") if isinstance(value, int | float) else (1, 0.0, str(value).casefold())


def _plain(value: Any) -> Any:
    """A text that a spreadsheet would take for a formula gets an apostrophe, as spreadsheets write it themselves."""
    if isinstance(value, str) and value[:1] in ("=", "+", "-", "@", "\t", "\r") and not _is_number(value):
        return f"'{value}"
    return value


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


@dataclass(frozen=True)
class Tile:
    """One figure in large print."""

    title: str
    value: str
    note: str = ""
    link: str = ""


@dataclass(frozen=True)
class Chart:
    """A Vega-Lite specification with its data in it. `alternative` says in words what it shows."""

    spec: Mapping[str, Any]
    alternative: str
    caption: str = ""


@dataclass(frozen=True)
class Note:
    """A sentence; `kind` is `note`, `lead`, `absent` or `warning`."""

    text: str
    kind: str = "note"
    link: str = ""


@dataclass(frozen=True)
class Tiles:
    """Figures beside each other."""

    tiles: Sequence[Tile]


@dataclass(frozen=True)
class Control:
    """An input of the page's form: `select` (options are value, text), `text` (options are suggestions), `range`."""

    name: str
    title: str
    kind: str
    value: str
    options: Sequence[tuple[str, str]] = ()
    lowest: float = 0
    highest: float = 100
    step: float = 1
    unit: str = ""
    suggestions: str = ""  # the address of a list of suggestions that all pages share


Item = Tiles | Chart | Note | Table


@dataclass(frozen=True)
class Section:
    """A part of a page under a heading of its own."""

    title: str
    items: Sequence[Item]

    @property
    def anchor(self) -> str:
        """Its name in the page."""
        return "".join(letter if letter.isalnum() else "-" for letter in self.title.lower()).strip("-")


@dataclass(frozen=True)
class Page:
    """A page: title, the answer in a sentence, what can be chosen, and the sections."""

    title: str
    sections: Sequence[Section]
    lead: str = ""
    controls: Sequence[Control] = ()
    submit: str = "Show"
    related: Sequence[tuple[str, str]] = field(default_factory=tuple)  # text, address

    def table(self, name: str) -> Table | None:
        """One of its tables, by name."""
        tables = (item for section in self.sections for item in section.items if isinstance(item, Table))
        return next((table for table in tables if table.name == name), None)


def day(text: str) -> str:
    """The day of a time as the manifest has it."""
    return date.fromisoformat(text[:10]).isoformat() if text[:10] else NONE
