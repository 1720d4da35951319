"""The synthetic economy: who sells how much of which good to whom. It is made up and says nothing about the real world.

A gravity model with specialisation. Exporter i's strength in good k is its size to the power 5/8 times its advantage
in the good's sector times luck; importer j spreads its demand over the exporters by strength, nearness and taste. Some
goods have exporters that dominate them, named in `LEADERS`, so that every category of vulnerability occurs.

The benchmark uses the same model with more economies and more goods. Not here: how countries report the flows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from dagster_project.sample.areas import Economy
from dagster_project.sample.noise import Floats, Ints, uniform

FIRST_YEAR = 2017

# Advantage of an exporter in a sector. Those that are not listed are drawn.
ADVANTAGE: Mapping[str, Mapping[str, float]] = {
    "CHN": {"electronics": 5, "critical": 6, "light": 5, "machinery": 2.5, "chemical": 2, "metal": 2.5, "energy": 0.1},
    "USA": {"food": 3, "vehicle": 2, "instrument": 3, "pharma": 2.5, "energy": 2, "machinery": 1.5, "light": 0.4},
    "DEU": {"machinery": 5, "vehicle": 5, "chemical": 3, "pharma": 4, "instrument": 4, "energy": 0.1, "mineral": 0.3},
    "JPN": {"machinery": 4, "vehicle": 4, "instrument": 4, "electronics": 2.5, "plastics": 2, "mineral": 0.1},
    "KOR": {"electronics": 5, "vehicle": 2, "plastics": 3, "instrument": 2, "mineral": 0.1},
    "S19": {"electronics": 8, "machinery": 2, "plastics": 2, "instrument": 2.5, "mineral": 0.05, "energy": 0.1},
    "FRA": {"vehicle": 3, "pharma": 2.5, "food": 2, "chemical": 2},
    "GBR": {"pharma": 2, "instrument": 1.5, "vehicle": 1.5},
    "ITA": {"machinery": 3, "light": 2.5, "metal": 2},
    "CHE": {"pharma": 6, "instrument": 5, "machinery": 2, "mineral": 0.1},
    "NLD": {"chemical": 3, "machinery": 2, "food": 3},
    "IND": {"pharma": 2, "light": 3, "chemical": 2, "metal": 1.5},
    "VNM": {"electronics": 4, "light": 5, "food": 3},
    "BGD": {"light": 8},
    "MEX": {"vehicle": 4, "electronics": 2, "food": 2},
    "CAN": {"mineral": 2, "energy": 2, "metal": 2, "vehicle": 1.5},
    "AUS": {"mineral": 12, "energy": 4, "food": 3, "electronics": 0.2, "vehicle": 0.2},
    "BRA": {"food": 8, "mineral": 6, "electronics": 0.3},
    "CHL": {"mineral": 8, "metal": 6, "food": 2, "electronics": 0.05, "machinery": 0.1},
    "PER": {"mineral": 8, "metal": 4, "food": 2, "electronics": 0.05, "machinery": 0.05},
    "ZAF": {"mineral": 8, "metal": 3, "critical": 3, "electronics": 0.2},
    "COD": {"mineral": 12, "metal": 6, "machinery": 0.02, "electronics": 0.02, "vehicle": 0.02},
    "RUS": {"energy": 8, "metal": 4, "critical": 3, "chemical": 1.5, "electronics": 0.2},
    "SAU": {"energy": 20, "plastics": 3, "chemical": 3, "machinery": 0.2, "electronics": 0.1},
    "ARE": {"energy": 10, "metal": 2, "machinery": 0.2},
    "NOR": {"energy": 8, "critical": 3, "food": 2},
    "NGA": {"energy": 8, "machinery": 0.05, "electronics": 0.05, "vehicle": 0.05},
    "AZE": {"energy": 6, "machinery": 0.1, "electronics": 0.05},
    "MYS": {"electronics": 4, "plastics": 2, "food": 2},
    "SGP": {"electronics": 3, "chemical": 3, "pharma": 2},
    "PHL": {"electronics": 3},
    "THA": {"electronics": 1.5, "vehicle": 2, "plastics": 3, "food": 3},
    "IDN": {"mineral": 5, "energy": 3, "food": 3},
}

# Per good the factor by which some exporters' strength exceeds the model's.
LEADERS: Mapping[str, Mapping[str, float]] = {
    "250410": {"CHN": 12},
    "252922": {"MEX": 30, "ZAF": 15},
    "253090": {"AUS": 40},
    "260111": {"AUS": 20, "BRA": 15},
    "260300": {"CHL": 20, "PER": 20},
    "260400": {"PHL": 80, "IDN": 30},
    "260500": {"COD": 300},
    "260600": {"AUS": 10, "BRA": 5},
    "260800": {"PER": 10, "AUS": 5},
    "261000": {"ZAF": 50},
    "261100": {"CHN": 8, "RUS": 5},
    "261400": {"AUS": 6, "ZAF": 8},
    "261510": {"ZAF": 20, "AUS": 10},
    "270900": {"SAU": 12, "RUS": 8, "NOR": 6, "ARE": 6},
    "271111": {"AUS": 20, "MYS": 10, "RUS": 4},
    "280461": {"DEU": 20, "CHN": 4, "USA": 5},
    "280530": {"CHN": 6},
    "282200": {"CHN": 3, "COD": 80},
    "282520": {"CHN": 10, "CHL": 40},
    "283691": {"CHL": 600},
    "284420": {"RUS": 10, "NLD": 10, "GBR": 5},
    "284690": {"CHN": 5},
    "290243": {"KOR": 15, "JPN": 6},
    "293627": {"CHN": 6},
    "310420": {"CAN": 40, "RUS": 15},
    "381800": {"JPN": 20, "S19": 15, "KOR": 6, "DEU": 4},
    "711011": {"ZAF": 60, "RUS": 8},
    "711021": {"RUS": 40, "ZAF": 20},
    "720260": {"IDN": 60, "BRA": 10},
    "740311": {"CHL": 30, "COD": 60},
    "740200": {"COD": 120, "CHL": 15},
    "810520": {"COD": 60, "NOR": 5, "CAN": 5},
    "811100": {"CHN": 8},
    "811292": {"CHN": 20, "DEU": 3},
    "847130": {"CHN": 4},
    "848610": {"JPN": 10, "DEU": 3},
    "848620": {"JPN": 15, "NLD": 60, "USA": 5},
    "850440": {"CHN": 4},
    "850511": {"CHN": 4, "JPN": 2},
    "850760": {"CHN": 2.5, "KOR": 6, "JPN": 4},
    "851712": {"CHN": 3, "VNM": 20},
    "852990": {"CHN": 8},
    "853224": {"JPN": 12, "KOR": 4},
    "854140": {"CHN": 8, "MYS": 6, "S19": 2},
    "854231": {"S19": 6, "KOR": 2, "MYS": 4, "USA": 5},
    "854232": {"KOR": 15, "S19": 4, "JPN": 2},
    "854239": {"S19": 10, "MYS": 5, "SGP": 4},
    "870380": {"USA": 4, "DEU": 2, "CHN": 3},
    "901380": {"CHN": 4, "KOR": 6, "JPN": 2},
}

# World demand of the goods that dwarf or steer the rest, in billion USD; others are drawn.
DEMAND_BILLION: Mapping[str, float] = {
    "260111": 90,
    "270900": 300,
    "271012": 60,
    "271019": 90,
    "271111": 100,
    "283691": 1.5,
    "300490": 300,
    "847130": 140,
    "850760": 30,
    "851712": 90,
    "854140": 50,
    "854231": 200,
    "854232": 120,
    "854239": 150,
    "870323": 350,
    "870380": 20,
    "870899": 80,
}

_SECTORS = (
    ("food", 1, 24),
    ("mineral", 25, 26),
    ("energy", 27, 27),
    ("chemical", 28, 29),
    ("pharma", 30, 30),
    ("chemical", 31, 38),
    ("plastics", 39, 40),
    ("light", 41, 71),
    ("metal", 72, 80),
    ("critical", 81, 81),
    ("metal", 82, 83),
    ("machinery", 84, 84),
    ("electronics", 85, 85),
    ("vehicle", 86, 89),
    ("instrument", 90, 92),
    ("light", 93, 97),
)
SECTORS = tuple(dict.fromkeys(name for name, _, _ in _SECTORS))

# First key of every draw, so that two draws about the same country and good are independent.
_LUCK, _CUT, _TASTE, _WANTS, _MARKET, _NEED, _DEMAND, _GROWTH, _SHOCK, _PROFILE = range(1, 11)


@dataclass(frozen=True)
class Density:
    """How full the trade matrix is.

    importing      probability that the largest economy imports a good, the smallest: a third of it; may exceed 1
    smallest_share suppliers below about this share of an importer's demand do not deliver
    narrowest      least strength of an exporter, as a share of the strongest one's
    """

    importing: float
    smallest_share: float
    narrowest: float


@dataclass(frozen=True)
class World:
    """Arrays by economy (n) and good (m): the model's parameters, ready to be multiplied out good by good."""

    economies: Sequence[Economy]
    hs6: Sequence[str]
    density: Density
    strength: Floats  # (n, m); 0 where an economy does not export a good
    nearness: Floats  # (n, n)
    market: Floats  # (n, m) demand of importer j for good k in USD; 0 where it imports none
    growth: Floats  # (n, m) yearly factor of an exporter's sales
    economy_keys: Ints
    good_keys: Ints


