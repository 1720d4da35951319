"""The sample's market returns: made-up stocks, made-up events, in the shape of the user's four files.

Nothing in it is a stock that anyone can buy: ids, industries and returns are all made up. What belongs here: the
returns and the traps among them. Not here: what is computed from them (see `event_study`).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np

from dagster_project.sample.files import SampleFile
from dagster_project.sample.noise import Floats, Ints, Key, uniform

MARKET, OTHER_MARKET = "SYN-MARKET", "SYN-MARKET-2"
FIRST_DAY, LAST_DAY = dt.date(2018, 3, 1), dt.date(2019, 7, 5)
# Its market is closed; one stock has a return all the same, which counts for nothing.
HOLIDAY = dt.date(2018, 12, 25)

SANCTION, BANKRUPTCY = "SYN-SANCTION", "SYN-BANKRUPTCY"
# After the close of the first of July: day 0 is the second, so that the longest window reaches beyond the data.
EVENTS: Sequence[tuple[str, dt.date, bool, str]] = (
    (SANCTION, dt.date(2019, 5, 16), False, "synthetic: sanction of one customer"),
    (BANKRUPTCY, dt.date(2019, 7, 1), True, "synthetic: bankruptcy of a supplier of parts"),
)
# Industry -> peers and suppliers of the sanctioned customer. The last one has too few peers.
INDUSTRIES: Mapping[str, tuple[int, int]] = {
    "synthetic A": (6, 3),
    "synthetic B": (6, 2),
    "synthetic C": (6, 2),
    "synthetic D": (6, 1),
    "synthetic E": (2, 1),
}
# What they lose on day 0 of the sanction, and what the peers of the bankrupt firm lose.
SUPPLIERS_LOSE, PEERS_LOSE, BANKRUPT_PEERS_LOSE = 0.04, 0.02, 0.015
HIT = ("synthetic A", "synthetic B")
OF_THE_BANKRUPT = "synthetic D"
# The industry all of whose stocks have a market value, and the one that is listed elsewhere.
WITH_CAPS, LISTED_ELSEWHERE = "synthetic A", "synthetic C"

SPLIT, WITHOUT_RETURNS, SUSPENDED = "SYN-AS1", "SYN-BS2", "SYN-CS1"
THIN, TOO_THIN, LATE = "SYN-BP1", "SYN-CP1", "SYN-DP1"
BANKRUPT, COMPETITOR, CUSTOMER = "SYN-DP2", "SYN-DP3", "SYN-EP1"

# First key of each draw.
_MARKET, _NOISE, _BETA, _TRADES, _CAP = range(1, 6)


@dataclass(frozen=True)
class Stock:
    """A made-up stock."""

    security_id: str
    industry: str
    market: str
    is_supplier: bool


@cache
def stocks() -> tuple[Stock, ...]:
    """Peers, then suppliers, industry by industry."""
    found = []
    for industry, (peers, suppliers) in INDUSTRIES.items():
        market = OTHER_MARKET if industry == LISTED_ELSEWHERE else MARKET
        for letter, n in (("P", peers), ("S", suppliers)):
            names = (f"SYN-{industry[-1]}{letter}{number}" for number in range(1, n + 1))
            found += [Stock(name, industry, market, letter == "S") for name in names]
    return tuple(found)


@cache
def days() -> tuple[dt.date, ...]:
    """The days from Monday to Friday."""
    all_days = (FIRST_DAY + dt.timedelta(n) for n in range((LAST_DAY - FIRST_DAY).days + 1))
    return tuple(day for day in all_days if day.weekday() < 5)


def contagion_files() -> Iterator[SampleFile]:
    """The four files, with the traps that the user's own may hold."""
    events = [(name, day, str(late).lower(), label) for name, day, late, label in EVENTS]
    yield _file("events", "event_id,event_date,after_close,label", events)
    securities: list[Sequence[object]] = [(MARKET, "", MARKET, "index"), (OTHER_MARKET, "", OTHER_MARKET, "index")]
    securities += [(each.security_id, each.industry, each.market, "stock") for each in stocks()]
    yield _file("securities", "security_id,industry,market_id,kind", securities)
    roles = [(SANCTION, each.security_id, "supplier") for each in stocks() if each.is_supplier]
    roles += [
        (BANKRUPTCY, BANKRUPT, "source"),
        (BANKRUPTCY, COMPETITOR, "competitor"),
        (BANKRUPTCY, CUSTOMER, "customer"),
    ]
    yield _file("roles", "event_id,security_id,role", roles)
    yield _file("returns", "date,security_id,return,market_cap", sorted(_returns()))


