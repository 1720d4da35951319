"""How the synthetic countries report their trade to Comtrade: one raw row per record, with every trap of the real data.

Each row has a `fate`, the rule that must decide on it. No file holds the fate; the ground truth is derived from it. Not
here: file formats (see `datasets.trade.sample`), and what is true (see `truth`).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import NamedTuple

import numpy as np

from dagster_project.hs import TAIWAN
from dagster_project.sample import areas, codes, world
from dagster_project.sample.noise import chance

YEARS = (2017, 2018, 2019)
DENSITY = world.Density(importing=0.42, smallest_share=0.035, narrowest=0.05)

# Who reports what. Comtrade's numeric codes.
NEVER_REPORT = frozenset({50, 180, 604, 682})
SILENT_YEARS = frozenset({(818, 2018)})
EXPORTS_ONLY = frozenset({(566, 2019)})
WORLD_ROWS_ONLY = frozenset({(31, 2019)})
ALL_EXPORTS_REPORTED = frozenset({152, 276, 344, 410, TAIWAN})  # others: only to importers that do not report
RE_IMPORTERS = frozenset({156, 276, 826, 842})
BROKEN_DOWN = frozenset({528, 724})  # rows by second partner, transport and customs procedure beside the totals
STATE_HIGHER_LEVELS = frozenset({36, 152, 276, 392, 757})  # chapters and headings beside TOTAL and the six-digit codes
UNSPECIFIED_GOODS_FROM = frozenset({36, 156, 276, 826})
CONFIDENTIAL = 757  # its World rows exceed the sum of the partners
UNSTATED_REVISION = 792  # states "HS" instead of a revision
MIXED_REVISIONS = (608, 2018)  # codes that HS 2017 abolished are still used, stated as H4
_OLD_REVISIONS: Mapping[tuple[int, int], str] = {
    **{(code, 2017): "H4" for code in (36, 76, 360, 484, 710)},
    **{(code, 2018): "H4" for code in (360, 710)},
    **{(566, year): "H3" for year in (2017, 2018)},
}
# Canada's suppliers of enriched uranium are all undisclosed: a good without any identified supplier.
UNALLOCATED_ONLY = (124, "284420")
# Who states weights and which numbers are estimated. The files of all others lack those columns.
STATE_WEIGHTS = frozenset({36, 124, 152, 276, 344, 392, 528, 608, 724, 757, 842, areas.ASEAN.code})
# A good that its importer counts in 2017 and weighs from 2018: no price can be linked.
UNIT_CHANGE = (842, "840820")
# Cells (importer, exporter, good) whose price per kilogram is exactly three times, and 3.5 times, that of 2017 in 2018.
TRIPLED, MORE_THAN_TRIPLED = (124, 392, "390810"), (842, 76, "020230")
# Goods that nobody trades before this year: what is new in the data has no price to compare with.
NEW_GOODS = {"240220": 2018}
# Goods that few countries trade: from a single exporter to a single importer, and in two parts of equal size (a chain
# and a cycle). Exporter, importer, million USD.
SPARSE = {
    "711319": ((380, 842, 20),),
    "845710": ((276, 251, 30), (251, 380, 10), (392, 410, 25), (410, 702, 15), (702, 392, 5)),
}
# Of Azerbaijan's exports nothing is known but that Australia bought some.
UNSPECIFIED_ONLY = (31, 36)
# One cell whose partners exceed its World row, as a few of the real ones do.
OVERFULL_REPORTER = (76, 2019)

# What must become of a row: a named rule sets it aside, or it becomes a trade flow.
FLOW = "flow"
CONTROL_TOTAL = "control_total"
CONTROL_TOTAL_BREAKDOWN = "control_total_breakdown"  # a World row and a breakdown row at once
CONTROL_TOTAL_LEVEL = "control_total_code_level"  # a World row of a heading, chapter or TOTAL
CONTROL_TOTAL_GROUP = "control_total_area_reporter"  # a World row of a group
BREAKDOWN = "breakdown_duplicate"
CODE_LEVEL = "code_level"
DUPLICATE = "duplicate_equal"
RE_IMPORT = "re_import"
AREA_REPORTER = "area_reporter"
AREA_PARTNER = "area_partner"
OTHER_FLOW = "other_flow"
SUPERSEDED = "quarantined:superseded"

KILOGRAMS, ITEMS, NO_UNIT = 8, 5, -1

_QUANTITY, _PRICE, _FREIGHT, _AREA, _WHICH_AREA, _RE_IMPORT, _BREAK, _HIDDEN, _TWIN, _WEIGHT = range(101, 111)


class RawRow(NamedTuple):
    """The fields of a Comtrade record that differ between rows; `value` is US cents, or text where a trap needs it.

    `weight` is the net weight in kilograms, `pieces` a second quantity that is reported beside an estimated one, and
    `estimated` says what the publisher estimated: q the quantity, w the weight.
    """

    year: int
    reporter: int
    flow: str
    partner: int
    revision: str
    code: str
    value: int | str
    quantity: int | None
    unit: int
    fate: str
    partner2: int = 0
    customs: str = "C00"
    mot: int = 0
    weight: int | None = None
    pieces: int | None = None
    estimated: str = ""

    def without_amounts(self) -> RawRow:
        """The row without any quantity or weight."""
        return self._replace(quantity=None, unit=NO_UNIT, weight=None, pieces=None, estimated="")


@dataclass(frozen=True)
class Reports:
    """A year's rows by reporter, and the rows of a later delivery that repeats or corrects some of them."""

    by_reporter: Mapping[int, tuple[RawRow, ...]]
    broken: tuple[RawRow, ...]
    corrections: tuple[RawRow, ...]

    def all_rows(self) -> Iterator[RawRow]:
        """Every row of the year."""
        for rows in self.by_reporter.values():
            yield from rows
        yield from self.broken
        yield from self.corrections


