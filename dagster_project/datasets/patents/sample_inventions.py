"""The sample's inventions: who filed which international application, with whom, in which field, and who cites it.

Made up like the rest of the sample. Country profiles are there so that the measures have something to show: one country
floods digital communication with applications that few cite, others file less and are cited more. Not here: the files
(see `sample`) and their traps.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache

from dagster_project.sample.noise import chance

FILING_YEARS = range(2008, 2019)
# The last grant the tables know. Five years before it lie within the publications of 2017, so that the citation windows
# of filing years up to 2015 are closed and later ones are not.
LAST_GRANT = date(2022, 12, 27)
FIRST_GRANT = date(2009, 1, 6)
_OTHER_PATENTS = 3_600  # United States patents that come from no international application; they cite

SECTORS = {
    "Electrical engineering": (
        ("Electrical machinery, apparatus, energy", "H01M"),
        ("Audio-visual technology", "H04R"),
        ("Telecommunications", "H04B"),
        ("Digital communication", "H04L"),
        ("Basic communication processes", "H03K"),
        ("Computer technology", "G06F"),
        ("IT methods for management", "G06Q"),
        ("Semiconductors", "H01L"),
    ),
    "Instruments": (
        ("Optics", "G02B"),
        ("Measurement", "G01N"),
        ("Analysis of biological materials", "G01N  33/"),
        ("Control", "G05B"),
        ("Medical technology", "A61B"),
    ),
    "Chemistry": (
        ("Organic fine chemistry", "C07D"),
        ("Biotechnology", "C12N"),
        ("Pharmaceuticals", "A61P"),
        ("Macromolecular chemistry, polymers", "C08L"),
        ("Food chemistry", "A23L"),
        ("Basic materials chemistry", "C09K"),
        ("Materials, metallurgy", "C22C"),
        ("Surface technology, coating", "C23C"),
        ("Micro-structural and nano-technology", "B82Y"),
        ("Chemical engineering", "B01D"),
        ("Environmental technology", "C02F"),
    ),
    "Mechanical engineering": (
        ("Handling", "B65G"),
        ("Machine tools", "B23K"),
        ("Engines, pumps, turbines", "F02D"),
        ("Textile and paper machines", "D06F"),
        ("Other special machines", "B29C"),
        ("Thermal processes and apparatus", "F25B"),
        ("Mechanical elements", "F16H"),
        ("Transport", "B60W"),
    ),
    "Other fields": (
        ("Furniture, games", "A63F"),
        ("Other consumer goods", "A45D"),
        ("Civil engineering", "E04B"),
    ),
}


@dataclass(frozen=True)
class Field:
    """One of WIPO's 35 technology fields, with one IPC subclass (or main group) that belongs to it."""

    number: int
    name: str
    sector: str
    ipc: str


FIELDS = tuple(
    Field(number, name, sector, ipc)
    for number, (sector, name, ipc) in enumerate(
        ((sector, name, ipc) for sector, members in SECTORS.items() for name, ipc in members), 1
    )
)

