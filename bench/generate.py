"""Writes the benchmark's input: the sample's synthetic economy at full size, as a drop folder in CEPII BACI's format.

About 200 economies, 5,200 HS6 codes and more than 10 million flows a year: `baci/BACI_HS17_Y<year>_V202401.csv` per
year with the country and product code files beside it, and `reference/hs2017_bec.csv`. Economies' codes are real; the
goods are systematically numbered codes of real chapters, among them the sample's real ones. The same arguments give
the same bytes on every machine. Nothing in it is a statistic of any country.

    python -m bench.generate --out bench/work/drop --years 3
"""

from __future__ import annotations

import argparse
import csv
import time
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa

from dagster_project.sample import areas, codes, world
from dagster_project.sample.noise import uniform

RELEASE = "V202401"
GOODS = 5_200
DENSITY = world.Density(importing=1.6, smallest_share=0.0135, narrowest=0.004)

# Chapters in which the Harmonized System has far more codes than in the rest, with about their number.
_LARGE_CHAPTERS = {3: 220, 28: 170, 29: 330, 39: 130, 48: 110, 52: 130, 55: 110, 61: 110, 62: 120, 72: 170, 73: 130}
_LARGE_CHAPTERS |= {84: 520, 85: 290, 87: 100, 90: 160}
_CHAPTERS = [chapter for chapter in range(1, 98) if chapter != 77]  # 77 is reserved and empty

# BEC Rev. 4 category and BEC Rev. 5 end use that a sector's goods mostly have, and the one that some have.
_BEC = {
    "food": (("122", "CONS"), ("111", "INT")),
    "mineral": (("21", "INT"), ("22", "INT")),
    "energy": (("31", "INT"), ("322", "CONS/INT")),
    "chemical": (("22", "INT"), ("63", "CONS")),
    "pharma": (("63", "CONS"), ("22", "INT")),
    "plastics": (("22", "INT"), ("62", "CONS")),
    "light": (("62", "CONS"), ("22", "INT")),
    "metal": (("22", "INT"), ("21", "INT")),
    "critical": (("22", "INT"), ("21", "INT")),
    "machinery": (("41", "CAP"), ("42", "INT")),
    "electronics": (("42", "INT"), ("41", "CAP")),
    "vehicle": (("53", "INT"), ("521", "CAP")),
    "instrument": (("42", "INT"), ("41", "CAP")),
}
_OTHERS, _PLACE, _PRICE, _UNKNOWN, _USE = range(201, 206)


