"""Small tables of ideal points, the way from them to the landing, and what lies there. Not here: expectations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb

from dagster_project.archive.store import Archive
from dagster_project.datasets.politics.files import FILE_KINDS
from dagster_project.datasets.politics.landing import land
from dagster_project.datasets.politics.sample import politics_files
from dagster_project.landing.loads import Landed, Load
from dagster_project.settings import load_settings
from dagster_project.sources.files import find_files

COLUMNS = ("", "ccode", "session", "NVotesAll", "IdealPointAll", "iso3c", "Countryname")
START = datetime(2026, 1, 1, tzinfo=UTC)
FIRST = "IdealpointestimatesAll_Jun2024.csv"


def row(ccode: object, session: object, point: object, iso3c: str, votes: object = 70, name: str = "A") -> list[str]:
    """A row as R writes it: text in quotation marks, NA without."""
    quoted = [text if text in ("NA", "") else f'"{text}"' for text in (iso3c, name)]
    return ['"1"', str(ccode), str(session), str(votes), str(point), *quoted]


def table(*rows: Sequence[str], columns: Sequence[str] = COLUMNS, delimiter: str = ",", end: str = "\r\n") -> str:
    """A table as R writes it."""
    lines = [[f'"{name}"' for name in columns], *rows]
    return "".join(delimiter.join(line) + end for line in lines)


class Desk:
    """A drop folder and the landing that is made of it. Files are taken in one day after the other."""

    def __init__(self, root: Path) -> None:
        self.drop, self.landing = root / "drop", root / "landing"
        self.archive, self.now = Archive(root / "archive"), START

    def write(self, content: str | bytes, name: str = FIRST, folder: str = "politics") -> None:
        """Put a file into the drop folder."""
        path = self.drop / folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)

    def write_sample(self) -> None:
        """Put the sample's table into the drop folder."""
        for path, body, _ in politics_files():
            self.write(body, path.removeprefix("politics/"))

    def land(self) -> Landed:
        """Take in and land what lies in the drop folder now."""
        found = find_files(self.drop, FILE_KINDS)
        entries = [self.archive.put(payload, retrieved_at=self.now) for payload in found.payloads]
        self.now += timedelta(days=1)
        return land(Load(self.archive, entries, self.landing, load_settings({}, dotenv=None)))

    def rows(self, query: str) -> list[dict[str, Any]]:
        """Ask the landing's tables: points, counts, quarantine."""
        with duckdb.connect() as connection:
            for name, path in {
                "points": "politics/ideal_points.parquet",
                "counts": "politics_rule_counts.parquet",
                "quarantine": "quarantine/politics/*.parquet",
            }.items():
                connection.execute(f"create view {name} as from read_parquet('{self.landing / path}')")
            found = connection.execute(query)
            names = [column[0] for column in found.description]
            return [dict(zip(names, values, strict=True)) for values in found.fetchall()]

    def points(self) -> list[tuple[Any, ...]]:
        """ccode, session, iso3c, iso3, year, ideal_point, n_votes of every landed row."""
        kept = self.rows("select * exclude (archive_entry, source_row) from points")
        return [tuple(each.values()) for each in kept]

    def counted(self) -> Mapping[str, int]:
        """Rule -> rows, over all sources."""
        return {
            each["rule"]: each["n"] for each in self.rows("select rule, sum(n)::bigint as n from counts group by 1")
        }
