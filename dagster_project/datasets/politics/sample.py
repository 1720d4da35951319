"""The sample's ideal points: made-up estimates for the sample's economies, in the shape of the authors' table.

Countries, codes and the years in which codes changed are real; every number is made up. What belongs here: the points
and the traps among them. Not here: the economies (see `sample.areas`).
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache

from dagster_project.sample.areas import economies
from dagster_project.sample.files import SampleFile
from dagster_project.sample.noise import chance

NAME = "politics/IdealpointestimatesAll_sample.csv"
YEAR_BEFORE_FIRST_SESSION = 1945
LAST_YEAR = 2019
# Every state from here on: three years before the sample's trade begins.
FIRST_YEAR = 2014
# A few states from here on, so that the file holds the two Yemens.
FIRST_YEAR_OF_FEW = 1988

# Correlates of War numbers, by which the authors tell states apart, of the sample's economies. Hong Kong and Taiwan do
# not vote.
CCODES: Mapping[str, int] = {
    "USA": 2, "CAN": 20, "MEX": 70, "PER": 135, "BRA": 140, "CHL": 155, "GBR": 200, "NLD": 210, "BEL": 211, "FRA": 220,
    "CHE": 225, "ESP": 230, "DEU": 255, "POL": 290, "AUT": 305, "CZE": 316, "ITA": 325, "RUS": 365, "AZE": 373,
    "SWE": 380, "NOR": 385, "NGA": 475, "COD": 490, "ZAF": 560, "TUR": 640, "EGY": 651, "SAU": 670, "ARE": 696,
    "CHN": 710, "KOR": 732, "JPN": 740, "IND": 750, "BGD": 771, "THA": 800, "VNM": 816, "MYS": 820, "SGP": 830,
    "PHL": 840, "IDN": 850, "AUS": 900,
}  # fmt: skip
# States that do not trade in the sample and stand under codes that need care.
OTHERS: Mapping[int, tuple[str, str]] = {
    345: ("YUG", "Yugoslavia"),
    360: ("ROM", "Romania"),
    860: ("TMP", "East Timor"),
}
YEMENS = (
    (678, "YAR", "Yemen Arab Republic", 1988, 1990),
    (680, "YAR", "Yemen People's Republic", 1988, 1989),
    (679, "YEM", "Yemen", 1991, LAST_YEAR),
)
PRINTED_AS = {"COD": "ZAR"}
FROM_THE_BEGINNING = frozenset({"USA", "RUS", "CHN", "GBR", "FRA", "IND", "BRA", "JPN", "EGY"})
# Years without a row. A point may be two years old: Azerbaijan has none for 2018 and 2019.
GAPS: Mapping[str, frozenset[int]] = {
    "PER": frozenset({2018}),
    "NGA": frozenset({2018, 2019}),
    "AZE": frozenset({2016, 2017, 2018, 2019}),
}
WITHOUT_POINT = frozenset({("VNM", 2019)})
WITHOUT_VOTES = frozenset({("THA", 2017)})
TWICE = frozenset({("BGD", 2017)})

# First key of each draw.
_BASE, _DRIFT, _VOTES, _AGREEMENT = range(1, 5)
_HEADER = (
    "", "ccode", "session", "NVotesAll", "IdealPointAll", "QO%All", "Q5%All", "Q10%All", "Q50%All", "Q90%All",
    "Q95%All", "Q100%All", "iso3c", "Countryname", "USAgree", "RUSSAgree", "BrazilAgree", "ChinaAgree", "IndiaAgree",
    "IsraelAgree",
)  # fmt: skip
# Distance of the seven quantiles from the point.
_QUANTILES = (-0.6, -0.35, -0.25, 0.0, 0.25, 0.35, 0.6)


@dataclass(frozen=True)
class Vote:
    """One state in one year: its code as the file prints it, and its made-up point (None where the file says NA)."""

    ccode: int
    year: int
    printed: str
    name: str
    point: float | None
    n_votes: int | None


@cache
def votes() -> tuple[Vote, ...]:
    """Every row of the file but the ones that it holds twice, by state and year."""
    found = []
    for economy in economies():
        ccode = CCODES.get(economy.iso3)
        if ccode is None:
            continue
        first = FIRST_YEAR_OF_FEW if economy.iso3 in FROM_THE_BEGINNING else FIRST_YEAR
        for year in range(first, LAST_YEAR + 1):
            if year not in GAPS.get(economy.iso3, ()):
                printed = PRINTED_AS.get(economy.iso3, economy.iso3)
                found.append(_vote(ccode, year, printed, economy.name, economy.iso3))
    for ccode, (printed, name) in OTHERS.items():
        found += [_vote(ccode, year, printed, name) for year in range(FIRST_YEAR, LAST_YEAR + 1)]
    for ccode, printed, name, first, last in YEMENS:
        found += [_vote(ccode, year, printed, name) for year in range(first, last + 1)]
    return tuple(sorted(found, key=lambda vote: (vote.ccode, vote.year)))


def politics_files() -> Iterator[SampleFile]:
    """The table as the authors write it out of R: quoted text, a column of row numbers without a name, CRLF, NA."""
    rows = [vote for vote in votes() for _ in range(2 if (vote.printed, vote.year) in TWICE else 1)]
    text = io.StringIO()
    text.write(",".join(f'"{name}"' for name in _HEADER) + "\r\n")
    writer = csv.writer(text, lineterminator="\r\n", quoting=csv.QUOTE_NONNUMERIC)
    for number, vote in enumerate(rows, start=1):
        writer.writerow(_row(number, vote))
    # R writes NA and numbers without quotation marks.
    yield NAME, text.getvalue().replace('"NA"', "NA").encode(), len(rows)


def _vote(ccode: int, year: int, printed: str, name: str, iso3: str = "") -> Vote:
    # Between -2.5 and 2.5, a little different every year.
    point = 4.4 * chance(_BASE, ccode) - 2.2 + 0.6 * chance(_DRIFT, ccode, year) - 0.3
    return Vote(
        ccode,
        year,
        printed,
        name,
        None if (iso3, year) in WITHOUT_POINT else round(point, 6),
        None if (iso3, year) in WITHOUT_VOTES else 50 + int(60 * chance(_VOTES, ccode, year)),
    )


def _row(number: int, vote: Vote) -> list[object]:
    quantiles = ["NA" if vote.point is None else _plain(vote.point + distance) for distance in _QUANTILES]
    agreement = [_plain(chance(_AGREEMENT, vote.ccode, vote.year, with_whom)) for with_whom in range(6)]
    return [
        str(number),
        vote.ccode,
        vote.year - YEAR_BEFORE_FIRST_SESSION,
        "NA" if vote.n_votes is None else vote.n_votes,
        "NA" if vote.point is None else vote.point,
        *quantiles,
        vote.printed,
        vote.name,
        *agreement,
    ]


def _plain(value: float) -> float:
    return round(value, 6)
