"""Releases as the explorer reads them: the current one, found anew at every request, and those that open pages name.

What belongs here: which release answers a request, how long it is held, and its connections. Not here: any question
that only one page asks.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from threading import Lock
from typing import Any

import duckdb

from dagster_project.economy_codes import EUROPEAN_UNION
from dagster_project.errors import ReleaseError
from dagster_project.machine import Resources
from dagster_project.publish.read import CURRENT, Release, open_release
from dagster_project.sql import identifier, parquet

Row = dict[str, Any]
Parameters = Mapping[str, Any]
# So many releases stay open beside each other: the current one, and that of pages that were opened before it.
KEPT_OPEN = 2


@dataclass(frozen=True)
class Country:
    """An economy that trades in the release: its Comtrade code, alpha-3 code and name."""

    code: int
    iso3: str
    name: str

    @property
    def is_union(self) -> bool:
        """Whether it is the European Union as one economy, which has no flows of its own: they are its members'."""
        return self.iso3 == EUROPEAN_UNION


class Held:
    """A release that is open, with one connection that every request takes a cursor of, and the names it is full of."""

    def __init__(self, release: Release) -> None:
        self.release = release
        self.connection = release.connect(described=False)
        self.connection.execute("set parquet_metadata_cache = true")
        self.users = 0
        self.retired = False
        self._lock = Lock()

    def close(self) -> None:
        """Let go of the files; retention may remove the release from now on."""
        self.connection.close()
        self.release.close()

    def names(self) -> Names:
        """Read once: they are what lists of choices and links are made of."""
        with self._lock:
            return self._names

    @cached_property
    def _names(self) -> Names:
        reader = Reader(self, self.connection.cursor())
        try:
            return Names(_countries(reader), _goods(reader), _chapters(reader))
        finally:
            reader.cursor.close()


@dataclass(frozen=True)
class Names:
    """Countries by alpha-3 code, goods by HS6 code, chapters by HS2 code; each in the order of the code."""

    countries: Mapping[str, Country]
    goods: Mapping[str, str]
    chapters: Mapping[str, str]


@dataclass
class Reader:
    """One request's view of one release."""

    held: Held
    cursor: duckdb.DuckDBPyConnection
    newest: bool = True  # whether the release is the current one

    @property
    def release(self) -> Release:
        """The release itself."""
        return self.held.release

    @property
    def manifest(self) -> Mapping[str, Any]:
        """What the release says of itself."""
        return self.release.manifest

    @property
    def release_id(self) -> str:
        """The release's id."""
        return self.release.release_id

    @property
    def names(self) -> Names:
        """The release's countries, goods and chapters."""
        return self.held.names()

    def has(self, mart: str, *columns: str) -> bool:
        """Whether the release holds the mart, with these columns."""
        facts = self.manifest["marts"].get(mart)
        return facts is not None and set(columns) <= set(facts["columns"])

    def of_countries(self, mart: str) -> str:
        """SQL: without the European Union as one economy, which stands beside its members in some marts."""
        return self.release.of_countries(mart)

    def codes(self, country: Country) -> list[int]:
        """Whose flows are those of the economy: its own code, or its members'."""
        if country.is_union and self.has("countries", "country_code", "is_eu27"):
            return [row["country_code"] for row in self.rows("from marts.countries where is_eu27")]
        return [country.code]

    def years(self, mart: str) -> list[int]:
        """The years of a mart by year, oldest first; none of a mart that the release lacks."""
        return sorted(int(year) for year in self.manifest["marts"].get(mart, {}).get("years", ()))

    def rows(self, query: str, parameters: Parameters | None = None) -> list[Row]:
        """The rows of a query. Whatever a user chose goes in as a parameter."""
        result = self.cursor.execute(query, dict(parameters or {}))
        names = [column[0] for column in result.description or ()]
        return [dict(zip(names, row, strict=True)) for row in result.fetchall()]

    def one(self, query: str, parameters: Parameters | None = None) -> Row | None:
        """The first row of a query, if there is one."""
        found = self.rows(query, parameters)
        return found[0] if found else None

    def of_year(self, mart: str, year: int) -> str:
        """A table expression over one year of a mart: its own file, where the mart is not in the DuckDB file.

        Such a mart has as many files as there are years, and the footers alone of all of them take longer to read than
        the year that is asked for.
        """
        facts = self.manifest["marts"][mart]
        if not facts.get("in_database", not facts["partitioned"]):
            own = {str(year), f"year={year}"}
            files = [path for path in self.release.parquet(mart) if path.parent.name in own]
            if files:
                return parquet(files)
        return f"(select * from marts.{identifier(mart)} where year = {int(year)})"


