"""A hand-sized landing folder for tests of the dbt project.

What belongs here: the rows of a small world and the code that writes them as the Parquet that landing writes.
Not here: what the marts should say about them (that is the tests' own, independent arithmetic).
"""

from __future__ import annotations

import random
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

import duckdb

REPORT_SCHEMA = """
    year INTEGER, reporter_code INTEGER, flow VARCHAR, partner_code INTEGER, hs_revision VARCHAR, cmd_code VARCHAR,
    value_usd DOUBLE, quantity DOUBLE, quantity_unit VARCHAR, net_weight_kg DOUBLE, net_weight_estimated BOOLEAN,
    quantity_kg DOUBLE, quantity_units DOUBLE, revision_assumed BOOLEAN, source VARCHAR, archive_entry VARCHAR,
    source_row BIGINT
"""
REPORTERS_SCHEMA = "year INTEGER, reporter_code INTEGER, flow VARCHAR, n_rows BIGINT"
FINDINGS_SCHEMA = """
    year INTEGER, finding VARCHAR, reporter_code INTEGER, flow VARCHAR, code VARCHAR, n_rows BIGINT, value_usd DOUBLE,
    detail VARCHAR
"""
LOSSES_SCHEMA = """
    year INTEGER, source VARCHAR, file VARCHAR, archive_entry VARCHAR, reporter_code INTEGER,
    reporter_is_country BOOLEAN, flow VARCHAR, reason VARCHAR, rule VARCHAR, n_rows BIGINT, value_usd DOUBLE,
    example VARCHAR
"""
COUNTRIES_SCHEMA = """
    country_code INTEGER, iso2 VARCHAR, iso3 VARCHAR, name VARCHAR, is_group BOOLEAN, is_country BOOLEAN, valid_to DATE
"""
PRODUCTS_SCHEMA = "hs_revision VARCHAR, hs6 VARCHAR, hs6_name VARCHAR, hs2 VARCHAR, bec4 VARCHAR, bec5 VARCHAR"
CONVERSION_SCHEMA = "from_revision VARCHAR, from_code VARCHAR, hs6 VARCHAR, weight DOUBLE"
YEARLY_SCHEMAS = {
    "trade_flows": REPORT_SCHEMA,
    "trade_unallocated": REPORT_SCHEMA,
    "trade_reimports": REPORT_SCHEMA,
    "trade_reporters": REPORTERS_SCHEMA,
}
REFERENCE_SCHEMAS = {
    "countries": COUNTRIES_SCHEMA,
    "products": PRODUCTS_SCHEMA,
    "hs_conversion": CONVERSION_SCHEMA,
}


@dataclass(frozen=True)
class Report:
    """One row of trade_flows, trade_unallocated or trade_reimports."""

    year: int
    reporter: int
    flow: str
    partner: int
    code: str
    value: float
    revision: str = "H5"
    quantity: float | None = None
    unit: str | None = None
    assumed: bool = False

    @property
    def kg(self) -> float | None:
        """The quantity where it is a weight above zero."""
        return self.quantity if self.unit == "kg" and self.quantity else None

    @property
    def pieces(self) -> float | None:
        """The quantity where it counts pieces."""
        return self.quantity if self.unit == "u" and self.quantity else None

    def row(self, number: int) -> tuple[object, ...]:
        return (
            self.year, self.reporter, self.flow, self.partner, self.revision, self.code, self.value, self.quantity,
            self.unit, self.kg, False if self.kg else None, self.kg, self.pieces, self.assumed, "comtrade", "entry",
            number,
        )  # fmt: skip


@dataclass
class World:
    """The rows of every landing table that dbt reads. `products` maps hs6 to (BEC4, BEC5)."""

    flows: list[Report] = field(default_factory=list)
    unallocated: list[Report] = field(default_factory=list)
    reimports: list[Report] = field(default_factory=list)
    reporters: list[tuple[int, int, str]] = field(default_factory=list)
    countries: dict[int, str] = field(default_factory=dict)
    products: dict[str, tuple[str | None, str | None]] = field(default_factory=dict)
    conversion: list[tuple[str, str, str, float]] = field(default_factory=list)


