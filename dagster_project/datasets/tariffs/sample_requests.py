"""The sample's exclusion requests, tariff lists and granted exclusions: who asked for what, and what became of it.

Made up throughout, companies included: it says nothing about the real world. Goods and their trade are the sample's
own. The chance of a grant rises with China's share in the United States' imports of the good, so that the regression
has something to find. Not here: how the tables are written as files (see `sample`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import cache

from dagster_project.sample import codes, reporting
from dagster_project.sample.noise import chance
from dagster_project.sample.world import FIRST_YEAR, flows, sector

CHINA, UNITED_STATES = 156, 842
LARGEST_FILER = "Meridian Aftermarket Parts, Inc."
HEADINGS = {"1": "9903.88.01", "2": "9903.88.02", "3": "9903.88.03", "4A": "9903.88.15", "4B": "9903.88.16"}
DOCKETS = {"1": "USTR-2018-0025", "2": "USTR-2018-0032", "3": "USTR-2019-0005", "4A": "USTR-2019-0017"}
_OPENED = {"1": date(2018, 7, 16), "2": date(2018, 9, 24), "3": date(2019, 6, 30), "4A": date(2019, 10, 31)}
_GRANTED_SHARE = {"1": 0.5, "2": 0.6, "3": 0.15, "4A": 0.25}
# Lists by sector; a sector of several lists spreads its goods over them.
_LISTS_OF_SECTOR: Mapping[str, Sequence[str]] = {
    "machinery": ("1", "1", "3"),
    "electronics": ("1", "3", "4A"),
    "instrument": ("1", "3"),
    "plastics": ("2", "2", "3"),
    "metal": ("2", "3"),
    "vehicle": ("1", "3"),
    "chemical": ("3", "3", "2"),
    "light": ("3", "4A", "4B"),
    "food": ("3", "4A", ""),
    "critical": ("3", ""),
}
_NAMES = ("Alder", "Birchwood", "Cobalt", "Delta Bay", "Elm Street", "Foxglove", "Granite", "Harbor", "Ibis", "Juniper")
_TRADES = ("Tools", "Lighting", "Controls", "Industrial Supply", "Café Equipment", "Components")
# First key of every draw, so that two draws about the same thing are independent.
_LISTED, _LINES, _HOW_MANY, _WHO, _DAY, _DECISION, _OPEN, _RECLASSIFIED = range(301, 309)


@dataclass(frozen=True)
class Line:
    """A tariff line of a list, with the United States' imports of it from China in 2017, whole USD."""

    hts8: str
    list_id: str
    imports_2017_usd: int


@dataclass(frozen=True)
class Request:
    """An exclusion request; `status` is the word that its table uses."""

    request_id: str
    list_id: str
    requester: str
    hts10: str
    posted: date
    status: str

    @property
    def number(self) -> int:
        """The last part of the id."""
        return int(self.request_id.rsplit("-", 1)[1])


@cache
def lines() -> tuple[Line, ...]:
    """The tariff lines of all lists: one to three per good, by code."""
    found = []
    for product in codes.products():
        key = int(product.hs6)
        lists = _LISTS_OF_SECTOR.get(sector(product.hs6), ("",))
        list_id = lists[int(chance(_LISTED, key) * len(lists))]
        if not list_id:
            continue
        suffixes = ("10", "50", "90")[: 1 + int(chance(_LINES, key) * 3)]
        value = int(_from_china().get(product.hs6, 0.0))
        found += [Line(product.hs6 + suffix, list_id, value // len(suffixes)) for suffix in suffixes]
    return tuple(found)


@cache
def requests() -> tuple[Request, ...]:
    """Every request once, as it stands in the end, by list and number."""
    filed: list[Request] = []
    for list_id in DOCKETS:
        of_list = [line for line in lines() if line.list_id == list_id]
        asked = [(line, turn) for line in of_list for turn in range(_how_many(line))]
        for number, (line, turn) in enumerate(asked, 1):
            filed.append(_request(list_id, number, line, turn))
    return tuple(filed)


def pending(request: Request) -> Request:
    """The request as an earlier table shows it: not decided yet."""
    return replace(request, status="Initial Substantive Review")


def china_share(hs6: str) -> float:
    """China's share in the United States' imports of a good in 2017, 0 where they import none."""
    imports = sum(_imports().get(hs6, {}).values())
    return _from_china().get(hs6, 0.0) / imports if imports else 0.0


def _how_many(line: Line) -> int:
    draw = chance(_HOW_MANY, int(line.hts8))
    return int(draw * draw * 7)


def _request(list_id: str, number: int, line: Line, turn: int) -> Request:
    key = int(line.hts8) * 10 + turn
    largest = list_id == "3" and chance(_WHO, key) < 0.3
    who = int(chance(_WHO, key) * len(_NAMES) * len(_TRADES))
    requester = (
        LARGEST_FILER if largest else f"{_NAMES[who % len(_NAMES)]} {_TRADES[who // len(_NAMES) % len(_TRADES)]} Co."
    )
    # Some requests name a line that the list does not have (reclassified since).
    hts8 = line.hts8[:6] + "95" if chance(_RECLASSIFIED, key) < 0.02 else line.hts8
    likely = 0.01 if largest else _GRANTED_SHARE[list_id] * (0.5 + 1.5 * china_share(line.hts8[:6]))
    granted = chance(_DECISION, key) < likely
    return Request(
        request_id=f"{DOCKETS[list_id]}-{number:04d}",
        list_id=list_id,
        requester=requester,
        hts10=f"{hts8}{10 * (1 + turn):02d}",
        posted=_OPENED[list_id] + timedelta(days=int(chance(_DAY, key) * 90)),
        status=_word(list_id, granted, chance(_OPEN, key)),
    )


def _word(list_id: str, granted: bool, draw: float) -> str:
    """The status word, in the vocabulary of the list's table; a few are neither granted nor denied."""
    if draw < 0.015:
        return "Request Withdrawn"
    if draw < 0.03:
        return "Stage 2 - Initial Substantive Review"
    if draw < 0.035:
        return "Referred to the Committee"  # a word that no list of words holds
    if granted and draw < 0.08:
        return "Partially Approved"
    if list_id in ("1", "2"):
        return "Exclusion Granted" if granted else "Exclusion Denied"
    return "Granted" if granted else "Denied"


@cache
def _imports() -> Mapping[str, Mapping[int, float]]:
    """The United States' imports of 2017 by good and supplier, in USD."""
    world = reporting.sample_world()
    places = [economy.code for economy in world.economies]
    united_states = places.index(UNITED_STATES)
    found: dict[str, dict[int, float]] = {}
    for good, hs6 in enumerate(world.hs6):
        cents = flows(world, good, FIRST_YEAR)[:, united_states].tolist()
        found[hs6] = {code: value / 100 for code, value in zip(places, cents, strict=True) if value}
    return found


@cache
def _from_china() -> Mapping[str, float]:
    return {hs6: suppliers[CHINA] for hs6, suppliers in _imports().items() if CHINA in suppliers}