def sector(hs6: str) -> str:
    """The sector of a good, by chapter."""
    chapter = int(hs6[:2])
    return next(name for name, first, last in _SECTORS if first <= chapter <= last)


def build(economies: Sequence[Economy], hs6: Sequence[str], density: Density) -> World:
    """The parameters of the world for these economies and goods."""
    economy_keys = np.array([economy.code for economy in economies], np.int64)
    good_keys = np.array([int(code) for code in hs6], np.int64)
    size = np.array([economy.size for economy in economies], np.float64)
    strength = _strength(economies, hs6, size, density)
    return World(
        economies=economies,
        hs6=hs6,
        density=density,
        strength=strength,
        nearness=_nearness(economies),
        market=_market(hs6, size, strength, density, economy_keys, good_keys),
        growth=0.97 + 0.14 * uniform(_GROWTH, economy_keys[:, None], good_keys[None, :]),
        economy_keys=economy_keys,
        good_keys=good_keys,
    )


def flows(world: World, good: int, year: int) -> Ints:
    """Exporter x importer matrix of one good in US cents, at the importer's border; the diagonal is 0."""
    exporters = np.flatnonzero(world.strength[:, good])
    importers = np.flatnonzero(world.market[:, good])
    values = np.zeros((len(world.economies), len(world.economies)), np.int64)
    if len(exporters) == 0 or len(importers) == 0:
        return values
    key = int(world.good_keys[good])
    from_, to = world.economy_keys[exporters][:, None], world.economy_keys[importers][None, :]
    taste = uniform(_TASTE, key, from_, to)
    pull = world.strength[exporters, good][:, None] * world.nearness[np.ix_(exporters, importers)] * (0.2 + 1.6 * taste)
    pull[from_ == to] = 0.0
    total = np.zeros(len(importers))
    for row in pull:  # in a fixed order: the last digit of NumPy's own sum depends on the processor
        total += row
    share = pull / np.where(total > 0, total, 1.0)[None, :]
    share[share < world.density.smallest_share * (0.5 + taste)] = 0.0
    for _ in range(year - FIRST_YEAR):
        share *= world.growth[exporters, good][:, None]
    this_year = uniform(_SHOCK, key, year, from_, to)
    share[this_year < 0.03] = 0.0
    amount = world.market[importers, good][None, :] * share * (0.9 + 0.2 * this_year) * 100.0
    values[np.ix_(exporters, importers)] = np.floor(amount).astype(np.int64)
    return values


