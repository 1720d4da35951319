"""A small drop folder and the way from it to the landing tables, for tests of the trade landing.

What belongs here: reference files of a dozen areas and goods, and a way to write trade files beside them, land them and
look at the result. Not here: expectations.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb

from dagster_project.archive.store import Archive, Entry
from dagster_project.datasets.reference.landing import land as land_reference
from dagster_project.datasets.trade import landing as trade
from dagster_project.datasets.trade.parsing import parse, years_held
from dagster_project.landing import loads, yearly
from dagster_project.settings import Settings, load_settings
from dagster_project.sql import parquet
from tests.helpers.steps import fetch, load_of

START = datetime(2024, 1, 1, tzinfo=UTC)
# code -> (name, isGroup) as Comtrade's lists have them
AREAS: Mapping[int, tuple[str, bool]] = {
    0: ("World", True), 97: ("European Union", True), 975: ("ASEAN", True), 156: ("China", False),
    276: ("Germany", False), 842: ("USA", False), 360: ("Indonesia", False), 583: ("FS Micronesia", False),
    608: ("Philippines", False), 490: ("Other Asia, nes", True), 568: ("Other Europe, nes", False),
    837: ("Bunkers", False), 838: ("Free Zones", False), 839: ("Special Categories", False),
    899: ("Areas, nes", False),
}  # fmt: skip
# HS 2017 code -> (name, BEC Rev.4, end use)
GOODS: Mapping[str, tuple[str, str, str]] = {
    "010121": ("Horses", "41", "CAP"), "270900": ("Crude oil", "31", "INT"), "850760": ("Batteries", "53", "CAP"),
    "854231": ("Processors", "42", "INT"), "854232": ("Memories", "42", "INT"),
}  # fmt: skip
WEIGHTS = {
    ("H4", "H5"): [("010121", "010121", 1), ("854231", "854231", 0.75), ("854231", "854232", 0.25)],
    ("H3", "H4"): [("010119", "010121", 1), ("854230", "854231", 1), ("999990", "777777", 1)],
}
FIELDS = [
    "typeCode",
    "freqCode",
    "refYear",
    "period",
    "reporterCode",
    "flowCode",
    "partnerCode",
    "partner2Code",
    "classificationCode",
    "cmdCode",
    "customsCode",
    "motCode",
    "qtyUnitAbbr",
    "qty",
    "primaryValue",
]
DEFAULTS = {
    "typeCode": "C", "freqCode": "A", "refYear": 2017, "period": "", "reporterCode": 156, "flowCode": "M",
    "partnerCode": 842, "partner2Code": 0, "classificationCode": "H5", "cmdCode": "854231", "customsCode": "C00",
    "motCode": 0, "qtyUnitAbbr": "kg", "qty": "", "primaryValue": 100,
}  # fmt: skip


def row(**fields: object) -> dict[str, object]:
    """A Comtrade row: China's imports of processors from the USA in 2017, but for the fields given."""
    assert fields.keys() <= DEFAULTS.keys(), fields
    return {**DEFAULTS, "period": fields.get("refYear", DEFAULTS["refYear"]), **fields}


def as_csv(rows: Iterable[Mapping[str, object]], columns: Sequence[str] = FIELDS, delimiter: str = ",") -> str:
    """Rows as delimited text with a header."""
    lines = [delimiter.join(columns)]
    lines += [delimiter.join(str(each.get(column, "")) for column in columns) for each in rows]
    return "\n".join(lines) + "\n"


def as_answer(rows: Sequence[Mapping[str, object]], **fields: object) -> str:
    """Rows in the envelope of Comtrade's API."""
    return json.dumps({"elapsedTime": "0.1 secs", "count": len(rows), "data": list(rows), "error": "", **fields})


