"""The way of every source's payloads into the archive and the lock.

What belongs here: how each kind of source is looked at, and what becomes of a payload that is there twice. Not here:
which sources there are (see `datasets`), and what their payloads mean.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from dagster_project.archive.lock import Lock, load_lock
from dagster_project.archive.store import Archive, Entry
from dagster_project.datasets.declaration import Dataset, DropFolder, LiveService, Sample, Source
from dagster_project.datasets.registry import DATASETS, dataset
from dagster_project.datasets.samples import payloads_of
from dagster_project.errors import SettingError, SourceError
from dagster_project.settings import PREFIX, Settings
from dagster_project.sources.files import Found, find_files, find_kind, nothing_found
from dagster_project.sources.live import live_session


def fetch_inputs(
    each: Dataset, settings: Settings, archive: Archive, now: datetime
) -> tuple[list[Entry], Sequence[str]]:
    """Archive what a dataset's source holds now and write it into the lock; return the entries, and notes.

    The notes say what was not used: files that are no table, and what a service could not give. SourceError when the
    source cannot be read or holds nothing.
    """
    require_drop_folders([each], settings)
    _require_real_companions(each, settings)
    source = each.source(settings)
    assert source is not None, f"{each.name} is off"
    found = _look(each, source, settings)
    entries = [archive.put(payload, retrieved_at=now) for payload in found.payloads]
    # The same bytes under two names are one payload: they count once, and the second name is reported.
    unique = list({entry.sha256: entry for entry in reversed(entries)}.values())[::-1]
    repeated = [f"{entry.address} (same content as another file)" for entry in entries if entry not in unique]
    notes = [*found.ignored, *repeated]
    _lock(settings).with_dataset(each.name, unique, notes).save(settings.lock_path)
    return unique, notes


def require_drop_folders(datasets: Sequence[Dataset], settings: Settings) -> None:
    """SettingError, or SourceError, when a dataset's files cannot be there: before anything else is asked for."""
    for each in datasets:
        source = each.source(settings)
        if not isinstance(source, DropFolder):
            continue
        if not settings.drop_dir.is_dir():
            raise SettingError(
                f"setting {PREFIX}DROP_DIR",
                found=f"{settings.drop_dir}, where there is no folder",
                expected=f"the folder with your files, because {PREFIX}{each.setting.upper()}={source.name}",
                remedy=f"Make it and place the files in it, set {PREFIX}DROP_DIR to where they are, or choose another "
                "source.",
            )
        if not any((settings.drop_dir / kind.folder).is_dir() for kind in source.kinds):
            raise nothing_found(settings.drop_dir, source.kinds, [])


def current_inputs(each: Dataset, settings: Settings) -> list[Entry]:
    """The entries that the lock names for a dataset; empty when its source was never looked at."""
    return list(_lock(settings).datasets.get(each.name, ()))


def _lock(settings: Settings) -> Lock:
    """The data directory's lock; an empty one where none can be read: every look at a source adds to it."""
    try:
        return load_lock(settings.lock_path)
    except SourceError:
        return Lock({})


def _look(each: Dataset, source: Source, settings: Settings) -> Found:
    match source:
        case Sample():
            return Found(payloads_of(each), [])
        case LiveService():
            with live_session(settings) as session:
                return source.fetch(session)
        case DropFolder():
            found = find_files(settings.drop_dir, source.kinds)
            chosen, others = source.choose(found.payloads, settings) if source.choose else (found.payloads, [])
            return Found(chosen, [*_of_no_dataset(found.ignored), *_of_no_folder(each, settings), *others])


def _of_no_dataset(paths: Sequence[str]) -> list[str]:
    """The paths below the drop folder that no dataset reads: a folder, or a zip, may hold files of two datasets."""
    kinds = [kind for each in DATASETS for kind in each.kinds]
    split = [(path, *path.split("/", 1)) for path in paths]
    return [path for path, folder, name in split if find_kind(kinds, folder, name.split("!")[-1]) is None]


def _of_no_folder(each: Dataset, settings: Settings) -> list[str]:
    """What lies in the drop folder beside the folders that datasets read; named once, by the first that reads any."""
    if next(other for other in DATASETS if isinstance(other.source(settings), DropFolder)).name != each.name:
        return []
    read = {kind.folder for other in DATASETS for kind in other.kinds}
    visible = sorted(path for path in settings.drop_dir.iterdir() if not path.name.startswith("."))
    return [
        f"{path.name}{'/' if path.is_dir() else ''} (not in a folder that is read: {', '.join(sorted(read))})"
        for path in visible
        if not (path.is_dir() and path.name in read)
    ]


def _require_real_companions(each: Dataset, settings: Settings) -> None:
    """SettingError when real data would be read with the sample's version of a dataset that must be real too."""
    for companion in map(dataset, each.real_with):
        if each.source_name(settings) == "sample" or companion.source_name(settings) != "sample":
            continue
        others = [source.name for source in companion.sources if source.name != "sample"]
        raise SettingError(
            f"setting {PREFIX}{companion.setting.upper()}",
            found=f"sample, with {PREFIX}{each.setting.upper()}={each.source_name(settings)}",
            expected=f"real {companion.title} for real {each.title}: the sample knows only its own few goods",
            remedy=f"Set {PREFIX}{companion.setting.upper()} to {' or '.join(others)}; files lie in the drop folder.",
        )
