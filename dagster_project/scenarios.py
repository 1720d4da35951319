"""Scenarios of a supplier that delivers less: what a line of such a file says, and whether it can be meant.

A scenario is one exporter and some goods, by the first digits of their HS codes or as `scope`; several lines with the
same id are one scenario. Not here: what a scenario costs whom (the mart `scenario_losses`), and whether a code of the
right form is one of the release's (a check of that mart).
"""

from __future__ import annotations

import csv
import json
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from dagster_project import economy_codes
from dagster_project.errors import SettingError

COLUMNS = ("scenario_id", "title", "exporter", "goods", "cut", "spare_capacity")
SCOPE = "scope"
CHAPTERS = frozenset(f"{chapter:02}" for chapter in range(1, 98)) - {"77"}  # 77 is reserved
MOST_SPARE = 10.0


class Scenario(NamedTuple):
    """One line: `exporter` delivers the part `cut` less of `goods`; others can sell `spare_capacity` times more.

    exporter  ISO 3166-1 alpha-3, TWN for Taiwan
    goods     `scope`, or 2, 4 or 6 digits
    file      the name of the file, and `row` the line's number in it, for messages
    """

    scenario_id: str
    title: str
    exporter: str
    goods: str
    cut: float
    spare_capacity: float
    file: str
    row: int


def read_scenarios(path: Path) -> tuple[Scenario, ...]:
    """The scenarios of a CSV file with COLUMNS in any order. SettingError names file, row, found and expected."""
    try:
        lines = list(csv.DictReader(path.read_text(encoding="utf-8-sig").splitlines()))
    except UnicodeDecodeError:
        raise _wrong(f"scenario file {path.name}", "a byte that is no UTF-8", "a CSV file in UTF-8") from None
    if not lines or (missing := [name for name in COLUMNS if name not in lines[0]]):
        found = f"no column {', '.join(missing)}" if lines else "no scenario"
        raise _wrong(f"scenario file {path.name}", found, f"the columns {', '.join(COLUMNS)}, and a line per scenario")
    return checked(_scenario(line, path.name, row) for row, line in enumerate(lines, 2))


def from_json(text: str) -> tuple[Scenario, ...]:
    """The scenarios of a lock, as `as_json` wrote them; ValueError where they are no such text."""
    try:
        lines = [
            (dict(zip(COLUMNS, map(str, line[:6]), strict=True)), str(line[6]), int(line[7]))
            for line in json.loads(text)
        ]
    except (TypeError, IndexError, KeyError) as error:
        raise ValueError("no scenarios") from error
    return checked(_scenario(*line) for line in lines)


def as_json(scenarios: Sequence[Scenario]) -> str:
    """The scenarios as one line of text."""
    return json.dumps(scenarios)


def checked(scenarios: Iterable[Scenario]) -> tuple[Scenario, ...]:
    """The same, if every scenario has one exporter and one title, and no good of it stands in two lines."""
    known: dict[str, list[Scenario]] = {}
    for one in scenarios:
        where = f"scenario file {one.file}, row {one.row}"
        for other in known.setdefault(one.scenario_id, []):
            if (other.exporter, other.title) != (one.exporter, one.title):
                raise _wrong(
                    where,
                    f"{one.exporter}, {one.title!r}",
                    f"the exporter and title of scenario {one.scenario_id} in row {other.row}",
                )
            if (
                SCOPE in (one.goods, other.goods)
                or one.goods.startswith(other.goods)
                or other.goods.startswith(one.goods)
            ):
                raise _wrong(where, f"goods {one.goods}", f"goods that row {other.row} ({other.goods}) does not hold")
        known[one.scenario_id].append(one)
    return tuple(one for lines in known.values() for one in lines)


def exporter_of(text: str, where: str) -> str:
    """The code of an exporter; SettingError for one that no country has."""
    code = text.strip().upper()
    if code not in economy_codes.ALPHA3:
        near = economy_codes.nearest(code)
        raise _wrong(
            where,
            f"the exporter {text!r}",
            f"an ISO 3166-1 alpha-3 code such as CHN{f' (did you mean {near}?)' if near else ''}",
        )
    return code


def goods_of(text: str, where: str) -> str:
    """A group of goods; SettingError for one of another form, or of a chapter that the HS does not have."""
    goods = text.strip().lower()
    if goods != SCOPE and (not re.fullmatch(r"(\d\d){1,3}", goods, re.ASCII) or goods[:2] not in CHAPTERS):
        raise _wrong(where, f"the goods {text!r}", "scope, or 2, 4 or 6 digits of an HS code such as 8542")
    return goods


def number_of(text: str, where: str, name: str, lowest: float, highest: float) -> float:
    """A number in [lowest, highest], without the lowest where that is 0 and the name is cut."""
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not lowest <= number <= highest or (name == "cut" and number == 0):
        expected = "a number above 0, up to 1" if name == "cut" else f"a number from {lowest:g} to {highest:g}"
        raise _wrong(where, f"{name} {text!r}", expected)
    return number


def _scenario(line: Mapping[str, str | None], file: str, row: int) -> Scenario:
    where = f"scenario file {file}, row {row}"
    text = {name: (line.get(name) or "").strip() for name in COLUMNS}
    if not re.fullmatch(r"[a-z0-9_]{1,50}", text["scenario_id"], re.ASCII):
        raise _wrong(where, f"scenario_id {text['scenario_id']!r}", "small letters, digits and _, such as chips_stop")
    if not text["title"] or not text["title"].isprintable() or "\\" in text["title"] or len(text["title"]) > 200:
        raise _wrong(where, f"title {text['title'][:50]!r}", "a title of one line, without a backslash")
    return Scenario(
        text["scenario_id"],
        text["title"],
        exporter_of(text["exporter"], where),
        goods_of(text["goods"], where),
        number_of(text["cut"], where, "cut", 0, 1),
        number_of(text["spare_capacity"], where, "spare_capacity", 0, MOST_SPARE),
        file,
        row,
    )


def _wrong(where: str, found: str, expected: str) -> SettingError:
    return SettingError(where, found=found, expected=expected, remedy="Correct it (docs/shocks-and-relocation.md).")
