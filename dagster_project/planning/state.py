"""What the data directory was last built from, and what has changed since. Knows nothing of Dagster.

What belongs here: the record of what was built and published, and the comparison that decides which years to compute.
Not here: fingerprints of code (see `fingerprints`), and the computing.
"""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from dagster_project.archive.lock import Lock
from dagster_project.archive.store import Archive, Entry
from dagster_project.datasets.declaration import Dataset, LiveService
from dagster_project.datasets.registry import before, dataset, datasets_on
from dagster_project.durable import known_sha256, write_whole
from dagster_project.errors import SourceError
from dagster_project.landing import yearly
from dagster_project.landing.loads import Load
from dagster_project.planning.fingerprints import code_fingerprint, folder_fingerprint
from dagster_project.planning.intake import current_inputs, fetch_inputs, require_drop_folders
from dagster_project.publish.read import CURRENT
from dagster_project.settings import DUCKDB, Settings

# The form of the record. One of another form is not read: everything is computed anew.
VERSION = 4
FILES_NAMED = 5
# What stands for an identity while the warehouse is being changed: nothing has it, so it is computed again.
IN_WORK = ""
# The dbt folder of the published figures, which read the marts of all datasets.
FIGURES = "benchmarks"


@dataclass(frozen=True)
class Built:
    """What the warehouse was last built from.

    datasets  dataset without years -> its `identity`
    shapes    dataset by year -> the shape that all its years were computed under
    years     dataset by year -> year -> identity of the landed year that it was computed from
    figures   fingerprint of the models of the published figures
    files     dataset by year -> file beside the warehouse -> its sha256
    builds    dataset by year -> year -> a name for the build that computed it last; another build, another name
    models    model -> `model_state` that it was built from; one run may build a part of a dataset's models
    release   in the record of what was published: the release that it describes
    engine    what computed all this; a record of another engine counts as none

    What is about to be rebuilt is struck before dbt begins: after a crash the warehouse may hold old rows, new ones, or
    a mix, and the record claims none of them.
    """

    datasets: Mapping[str, str] = field(default_factory=dict)
    shapes: Mapping[str, str] = field(default_factory=dict)
    years: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    figures: str = ""
    files: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    builds: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    models: Mapping[str, str] = field(default_factory=dict)
    release: str = ""
    engine: str = DUCKDB
    version: int = VERSION

    @staticmethod
    def load(settings: Settings) -> Built:
        """The record of the warehouse; an empty one before the first build."""
        return _read(settings, "built.json")

    @staticmethod
    def released(settings: Settings) -> Built:
        """The record of the warehouse as it was when it was last published; an empty one before the first release.

        Empty too where it describes another release than the current one: a run was killed between publishing and
        noting it, and nobody can say what the current one was made from.
        """
        record = _read(settings, "released.json")
        return record if record.release == _current_release(settings) else Built(engine=settings.engine)

    def years_of(self, each: Dataset) -> Mapping[str, str]:
        """Year -> identity, of a dataset that is computed by year."""
        return self.years.get(each.name, {})

    def all_years(self) -> list[int]:
        """Every year of any dataset."""
        return sorted({int(year) for years in self.years.values() for year in years})

    def unchanged_years(
        self, each: Dataset, released: Built, *, also_read: Sequence[int] = (), reads_years_before: bool = False
    ) -> list[int]:
        """The years of a dataset that no build has touched since the warehouse was as `released` says.

        Empty where the record of the release knows nothing of builds, or shapes differ. What also reads other years
        (`also_read`: -1 is the year before; or all years before) changes with those too.
        """
        if self.shapes.get(each.name) != released.shapes.get(each.name):
            return []
        now, then = self.builds.get(each.name, {}), released.builds.get(each.name, {})
        made, published = self.years_of(each), released.years_of(each)
        same = [
            int(year)
            for year, build in now.items()
            if then.get(year) == build and made.get(year) == published.get(year) != IN_WORK
        ]
        changed = {int(year) for year in made}.difference(same)

        def reads_changed(year: int) -> bool:
            before = reads_years_before and any(other < year for other in changed)
            return before or any(year + away in changed for away in also_read)

        return [year for year in same if not reads_changed(year)]

    def with_years(
        self,
        each: Dataset,
        shaped_by: str,
        years: Mapping[int, str],
        files: Mapping[str, str] | None = None,
        *,
        computed: Collection[int],
    ) -> Built:
        """The record after a build that leaves the warehouse with these years of the dataset, and computed some."""
        named = {str(year): name for year, name in sorted(years.items())}
        build = uuid.uuid4().hex
        builds = {**self.builds.get(each.name, {}), **dict.fromkeys(map(str, computed), build)}
        return replace(
            self,
            shapes={**self.shapes, each.name: shaped_by},
            years={**self.years, each.name: named},
            builds={**self.builds, each.name: {year: builds[year] for year in named if year in builds}},
            files={**self.files, each.name: dict(files or {})},
        )

    def without_years(self, each: Dataset, years: Iterable[int], *, full: bool) -> Built:
        """The record before a build of these years, or of all (`full`): they are in work.

        They stay named, so that a later run knows that the warehouse may hold them, even if nobody asks for them again.
        """
        known = self.years_of(each)
        struck = {*(map(str, years)), *(known if full else ())}
        named = {year: IN_WORK if year in struck else known[year] for year in sorted({*known, *struck})}
        builds = {year: build for year, build in self.builds.get(each.name, {}).items() if year not in struck}
        return replace(
            self,
            shapes={**self.shapes, each.name: IN_WORK} if full else self.shapes,
            years={**self.years, each.name: named},
            builds={**self.builds, each.name: builds},
        )

    def damaged_files(self, each: Dataset, settings: Settings) -> list[str]:
        """The files beside the warehouse that are missing, or not what the build left."""
        folder = settings.warehouse.parent
        return [name for name, sha256 in self.files.get(each.name, {}).items() if not _has(folder / name, sha256)]

    def with_dataset(self, each: Dataset, name: str) -> Built:
        """The record after a build of a dataset without years."""
        return replace(self, datasets={**self.datasets, each.name: name})

    def with_models(self, states: Mapping[str, str]) -> Built:
        """The record after a build of these models."""
        return replace(self, models={**self.models, **states})

    def of(self, on: Collection[Dataset], models: Collection[str]) -> Built:
        """The record of these datasets and models alone.

        What the warehouse still holds of a dataset that was switched off is out of date as soon as anything changes: it
        is forgotten, and computed anew when the dataset is on again.
        """
        names = {each.name for each in on}

        def kept(parts: Mapping[str, Any], wanted: Collection[str] = names) -> dict[str, Any]:
            return {name: part for name, part in parts.items() if name in wanted}

        return replace(
            self,
            datasets=kept(self.datasets),
            shapes=kept(self.shapes),
            years=kept(self.years),
            files=kept(self.files),
            builds=kept(self.builds),
            models=kept(self.models, models),
        )

    def save(self, settings: Settings) -> None:
        """Write the record of the warehouse whole."""
        self._write(settings.data_dir / "built.json")

    def save_released(self, settings: Settings) -> None:
        """Note that the warehouse was published as this record says."""
        replace(self, release=_current_release(settings))._write(settings.data_dir / "released.json")

    def _write(self, path: Path) -> None:
        write_whole(path, json.dumps(asdict(self), indent=1).encode())


