"""What is true in the synthetic world, and what a faultless pipeline makes of its raw rows.

Derived from each row's intended fate, never from the rendered files, so that a test which compares the pipeline with it
compares two ways of getting there. Not here: the traps themselves (see `reporting`).
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache

from dagster_project.sources.sample import codes, reporting

# Conversion weights go down to 1e-14; what they leave of a flow is dropped below this value in USD.
GHOST_USD = 0.01

Reported = Mapping[tuple[int, int, str, int, str], float]


@dataclass(frozen=True)
class Truth:
    """Values in USD after conversion to HS 2017, except where said otherwise.

    flows           (year, exporter, importer, hs6) -> (value, is_mirror): the mart `trade_flows`
    landed          (year, reporter, flow, partner, hs6) -> value: imports and exports between countries, as reported
    unallocated     the same keys, partner is no country
    re_imports      the same keys, partner is the reporter
    control_totals  (year, reporter, flow, 0, code) -> value of the six-digit World rows, code and revision as reported
    fates           (year, fate) -> number of raw rows; fates are the constants of `reporting`
    """

    flows: Mapping[tuple[int, int, int, str], tuple[float, bool]]
    landed: Reported
    unallocated: Reported
    re_imports: Reported
    control_totals: Reported
    fates: Mapping[tuple[int, str], int]


@cache
def truth() -> Truth:
    """The ground truth of all years."""
    landed = _converted(reporting.FLOW)
    return Truth(
        flows=_bilateral(landed),
        landed=landed,
        unallocated=_converted(reporting.AREA_PARTNER),
        re_imports=_converted(reporting.RE_IMPORT),
        control_totals={
            (row.year, row.reporter, row.flow, row.partner, row.code): int(row.value) / 100
            for row in _rows(reporting.CONTROL_TOTAL)
        },
        fates=Counter((row.year, row.fate) for row in _rows()),
    )


def _rows(fate: str | None = None) -> Iterator[reporting.RawRow]:
    for year in reporting.YEARS:
        yield from (row for row in reporting.reports(year).all_rows() if fate in (None, row.fate))


def _converted(fate: str) -> Reported:
    sums: dict[tuple[int, int, str, int, str], float] = defaultdict(float)
    for row in _rows(fate):
        # An unstated revision is the base revision's: all such rows that are left carry its codes.
        revision = codes.BASE_REVISION if row.revision == "HS" else row.revision
        for hs6, weight in codes.to_base(revision, row.code):
            sums[row.year, row.reporter, row.flow, row.partner, hs6] += int(row.value) / 100 * weight
    return {key: value for key, value in sums.items() if value >= GHOST_USD}


def _bilateral(landed: Reported) -> Mapping[tuple[int, int, int, str], tuple[float, bool]]:
    """Importers' reports, and exporters' where the importer delivered nothing in the year."""
    flows: dict[tuple[int, int, int, str], tuple[float, bool]] = {}
    for (year, reporter, flow, partner, hs6), value in landed.items():
        if flow == "M":
            flows[year, partner, reporter, hs6] = (value, False)
        elif not reporting.reports_imports(year, partner):
            flows[year, reporter, partner, hs6] = (value, True)
    return flows
