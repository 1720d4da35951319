"""What is true in the synthetic world, and what a faultless pipeline makes of its raw rows.

Derived from each row's intended fate, never from the sample's files, so that a test which compares the pipeline with it
compares two independent results. Not here: the traps themselves (see `reporting`).
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache

from dagster_project.sample import codes, reporting

# Conversion weights go down to 1e-14; what they leave of a flow is dropped below this value in USD.
GHOST_USD = 0.01

Reported = Mapping[tuple[int, int, str, int, str], float]


@dataclass(frozen=True)
class Truth:
    """Values in USD. Codes are those reported, in the reporter's own HS revision, unless HS 2017 is stated.

    flows           (year, exporter, importer, hs6 of HS 2017) -> (value, is_mirror): the mart `trade_flows`
    quantities      the keys of flows -> (kilograms, pieces) that may enter a price, null where there are none
    unallocated     (year, importer, hs6 of HS 2017) -> value of the imports from areas that are no country
    landed          (year, reporter, flow, partner, code) -> value: imports and exports between countries
    landed_unallocated, re_imports, control_totals
                    the same keys; the partner is no country, the reporter itself, the world (six-digit codes only)
    fates           (year, fate) -> number of raw rows; fates are the constants of `reporting`
    """

    flows: Mapping[tuple[int, int, int, str], tuple[float, bool]]
    quantities: Mapping[tuple[int, int, int, str], tuple[float | None, float | None]]
    unallocated: Mapping[tuple[int, int, str], float]
    landed: Reported
    landed_unallocated: Reported
    re_imports: Reported
    control_totals: Reported
    fates: Mapping[tuple[int, str], int]


@cache
def truth() -> Truth:
    """The ground truth of all years."""
    unallocated: dict[tuple[int, int, str], float] = defaultdict(float)
    for (year, importer, flow, _, hs6), value in _converted(reporting.AREA_PARTNER).items():
        if flow == "M":
            unallocated[year, importer, hs6] += value
    return Truth(
        flows=_bilateral(_converted(reporting.FLOW)),
        quantities=_quantities(),
        unallocated=unallocated,
        landed=_as_reported(reporting.FLOW),
        landed_unallocated=_as_reported(reporting.AREA_PARTNER),
        re_imports=_as_reported(reporting.RE_IMPORT),
        control_totals=_as_reported(reporting.CONTROL_TOTAL),
        fates=Counter((row.year, row.fate) for row in _rows()),
    )


def _rows(fate: str | None = None) -> Iterator[reporting.RawRow]:
    for year in reporting.YEARS:
        yield from (row for row in reporting.reports(year).all_rows() if fate in (None, row.fate))


def _as_reported(fate: str) -> Reported:
    return {(row.year, row.reporter, row.flow, row.partner, row.code): int(row.value) / 100 for row in _rows(fate)}


def _converted(fate: str) -> Reported:
    sums: dict[tuple[int, int, str, int, str], float] = defaultdict(float)
    for row in _rows(fate):
        # An unstated revision is the base revision's: the rows left without one carry its codes.
        revision = codes.BASE_REVISION if row.revision == "HS" else row.revision
        for hs6, weight in codes.to_base(revision, row.code):
            sums[row.year, row.reporter, row.flow, row.partner, hs6] += int(row.value) / 100 * weight
    return {key: value for key, value in sums.items() if value >= GHOST_USD}


def _bilateral(converted: Reported) -> Mapping[tuple[int, int, int, str], tuple[float, bool]]:
    """Importers' reports, and exporters' where the importer delivered nothing usable in the year."""
    flows: dict[tuple[int, int, int, str], tuple[float, bool]] = {}
    for (year, reporter, flow, partner, hs6), value in converted.items():
        if flow == "M":
            flows[year, partner, reporter, hs6] = (value, False)
        elif not reporting.reports_usable_imports(year, partner):
            flows[year, reporter, partner, hs6] = (value, True)
    return flows


def _quantities() -> Mapping[tuple[int, int, int, str], tuple[float | None, float | None]]:
    """What the used reports say of amounts, where all parts of a flow say it and none shares it with another good."""
    parts: dict[tuple[int, int, int, str], list[tuple[float | None, float | None]]] = defaultdict(list)
    for row in _rows(reporting.FLOW):
        if row.flow == "X" and reporting.reports_usable_imports(row.year, row.partner):
            continue
        ends = (row.partner, row.reporter) if row.flow == "M" else (row.reporter, row.partner)
        revision = codes.BASE_REVISION if row.revision == "HS" else row.revision
        goods = list(codes.to_base(revision, row.code))
        for hs6, _ in goods:
            parts[row.year, *ends, hs6].append((_kilograms(row), _pieces(row)) if len(goods) == 1 else (None, None))
    return {key: (_sum(kg for kg, _ in known), _sum(n for _, n in known)) for key, known in parts.items()}


def _kilograms(row: reporting.RawRow) -> float | None:
    if row.weight is not None and "w" not in row.estimated:
        return row.weight
    return row.quantity if row.unit == reporting.KILOGRAMS and "q" not in row.estimated else None


def _pieces(row: reporting.RawRow) -> float | None:
    return row.quantity if row.unit == reporting.ITEMS and "q" not in row.estimated else row.pieces


def _sum(amounts: Iterator[float | None]) -> float | None:
    known = list(amounts)
    return None if None in known else sum(amount for amount in known if amount is not None)