def _read(settings: Settings, name: str) -> Built:
    """The record; an empty one where there is none of this engine that can be read, and all is computed anew."""
    empty = Built(engine=settings.engine)
    try:
        content = json.loads((settings.data_dir / name).read_bytes())
        record = Built(**content) if content.get("version") == VERSION else empty
    except (FileNotFoundError, ValueError, TypeError, AttributeError):
        return empty
    return record if record.engine == settings.engine and settings.warehouse.exists() else empty


def _current_release(settings: Settings) -> str:
    """The id of the current release; empty before the first."""
    current = settings.published_dir / CURRENT
    return current.resolve().name if current.exists() else ""


def _has(path: Path, sha256: str) -> bool:
    try:
        return known_sha256(path) == sha256
    except FileNotFoundError:
        return False


@dataclass(frozen=True)
class Plan:
    """What a run would compute.

    held          the years that were asked for and are there
    years         those of them to compute
    datasets      the datasets without years to compute
    full_refresh  whether all years are to be computed, or something is to leave the release
    in_work       models whose build did not come to its end
    """

    held: Sequence[int]
    years: Sequence[int]
    datasets: Sequence[str]
    full_refresh: bool
    in_work: Sequence[str]

    @property
    def nothing_to_do(self) -> bool:
        """Whether the last release already holds all that was asked for, and nothing else."""
        return not (self.years or self.datasets or self.full_refresh or self.in_work)

    @property
    def years_of_run(self) -> list[int]:
        """The years that a run takes: a change of a dataset without years is computed by a run of the newest year."""
        return list(self.years or self.held[-1:])


