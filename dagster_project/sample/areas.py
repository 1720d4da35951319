"""The economies of the synthetic world and the codes beside them that are no country. Codes and names are real.

Not here: how the lists are written as files (see `datasets.reference.sample`).
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import cache
from importlib import resources


@dataclass(frozen=True)
class Economy:
    """A trading economy: Comtrade's numeric code, position in degrees, rough size in billion USD."""

    code: int
    iso2: str
    iso3: str
    name: str
    lon: float
    lat: float
    size: float


@dataclass(frozen=True)
class Area:
    """A code that is listed beside the economies: the world, a group, an unspecified area or a country that ended."""

    code: int
    iso2: str
    iso3: str
    name: str
    is_group: bool = False
    effective: str = "1900"
    expired: str = ""


WORLD = Area(0, "", "W00", "World", is_group=True, effective="1901")

# Partners that stand for no country. Their blanks are the publisher's own.
UNSPECIFIED = (
    Area(568, "", "E19", "Other Europe, nes"),
    Area(837, "", "X1 ", "Bunkers"),
    Area(838, "", "X2 ", "Free Zones"),
    Area(839, "", "XX ", "Special Categories"),
    Area(879, "", "F97", "Western Asia, nes"),
    Area(899, "", "_X ", "Areas, nes"),
)

# Groups report trade that their members have reported already; partnerAreas.json does not list them.
EUROPEAN_UNION = Area(97, "EU", "EUR", "European Union", is_group=True)
ASEAN = Area(975, "R4", "R4 ", "ASEAN", is_group=True, effective="1967")
GROUPS = (EUROPEAN_UNION, ASEAN)

# Countries that ended: the ISO code of a present country, under another number.
EXPIRED = (
    Area(58, "BE", "BEL", "Belgium-Luxembourg (...1998)", expired="1998"),
    Area(280, "DE", "DEU", "Fed. Rep. of Germany (...1990)", expired="1990"),
    Area(356, "IN", "IND", "India (...1974)", expired="1974"),
    Area(841, "US", "USA", "USA and Puerto Rico (...1980)", expired="1980"),
)

# Numbers that only the list of partners has, with the ISO code of a present country. The name of 756 ends in a blank.
PARTNER_ONLY = (
    Area(250, "FR", "FRA", "Metropolitan France"),
    Area(578, "NO", "NOR", "Norway, excluding Svalbard and Jan Mayen"),
    Area(756, "CH", "CHE", "Switzerland "),
    Area(840, "US", "USA", "United States of America"),
)


# In force before 2017; members by Comtrade's numeric code.
EU_MEMBERS = frozenset({40, 56, 203, 251, 276, 380, 528, 616, 724, 752, 826})
ASEAN_MEMBERS = frozenset({360, 458, 608, 702, 704, 764})


@cache
def economies() -> tuple[Economy, ...]:
    """All economies of the sample, by code."""
    text = resources.files(__package__).joinpath("economies.csv").read_text("utf-8")
    return tuple(
        Economy(
            int(row["code"]),
            row["iso2"],
            row["iso3"],
            row["name"],
            float(row["lon"]),
            float(row["lat"]),
            float(row["size"]),
        )
        for row in csv.DictReader(text.splitlines())
    )
