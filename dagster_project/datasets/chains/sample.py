"""The sample's input-output tables: the published textbook table, and a synthetic one with the traps of real files.

The textbook table is the leather example of the literature on value chains (three countries, three sectors: the
packages decompr and gvc show their measures on it); its codes of countries and sectors and its year are ours. The
synthetic one is in the OECD's extended form: China in two parts, taxes, value added, sectors without output, changes of
inventories that are negative, a sector that no list of sectors has. It has synthetic emission intensities beside it, as
a user would place them, with what is wrong in such files. Not here: how they are read (see `icio`, `emissions`).
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator, Sequence

from dagster_project.sample.files import SampleFile
from dagster_project.sample.noise import chance
from dagster_project.sample.reporting import YEARS

LEATHER_YEAR = YEARS[-1]
LEATHER_LABELS = [f"{country}_{sector}" for country in ("ARG", "TUR", "DEU") for sector in ("A01", "C13T15", "C29")]
# Intermediate use by the nine sectors, then final use in Argentina, Turkey and Germany.
LEATHER = (
    (16.1, 5.1, 1.8, 3.2, 4.3, 0.4, 3.1, 2.8, 4.9, 21.5, 6.1, 8.4),
    (2.4, 8.0, 3.2, 0.1, 3.2, 1.6, 1.2, 3.9, 11.5, 16.2, 1.9, 5.1),
    (0.9, 0.5, 4.0, 0.0, 0.1, 0.3, 0.0, 0.4, 0.5, 11.0, 0.5, 0.8),
    (1.1, 1.9, 0.2, 18.0, 13.2, 6.1, 9.0, 3.1, 8.9, 7.5, 29.5, 14.2),
    (0.3, 2.8, 0.1, 6.1, 28.1, 6.3, 2.1, 2.5, 25.6, 8.9, 24.9, 16.9),
    (0.0, 0.1, 0.3, 4.1, 3.2, 8.9, 0.2, 0.0, 1.8, 1.2, 18.5, 4.9),
    (1.2, 4.2, 0.3, 4.1, 1.2, 0.6, 29.0, 19.5, 17.9, 9.2, 17.9, 51.2),
    (1.3, 1.1, 0.0, 3.2, 4.8, 2.6, 5.1, 29.1, 24.1, 7.9, 10.1, 38.5),
    (2.1, 1.4, 3.0, 4.1, 3.1, 3.9, 11.3, 8.1, 51.3, 25.1, 35.2, 68.4),
)

# Economies of the synthetic table -> their size. China is there in two parts, with rows of its own that are 0.
SIZES = {"CHN": 0, "CN1": 4, "CN2": 8, "DEU": 6, "KOR": 3, "ROW": 20, "USA": 14, "VNM": 1}
SECTORS = {"A01": 3, "C13T15": 2, "C26": 6, "C29": 6, "G": 12, "T": 0, "U": 1}
WITHOUT_OUTPUT = "T"
UNCLASSIFIED = "U"  # extraterritorial organisations: in no edition of the tables
USES = ("HFCE", "NPISH", "GGFC", "GFCF", "INVNT", "DPABR")
_LABELS = [(country, sector) for country in SIZES for sector in SECTORS]
_COUNTRIES = [country for country in SIZES if country not in ("CN1", "CN2")]


def files() -> Iterator[SampleFile]:
    """Every file of the sample, sorted by path below the drop folder."""
    tables = {f"{year}_EXT.csv": _extended(year) for year in YEARS}
    rows = sum(body.count(b"\n") - 1 for body in tables.values())
    yield f"gvc/{YEARS[0]}-{YEARS[-1]}_EXT.zip", _stored_zip(tables), rows
    body = _leather()
    yield f"gvc/{LEATHER_YEAR}_SML.csv", body, body.count(b"\n") - 1
    for year in YEARS:
        body = _intensities(year)
        yield f"gvc/emissions_icio_ext_{year}.csv", body, body.count(b"\n") - 1


def _leather() -> bytes:
    inputs = [sum(row[column] for row in LEATHER) for column in range(len(LEATHER))]
    output = [sum(row) for row in LEATHER]
    nothing = [0.0] * 3
    lines = [["V1", *LEATHER_LABELS, *(f"{country}_HFCE" for country in ("ARG", "TUR", "DEU")), "OUT"]]
    lines += [
        [label, *map(str, row), _short(total)]
        for label, row, total in zip(LEATHER_LABELS, LEATHER, output, strict=True)
    ]
    added = [total - used for total, used in zip(output, inputs, strict=True)]
    lines += [
        ["TLS", *map(str, [0.0] * len(output)), *map(str, nothing), "0.0"],
        ["VA", *map(_short, added), *map(str, nothing), "0.0"],
        ["OUT", *map(_short, output), *map(str, nothing), "0.0"],
    ]
    return "".join(",".join(line) + "\n" for line in lines).encode()


def _short(value: float) -> str:
    return f"{value:.1f}"


def _extended(year: int) -> bytes:
    """A year of the synthetic table. All numbers are whole tenths of a million until they are written."""
    output = [_output(country, sector, year) for country, sector in _LABELS]
    flows = [
        [_flow(source, target, total, year) for target, total in zip(_LABELS, output, strict=True)]
        for source in _LABELS
    ]
    final = [
        _final_uses(label, total - sum(row), year) for label, total, row in zip(_LABELS, output, flows, strict=True)
    ]
    taxes = [total // 50 for total in output]
    used = [sum(row[column] for row in flows) for column in range(len(_LABELS))]
    added = [total - spent - tax for total, spent, tax in zip(output, used, taxes, strict=True)]
    names = [f"{country}_{sector}" for country, sector in _LABELS]
    columns = [f"{country}_{use}" for country in _COUNTRIES for use in USES]
    nothing = [0] * (len(columns) + 1)
    lines = [",".join(["V1", *names, *columns, "OUT"])]
    for name, row, uses in zip(names, flows, final, strict=True):
        lines.append(_line(name, [*row, *uses, sum(row) + sum(uses)]))
    lines += [
        _line("TLS", [*taxes, *nothing]),
        _line("VA", [*added, *nothing]),
        _line("OUT", [*output, *nothing]),
    ]
    return "".join(f"{line}\n" for line in lines).encode()


def _intensities(year: int) -> bytes:
    """Emission intensities of the synthetic table. One row is of a part of an economy, one is there twice."""
    rows = [f"{country},{sector},{_intensity(country, sector, year)}" for country in _COUNTRIES for sector in SECTORS]
    return "".join(f"{row}\n" for row in ["country_iso3,sector,kg_co2_per_usd", *rows, rows[0], "CN1,A01,0.4"]).encode()


def _intensity(country: str, sector: str, year: int) -> str:
    """Less from year to year; none of a sector without output."""
    if sector == WITHOUT_OUTPUT:
        return ""
    dirt = {"CHN": 3, "ROW": 2}.get(country, 1) * {"G": 0.3, "U": 0.2}.get(sector, 1.0)
    return f"{0.25 * dirt * (0.6 + 0.8 * _drawn(38, country, sector)) * 0.9 ** (year - YEARS[0]):.4f}"


def _line(name: str, tenths: Sequence[int]) -> str:
    return ",".join([name, *(f"{value / 10:.1f}" if value else "" for value in tenths)])


def _output(country: str, sector: str, year: int) -> int:
    growth = 1 + 0.05 * (year - YEARS[0]) * (0.5 + _drawn(31, country, sector))
    return int(10_000 * SIZES[country] * SECTORS[sector] * growth * (0.7 + 0.6 * _drawn(32, country, sector)))


def _flow(source: tuple[str, str], target: tuple[str, str], total: int, year: int) -> int:
    """What the target's sector uses of the source's product: half of its output in all, most of it from home."""
    (country, sector), (user, used_in) = source, target
    if not total:
        # Something is delivered to a sector that makes nothing.
        return 3 if sector == "G" and used_in == WITHOUT_OUTPUT and country == user and SIZES[country] else 0
    weight = SECTORS[sector] / sum(SECTORS.values()) * (0.4 + 1.2 * _drawn(33, sector, used_in))
    home = {country, user} <= {"CN1", "CN2"} or country == user
    if home:
        part = 0.36 * SIZES[country] / (12 if country in ("CN1", "CN2") else SIZES[country])
    else:
        part = 0.14 * SIZES[country] / sum(SIZES.values()) * (0.3 + 1.4 * _drawn(34, *source, *target))
    drift = 1 + 0.04 * (year - YEARS[0]) * (_drawn(35, *source, *target) - 0.5)
    return int(total * part * weight * drift)


def _final_uses(label: tuple[str, str], left: int, year: int) -> list[int]:
    """What is left of an output, over the uses of all countries; what cannot be placed are inventories at home."""
    home = "CHN" if label[0] in ("CN1", "CN2") else label[0]
    uses = {country: dict.fromkeys(USES, 0) for country in _COUNTRIES}
    abroad = int(max(left, 0) * 0.2)
    for country in _COUNTRIES:
        part = 0.0 if country == home else 1 / (len(_COUNTRIES) - 1) * (0.5 + _drawn(36, *label, country))
        uses[country]["HFCE"] += int(abroad * part * 0.6)
    own = uses[home]
    for use, part in (("HFCE", 0.5), ("NPISH", 0.02), ("GGFC", 0.12), ("GFCF", 0.18)):
        own[use] += int(left * part)
    own["DPABR"] -= int(max(left, 0) * 0.01)
    own["INVNT"] = left - sum(sum(each.values()) for each in uses.values())
    if _drawn(37, *label, str(year)) < 0.3:  # sold from stock
        taken = int(max(left, 0) * 0.08) + max(own["INVNT"], 0)
        own["INVNT"] -= taken
        own["HFCE"] += taken
    return [uses[country][use] for country in _COUNTRIES for use in USES]


def _drawn(base: int, *names: str) -> float:
    """A number in [0, 1) of these names."""
    return chance(base, *(int.from_bytes(name.encode(), "big") for name in names))


def _stored_zip(members: dict[str, bytes]) -> bytes:
    """A zip of members as they are: compressed bytes differ between the zlib builds of different machines."""
    body = io.BytesIO()
    with zipfile.ZipFile(body, "w", zipfile.ZIP_STORED) as archive:
        for name, content in sorted(members.items()):
            member = zipfile.ZipInfo(name, date_time=(1980, 1, 1, 0, 0, 0))
            member.create_system = 3
            archive.writestr(member, content)
    return body.getvalue()
