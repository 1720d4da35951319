"""Goods and classifications of the sample: HS codes with BEC codes, and how two older HS revisions lead to HS 2017.

The codes exist in the Harmonized System of 2017; names are our own words, and the conversion weights are made up (which
codes were split or renamed is real, in what proportion is not). Not here: trade.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from importlib import resources

from dagster_project.hs import UNSPECIFIED_GOODS

BASE_REVISION = "H5"
# A weight as small as the published files hold; it makes flows of less than a cent.
GHOST_WEIGHT = 1e-14


@dataclass(frozen=True)
class Product:
    """One six-digit code of HS 2017: BEC Rev. 4 category and BEC Rev. 5 end use (INT, CONS, CAP or mixed)."""

    hs6: str
    bec4: str
    bec5: str
    name: str


@dataclass(frozen=True)
class Weight:
    """One row of a conversion table; `group` numbers the codes that are split together, None for one target."""

    source: str
    target: str
    weight: float
    group: int | None


@cache
def products() -> tuple[Product, ...]:
    """All goods of the sample, by code."""
    text = resources.files(__package__).joinpath("products.csv").read_text("utf-8")
    return tuple(
        Product(row["hs6"], row["bec4"], row["bec5"], row["name"]) for row in csv.DictReader(text.splitlines())
    )


# HS 2012 -> HS 2017. Per group: source, then (target, weight); a weight of 0 is a relation without trade.
_SPLITS_H4_H5: tuple[tuple[tuple[str, tuple[tuple[str, float], ...]], ...], ...] = (
    (
        ("870322", (("870322", 0.97), ("870340", 0.03))),
        ("870323", (("870323", 0.9375), ("870340", 0.0625))),
        ("870390", (("870380", 0.625), ("870390", 0.375), ("870340", 0.0))),
    ),
    (("871190", (("871160", 0.7), ("871190", 0.3))),),
    (("300210", (("300212", 0.4), ("300215", 0.6))),),
    (("300490", (("300460", 0.02), ("300490", 0.98), ("300410", 0.0))),),
    (("382490", (("382491", 0.04), ("382499", 0.96), ("380852", GHOST_WEIGHT))),),
    (("854370", (("853950", 0.15), ("854370", 0.85), ("854390", 0.0))),),
)
_RENAMED_H4_H5 = {"293500": "293590", "440710": "440711", "845610": "845611", "852851": "852852"}

# HS 2007 -> HS 2012.
_SPLITS_H3_H4: tuple[tuple[tuple[str, tuple[tuple[str, float], ...]], ...], ...] = (
    (("850780", (("850750", 0.08), ("850760", 0.8), ("850780", 0.12), ("850730", 0.0))),),
    (("382490", (("382490", 0.9), ("382600", 0.1))),),
)
_RENAMED_H3_H4 = {"030613": "030617", "080300": "080390", "481840": "961900"}


@cache
def weights_h4_h5() -> tuple[Weight, ...]:
    """HS 2012 -> HS 2017, every code of the sample; weights of a source code sum to 1."""
    return _table({product.hs6 for product in products()}, _SPLITS_H4_H5, _RENAMED_H4_H5)


@cache
def weights_h3_h4() -> tuple[Weight, ...]:
    """HS 2007 -> HS 2012, every code of the sample; weights of a source code sum to 1."""
    return _table({weight.source for weight in weights_h4_h5()}, _SPLITS_H3_H4, _RENAMED_H3_H4)


def to_base(revision: str, code: str) -> tuple[tuple[str, float], ...]:
    """The base revision's codes of one code with their weights, along the whole chain; without weights of 0."""
    if revision == BASE_REVISION or code == UNSPECIFIED_GOODS:
        return ((code, 1.0),)
    chain = {"H4": (_targets_h4_h5(),), "H3": (_targets_h3_h4(), _targets_h4_h5())}[revision]
    shares = {code: 1.0}
    for table in chain:
        following: dict[str, float] = {}
        for source, share in shares.items():
            for target, weight in table[source]:
                if weight > 0:
                    following[target] = following.get(target, 0.0) + share * weight
        shares = following
    return tuple(sorted(shares.items()))


def from_base(revision: str, hs6: str) -> str:
    """The code under which a country that still uses `revision` reports a good of HS 2017."""
    if revision in ("H4", "H3"):
        hs6 = _main_source_h4()[hs6]
    if revision == "H3":
        hs6 = _main_source_h3()[hs6]
    return hs6


def _table(
    targets: set[str],
    splits: tuple[tuple[tuple[str, tuple[tuple[str, float], ...]], ...], ...],
    renamed: dict[str, str],
) -> tuple[Weight, ...]:
    grouped = [
        Weight(source, target, weight, number)
        for number, group in enumerate(splits, start=1)
        for source, shares in group
        for target, weight in shares
    ]
    # A code that only a split leads to did not exist in the older revision; all others kept their number.
    created = {row.target for row in grouped if row.weight > GHOST_WEIGHT} | set(renamed.values())
    kept = targets - {row.source for row in grouped} - created
    single = {code: code for code in kept | {UNSPECIFIED_GOODS}} | renamed
    return (*grouped, *(Weight(source, target, 1.0, None) for source, target in sorted(single.items())))


def _by_source(table: Iterable[Weight]) -> dict[str, tuple[tuple[str, float], ...]]:
    found: dict[str, list[tuple[str, float]]] = {}
    for row in table:
        found.setdefault(row.source, []).append((row.target, row.weight))
    return {source: tuple(targets) for source, targets in found.items()}


def _main_source(table: Iterable[Weight]) -> dict[str, str]:
    """Per target the source that gives it the largest weight; ties go to the lower code."""
    found: dict[str, Weight] = {}
    for row in sorted(table, key=lambda row: (-row.weight, row.source)):
        found.setdefault(row.target, row)
    return {target: row.source for target, row in found.items()}


@cache
def _targets_h4_h5() -> dict[str, tuple[tuple[str, float], ...]]:
    return _by_source(weights_h4_h5())


@cache
def _targets_h3_h4() -> dict[str, tuple[tuple[str, float], ...]]:
    return _by_source(weights_h3_h4())


@cache
def _main_source_h4() -> dict[str, str]:
    return _main_source(weights_h4_h5())


@cache
def _main_source_h3() -> dict[str, str]:
    return _main_source(weights_h3_h4())