def entries_fingerprint(entries: Sequence[Entry]) -> str:
    """Names the bytes of a set of entries, whatever their order."""
    return hashed(sorted(entry.sha256 for entry in entries))


def shape(each: Dataset, settings: Settings, entries_of: Callable[[Dataset], Sequence[Entry]]) -> str:
    """Names all that a dataset's results depend on besides its own payloads.

    Its code, its source, the settings that shape it, and the same with the payloads of the datasets before it.
    """
    chosen = {name: getattr(settings, name) for name in each.shaping}
    own = [each.source_name(settings), chosen, code_fingerprint(each)]
    others = {
        other.name: [
            other.source_name(settings),
            {name: getattr(settings, name) for name in other.shaping},
            code_fingerprint(other),
            # What an earlier run took in of a dataset that is off does not count.
            entries_fingerprint(entries_of(other) if other.source_name(settings) != "off" else ()),
        ]
        for other in before(each)
    }
    return hashed([own, others])


def identity(each: Dataset, settings: Settings, entries_of: Callable[[Dataset], Sequence[Entry]]) -> str:
    """Names what the marts of a dataset without years depend on: its shape, then the bytes of its entries."""
    return f"{shape(each, settings, entries_of)}/{entries_fingerprint(entries_of(each))}"


def landing_identity(each: Dataset, settings: Settings, entries_of: Callable[[Dataset], Sequence[Entry]]) -> str:
    """Names what the landing of a dataset without years depends on; its marts may read other datasets besides."""
    read = [dataset(name) for name in each.lands_after]
    chosen = {name: getattr(settings, name) for one in (*read, each) for name in one.shaping}
    return hashed([chosen, [[code_fingerprint(one), entries_fingerprint(entries_of(one))] for one in (*read, each)]])


def model_state(
    tables: Collection[str], made_by: str, settings: Settings, entries_of: Callable[[Dataset], Sequence[Entry]]
) -> str:
    """Names what a model is made of: the data of these landing tables, whichever run landed them, and what names the
    code and settings that it is made by.
    """
    states: list[object] = [made_by]
    for each in datasets_on(settings):
        if not {table.name for table in each.tables} & set(tables):
            continue
        if each.yearly is not None:
            states.append(sorted(yearly.landed_years(settings.landing_dir, each.name).values()))
        else:
            states.append(landing_identity(each, settings, entries_of))
    return hashed(states)


def possible_years(settings: Settings) -> range:
    """The years that the settings can ask for: from the first one to the last, whether or not a source has them."""
    if settings.years is not None:
        return range(min(settings.years), max(settings.years) + 1)
    ranges = [each.yearly.possible(settings) for each in datasets_on(settings) if each.yearly is not None]
    return range(min(years.start for years in ranges), max(years.stop for years in ranges))


def years_to_hold(each: Dataset, settings: Settings, held: Collection[int], entries: Sequence[Entry]) -> list[int]:
    """The years that the landing is to hold: those asked for, or all that the source holds.

    `entries` are what it was read from, for messages. SourceError when the source lacks a year that was asked for
    (unless the dataset has gaps), holds no year at all, or a year that is not possible.
    """
    assert each.yearly is not None
    possible = possible_years(settings)
    where = f"{each.name} source {each.source_name(settings)}"
    shown = [entry.address for entry in entries[:FILES_NAMED]]
    more = f" and {len(entries) - len(shown)} more" if len(entries) > len(shown) else ""
    files = (", ".join(shown) or "no file") + more
    strange = sorted(set(held) - set(possible)) if settings.years is None else []
    if strange or not held:
        raise SourceError(
            where,
            found=f"rows of the years {', '.join(map(str, strange))}" if strange else f"no row with a year in {files}",
            expected=f"rows of years from {possible[0]} to {possible[-1]}",
            remedy="Mend or remove these rows, or name the years to take with CHOKEPOINT_YEARS.",
        )
    missing = sorted(set(settings.years or ()) - set(held))
    if missing and not each.yearly.has_gaps:
        raise SourceError(
            f"{where}, years {', '.join(map(str, missing))}",
            found=f"no rows of these years; the source holds {', '.join(map(str, sorted(held)))}, in {files}",
            expected="rows of every year that CHOKEPOINT_YEARS asks for",
            remedy="Ask for years that the source holds, or place the missing files.",
        )
    return [year for year in sorted(held) if settings.years is None or year in settings.years]


