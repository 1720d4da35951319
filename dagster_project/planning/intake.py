"""Which source each dataset comes from under the settings, and its way into the archive.

The one place where a new source is entered. Not here: how a source is read, or what its payloads mean.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import cache

from dagster_project.archive.lock import Lock, load_lock
from dagster_project.archive.payload import Payload
from dagster_project.archive.store import Archive, Entry
from dagster_project.datasets import samples as sample
from dagster_project.datasets.patents import files as pct
from dagster_project.datasets.patents import uspto
from dagster_project.datasets.reference import files as reference
from dagster_project.datasets.reference import web as reference_web
from dagster_project.datasets.tariffs import files as ustr
from dagster_project.datasets.tariffs import web as ustr_web
from dagster_project.datasets.trade import baci_files as baci
from dagster_project.datasets.trade import comtrade_api
from dagster_project.datasets.trade import comtrade_files as comtrade
from dagster_project.errors import SettingError
from dagster_project.settings import Settings
from dagster_project.sources import cepii as baci_web
from dagster_project.sources.files import FileKind, Found, find_files
from dagster_project.sources.live import Live, live

DATASETS = ("reference", "trade", "tariffs", "patents")

Look = Callable[[Settings], Found]


def _drop_folder(kinds: Sequence[FileKind]) -> Look:
    def look(settings: Settings) -> Found:
        found = find_files(settings.drop_dir, kinds)
        return Found(found.payloads, _no_table(found.ignored))

    return look


def _no_table(paths: Sequence[str]) -> list[str]:
    """The paths below the drop folder that no dataset takes: a folder may hold files of two datasets."""
    kinds = (*reference.FILE_KINDS, *comtrade.FILE_KINDS, *baci.FILE_KINDS, *ustr.FILE_KINDS, *pct.FILE_KINDS)
    split = [(path, *path.split("/", 1)) for path in paths]
    return [
        path for path, folder, name in split if not any(kind.folder == folder and kind.match(name) for kind in kinds)
    ]


@cache
def _sample_payloads() -> tuple[Payload, ...]:
    """The whole sample, made once per process: 20 MB, and seconds to make."""
    return tuple(sample.payloads())


def _sample(dataset: str) -> Look:
    return lambda settings: Found([p for p in _sample_payloads() if p.dataset == dataset], [])


def _baci_files(settings: Settings) -> Found:
    found = find_files(settings.drop_dir, baci.FILE_KINDS)
    chosen, others = baci.choose_edition(found.payloads, settings.hs_revision)
    return Found(chosen, [*_no_table(found.ignored), *others])


def _live(look: Callable[[Live], Found]) -> Look:
    """A source that is asked over the network; what it gives is archived as it comes."""

    def ask(settings: Settings) -> Found:
        with live(settings) as surroundings:
            return look(surroundings)

    return ask


SOURCES: Mapping[tuple[str, str], Look] = {
    ("reference", "sample"): _sample("reference"),
    ("reference", "files"): _drop_folder(reference.FILE_KINDS),
    ("reference", "web"): _live(reference_web.reference),
    ("trade", "sample"): _sample("trade"),
    ("trade", "files"): _drop_folder(comtrade.FILE_KINDS),
    ("trade", "baci_files"): _baci_files,
    ("trade", "baci"): _live(baci_web.trade),
    ("trade", "comtrade"): _live(comtrade_api.trade),
    ("tariffs", "sample"): _sample("tariffs"),
    ("tariffs", "files"): _drop_folder(ustr.FILE_KINDS),
    ("tariffs", "ustr"): _live(ustr_web.tariffs),
    ("patents", "sample"): _sample("patents"),
    ("patents", "files"): _drop_folder(pct.FILE_KINDS),
    ("patents", "uspto"): _live(uspto.patents),
}


def chosen_source(dataset: str, settings: Settings) -> str:
    """The source that the settings choose for a dataset; `off` where they leave it out."""
    return {
        "reference": settings.reference_source,
        "trade": settings.trade_source,
        "tariffs": settings.tariff_source,
        "patents": settings.patent_source,
    }[dataset]


def datasets_on(settings: Settings) -> list[str]:
    """The datasets that take part in a release under these settings."""
    return [dataset for dataset in DATASETS if chosen_source(dataset, settings) != "off"]


def take_in(dataset: str, settings: Settings, archive: Archive, now: datetime) -> tuple[list[Entry], Sequence[str]]:
    """Archive what the source holds now, make it the lock's current input, and return entries and what was passed over.

    SourceError when the source cannot be read or holds nothing.
    """
    source = chosen_source(dataset, settings)
    if settings.trade_source != "sample" and settings.reference_source == "sample":
        raise SettingError(
            "setting CHOKEPOINT_REFERENCE_SOURCE",
            found=f"sample, with CHOKEPOINT_TRADE_SOURCE={settings.trade_source}",
            expected="real classifications for real trade: the sample knows only its own 400 goods",
            remedy="Set CHOKEPOINT_REFERENCE_SOURCE=web, or =files and place the reference files in the drop folder.",
        )
    found = SOURCES[dataset, source](settings)
    entries = [archive.put(payload, retrieved_at=now) for payload in found.payloads]
    # The same bytes under two names are one payload: they count once, and the second name is reported.
    unique = list({entry.sha256: entry for entry in reversed(entries)}.values())[::-1]
    twins = [f"{entry.address} (same content as another file)" for entry in entries if entry not in unique]
    passed_over = [*found.ignored, *twins]
    lock = load_lock(settings.lock_path) if settings.lock_path.exists() else Lock({})
    lock.with_dataset(dataset, unique, passed_over).save(settings.lock_path)
    return unique, passed_over


def taken_in(dataset: str, settings: Settings) -> list[Entry]:
    """The entries that the lock names for a dataset; empty when it was never taken in."""
    lock = load_lock(settings.lock_path) if settings.lock_path.exists() else Lock({})
    return list(lock.datasets.get(dataset, ()))
