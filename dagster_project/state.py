"""What the data directory was last built from, and what has changed since. Knows nothing of Dagster.

What belongs here: fingerprints of inputs, settings and code, and the comparison that decides which years to compute.
Not here: the computing.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from dagster_project.archive.lock import Lock
from dagster_project.archive.store import Archive, Entry, write_whole
from dagster_project.errors import SourceError
from dagster_project.intake import datasets_on, take_in
from dagster_project.landing.trade import Parsed, landed_entries, landed_years, parse_trade, year_identity, years_held
from dagster_project.places import DBT_PROJECT, PACKAGE
from dagster_project.settings import FIRST_YEAR, Settings
from dagster_project.sources import sample


@dataclass(frozen=True)
class Built:
    """What the warehouse was last built from.

    config    fingerprint of everything that shapes all years alike
    years     year -> identity of the landed year it was computed from
    datasets  dataset -> `dataset_identity` of what its marts were computed from
    """

    config: str = ""
    years: Mapping[str, str] = field(default_factory=dict)
    datasets: Mapping[str, str] = field(default_factory=dict)

    @staticmethod
    def load(settings: Settings) -> Built:
        """The record of the warehouse; an empty one before the first build."""
        return _read(settings.data_dir / "built.json") if settings.warehouse.exists() else Built()

    @staticmethod
    def released(settings: Settings) -> Built:
        """The record of the warehouse as it was when it was last published; an empty one before the first release."""
        return _read(settings.data_dir / "released.json") if settings.warehouse.exists() else Built()

    def save(self, settings: Settings) -> None:
        """Write the record of the warehouse whole."""
        self._write(settings.data_dir / "built.json")

    def save_released(self, settings: Settings) -> None:
        """Note that the warehouse was published as this record says."""
        self._write(settings.data_dir / "released.json")

    def _write(self, path: Path) -> None:
        write_whole(path, json.dumps(asdict(self), indent=1).encode())


def _read(path: Path) -> Built:
    return Built(**json.loads(path.read_text())) if path.exists() else Built()


@dataclass(frozen=True)
class Plan:
    """What a run would compute. `years` are the years to compute, `held` all that were asked for and are there."""

    held: Sequence[int]
    years: Sequence[int]
    datasets: Sequence[str]
    full_refresh: bool

    @property
    def nothing_to_do(self) -> bool:
        """Whether the last release already holds all that was asked for, and nothing else."""
        return not (self.years or self.datasets or self.full_refresh)


def entries_fingerprint(entries: Sequence[Entry]) -> str:
    """Names the bytes of a set of entries, whatever their order."""
    return hashlib.sha256(json.dumps(sorted(entry.sha256 for entry in entries)).encode()).hexdigest()[:20]


def code_fingerprint() -> str:
    """Names the code that computes landing tables and marts."""
    patterns = ((PACKAGE, "landing/*.py"), *((DBT_PROJECT, f"**/*.{kind}") for kind in ("sql", "yml", "csv", "py")))
    files = sorted(
        (path.relative_to(root).as_posix(), path)
        for root, pattern in patterns
        for path in root.glob(pattern)
        if "target" not in path.relative_to(root).parts
    )
    digest = hashlib.sha256()
    for name, path in files:
        digest.update(name.encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:20]


def config_fingerprint(settings: Settings, reference: Sequence[Entry]) -> str:
    """Names everything that shapes all years alike: settings, reference data and code."""
    shaping = {name: value for name, value in settings.shaping().items() if not name.endswith("_source")}
    shaping["trade_source"] = settings.trade_source
    content = json.dumps([shaping, entries_fingerprint(reference), code_fingerprint()], sort_keys=True)
    return hashlib.sha256(content.encode()).hexdigest()[:20]


def dataset_identity(entries: Sequence[Entry], config: str) -> str:
    """Names what the marts of a dataset without years depend on: the configuration, then the bytes of its entries."""
    return f"{config}/{entries_fingerprint(entries)}"


def possible_years(settings: Settings) -> range:
    """The years that the settings can ask for: from the first one to the last, whether or not a source has them."""
    if settings.years is not None:
        return range(min(settings.years), max(settings.years) + 1)
    if settings.trade_source == "sample":
        return range(min(sample.YEARS), max(sample.YEARS) + 1)
    return range(FIRST_YEAR, datetime.now(UTC).year)  # a year's annual data appear when it is over


def requested(settings: Settings, parsed: Sequence[Parsed]) -> list[int]:
    """The years to be held: those asked for, or all.

    SourceError when the source lacks a year that was asked for, holds no year at all, or one that cannot be.
    """
    held = years_held(parsed)
    strange = sorted(set(held) - set(possible_years(settings))) if settings.years is None else []
    if strange or not held:
        raise SourceError(
            f"trade source {settings.trade_source}",
            found=f"rows of the years {', '.join(map(str, strange))}" if strange else "no row with a year",
            expected=f"rows of years from {possible_years(settings)[0]} to {possible_years(settings)[-1]}",
            remedy="Mend or remove these rows, or name the years to take with CHOKEPOINT_YEARS.",
        )
    missing = sorted(set(settings.years or ()) - set(held))
    if missing:
        raise SourceError(
            f"trade source {settings.trade_source}, years {', '.join(map(str, missing))}",
            found=f"no rows of these years; the source holds {', '.join(map(str, held)) or 'none'}",
            expected="rows of every year that CHOKEPOINT_YEARS asks for",
            remedy="Ask for years that the source holds, or place the missing files.",
        )
    return [year for year in held if settings.years is None or year in settings.years]


def make_plan(settings: Settings, on_news: Callable[[], None] = lambda: None) -> Plan:
    """Take in all sources and compare with the last release. Archives what is new; computes and writes nothing else.

    `on_news` is called as soon as the sources are seen to hold something else than before; rows are parsed after that.

    Landing and warehouse may be ahead of the release, because a check kept something from being published. That is
    computed and checked again, also when the source has gone back meanwhile: no later release may pick it up.

    SourceError when a source cannot be read or holds none of the years asked for.
    """
    archive = Archive(settings.archive_dir)
    now = datetime.now(UTC)
    before = settings.lock_path.read_bytes() if settings.lock_path.exists() else b""
    entries = {dataset: take_in(dataset, settings, archive, now)[0] for dataset in datasets_on(settings)}
    if settings.lock_path.read_bytes() != before:
        on_news()
    parsed = parse_trade(archive, entries["trade"], settings.landing_dir, settings.years)
    held = requested(settings, parsed)
    config = config_fingerprint(settings, entries["reference"])
    released, built = Built.released(settings), Built.load(settings)
    full_refresh = not released.config == built.config == config
    wanted = {str(year): year_identity(parsed, year, settings.hs_revision, config) for year in held}
    landed = {str(year): name for year, name in landed_years(settings.landing_dir).items()}
    stages = (landed, built.years, released.years)
    changed = [year for year in held if full_refresh or any(at.get(str(year)) != wanted[str(year)] for at in stages)]
    others = {
        dataset: dataset_identity(entries[dataset], config) for dataset in entries if dataset in ("tariffs", "patents")
    }
    stale = [
        dataset
        for dataset, name in others.items()
        if full_refresh or not released.datasets.get(dataset) == built.datasets.get(dataset) == name
    ]
    vanished = any(set(each.years) - set(wanted) or set(each.datasets) - set(others) for each in (released, built))
    return Plan(held, changed, stale, full_refresh or vanished)


def years_to_check(asked: Collection[int], held: Mapping[str, str], released: Mapping[str, str]) -> list[int]:
    """The run's years, and those that an earlier run left behind unpublished: a release holds all years together.

    `held` and `released` name what each year was made from, `held` at the stage under check.
    """
    return sorted({*asked, *(int(year) for year, name in held.items() if released.get(year) != name)})


def release_lock(settings: Settings, lock: Lock) -> Lock:
    """The lock of the release that the warehouse holds: trade entries as landed, the others as last taken in."""
    archive = Archive(settings.archive_dir)
    datasets = {dataset: lock.datasets[dataset] for dataset in datasets_on(settings) if dataset != "trade"}
    datasets["trade"] = tuple(archive.entries(landed_entries(settings.landing_dir)))
    years = sorted(int(year) for year in Built.load(settings).years)
    passed_over = {dataset: lock.passed_over.get(dataset, ()) for dataset in datasets}
    return Lock(datasets, {**settings.shaping(), "years": years}, passed_over)