def reports_imports(year: int, code: int) -> bool:
    """Whether the country delivers any import row of the year."""
    return code not in NEVER_REPORT and (code, year) not in SILENT_YEARS | EXPORTS_ONLY


def reports_usable_imports(year: int, code: int) -> bool:
    """Whether the country delivers an import row of the year that names a partner."""
    return reports_imports(year, code) and (code, year) not in WORLD_ROWS_ONLY


@cache
def sample_world() -> world.World:
    """The sample's economy."""
    return world.build(areas.economies(), [product.hs6 for product in codes.products()], DENSITY)


@cache
def reports(year: int) -> Reports:
    """Everything that was delivered for a year."""
    by_partner = _cells_by_flow(year)
    by_reporter = {economy.code: tuple(_country(year, economy.code, by_partner)) for economy in areas.economies()}
    for group, members in ((areas.EUROPEAN_UNION, areas.EU_MEMBERS), (areas.ASEAN, areas.ASEAN_MEMBERS)):
        by_reporter[group.code] = tuple(_group(year, group.code, members, by_partner))
    first, later = _later_delivery(by_reporter)
    return Reports({code: rows for code, rows in first.items() if rows}, tuple(_broken(year)), later)


Cells = dict[tuple[str, int], int]  # (code, partner) -> US cents


def _cells_by_flow(year: int) -> dict[str, dict[int, Cells]]:
    """The world's flows as imports by importer and as exports by exporter."""
    parameters = sample_world()
    codes_of = [economy.code for economy in parameters.economies]
    found: dict[str, dict[int, Cells]] = {"M": defaultdict(dict), "X": defaultdict(dict)}
    for good, hs6 in enumerate(parameters.hs6):
        if year < NEW_GOODS.get(hs6, year):
            continue
        if hs6 in SPARSE:
            flows = [(exporter, importer, 10**8 * value + year) for exporter, importer, value in SPARSE[hs6]]
        else:
            values = world.flows(parameters, good, year)
            flows = [(codes_of[i], codes_of[j], int(values[i, j])) for i, j in np.argwhere(values > 0).tolist()]
        for exporter, importer, cents in flows:
            found["M"][importer][hs6, exporter] = cents
            found["X"][exporter][hs6, importer] = cents
    return found