def _file(name: str, header: str, rows: Sequence[Sequence[object]]) -> SampleFile:
    lines = [header, *(",".join(map(str, row)) for row in rows)]
    return f"contagion/{name}.csv", ("\n".join(lines) + "\n").encode(), len(rows)


def _returns() -> Iterator[tuple[str, str, str, str]]:
    """(date, security, return, market value) as text."""
    positions = _positions()
    market = 0.010 * _bell(_MARKET, positions)
    other = 0.6 * market + 0.008 * _bell(_MARKET, positions + len(positions))
    for name, values in ((MARKET, market), (OTHER_MARKET, other)):
        yield from (
            (str(day), name, f"{value:.6f}", "") for day, value in zip(days(), values, strict=True) if day != HOLIDAY
        )
    for number, stock in enumerate(stocks()):
        if stock.security_id != WITHOUT_RETURNS:
            yield from _returns_of(stock, number, other if stock.market == OTHER_MARKET else market)
    yield str(days()[100]), "SYN-AP1", "-1.500000", ""
    yield "2019-02-30", "SYN-AP2", "0.001000", ""
    yield str(days()[120]), "SYN-UNKNOWN", "0.001000", ""
    yield str(days()[130]), "SYN-BP2", "0.123456", ""  # beside another return of that day
    yield str(days()[140]), "SYN-EP1", "NA", ""


def _returns_of(stock: Stock, number: int, market: Floats) -> Iterator[tuple[str, str, str, str]]:
    positions = _positions()
    beta = 0.7 + 0.6 * uniform(_BETA, number)[0]
    values = beta * market + 0.012 * _bell(_NOISE, number, positions) - _losses(stock)
    traded = uniform(_TRADES, number, positions)
    cap = f"{1e9 * (1 + 9 * uniform(_CAP, number)[0]):.0f}" if stock.industry == WITH_CAPS else ""
    for place, day in enumerate(days()):
        text = f"{values[place]:.6f}"
        if _is_missing(stock, place, day) or (stock.security_id == THIN and traded[place] < 0.4):
            continue
        if stock.security_id == TOO_THIN and traded[place] < 0.8:
            text = "0.000000"
        if stock.security_id == SPLIT and day == dt.date(2019, 2, 20):
            text = "-0.497000"
        row = (str(day), stock.security_id, text, cap)
        yield row
        if stock.security_id == "SYN-AP3" and place == 150:  # an equal twin
            yield row


def _is_missing(stock: Stock, place: int, day: dt.date) -> bool:
    is_suspended = stock.security_id == SUSPENDED and day == EVENTS[0][1]
    is_unlisted = stock.security_id == LATE and day < dt.date(2019, 3, 1)
    # Where the row would stand that is written apart: the impossible return and the missing one.
    is_apart = (stock.security_id, place) in (("SYN-AP1", 100), ("SYN-EP1", 140))
    return is_suspended or is_unlisted or is_apart or (day == HOLIDAY and stock.security_id != "SYN-AP4")


def _losses(stock: Stock) -> Floats:
    lost = 0.0 * uniform(_MARKET, _positions())
    if stock.is_supplier:
        lost[days().index(EVENTS[0][1])] = SUPPLIERS_LOSE
    elif stock.industry in HIT:
        lost[days().index(EVENTS[0][1])] = PEERS_LOSE
    if stock.industry == OF_THE_BANKRUPT:
        lost[days().index(EVENTS[1][1]) + 1] = BANKRUPT_PEERS_LOSE
    return lost


def _positions() -> Ints:
    return np.arange(len(days()), dtype=np.int64)


def _bell(*keys: Key) -> Floats:
    """Numbers near a normal distribution with mean 0 and standard deviation 1: three draws added up, exact anywhere."""
    drawn = sum((uniform(part, *keys) for part in range(101, 104)), start=uniform(0, *keys) * 0.0)
    return 2.0 * (drawn - 1.5)
