"""The drop folder: files that the user placed, one folder per source. They are found, checked to be whole, and yielded.

What belongs here: which file names are which table of which source, and under whose licence. Not here: columns.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from dagster_project.archive.payload import Payload, Provenance
from dagster_project.errors import SourceError
from dagster_project.sources.integrity import check_file


@dataclass(frozen=True)
class FileKind:
    """A table that may lie in a folder of the drop folder.

    `pattern` is matched against the file's path inside `folder`, ignoring case; named groups of it become parameters of
    the payload, next to `kind`. `looked_for` says in a user's words what the pattern accepts.
    """

    kind: str
    folder: str
    pattern: str
    looked_for: str
    dataset: str
    provenance: Provenance

    def match(self, name: str) -> re.Match[str] | None:
        """Match a path inside the folder."""
        return re.fullmatch(self.pattern, name, re.IGNORECASE)


@dataclass(frozen=True)
class Found:
    """What a look at the drop folder gave: the payloads, and the files that no kind recognised."""

    payloads: Sequence[Payload]
    ignored: Sequence[str]


def find_files(drop_dir: Path, kinds: Sequence[FileKind]) -> Found:
    """All recognised files, sorted by folder and name, each checked to be whole; SourceError when there are none."""
    payloads: list[Payload] = []
    ignored: list[str] = []
    folders = sorted({kind.folder for kind in kinds})
    for folder in folders:
        for path in _files_below(drop_dir / folder):
            name = path.relative_to(drop_dir / folder).as_posix()
            shown_as = f"{folder}/{name}"
            known = find_kind(kinds, folder, name)
            if known is None:
                ignored.append(shown_as)
                continue
            check_file(path, shown_as)
            kind, parameters = known
            payloads.append(
                Payload(
                    provenance=kind.provenance,
                    dataset=kind.dataset,
                    part=name,
                    address=f"drop:{shown_as}",
                    parameters={**parameters, "kind": kind.kind},
                    body=path,
                )
            )
    if not payloads:
        raise nothing_found(drop_dir, kinds, ignored)
    return Found(payloads, ignored)


def find_kind(kinds: Sequence[FileKind], folder: str, name: str) -> tuple[FileKind, dict[str, str]] | None:
    """The first kind that a file is of, and the parameters in its name; None where no kind matches."""
    for kind in kinds:
        match = kind.match(name) if kind.folder == folder else None
        if match is not None:
            return kind, {key: value for key, value in match.groupdict().items() if value is not None}
    return None


def nothing_found(drop_dir: Path, kinds: Sequence[FileKind], ignored: Sequence[str]) -> SourceError:
    """The error for a drop folder that holds none of the tables looked for."""
    folders = ", ".join(sorted({str(drop_dir / kind.folder) for kind in kinds}))
    seen = f"no known table ({len(ignored)} other files: {', '.join(ignored[:5])})" if ignored else "no files"
    wanted = "; ".join(dict.fromkeys(f"{kind.folder}/: {kind.looked_for}" for kind in kinds))
    return SourceError(
        folders,
        found=seen,
        expected=wanted,
        remedy="Place the files there, set CHOKEPOINT_DROP_DIR to where they are, or choose another source.",
    )


def _files_below(folder: Path) -> Iterator[Path]:
    """Plain files below a folder in a fixed order, without hidden ones such as .DS_Store."""
    if folder.is_dir():
        for path in sorted(folder.rglob("*")):
            if path.is_file() and not any(part.startswith(".") for part in path.relative_to(folder).parts):
                yield path