def _country(year: int, code: int, by_partner: dict[str, dict[int, Cells]]) -> Iterator[RawRow]:
    """All rows of one country: imports, exports, and the flows that are parts of them."""
    if code in NEVER_REPORT or (code, year) in SILENT_YEARS:
        return
    world_only = (code, year) in WORLD_ROWS_ONLY
    if reports_imports(year, code):
        cells = _with_special_imports(year, code, by_partner["M"][code])
        rows = _direction(year, code, "M", cells, with_world=True)
        yield from (row for row in rows if row.partner == 0 or not world_only)
    if world_only:
        return
    complete = code in ALL_EXPORTS_REPORTED
    cells = {
        (hs6, partner): cents * (880 + int(95 * chance(_FREIGHT, code, partner, int(hs6), year))) // 1000
        for (hs6, partner), cents in by_partner["X"][code].items()
        if (complete or not reports_imports(year, partner)) and cents >= 100
    }
    if complete:
        sold = sum(cents for (hs6, _), cents in cells.items() if hs6 == "271019")
        cells |= {("271019", 837): sold // 10} if sold > 1000 else {}
    yield from _direction(year, code, "X", cells, with_world=complete)


def _with_special_imports(year: int, code: int, cells: Cells) -> Cells:
    """The imports with what a country reports beside its trade with countries: itself, areas, undisclosed goods."""
    cells = dict(cells)
    if code == UNALLOCATED_ONLY[0]:
        cells = {key: cents for key, cents in cells.items() if key[0] != UNALLOCATED_ONLY[1]}
        cells[UNALLOCATED_ONLY[1], 839] = 412_345_678 + year
    totals: dict[str, int] = defaultdict(int)
    for (hs6, _), cents in cells.items():
        totals[hs6] += cents
    for hs6, total in totals.items():
        if code in RE_IMPORTERS and chance(_RE_IMPORT, code, int(hs6)) < 0.12:
            cells[hs6, code] = total // 40
        if chance(_AREA, code, int(hs6), year) < 0.02 and (code, hs6) != UNALLOCATED_ONLY:
            others = (568, 838, 839, 879, 899)
            area = 837 if hs6.startswith("27") else others[int(5 * chance(_WHICH_AREA, code, int(hs6)))]
            cells[hs6, area] = total // 25
    if code in UNSPECIFIED_GOODS_FROM:
        for partner in (392, TAIWAN, 899):
            cells[codes.UNSPECIFIED_GOODS, partner] = 1_000_000 * (code + partner) + year
    exporter, importer = UNSPECIFIED_ONLY
    if code == importer:
        cells[codes.UNSPECIFIED_GOODS, exporter] = 123_456_700 + year
    return {key: cents for key, cents in cells.items() if cents > 0}


def _revision(year: int, reporter: int, hs6: str) -> tuple[str, str]:
    """The code under which a reporter states a good, and the revision that this code is of."""
    revision = _OLD_REVISIONS.get((reporter, year), codes.BASE_REVISION)
    if hs6 == codes.UNSPECIFIED_GOODS:
        return hs6, revision
    if (reporter, year) == MIXED_REVISIONS:
        older = codes.from_base("H4", hs6)
        return (older, "H4") if older not in _base_codes() else (hs6, revision)
    return codes.from_base(revision, hs6), revision


@cache
def _base_codes() -> frozenset[str]:
    return frozenset(product.hs6 for product in codes.products())


def _direction(year: int, reporter: int, flow: str, base_cells: Cells, *, with_world: bool) -> Iterator[RawRow]:
    """One flow of one reporter: its cells in its own revision, the totals above them and the details below them."""
    goods: dict[tuple[str, str], dict[int, int]] = defaultdict(lambda: defaultdict(int))
    for (hs6, partner), cents in base_cells.items():
        goods[_revision(year, reporter, hs6)][partner] += cents
    totals: dict[str, int] = {}
    for code, revision in sorted(goods):
        partners = goods[code, revision]
        cell = RawRow(year, reporter, flow, 0, revision, code, 0, None, NO_UNIT, CONTROL_TOTAL)
        rows = [
            _completed(cell, partner=partner, cents=partners[partner], fate=_fate(reporter, partner))
            for partner in sorted(partners)
        ]
        if with_world:
            overfull = flow == "M" and (reporter, year) == OVERFULL_REPORTER and not totals
            totals[code] = _world_value(reporter, code, sum(partners.values()), overfull=overfull)
            rows.insert(0, _completed(cell, partner=0, cents=totals[code], fate=CONTROL_TOTAL))
        for row in rows:
            yield row
            yield from _details(row)
    if totals:
        revision = _OLD_REVISIONS.get((reporter, year), codes.BASE_REVISION)
        stated = "HS" if reporter == UNSTATED_REVISION else revision
        total = RawRow(year, reporter, flow, 0, stated, "TOTAL", 0, None, NO_UNIT, CONTROL_TOTAL_LEVEL)
        yield from _higher_levels(total, totals)


def _completed(cell: RawRow, *, partner: int, cents: int, fate: str) -> RawRow:
    """The cell's row of one partner, with its quantity, and with the revision as the reporter states it."""
    quantity, unit = _quantity(cell.year, cell.reporter, partner, cell.code, cents)
    stated = "HS" if cell.reporter == UNSTATED_REVISION else cell.revision
    row = cell._replace(partner=partner, revision=stated, value=cents, quantity=quantity, unit=unit, fate=fate)
    return _with_weight(row, cents) if cell.reporter in STATE_WEIGHTS else row


def _fate(reporter: int, partner: int) -> str:
    if partner == reporter:
        return RE_IMPORT
    return AREA_PARTNER if partner in _unspecified() else FLOW


@cache
def _unspecified() -> frozenset[int]:
    return frozenset(area.code for area in areas.UNSPECIFIED)


def _quantity(year: int, reporter: int, partner: int, code: str, cents: int) -> tuple[int | None, int]:
    """Quantity and unit from a price per good that varies between flows; about every twelfth is unknown."""
    if code == codes.UNSPECIFIED_GOODS:
        return None, NO_UNIT
    draw = chance(_QUANTITY, reporter, partner, int(code), year)
    if draw < 0.08:
        return None, NO_UNIT
    price, unit = _price(code)
    return max(1, cents * 1000 // (price * (800 + int(400 * draw)))), unit


def _with_weight(row: RawRow, cents: int) -> RawRow:
    """The row with its net weight; the publisher estimated about a sixth of the quantities and weights it publishes.

    Where it estimated a number of pieces, the reported one is at times left in the second quantity.
    """
    if row.code == codes.UNSPECIFIED_GOODS:
        return row
    if (row.reporter, row.partner, row.code) in (TRIPLED, MORE_THAN_TRIPLED):
        return row._replace(weight=_pinned_weight(row, cents))
    if (row.reporter, row.code) == UNIT_CHANGE:
        return row if row.year == 2017 or row.quantity is None else row._replace(unit=KILOGRAMS)
    draw = chance(_WEIGHT, row.reporter, row.partner, int(row.code), row.year)
    if row.quantity is None:
        return row._replace(weight=max(1, cents // 700), estimated="w") if draw < 0.5 else row
    weighed = row._replace(weight=row.quantity if row.unit == KILOGRAMS else max(1, cents // 900))
    if draw >= 0.3:
        return weighed
    if draw < 0.1:
        return weighed._replace(estimated="w")
    if draw < 0.2:
        return weighed._replace(estimated="qw")
    if row.unit == ITEMS and draw < 0.25:
        return weighed._replace(quantity=row.quantity * 2, pieces=row.quantity, estimated="q")
    return weighed._replace(weight=None)


def _pinned_weight(row: RawRow, cents: int) -> int:
    """The weight that makes the price of 2018 exactly 3 (or 3.5) times that of 2017, 0.25 USD a kilogram."""
    if row.year != 2018:
        return max(1, cents // 25)
    return cents // 75 if (row.reporter, row.partner, row.code) == TRIPLED else max(1, cents * 2 // 175)


@cache
def _price(code: str) -> tuple[int, int]:
    """Mean price of a good in US cents, per item for machines and instruments and per kilogram for the rest."""
    draw = chance(_PRICE, int(code))
    if code[:2] in ("84", "85", "87", "88", "90"):
        return 20 + int(2_000_000 * draw * draw), ITEMS
    return 20 + int(20_000 * draw * draw), KILOGRAMS


def _world_value(reporter: int, code: str, partners: int, *, overfull: bool) -> int:
    """A World row's value: the sum of the partners but for hidden partners, and for one cell that is simply wrong."""
    if overfull:
        return partners * 93 // 100
    if reporter == CONFIDENTIAL and chance(_HIDDEN, int(code)) < 0.04:
        return partners * 104 // 100
    return partners


def _details(row: RawRow) -> Iterator[RawRow]:
    """What is reported beside a row and is part of it: breakdowns, re-exports and re-imports."""
    assert isinstance(row.value, int)
    if row.flow == "M" and row.reporter in BROKEN_DOWN and row.fate in (FLOW, CONTROL_TOTAL):
        share = 0.25 if row.fate == FLOW else 0.05
        if chance(_BREAK, row.reporter, row.partner, int(row.code), row.year) < share:
            fate = BREAKDOWN if row.fate == FLOW else CONTROL_TOTAL_BREAKDOWN
            part = row.without_amounts()._replace(fate=fate, value=row.value * 2 // 5)
            yield part._replace(partner2=156)
            yield part._replace(partner2=276, value=row.value - row.value * 2 // 5)
            yield part._replace(mot=2100)
            yield part._replace(customs="C01", value=row.value)
    if row.fate == FLOW:
        shares = {(344, "X"): (("RX", 3), ("DX", 2)), (826, "M"): (("RM", 1),)}.get((row.reporter, row.flow), ())
        for flow, fifths in shares:
            yield row.without_amounts()._replace(flow=flow, value=row.value * fifths // 5, fate=OTHER_FLOW)


def _higher_levels(total: RawRow, worlds: Mapping[str, int]) -> Iterator[RawRow]:
    """TOTAL for everyone; chapters and headings for some, the latter also with a partner."""
    yield total._replace(value=sum(worlds.values()))
    if total.reporter not in STATE_HIGHER_LEVELS:
        return
    for length in (2, 4):
        sums: dict[str, int] = defaultdict(int)
        for code, cents in worlds.items():
            sums[code[:length]] += cents
        for code, cents in sorted(sums.items()):
            yield total._replace(code=code, value=cents)
            if length == 4 and total.reporter == 392:
                yield total._replace(code=code, value=cents // 3, partner=842, fate=CODE_LEVEL)


def _group(year: int, group: int, members: frozenset[int], by_partner: dict[str, dict[int, Cells]]) -> Iterator[RawRow]:
    """What a group reports of some goods from three outsiders: its members' imports once more."""
    for hs6 in (product.hs6 for product in codes.products()[200:240]):
        cell = RawRow(year, group, "M", 0, codes.BASE_REVISION, hs6, 0, None, NO_UNIT, CONTROL_TOTAL_GROUP)
        total = 0
        for partner in (156, 392, 842):
            cents = sum(by_partner["M"][member].get((hs6, partner), 0) for member in members)
            if cents:
                total += cents
                yield _completed(cell, partner=partner, cents=cents, fate=AREA_REPORTER)
        if total:
            yield _completed(cell, partner=0, cents=total, fate=CONTROL_TOTAL_GROUP)


def _later_delivery(
    by_reporter: Mapping[int, tuple[RawRow, ...]],
) -> tuple[dict[int, tuple[RawRow, ...]], tuple[RawRow, ...]]:
    """The rows with some of them repeated next to each other, and a later delivery that repeats or corrects others.

    What it repeats is equal, but states the revision, or has lost the quantity; what it corrects had too low a value
    at first.
    """
    first: dict[int, tuple[RawRow, ...]] = {}
    later: list[RawRow] = []
    for reporter, rows in by_reporter.items():
        delivered: list[RawRow] = []
        for row in rows:
            draw = (
                chance(_TWIN, row.reporter, row.partner, int(row.code), row.year, ord(row.flow))
                if row.fate == FLOW
                else 1
            )
            if draw < 0.0005:
                later.append(row)
                row = row._replace(value=int(row.value) * 9 // 10, fate=SUPERSEDED)
            elif draw < 0.001 and row.weight is not None and row.unit == KILOGRAMS and not row.estimated:
                later.append(row.without_amounts()._replace(fate=DUPLICATE))
            elif draw < 0.003:
                later.append(row._replace(revision=codes.BASE_REVISION if row.revision == "HS" else row.revision))
                row = row._replace(fate=DUPLICATE)
            elif draw < 0.004:
                delivered.append(row._replace(fate=DUPLICATE))
            delivered.append(row)
        first[reporter] = tuple(delivered)
    return first, tuple(later)


def _broken(year: int) -> Iterator[RawRow]:
    """Rows that must end in quarantine, each for one reason."""
    sound = RawRow(year, 699, "M", 842, codes.BASE_REVISION, "090111", 125_000, 50, KILOGRAMS, FLOW)
    yield sound._replace(value="-1250.0", code="100199", fate="quarantined:negative value")
    yield sound._replace(value="n/a", code="100590", fate="quarantined:text for a value")
    yield sound._replace(value="NaN", code="120190", fate="quarantined:not a number")
    yield sound._replace(value="", code="180100", fate="quarantined:no value")
    yield sound._replace(code="90111", fate="quarantined:leading zero lost")
    yield sound._replace(partner=777, fate="quarantined:unknown partner")
    yield sound._replace(reporter=778, fate="quarantined:unknown reporter")
    yield sound._replace(reporter=710, code="854299", revision="H4", fate="quarantined:no way to the base revision")
    yield sound._replace(
        reporter=UNSTATED_REVISION, code="382490", revision="HS", fate="quarantined:not in the base revision"
    )
