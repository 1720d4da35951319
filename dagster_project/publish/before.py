"""The release before, for the publisher that builds upon it: what of it can be taken over.

A file is whole when its bytes have the manifest's sha256, or when nothing was done to it since the publisher noted its
stamp (`note_stamps`). Without a note, or where a stamp differs, the file is read.

Not here: reading releases (see `read`), and what a new release takes over (see `release` and `database`).
"""

from __future__ import annotations

import json
import logging
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from dagster_project.durable import settled, sha256_of, stamp, write_whole
from dagster_project.publish.content import ContentHash, method
from dagster_project.publish.manifest import read_manifest
from dagster_project.publish.marts import Known, Mart, year_file
from dagster_project.publish.read import Release

STAMPS = ".stamps.json"

_log = logging.getLogger(__name__)


class Before:
    """The current release while another is built."""

    def __init__(self, release: Release, published: Path) -> None:
        self.release = release
        self._stamps = _noted(published, release.release_id)
        self._whole: dict[str, bool] = {}

    @property
    def release_id(self) -> str:
        return self.release.release_id

    def known(self, mart: str, years: Collection[int]) -> Known:
        """What the manifest says of these years of a mart, of those whose Parquet file is whole."""
        facts = self.release.manifest["marts"].get(mart, {"years": {}, "columns": {}, "files": []})
        found = {}
        for year, part in facts.get("years", {}).items():
            file = year_file(mart, year)
            if int(year) in years and file in facts["files"] and self.has_whole(file):
                found[int(year)] = ContentHash.parse(part["content_hash"])
        return Known(dict(_types(facts)), found)

    def holds(self, mart: Mart, year: Any) -> bool:
        """Whether the mart's rows of a year (None: of a mart without years) are there, under the same columns."""
        facts = self.release.manifest["marts"].get(mart.spec.name)
        if facts is None or self.release.manifest["content_hash"] != method():
            return False
        if _types(facts) != list(mart.types.items()):
            return False
        part = facts if year is None else facts.get("years", {}).get(str(year))
        return part is not None and part["content_hash"] == str(mart.parts[year])

    def in_parquet(self, mart: Mart, year: Any) -> bool:
        """The same, of Parquet files that say the same of the mart: its columns' descriptions and units are in them."""
        facts, now = self.release.manifest["marts"].get(mart.spec.name, {}), mart.facts()
        return self.holds(mart, year) and all(facts[name] == now[name] for name in ("description", "key", "columns"))

    def in_database(self, mart: Mart, year: Any) -> bool:
        """The same, of a table with the same constraint in the DuckDB file."""
        facts = self.release.manifest["marts"].get(mart.spec.name, {})
        return bool(facts.get("in_database")) and facts.get("keyed") == mart.keyed and self.holds(mart, year)

    def has_whole(self, name: str) -> bool:
        """Whether a file is what was published; read at most once."""
        if name not in self._whole:
            self._whole[name] = self._is_as_published(name)
        return self._whole[name]

    def is_whole(self) -> bool:
        """Whether this release can stay: one with a damaged file is replaced, even by one that says the same."""
        damaged = [name for name in self.release.manifest["files"] if not self.has_whole(name)]
        if damaged:
            _log.warning(
                "the current release is published anew: %s of %s are not as published",
                ", ".join(damaged),
                self.release_id,
            )
        return not damaged

    def _is_as_published(self, name: str) -> bool:
        path, facts = self.release.path / name, self.release.manifest["files"][name]
        try:
            if path.stat().st_size != facts["bytes"]:
                return False
            known = self._stamps.get(name)
            return known == stamp(path) or sha256_of(path) == facts["sha256"]
        except FileNotFoundError:
            return False


def _types(facts: Mapping[str, Any]) -> list[tuple[str, str]]:
    return [(name, column["type"]) for name, column in facts["columns"].items()]


def note_stamps(published: Path, release: Path) -> None:
    """Note the stamp of every file of a release whose bytes were just made sure of, for the next publisher.

    Taken when all links are made and removed, because these change stamps too.
    """
    files = [release / name for name in read_manifest(release)["files"]]
    settled(files)
    stamps = {path.relative_to(release).as_posix(): stamp(path) for path in files}
    write_whole(published / STAMPS, json.dumps({"release": release.name, "files": stamps}).encode())


def _noted(published: Path, release_id: str) -> dict[str, list[int]]:
    """File -> stamp, of the files of this release; none where nothing was noted."""
    try:
        content = json.loads((published / STAMPS).read_bytes())
        return dict(content["files"]) if content["release"] == release_id else {}
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        return {}
