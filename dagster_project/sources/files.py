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
from dagster_project.sources.integrity import check_file, open_zip

_LARGEST_MEMBER = 1 << 26  # a table that lies beside the data in a zip is a list of codes
_TOO_LARGE = "too large for a list of codes"


@dataclass(frozen=True)
class FileKind:
    """A table that may lie in a folder of the drop folder.

    `pattern` is matched against the file's path inside `folder`, ignoring case; named groups of it become parameters of
    the payload, next to `kind`. `looked_for` says in a user's words what the pattern accepts. Where the table may also
    lie inside a zip, `zip_pattern` is matched against the zip's path, and `pattern` against its members' paths.
    """

    kind: str
    folder: str
    pattern: str
    looked_for: str
    dataset: str
    provenance: Provenance
    zip_pattern: str | None = None

    def match_zip(self, name: str) -> bool:
        """Whether a path inside the folder is a zip that may hold the table."""
        return self.zip_pattern is not None and re.fullmatch(self.zip_pattern, name, re.IGNORECASE) is not None

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
        for path in files_below(drop_dir / folder):
            name = path.relative_to(drop_dir / folder).as_posix()
            shown_as = f"{folder}/{name}"
            if not path.is_file():
                ignored.append(f"{shown_as} (a link to {'a folder above it' if path.exists() else 'nothing'})")
                continue
            of_zip = [kind for kind in kinds if kind.folder == folder and kind.match_zip(name)]
            inside, unread = _members(path, name, shown_as, of_zip)
            payloads += inside
            ignored += unread
            known = find_kind(kinds, folder, name)
            if known is None:
                ignored += [] if of_zip else [shown_as]
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


def _members(path: Path, name: str, shown_as: str, kinds: Sequence[FileKind]) -> tuple[list[Payload], list[str]]:
    """The tables of these kinds inside a zip, in the order of their names, and the members that are none."""
    payloads: list[Payload] = []
    unread: list[str] = []
    if not kinds:
        return payloads, unread
    with open_zip(path, shown_as) as archive:
        for member in sorted(archive.infolist(), key=lambda each: each.filename):
            known = find_kind(kinds, kinds[0].folder, member.filename)
            if member.is_dir():
                continue
            if known is None or member.file_size > _LARGEST_MEMBER:
                unread.append(f"{shown_as}!{member.filename}" + (f" ({_TOO_LARGE})" if known else ""))
                continue
            kind, parameters = known
            payloads.append(
                Payload(
                    provenance=kind.provenance,
                    dataset=kind.dataset,
                    part=f"{name}!{member.filename}",
                    address=f"drop:{shown_as}!{member.filename}",
                    parameters={**parameters, "kind": kind.kind},
                    body=archive.read(member),
                )
            )
    return payloads, unread


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


def files_below(folder: Path) -> Iterator[Path]:
    """Files below a folder in a fixed order, in linked folders too, and links that lead nowhere or back.

    Hidden ones (.DS_Store and the like) are nobody's data.
    """
    found: list[Path] = []

    def look(place: Path, above: frozenset[Path]) -> None:
        inside = above | {place.resolve()}
        for path in place.iterdir():
            if path.name.startswith("."):
                continue
            if path.is_dir() and not (path.is_symlink() and path.resolve() in inside):
                look(path, inside)
            elif path.is_file() or path.is_symlink():
                found.append(path)

    if folder.is_dir():
        look(folder, frozenset())
    yield from sorted(found)