def make_plan(settings: Settings, on_news: Callable[[], None] = lambda: None, *, services: bool = True) -> Plan:
    """Look at all sources and compare with the last release. Archives what is new; computes and writes nothing else.

    `on_news` is called as soon as it is known that the sources hold something new; rows are parsed after that. Without
    `services`, no live service is asked: of these counts what was last archived.

    Landing and warehouse may be newer than the release, where a failed check stopped its publication. What they hold is
    computed and checked again, even where the source is back at its earlier data: no later release may publish what
    failed.

    SourceError when a source cannot be read or holds none of the years asked for.
    """
    archive, now = Archive(settings.archive_dir), datetime.now(UTC)
    on = datasets_on(settings)
    require_drop_folders(on, settings)
    before_look = settings.lock_path.read_bytes() if settings.lock_path.exists() else b""
    entries = {
        each.name: fetch_inputs(each, settings, archive, now)[0]
        if services or not isinstance(each.source(settings), LiveService)
        else current_inputs(each, settings)
        for each in on
    }
    if settings.lock_path.read_bytes() != before_look:
        on_news()
    released, built = Built.released(settings), Built.load(settings)

    def entries_of(each: Dataset) -> Sequence[Entry]:
        return entries.get(each.name, ())

    held: set[int] = set()
    changed: set[int] = set()
    anew = False
    for each in on:
        if each.yearly is None:
            continue
        shaped_by = shape(each, settings, entries_of)
        load = Load(archive, entries_of(each), settings.landing_dir, settings, shape=shaped_by)
        names = each.yearly.identities(load)
        years = years_to_hold(each, settings, names, load.entries)
        records = (released, built)
        all_anew = any(record.shapes.get(each.name) != shaped_by for record in records)
        all_anew |= bool(built.damaged_files(each, settings))
        whole = yearly.landed_years(settings.landing_dir, each.name, read=True)
        landed = {str(year): name for year, name in whole.items()}
        stages = (landed, *(record.years_of(each) for record in records))
        held |= set(years)
        changed |= {year for year in years if all_anew or any(at.get(str(year)) != names[year] for at in stages)}
        anew |= all_anew or any(set(record.years_of(each)) - set(map(str, years)) for record in records)
    stale = [
        each.name
        for each in on
        if each.yearly is None and _is_stale(each, identity(each, settings, entries_of), released, built)
    ]
    figures = folder_fingerprint(FIGURES)
    stale += [FIGURES] if not released.figures == built.figures == figures else []
    names_on = {each.name for each in on}
    gone = any((set(record.years) | set(record.datasets)) - names_on for record in (released, built))
    in_work = sorted(name for name, state in built.models.items() if state == IN_WORK)
    return Plan(sorted(held), sorted(changed), stale, anew or gone, in_work)


def _is_stale(each: Dataset, name: str, *records: Built) -> bool:
    return any(record.datasets.get(each.name) != name for record in records)


def years_to_check(
    each: Dataset,
    asked: Collection[int],
    held: Mapping[str, str],
    released: Mapping[str, str],
    elsewhere: Collection[int] = (),
) -> list[int]:
    """The run's years, and those that an earlier run computed and did not publish: a release holds all years together.

    `held` and `released` name what each year was made from, `held` at the stage under check; `elsewhere` are the years
    of other datasets. A year that only they have was not asked of this one, nor was one that it may lack.
    """
    assert each.yearly is not None
    own = {year for year in asked if str(year) in held or not (each.yearly.has_gaps or year in elsewhere)}
    return sorted({*own, *(int(year) for year, name in held.items() if released.get(year) != name)})


def release_lock(settings: Settings, lock: Lock) -> Lock:
    """The lock of the release that the warehouse holds: entries by year as landed, the others as in `lock`."""
    archive = Archive(settings.archive_dir)

    def entries(each: Dataset) -> Iterable[Entry]:
        if each.yearly is None:
            return lock.datasets[each.name]
        return archive.entries(yearly.landed_entries(settings.landing_dir, each.name))

    datasets = {each.name: tuple(entries(each)) for each in datasets_on(settings)}
    passed_over = {name: lock.passed_over.get(name, ()) for name in datasets}
    return Lock(datasets, {**settings.shaping(), "years": Built.load(settings).all_years()}, passed_over)


def hashed(content: object) -> str:
    """A short name for plain data, the same for equal data."""
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:20]