# Applications in 2008 and in 2018, how often they are cited (1 is average), and the fields they crowd into.
_COUNTRIES: Mapping[str, tuple[int, int, float, tuple[int, ...]]] = {
    "CN": (14, 70, 0.55, (4, 4, 4, 3, 6, 2, 1)),
    "US": (70, 66, 1.5, (6, 13, 16, 15, 7, 4)),
    "JP": (48, 58, 1.25, (1, 8, 9, 2, 32, 27)),
    "DE": (28, 24, 1.0, (32, 27, 31, 10, 26, 1)),
    "KR": (14, 28, 0.9, (8, 2, 3, 1, 4)),
    "FR": (11, 10, 1.0, (32, 16, 14, 4)),
    "GB": (8, 9, 1.1, (16, 13, 15)),
    "IT": (4, 5, 0.8, (25, 29, 33)),
    "NL": (5, 6, 1.2, (13, 9, 18)),
    "CH": (5, 6, 1.3, (14, 16, 13)),
    "SE": (5, 6, 1.2, (4, 3, 32)),
    "CA": (4, 4, 1.1, (6, 15, 35)),
    "AU": (3, 3, 0.9, (35, 13, 33)),
    "IN": (2, 5, 0.7, (14, 16, 7)),
    "TW": (3, 6, 0.9, (8, 9, 1)),
    "SG": (2, 3, 1.0, (15, 8, 11)),
    "ES": (2, 3, 0.7, (35, 25, 18)),
    "BR": (1, 2, 0.6, (19, 35, 18)),
    "AT": (2, 3, 1.0, (26, 20, 35)),
    "BE": (2, 3, 1.1, (17, 15, 28)),
}
COUNTRIES = tuple(_COUNTRIES)
# With whom a country files jointly; China's partners shift to Europe and Japan over the years.
_PARTNERS: Mapping[str, tuple[str, ...]] = {
    "CN": ("US", "US", "US", "TW", "SG", "DE", "FR", "GB", "JP", "DE"),
    "US": ("DE", "GB", "JP", "CA", "CN", "FR", "CH", "IN", "KR", "NL"),
}
_DEFAULT_PARTNERS = ("US", "DE", "GB", "FR", "JP", "CN", "CH", "NL", "BE", "CA")

(_COUNTRY_FIELD, _FIELD, _MORE, _FILED, _LAG, _GRANT, _COMPANY, _JOINT, _PARTNER, _CITED, _CITING, _AGE, _GRANTED,
 _HOLDER, _SELF, _FAMILY, _CATEGORY) = range(501, 518)  # fmt: skip


@dataclass(frozen=True)
class Applicant:
    """A made-up company."""

    identifier: str
    name: str
    country: str


@dataclass(frozen=True)
class Invention:
    """An international application, its publication and the United States patent granted on it."""

    number: int
    country: str
    office: str
    filed: date
    published: date
    serial: int
    patent_id: str
    granted: date
    applicants: tuple[Applicant, ...]
    fields: tuple[int, ...]
    family_size: int

    @property
    def application_number(self) -> str:
        """PCT/<office><year>/<six digits>."""
        return f"PCT/{self.office}{self.filed.year}/{self.number:06d}"


@dataclass(frozen=True)
class Patent:
    """A United States patent that may cite; `invention` is its number among the inventions, if it comes from one."""

    patent_id: str
    granted: date
    holder: Applicant
    invention: int | None = None


@dataclass(frozen=True)
class Citation:
    """One patent citing another, as text of the citation table."""

    citing: str
    cited: str
    category: str


@cache
def inventions() -> tuple[Invention, ...]:
    """All international applications, by filing year and country."""
    found: list[Invention] = []
    for year in FILING_YEARS:
        for country, (first, last, _, _) in _COUNTRIES.items():
            span = FILING_YEARS.stop - 1 - FILING_YEARS.start
            count = first + (last - first) * (year - FILING_YEARS.start) // span
            for _ in range(count):
                found.append(_invention(len(found) + 1, year, country))
    return tuple(found)


@cache
def patents() -> tuple[Patent, ...]:
    """Every United States patent, by date and number."""
    from_inventions = [
        Patent(invention.patent_id, invention.granted, invention.applicants[0], invention.number)
        for invention in inventions()
    ]
    weeks = (LAST_GRANT - FIRST_GRANT).days // 7
    others = []
    for number in range(1, _OTHER_PATENTS + 1):
        country = COUNTRIES[int(chance(_HOLDER, number) ** 2 * len(COUNTRIES))]
        granted = FIRST_GRANT + timedelta(days=7 * int(chance(_GRANTED, number) * (weeks + 1)))
        others.append(Patent(str(7_000_000 + number), granted, _company(country, number)))
    return tuple(sorted([*from_inventions, *others], key=lambda patent: (patent.granted, patent.patent_id)))


