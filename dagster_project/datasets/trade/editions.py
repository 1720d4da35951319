"""The same trade delivered in several editions counts once: later bulk files, HS editions, converted rows.

What belongs here: which files a later one replaces, and which of a reporter's HS editions counts. Not here: rows of
one edition that repeat each other (`repeats`).
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

import duckdb

from dagster_project.sql import literal, parquet

# The publisher's client names bulk files COMTRADE-FINAL-CA704202201H5[2023-12-04].gz: goods, annual, the reporter, the
# year (some with 01, its first month), the HS edition, the day of publication.
_BULK_FILE = re.compile(
    r"COMTRADE-FINAL(?:CLASSIC)?-CA(?P<reporter>\d{1,3})(?P<year>(?:19|20)\d\d)(?:01)?(?P<edition>[A-Z]\w)"
    r"\[(?P<published>\d{4}-\d\d-\d\d)\]",
    re.IGNORECASE,
)
# The base revision's rows are complete when this share of another edition's value lies in goods and partners they hold.
COMPLETE = 0.95
# Two editions tell of the same trade when this share of one's rows or value has the same partners and codes in the
# other (most codes are the same in all editions), or when each holds the goods of the other completely. Countries also
# mix editions by product, and say nothing twice.
SAME_TRADE = 0.5

Edition = tuple[str, bool]  # HS revision; whether the publisher converted the rows to it


def replaced_files(addresses: Sequence[str]) -> set[str]:
    """The bulk files for which a later edition (same reporter, year and HS edition) is there as well."""
    published: dict[str, str] = {}
    newest: dict[tuple[str, ...], str] = {}
    keys: dict[str, tuple[str, ...]] = {}
    for address in addresses:
        if match := _BULK_FILE.search(address):
            keys[address] = (match["reporter"], match["year"], match["edition"].upper())
            published[address] = match["published"]
            newest[keys[address]] = max(newest.get(keys[address], ""), match["published"])
    return {address for address, day in published.items() if day < newest[keys[address]]}


@dataclass(frozen=True)
class _Size:
    rows: int
    value: float


def other_editions(
    connection: duckdb.DuckDBPyConnection, rows: str, base: str, conversion: Path
) -> Sequence[tuple[int, str, str, bool]]:
    """(reporter, flow, HS revision, is converted) of the editions that another edition of the same trade stands for.

    The base revision's rows count where they are complete, else the rows as reported (of several such editions the one
    that holds most). Rows without a stated revision belong to no edition.
    """
    usable = "reason is null and flow in ('M', 'X') and stated_revision is not null and not is_replaced"
    usable += " and length(cmd_code) = 6 and partner_code <> 0"
    connection.execute(f"""
        create table contested as
        select reporter_code, flow from (
            select distinct reporter_code, flow, stated_revision, is_converted from {rows} where {usable}
        ) group by all having count(*) > 1
    """)
    if connection.execute("select 1 from contested limit 1").fetchone() is None:
        return []
    connection.execute(f"""
        create table edition_rows as
        select reporter_code, flow, stated_revision, is_converted, partner_code, cmd_code, max(value_usd) as value_usd
        from {rows} semi join contested using (reporter_code, flow) where {usable} group by all
    """)
    found: Mapping[tuple[int, str], dict[Edition, _Size]] = defaultdict(dict)
    for reporter, flow, *edition, n, value in connection.execute("""
        select reporter_code, flow, stated_revision, is_converted, count(*), sum(value_usd) from edition_rows
        group by all order by all
    """).fetchall():
        found[reporter, flow][edition[0], edition[1]] = _Size(n, value)
    covered = _covered(connection, base, conversion)
    aside = []
    for (reporter, flow), sizes in found.items():
        shares = {
            (one, other): covered.get((reporter, flow, one, other), _Covered(0, 0, 0, 0)).shares(size)
            for one, size in sizes.items()
            for other in sizes
            if one != other
        }
        aside += [(reporter, flow, *edition) for edition in _set_aside(sizes, shares, base)]
    return aside


@dataclass(frozen=True)
class _Shares:
    same_codes: float
    same_goods: float


@dataclass(frozen=True)
class _Covered:
    """How much of an edition lies in another: by the same codes, and by the goods that codes are converted to."""

    rows: int
    value: float
    rows_of_same_code: int
    value_of_same_code: float

    def shares(self, size: _Size) -> _Shares:
        """The same as shares of the edition: of its value, or of its rows where that is more."""

        def share(rows: int, value: float) -> float:
            return max(rows / size.rows, value / size.value if size.value else 0.0)

        return _Shares(share(self.rows_of_same_code, self.value_of_same_code), share(self.rows, self.value))


def _covered(
    connection: duckdb.DuckDBPyConnection, base: str, conversion: Path
) -> Mapping[tuple[int, str, Edition, Edition], _Covered]:
    """(reporter, flow, edition, other edition) -> rows of the edition whose partner and good the other has too.

    A good is there when its code is, or when all the goods that it converts to are.
    """
    connection.execute(f"""
        create table edition_targets as
        select e.*, coalesce(c.hs6, e.cmd_code) as hs6
        from edition_rows as e
        left join {parquet(conversion)} as c on c.from_revision = e.stated_revision and c.from_code = e.cmd_code
            and c.weight > 0 and e.stated_revision <> {literal(base)}
    """)
    place = "reporter_code, flow, partner_code"
    rows = connection.execute(f"""
        with pairs as (
            select one.reporter_code, one.flow, one.partner_code, one.stated_revision, one.is_converted, one.cmd_code,
                one.value_usd, other.stated_revision as by_revision, other.is_converted as by_converted,
                count(distinct one.hs6) filter (one.hs6 = other.hs6) as found,
                bool_or(one.cmd_code = other.cmd_code) as same
            from edition_targets as one join edition_targets as other using ({place})
            where (one.stated_revision, one.is_converted) <> (other.stated_revision, other.is_converted)
                and (one.hs6 = other.hs6 or one.cmd_code = other.cmd_code)
            group by all
        ),
        wanted as (
            select {place}, stated_revision, is_converted, cmd_code, count(*) as targets
            from edition_targets group by all
        )
        select reporter_code, flow, stated_revision, is_converted, by_revision, by_converted, count(*), sum(value_usd),
            count(*) filter (same), coalesce(sum(value_usd) filter (same), 0)
        from pairs join wanted using ({place}, stated_revision, is_converted, cmd_code)
        where same or found = targets
        group by all
    """).fetchall()
    return {
        (reporter, flow, (one[0], one[1]), (one[2], one[3])): _Covered(*sizes)
        for reporter, flow, *one, n, value, n_same, value_same in rows
        for sizes in [(n, value, n_same, value_same)]
    }


def _set_aside(
    sizes: Mapping[Edition, _Size], shares: Mapping[tuple[Edition, Edition], _Shares], base: str
) -> Iterator[Edition]:
    """The editions of one reporter and flow that do not count."""
    # First the base revision's rows as reported, then as converted; then the others, as reported and by their size.
    order = sorted(sizes, key=lambda each: (each[0] != base, each[1], -sizes[each].value, each[0]))
    left = set(order)
    for one, two in combinations(order, 2):
        both = (shares[one, two], shares[two, one])
        says_twice = max(share.same_codes for share in both) >= SAME_TRADE
        if not {one, two} <= left or not (says_twice or min(share.same_goods for share in both) >= COMPLETE):
            continue
        is_incomplete = one[0] == base and two[0] != base and shares[two, one].same_goods < COMPLETE
        loser = one if is_incomplete else two
        left.discard(loser)
        yield loser