def write_landing(folder: Path, world: World) -> Path:
    """Write the world as landing Parquet under `folder`; tables without rows get a zero-row file. Returns `folder`."""
    yearly: dict[str, list[tuple[object, ...]]] = {
        "trade_flows": [report.row(n) for n, report in enumerate(world.flows)],
        "trade_unallocated": [report.row(n) for n, report in enumerate(world.unallocated)],
        "trade_reimports": [report.row(n) for n, report in enumerate(world.reimports)],
        "trade_reporters": [(*reporter, 1) for reporter in world.reporters],
    }
    for table, rows in yearly.items():
        years = sorted({row[0] for row in rows}, key=str) or [1900]
        for year in years:
            path = folder / table / f"year={year}" / "part-0.parquet"
            _write(path, YEARLY_SCHEMAS[table], [row for row in rows if row[0] == year])
    reference: dict[str, list[tuple[object, ...]]] = {
        "countries": [
            (code, iso3[:2], iso3, f"Country {code}", False, True, None if code < 900 else date(2000, 1, 1))
            for code, iso3 in world.countries.items()
        ],
        "products": [("H5", hs6, f"Good {hs6}", hs6[:2], *bec) for hs6, bec in world.products.items()],
        "hs_conversion": list(world.conversion),
    }
    for table, rows in reference.items():
        _write(folder / "reference" / f"{table}.parquet", REFERENCE_SCHEMAS[table], rows)
    return folder


def _write(path: Path, schema: str, rows: Iterable[tuple[object, ...]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with duckdb.connect() as connection:
        connection.execute(f"create table t ({schema})")
        rows = list(rows)
        if rows:
            marks = ", ".join("?" for _ in rows[0])
            connection.executemany(f"insert into t values ({marks})", rows)
        connection.execute(f"copy t to '{path}' (format parquet, compression zstd)")


def random_world(seed: int, years: Iterable[int] = (2017, 2018)) -> World:
    """A small world with every case the measures name; the same for the same seed.

    Nine countries (two never report imports, two report in another revision, two are members of the European Union), a
    dozen goods in and out of scope, one of them traded by two countries only, equal values (ties), dust after
    conversion, unknown and differing units, 999999.
    """
    draw = random.Random(seed)
    countries = {code: f"C{code}"[:3] for code in (12, 24, 36, 40, 56, 76, 84, 96, 490)} | {40: "AUT", 56: "BEL"}
    products: dict[str, tuple[str | None, str | None]] = {
        "010121": ("41", "CAP"), "260300": ("21", "INT"), "280461": ("22", "INT"), "290110": ("22", "INT"),
        "540110": ("22", "INT"), "850760": ("53", "CAP"), "850790": ("42", "CONS/INT"), "854231": ("42", "CONS/INT"),
        "870899": ("53", "CAP"), "901380": (None, None), "270900": ("31", "INT"),
    }  # fmt: skip
    goods = list(products)
    products["710812"] = ("22", "INT")
    world = World(
        countries=countries,
        products=products,
        # 850650 splits in two targets; 850780 and 850650 meet in 850760; a weight of 1e-14 makes a ghost flow.
        conversion=[
            ("H4", "850650", "850760", 0.75), ("H4", "850650", "850790", 0.25),
            ("H4", "850780", "850760", 1.0 - 1e-14), ("H4", "850780", "901380", 1e-14),
            *[("H4", good, good, 1.0) for good in goods if good not in {"850760", "850790"}],
        ],
    )  # fmt: skip
    silent, older = {24, 84}, {40, 490}
    for year in years:
        for reporter in sorted(countries):
            revision = "H4" if reporter in older else "H5"
            codes = ["999999", *(code for code in ("850650", "850780") if revision == "H4")]
            codes += [good for good in goods if revision == "H5" or good not in {"850760", "850790"}]
            for flow in ("M", "X") if reporter not in silent else ("X",):
                world.reporters.append((year, reporter, flow))
                for code in codes:
                    for partner in sorted(countries):
                        if partner == reporter or draw.random() < 0.55:
                            continue
                        drawn = (round(draw.uniform(0.02, 9e6), 3), draw.uniform(0.0, 5e10))
                        value = draw.choice((100.0, 100.0, 250.0, *drawn))
                        quantity, unit = draw.choice(((None, None), (value / 7, "kg"), (value / 3, "kg"), (5.0, "u")))
                        if draw.random() < 0.02:
                            value = 0.004
                        world.flows.append(Report(year, reporter, flow, partner, code, value, revision, quantity, unit))
                    if draw.random() < 0.3:
                        world.unallocated.append(
                            Report(year, reporter, flow, 899, code, draw.uniform(1, 1e5), revision)
                        )
        world.flows.append(Report(year, 12, "M", 36, "710812", 10.0))  # two countries trade it: no centrality
        world.reimports.append(Report(year, 12, "M", 12, "850760", 77.0))
    return world