@cache
def citations() -> tuple[Citation, ...]:
    """Who cites whom: most of it within eight years, some of it before the cited document was even published."""
    everyone = patents()
    dates = [patent.granted for patent in everyone]
    found = []
    for invention in inventions():
        often = _COUNTRIES[invention.country][2]
        luck = chance(_CITED, invention.number)
        for turn in range(min(48, int(often * 3.2 / (0.06 + luck)))):
            age = -0.5 + 8.5 * chance(_AGE, invention.number, turn)
            when = invention.published + timedelta(days=int(age * 365))
            place = bisect_left(dates, when) + int(chance(_CITING, invention.number, turn) * 12)
            if when > LAST_GRANT or place >= len(everyone):
                continue
            citing = everyone[place]
            if citing.patent_id != invention.patent_id:
                found.append(Citation(citing.patent_id, invention.patent_id, _category(invention.number, turn)))
    return tuple(dict.fromkeys([*found, *_self_citations()]))


def _self_citations() -> list[Citation]:
    """Later patents of the same company citing its earlier ones: one in six inventions is cited so."""
    by_holder: dict[str, list[Patent]] = {}
    for patent in patents():
        by_holder.setdefault(patent.holder.identifier, []).append(patent)
    found = []
    for invention in inventions():
        if chance(_SELF, invention.number) < 1 / 6:
            own = by_holder[invention.applicants[0].identifier]
            later = [patent for patent in own if invention.granted < patent.granted][:2]
            found += [Citation(patent.patent_id, invention.patent_id, "cited by applicant") for patent in later]
    return found


def _category(number: int, turn: int) -> str:
    return "cited by examiner" if chance(_CATEGORY, number, turn) < 0.4 else "cited by applicant"


def _invention(number: int, year: int, country: str) -> Invention:
    filed = date(year, 1, 1) + timedelta(days=int(chance(_FILED, number) * 365))
    # Six months after filing where a priority is claimed, eighteen where not; published on Thursdays.
    published = _next_weekday(filed + timedelta(days=183 if chance(_LAG, number) < 0.85 else 540), 3)
    granted = min(_next_weekday(published + timedelta(days=int(400 + 900 * chance(_GRANT, number))), 1), LAST_GRANT)
    return Invention(
        number=number,
        country=country,
        office=country if chance(_GRANT, number, 1) < 0.8 else "IB",
        filed=filed,
        published=published,
        serial=number,
        patent_id=str(9_000_000 + number),
        granted=granted,
        applicants=_applicants(number, year, country),
        fields=_fields(number, country),
        family_size=2 + int(_COUNTRIES[country][2] * 9 * chance(_FAMILY, number) ** 3),
    )


def _applicants(number: int, year: int, country: str) -> tuple[Applicant, ...]:
    own = _company(country, number)
    if chance(_JOINT, number) >= 0.14:
        return (own,)
    partners = _PARTNERS.get(country, _DEFAULT_PARTNERS)
    # The later the year, the further down the list: from the first partners to all of them.
    reach = 5 + (len(partners) - 5) * (year - FILING_YEARS.start) // (FILING_YEARS.stop - 1 - FILING_YEARS.start)
    partner = partners[int(chance(_PARTNER, number) * reach)]
    others = [_company(partner, number + 1)] if partner != country else [_company(country, number + 7)]
    if chance(_PARTNER, number, 2) < 0.2:
        others.append(_company("CH" if country != "CH" else "US", number + 2))
    return tuple(dict.fromkeys((own, *others)))


def _company(country: str, number: int) -> Applicant:
    which = int(chance(_COMPANY, number) ** 2 * 8) + 1
    return Applicant(f"org_{country.lower()}_{which}", f"{country} Example Works {which}", country)


def _fields(number: int, country: str) -> tuple[int, ...]:
    crowded = _COUNTRIES[country][3]
    if chance(_COUNTRY_FIELD, number) < 0.6:
        first = crowded[int(chance(_FIELD, number) * len(crowded))]
    else:
        first = 1 + int(chance(_FIELD, number) * len(FIELDS))
    more = (0, 0, 0, 1, 1, 2, 4)[int(chance(_MORE, number) * 7)]  # four more: PatentsView's top three with ties
    further = [1 + int(chance(_MORE, number, turn) * len(FIELDS)) for turn in range(1, more + 1)]
    return tuple(dict.fromkeys((first, *further)))


def _next_weekday(day: date, weekday: int) -> date:
    return day + timedelta(days=(weekday - day.weekday()) % 7)