class Releases:
    """The releases of a published directory. Each request reads one of them, from its beginning to its end."""

    def __init__(self, published: Path, resources: Resources | None = None) -> None:
        self._published, self._resources = published, resources
        self._held: dict[str, Held] = {}
        self._lock = Lock()

    @contextmanager
    def reading(self, release_id: str | None = None) -> Iterator[Reader]:
        """A reader of the current release, or of the one named. ReleaseError where there is none."""
        held = self._take(release_id)
        cursor = held.connection.cursor()
        try:
            yield Reader(held, cursor, newest=held.release.release_id == self.current_id())
        finally:
            cursor.close()
            self._give_back(held)

    def current_id(self) -> str | None:
        """The id of the current release, from the name of its directory alone; None where nothing is published."""
        try:
            return (self._published / CURRENT).readlink().name
        except OSError:
            return None

    def close(self) -> None:
        """Close every release that nobody reads."""
        with self._lock:
            for held in list(self._held.values()):
                self._retire(held)

    def _take(self, release_id: str | None) -> Held:
        with self._lock:
            wanted = release_id or self.current_id()
            held = self._held.pop(wanted or "", None)
            if held is None:
                opened = open_release(self._published, release_id, resources=self._resources)
                held = self._held.pop(opened.release_id, None)
                if held is None:
                    held = self._opened(opened)
                else:  # another one became the current one in between
                    opened.close()
            self._held[held.release.release_id] = held  # the last one in the order is the one last used
            held.users += 1
            for old in list(self._held.values())[:-KEPT_OPEN]:
                self._retire(old)
            return held

    @staticmethod
    def _opened(release: Release) -> Held:
        try:
            return Held(release)
        except BaseException as error:
            release.close()
            if isinstance(error, duckdb.Error):
                raise ReleaseError(
                    f"release {release.release_id}",
                    found=f"files that DuckDB cannot open ({error})",
                    expected="the files as they were published",
                    remedy="Publish again: damaged files are then written anew.",
                ) from error
            raise

    def _retire(self, held: Held) -> None:
        self._held.pop(held.release.release_id, None)
        held.retired = True
        if not held.users:
            held.close()

    def _give_back(self, held: Held) -> None:
        with self._lock:
            held.users -= 1
            if held.retired and not held.users:
                with suppress(duckdb.Error):
                    held.close()


def _countries(reader: Reader) -> dict[str, Country]:
    """Economies with an alpha-3 code in the marts that hold every importer and exporter, the newest name of each."""
    sides = [
        f"select year, {who}_code as code, {who}_iso3 as iso3, {who}_name as name from marts.{mart}"
        for mart, who in (
            ("bilateral_totals", "exporter"),
            ("bilateral_totals", "importer"),
            ("vulnerability_summary", "importer"),
            ("exporter_position", "exporter"),
        )
        if reader.has(mart, "year", f"{who}_code", f"{who}_iso3", f"{who}_name")
    ]
    if not sides:
        return {}
    found = reader.rows(
        f"""select iso3, max_by(code, year) as code, max_by(name, year) as name
            from ({" union all ".join(sides)}) where iso3 is not null group by iso3 order by iso3"""
    )
    return {row["iso3"]: Country(row["code"], row["iso3"], row["name"] or row["iso3"]) for row in found}


def _goods(reader: Reader) -> dict[str, str]:
    if not reader.has("product_centrality", "hs6", "hs6_name"):
        return {}
    query = "select hs6, max_by(hs6_name, year) as name from marts.product_centrality group by hs6 order by hs6"
    return {row["hs6"]: row["name"] or "" for row in reader.rows(query)}


def _chapters(reader: Reader) -> dict[str, str]:
    if not reader.has("industry_vulnerability", "hs2", "hs2_name"):
        return {}
    query = "select hs2, max_by(hs2_name, year) as name from marts.industry_vulnerability group by hs2 order by hs2"
    return {row["hs2"]: row["name"] or "" for row in reader.rows(query)}