def main() -> None:
    """Read the arguments, write the files, say how long each year took."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, required=True, help="drop folder to write into")
    parser.add_argument("--years", type=int, default=1, help="number of years (default 1)")
    parser.add_argument("--first-year", type=int, default=world.FIRST_YEAR, help="first year (default 2017)")
    parser.add_argument("--goods", type=int, default=GOODS, help=f"number of HS6 codes (default {GOODS})")
    arguments = parser.parse_args()
    for year, rows, seconds in generate(arguments.out, arguments.years, arguments.first_year, arguments.goods):
        print(f"{year}: {rows:,} flows in {seconds:.1f} s", flush=True)


def generate(out: Path, years: int, first_year: int, n_goods: int) -> Iterator[tuple[int, int, float]]:
    """Write the drop folder; yield year, number of flows and seconds after each year."""
    if first_year < world.FIRST_YEAR or years < 1:
        raise SystemExit(f"years start in {world.FIRST_YEAR} and there is at least one")
    everyone, hs6 = economies(), goods(n_goods)
    write_code_lists(out, everyone, hs6)
    parameters = world.build(everyone, hs6, DENSITY)
    for year in range(first_year, first_year + years):
        started = time.perf_counter()
        rows = write_year(out / "baci" / f"BACI_HS17_Y{year}_{RELEASE}.csv", parameters, year)
        yield year, rows, time.perf_counter() - started


def economies() -> list[areas.Economy]:
    """The sample's economies and the others of `economies.csv`, whose place and size are drawn; by code."""
    with Path(__file__).with_name("economies.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    keys = np.array([int(row["code"]) for row in rows], np.int64)
    size = 3.0 / (0.006 + uniform(_OTHERS, keys))  # 3 to 500 billion USD, most of them small
    lon, lat = 340.0 * uniform(_PLACE, keys, 1) - 170.0, 100.0 * uniform(_PLACE, keys, 2) - 40.0
    others = [
        areas.Economy(int(row["code"]), row["iso2"], row["iso3"], row["name"], *place)
        for row, place in zip(rows, zip(lon.tolist(), lat.tolist(), size.tolist(), strict=True), strict=True)
    ]
    return sorted((*areas.economies(), *others), key=lambda economy: economy.code)


def goods(number: int) -> list[str]:
    """The sample's codes and, chapter by chapter, as many further ones as it takes; sorted."""
    found = {product.hs6 for product in codes.products()}
    numbered = {chapter: _numbered(chapter) for chapter in _CHAPTERS}
    room = {chapter: _LARGE_CHAPTERS.get(chapter, 30) for chapter in _CHAPTERS}
    step = 0
    while len(found) < number:
        for chapter in _CHAPTERS:
            # One code per chapter and round; large chapters go on when the others have their share.
            if (step < room[chapter] or step >= max(room.values())) and len(found) < number:
                found.add(next(numbered[chapter]))
        step += 1
    return sorted(found)


def _numbered(chapter: int) -> Iterator[str]:
    for subheading in (10, 90, 20, 30, 40, 50, 60, 70, 80, *range(11, 100)):
        for heading in range(1, 86 if chapter in _LARGE_CHAPTERS else 21):
            yield f"{chapter:02d}{heading:02d}{subheading:02d}"


def write_code_lists(out: Path, everyone: Sequence[areas.Economy], hs6: Sequence[str]) -> None:
    """Country codes, product codes and the BEC table."""
    sample = {product.hs6: product for product in codes.products()}
    uses = uniform(_USE, np.array([int(code) for code in hs6], np.int64)).tolist()
    bec = {code: _BEC[world.sector(code)][use > 0.7] for code, use in zip(hs6, uses, strict=True)}
    bec |= {code: (product.bec4, product.bec5) for code, product in sample.items()}
    names = {code: f"Synthetic good {code}" for code in hs6} | {code: sample[code].name for code in sample}
    _write_csv(
        out / "baci" / f"country_codes_{RELEASE}.csv",
        ("country_code", "country_name", "country_iso2", "country_iso3"),
        ((economy.code, economy.name, economy.iso2, economy.iso3) for economy in everyone),
    )
    _write_csv(
        out / "baci" / f"product_codes_HS17_{RELEASE}.csv",
        ("code", "description"),
        ((code, names[code]) for code in hs6),
    )
    _write_csv(
        out / "reference" / "hs2017_bec.csv",
        ("hs6", "bec4", "bec5_end_use", "description"),
        ((code, *bec[code], names[code]) for code in hs6),
    )


def _write_csv(path: Path, header: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)


def write_year(path: Path, parameters: world.World, year: int) -> int:
    """One year's flows in BACI's format and order (exporter, importer, product); the number of flows."""
    table = _year(parameters, year)
    connection = duckdb.connect()
    connection.register("flows", pa.Table.from_batches(table.to_batches(max_chunksize=250_000)))  # one thread a batch
    # Values are thousand USD with three decimals, quantities tons with three decimals in a field of 13 characters.
    connection.execute(f"""
        copy (
            select {year} as t, i, j, k, cast(usd as decimal(13, 0)) * 0.001 as v,
                lpad(coalesce(cast(cast(kg as decimal(13, 0)) * 0.001 as varchar), 'NA'), 13, ' ') as q
            from flows
        ) to '{path}' (header, delimiter ',', quote '')
    """)
    connection.close()
    return int(table.num_rows)


def _year(parameters: world.World, year: int) -> pa.Table:
    """Columns i, j, k, usd, kg (null where unknown), sorted by i, j, k."""
    draw = uniform(_PRICE, parameters.good_keys)
    price = 0.2 + 400.0 * draw * draw  # USD per kilogram
    parts: list[tuple[np.ndarray, ...]] = []
    for good in range(len(parameters.hs6)):
        usd = world.flows(parameters, good, year) // 100
        i, j = np.nonzero(usd)
        value = usd[i, j]
        known = uniform(_UNKNOWN, int(parameters.good_keys[good]), parameters.economy_keys[i], year) >= 0.05
        kg = np.where(known, 1 + np.floor(value / price[good]).astype(np.int64), -1)
        parts.append((i.astype(np.int16), j.astype(np.int16), np.full(len(i), good, np.int16), value, kg))
    i, j, k, usd, kg = (np.concatenate(columns) for columns in zip(*parts, strict=True))
    keys = parameters.economy_keys
    order = np.argsort((i.astype(np.int64) * len(keys) + j) * len(parameters.hs6) + k)
    return pa.table(
        {
            "i": keys[i[order]],
            "j": keys[j[order]],
            "k": pa.DictionaryArray.from_arrays(k[order], list(parameters.hs6)),
            "usd": usd[order],
            "kg": pa.array(kg[order], mask=kg[order] < 0),
        }
    )


if __name__ == "__main__":
    main()
