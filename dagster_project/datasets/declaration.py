"""What a dataset declares, as plain data. Not here: any dataset, and what is done with a declaration.

A dataset is a package `datasets/<name>/` whose `dataset.py` holds one `Dataset` value; `registry.DATASETS` lists them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from dagster_project.archive.payload import Payload
from dagster_project.checks.declarations import Stage
from dagster_project.landing.loads import Landed, Load
from dagster_project.sample.files import SampleFile
from dagster_project.settings import Settings
from dagster_project.sources.files import FileKind, Found
from dagster_project.sources.live import Live
from dagster_project.sources.probe import Probe

Layer = Literal["landing", "staging", "marts"]


@dataclass(frozen=True)
class Sample:
    """The synthetic sample: `files` makes the dataset's part of it, in its publishers' shapes."""

    files: Callable[[], Iterable[SampleFile]]
    name: str = "sample"


@dataclass(frozen=True)
class DropFolder:
    """Files that the user places in the drop folder.

    `kinds` are the files of this source; `choose`, where several files must not be used together, returns those to use
    and the addresses of the others.
    """

    name: str
    kinds: Sequence[FileKind]
    choose: Callable[[Sequence[Payload], Settings], tuple[list[Payload], list[str]]] | None = None


@dataclass(frozen=True)
class LiveService:
    """A service that is asked over the network.

    fetch          what it holds now, as payloads; SourceError when it cannot be asked
    changed        whether it holds anything new, by the cheapest question it answers; None: it cannot be asked
    changed_years  the same for a service that tells which years are new
    look_every     seconds between two looks of the sensor
    schedule       name and cron time (UTC) of the schedule, and in `why` the reason for that time
    stale          days after which the raw asset warns and fails for not having been looked at
    probes         its smallest questions, by service, for `doctor`
    pin            for files with pinned hashes: accepts them as they are now, and returns the names that changed
    """

    name: str
    fetch: Callable[[Live], Found]
    probes: Callable[[Settings], Sequence[Probe]]
    changed: Callable[[Live], bool] | None = None
    changed_years: Callable[[Live], Sequence[int]] | None = None
    look_every: int = 24 * 3600
    schedule: str = ""
    cron: str = ""
    why: str = ""
    stale: tuple[int, int] = (200, 400)
    pin: Callable[[Live], list[str]] | None = None


Source = Sample | DropFolder | LiveService


@dataclass(frozen=True)
class Table:
    """A landing table: its name, what a row is, and its files below the landing directory (a pattern)."""

    name: str
    description: str
    path: str

    @property
    def by_year(self) -> bool:
        """Whether it has a folder a year."""
        return "year=*" in self.path

    def files(self, landing: Path) -> Path:
        """The pattern of its files."""
        return landing / self.path


@dataclass(frozen=True)
class StageChecks:
    """Checks of tables of one layer, run as one step."""

    layer: Layer
    stage: Stage


@dataclass(frozen=True)
class Yearly:
    """What a dataset that is landed and computed year by year declares besides.

    identities  year -> name of what would be landed for it: changes when its payloads or the load's shape change.
                It reads no more of the payloads than that needs.
    possible    the years that the settings can ask for, whether or not the source has them
    has_gaps    whether it may lack years that the settings ask for: of those it takes the ones that its source has
    """

    identities: Callable[[Load], Mapping[int, str]]
    possible: Callable[[Settings], range]
    has_gaps: bool = False


@dataclass(frozen=True, eq=False)
class Dataset:
    """One dataset.

    name         its name everywhere: raw/<name>, the folders <name> in dbt, the lock, the manifest
    title        what it is, in a few words, for people
    description  of the raw payloads, in full sentences
    setting      the settings field that chooses its source; the value `off`, where the field knows it, leaves it out
    sources      the values of that setting
    tables       its landing tables; `<name>_rule_counts` is among them, and `quarantine_<name>` unless files
                 are used whole or not at all
    land         reads the payloads and writes the tables; all it depends on is found from its module (fingerprints)
    checks       by layer
    figures      its own checks of the published figures, which read its tables
    figures_with checks of models that are made of it and of another dataset, by the other's name: where both are on
    after        datasets whose tables or marts its own marts read: its results depend on theirs
    lands_after  those of them whose landing tables its landing reads
    shaping      settings that change its tables or marts
    real_with    datasets that must not be the sample when this one is not
    yearly       for a dataset that is landed and computed year by year
    accounting   dbt models that account for its rows beyond landing: columns year, rule, n
    """

    name: str
    title: str
    description: str
    setting: str
    sources: Sequence[Source]
    tables: Sequence[Table]
    land: Callable[[Load], Landed]
    checks: Sequence[StageChecks]
    figures: Stage | None = None
    figures_with: Mapping[str, Stage] = field(default_factory=dict)
    after: Sequence[str] = ()
    lands_after: Sequence[str] = ()
    shaping: Sequence[str] = ()
    real_with: Sequence[str] = ()
    yearly: Yearly | None = None
    accounting: Mapping[str, str] | None = None

    def source(self, settings: Settings) -> Source | None:
        """The source that the settings choose; None where they leave the dataset out."""
        chosen = self.source_name(settings)
        return next((source for source in self.sources if source.name == chosen), None)

    def source_name(self, settings: Settings) -> str:
        """The value of its setting."""
        return str(getattr(settings, self.setting))

    @property
    def counts_table(self) -> Table:
        """The table of its accounting, `<name>_rule_counts`."""
        return next(table for table in self.tables if table.name == f"{self.name}_rule_counts")

    @property
    def kinds(self) -> list[FileKind]:
        """Every kind of file that its drop folders may hold."""
        return [kind for source in self.sources if isinstance(source, DropFolder) for kind in source.kinds]
