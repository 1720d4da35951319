"""Sound reference tables of seven areas and eight goods, and the rows of every landing's accounting.

Not here: trade in those goods (see `sound_trade`), and what is wrong with a spoiled table (the tests of its checks).
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from functools import cache

import duckdb
import pyarrow as pa

from dagster_project.landing.tables import QUARANTINE
from tests.helpers.check_cases import Row, Tables
from tests.helpers.tiny_landing import CONVERSION_SCHEMA, COUNTRIES_SCHEMA, PRODUCTS_SCHEMA

WORLD, EU, CHN, JPN, TWN, USA, AREAS_NES = 0, 97, 156, 392, 490, 842, 899
(HORSES, CRUDE_OIL, LITHIUM_CARBONATE, BATTERIES, PROCESSORS, MEMORIES, ELECTRIC_CARS, AEROPLANES) = GOODS = (
    "010121", "270900", "283691", "850760", "854231", "854232", "870380", "880240",
)  # fmt: skip
# A code of H4 that H5 split in two.
SPLIT = "999998"
QUARANTINE_SCHEMA = ", ".join(f"{name} {kind}" for name, kind in QUARANTINE.items())
COUNTS_SCHEMA = "source VARCHAR, rule VARCHAR, n BIGINT"


def country(code: int, name: str, iso2: str, iso3: str, *, is_group: bool = False) -> Row:
    return {"country_code": code, "name": name, "iso2": iso2, "iso3": iso3, "is_group": is_group, "is_country": True}


def no_country(code: int, name: str, *, is_group: bool = False) -> Row:
    return {"country_code": code, "name": name, "is_group": is_group, "is_country": False}


def product(hs6: str) -> Row:
    bec4 = "32" if hs6 == CRUDE_OIL else "22"  # 32 is in no scope but "all"
    return {"hs_revision": "H5", "hs6": hs6, "hs6_name": f"good {hs6}", "hs2": hs6[:2], "bec4": bec4, "bec5": "INT"}


def conversion(from_code: str, hs6: str, weight: float = 1.0) -> Row:
    return {"from_revision": "H4", "from_code": from_code, "hs6": hs6, "weight": weight}


def rule_count(rule: str, n: int, *, source: str, **year: int | None) -> Row:
    """A row of `<dataset>_rule_counts`, with its year where the dataset is landed by year."""
    return dict(source=source, rule=rule, n=n, **year)


def quarantined(reason: str, *, dataset: str, source: str, year: int | None = None, detail: str = "") -> Row:
    """A row of `quarantine_<dataset>`."""
    return {
        "dataset": dataset,
        "source": source,
        "year": year,
        "reason": reason,
        "detail": detail,
        "archive_entry": "entry",
        "source_row": 7,
        "raw": "{}",
    }


def table(schema: str, content: Iterable[Row]) -> pa.Table:
    """Rows as a table with these columns and types; columns that a row does not name are null."""
    content = list(content)
    with duckdb.connect() as connection:
        connection.execute(f"create table made ({schema})")
        if content:
            names = dict.fromkeys(name for row in content for name in row)
            connection.register("arriving", pa.table({name: [row.get(name) for row in content] for name in names}))
            connection.execute("insert into made by name from arriving")
        return connection.table("made").to_arrow_table()


@cache
def reference_tables() -> Tables:
    areas = [
        no_country(WORLD, "World", is_group=True),
        no_country(EU, "European Union", is_group=True),
        country(CHN, "China", "CN", "CHN"),
        country(JPN, "Japan", "JP", "JPN"),
        country(TWN, "Taiwan (Other Asia, nes)", "TW", "TWN", is_group=True),
        country(USA, "USA", "US", "USA"),
        no_country(AREAS_NES, "Areas, nes"),
    ]
    ways = [
        *(conversion(hs6, hs6) for hs6 in GOODS if hs6 != MEMORIES),
        conversion(SPLIT, BATTERIES, 0.25),
        conversion(SPLIT, PROCESSORS, 0.75),
    ]
    n = len(areas) + len(GOODS) + len(ways)
    counts = [rule_count(rule, n, source="reference") for rule in ("rows_read", "landed")]
    return {
        "countries": table(COUNTRIES_SCHEMA, areas),
        "products": table(PRODUCTS_SCHEMA, map(product, GOODS)),
        "hs_conversion": table(CONVERSION_SCHEMA, ways),
        "reference_rule_counts": table(COUNTS_SCHEMA, counts),
    }


@cache
def country_tables() -> Tables:
    """The dimension of countries, with the list and the seeds that it is made of."""
    listed = reference_tables()["countries"]
    staged = listed.filter(listed["is_country"]).select(["country_code", "iso2", "iso3", "name"])
    regions = table(
        "country_code INTEGER, region VARCHAR, sub_region VARCHAR, trade_region VARCHAR",
        [
            {"country_code": code, "region": "Asia", "sub_region": "Eastern Asia", "trade_region": "East Asia"}
            for code in (CHN, JPN, TWN)
        ]
        + [
            {
                "country_code": USA,
                "region": "Americas",
                "sub_region": "Northern America",
                "trade_region": "North America",
            }
        ],
    )
    memberships = table(
        "membership VARCHAR, iso3 VARCHAR, valid_from DATE, valid_to DATE",
        [{"membership": "g7", "iso3": iso3, "valid_from": date(1975, 11, 15)} for iso3 in ("JPN", "USA")],
    )
    dates = [
        f"{group}_{ending} DATE" for group in ("eu", "g7", "g20", "asean", "oecd") for ending in ("since", "until")
    ]
    places = {row["country_code"]: row for row in regions.to_pylist()}
    countries = table(
        "country_code INTEGER, iso3 VARCHAR, iso2 VARCHAR, name VARCHAR, region VARCHAR, sub_region VARCHAR, "
        f"trade_region VARCHAR, {', '.join(dates)}, is_eu27 BOOLEAN",
        [
            {
                **row,
                **places[row["country_code"]],
                "g7_since": date(1975, 11, 15) if row["iso3"] in ("JPN", "USA") else None,
                "is_eu27": False,
            }
            for row in staged.to_pylist()
        ],
    )
    return {
        "countries": countries,
        "stg_countries": staged,
        "country_regions": regions,
        "country_memberships": memberships,
    }


@cache
def product_tables() -> Tables:
    """The dimension of goods, with the list and the seeds that it is made of."""
    staged = reference_tables()["products"]
    sections = {"01": 1, "27": 5, "28": 6, "85": 16, "87": 17, "88": 17}
    last = {1: "05", 5: "27", 6: "38", 16: "85", 17: "89"}
    first = {1: "01", 5: "25", 6: "28", 16: "84", 17: "86"}
    products = table(
        f"{PRODUCTS_SCHEMA}, hs4 VARCHAR, hs2_name VARCHAR, hs_section INTEGER, hs_section_name VARCHAR, "
        "bec4_end_use VARCHAR, in_scope BOOLEAN, product_scope VARCHAR",
        [
            {
                **row,
                "hs4": row["hs6"][:4],
                "hs2_name": f"chapter {row['hs2']}",
                "hs_section": sections[row["hs2"]],
                "hs_section_name": f"section {sections[row['hs2']]}",
                "bec4_end_use": "intermediate" if row["bec4"] == "22" else "other",
                "in_scope": row["bec4"] == "22",
                "product_scope": "bec4_intermediate",
            }
            for row in staged.to_pylist()
        ],
    )
    return {
        "products": products,
        "stg_products": staged,
        "hs2_chapters": table(
            "hs2 VARCHAR, hs2_name VARCHAR", [{"hs2": hs2, "hs2_name": f"chapter {hs2}"} for hs2 in sections]
        ),
        "hs_sections": table(
            "hs_section INTEGER, hs_section_name VARCHAR, first_hs2 VARCHAR, last_hs2 VARCHAR",
            [
                {"hs_section": n, "hs_section_name": f"section {n}", "first_hs2": first[n], "last_hs2": last[n]}
                for n in first
            ],
        ),
    }