class Desk:
    """A drop folder and the data directory that it is landed in."""

    def __init__(self, root: Path) -> None:
        self.root, self.drop = root, root / "drop"
        self.settings = self.with_settings()
        self.now = START
        self.write_reference()

    def with_settings(self, **values: str) -> Settings:
        """The settings of a run on this folder."""
        given = {
            "CHOKEPOINT_DATA_DIR": str(self.root / "data"),
            "CHOKEPOINT_DROP_DIR": str(self.drop),
            "CHOKEPOINT_TRADE_SOURCE": "files",
            "CHOKEPOINT_REFERENCE_SOURCE": "files",
            **{f"CHOKEPOINT_{name.upper()}": value for name, value in values.items()},
        }
        return load_settings(given, dotenv=None)

    def write(self, name: str, content: str | bytes) -> Path:
        """Put a file into the drop folder."""
        path = self.drop / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    def rows(self, *rows: Mapping[str, object], name: str = "rows.csv") -> None:
        """Put a Comtrade CSV into the drop folder."""
        self.write(f"comtrade/{name}", as_csv(rows))

    def write_reference(self) -> None:
        """The files that every landing needs."""
        listed = [{"id": code, "text": name, "isGroup": group} for code, (name, group) in AREAS.items()]
        self.write("reference/Reporters.json", "\ufeff" + json.dumps({"results": listed}))
        columns = ("hs6", "description", "bec4", "bec5_end_use")
        bec = [dict(zip(columns, (hs6, *good), strict=True)) for hs6, good in GOODS.items()]
        self.write("reference/hs2017_bec.csv", as_csv(bec, columns))
        for (source, target), weights in WEIGHTS.items():
            self.write_weights(source, target, weights)

    def write_weights(self, source: str, target: str, weights: Iterable[tuple[str, str, object]]) -> None:
        """A conversion weight file."""
        rows = [{source: old, target: new, "weight": weight, "group_id": 1} for old, new, weight in weights]
        name = f"reference/conversion_weights_{source}_to_{target}.csv"
        self.write(name, as_csv(rows, (source, target, "weight", "group_id")))

    def land_reference(self) -> loads.Landed:
        """Archive and land the reference files."""
        entries, _ = fetch("reference", self.settings, self.now)
        return land_reference(self.load(entries))

    def fetch_trade(self) -> tuple[list[Entry], Sequence[str]]:
        """Archive the trade files, each call a second later than the one before."""
        self.now += timedelta(seconds=1)
        return fetch("trade", self.settings, self.now)

    def load(self, entries: Sequence[Entry], years: Sequence[int] = ()) -> loads.Load:
        """One load of these entries."""
        settings = self.settings
        return load_of(Archive(settings.archive_dir), entries, settings.landing_dir, settings=settings, years=years)

    def land(self, *, years: Sequence[int] | None = None, entries: Sequence[Entry] | None = None) -> Landed:
        """Land everything that lies in the drop folder (or these entries)."""
        self.land_reference()
        load = self.load(self.fetch_trade()[0] if entries is None else entries)
        parsed = parse(load, years)
        held = [year for year in years_held(parsed) if years is None or year in years]
        yearly.keep_only(held, load.landing, "trade", [load.landing / name for name in trade.FOLDERS])
        landed = {year: trade.land_year(load, parsed, year) for year in held}
        trade.land_rest(parsed, load.landing, held)
        trade.write_empty_tables(load.landing)
        return Landed(load.landing, landed)


class Landed:
    """The landing tables, as plain data."""

    def __init__(self, landing: Path, years: Mapping[int, trade.LandedYear]) -> None:
        self.landing, self.years = landing, years

    def table(self, name: str) -> list[dict[str, Any]]:
        """All rows of a landing table."""
        table = f"{name}.parquet" if "reference/" in name else f"{name}/year=*/*.parquet"
        with duckdb.connect() as connection:
            found = connection.execute(f"from {parquet(self.landing / table)} order by all")
            names = [column[0] for column in found.description or ()]
            return [dict(zip(names, values, strict=True)) for values in found.fetchall()]

    def values(self, name: str = "trade_flows") -> list[float]:
        """The values of a table, sorted."""
        return sorted(each["value_usd"] for each in self.table(name))

    def counts(self) -> dict[str, int]:
        """The accounting over all years: rules with at least one row."""
        counts: dict[str, int] = {}
        for each in self.table("trade_rule_counts"):
            counts[each["rule"]] = counts.get(each["rule"], 0) + each["n"]
        return {rule: n for rule, n in counts.items() if n}

    def quarantine(self) -> list[tuple[str, int]]:
        """(reason, row of the file) of everything in quarantine, sorted."""
        return sorted((each["reason"], each["source_row"]) for each in self.table("quarantine/trade"))

    def reasons(self) -> set[str]:
        """The reasons in quarantine."""
        return {reason for reason, _ in self.quarantine()}