def _strength(economies: Sequence[Economy], hs6: Sequence[str], size: Floats, density: Density) -> Floats:
    codes = np.array([economy.code for economy in economies], np.int64)
    goods = np.array([int(code) for code in hs6], np.int64)
    column = np.array([SECTORS.index(sector(code)) for code in hs6])
    luck = 1.0 / (0.12 + uniform(_LUCK, codes[:, None], goods[None, :]))
    root = np.sqrt(size)
    strength = (root * np.sqrt(np.sqrt(root)))[:, None] * _advantages(economies, codes)[:, column] * luck
    index = {economy.iso3: number for number, economy in enumerate(economies)}
    for good, code in enumerate(hs6):
        for iso3, factor in LEADERS.get(code, {}).items():
            strength[index[iso3], good] *= factor
    narrow = uniform(_CUT, goods)
    least = density.narrowest * (0.3 + 6.0 * narrow * narrow) * strength.max(axis=0)
    return np.where(strength >= least[None, :], strength, 0.0)


def _advantages(economies: Sequence[Economy], codes: Ints) -> Floats:
    """Economy x sector; an economy without an entry in ADVANTAGE gets a profile of its own from its code."""
    drawn = uniform(_PROFILE, codes[:, None], np.arange(len(SECTORS), dtype=np.int64)[None, :])
    advantage = np.asarray(0.3 + 1.4 * drawn)
    for row, economy in enumerate(economies):
        for name, factor in ADVANTAGE.get(economy.iso3, {}).items():
            advantage[row, SECTORS.index(name)] = factor
    return advantage


def _nearness(economies: Sequence[Economy]) -> Floats:
    """Falls with distance on the map of degrees, which wraps around in the Pacific; crude, and enough for a sample."""
    lon = np.array([economy.lon for economy in economies], np.float64)
    lat = np.array([economy.lat for economy in economies], np.float64)
    apart = np.abs(lon[:, None] - lon[None, :])
    apart = np.minimum(apart, 360.0 - apart)
    rise = lat[:, None] - lat[None, :]
    return np.asarray(1.0 / (1.0 + np.sqrt(apart * apart + rise * rise) / 30.0))


def _market(
    hs6: Sequence[str], size: Floats, strength: Floats, density: Density, economy_keys: Ints, good_keys: Ints
) -> Floats:
    draw = uniform(_MARKET, good_keys)
    world_demand = 2.0e8 / (0.01 + draw) * (0.2 + uniform(_DEMAND, good_keys))
    for good, code in enumerate(hs6):
        if code in DEMAND_BILLION:
            world_demand[good] = DEMAND_BILLION[code] * 1e9
    everyone = float(sum(size.tolist()))
    need = 0.2 + 1.6 * uniform(_NEED, economy_keys[:, None], good_keys[None, :])
    strongest = strength.max(axis=0)
    # An economy that is strong in a good buys less of it abroad.
    market = (size / everyone)[:, None] * world_demand[None, :] * need * (1.0 - 0.7 * strength / strongest[None, :])
    weight = np.sqrt(np.sqrt(size / size.max()))
    likely = density.importing * (1.0 + 2.0 * weight) / 3.0
    eager = np.array([2.0 if code in DEMAND_BILLION else 1.0 for code in hs6])
    imports = uniform(_WANTS, economy_keys[:, None], good_keys[None, :]) < likely[:, None] * eager[None, :]
    return np.where(imports, market, 0.0)
