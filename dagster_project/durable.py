"""Files that outlive a crash: written whole, forced to the disk, named by their bytes, readable as the umask says.

What belongs here: how a file or folder comes onto the disk, and what the disk says when it cannot. Not here: what is in
them.
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import json
import os
import secrets
import shutil
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from dagster_project.errors import EnvironmentProblem

KNOWN_FILES = "known_files.json"  # in the data directory: what was read of files that did not change since
FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_READ_ONLY = 0o444
_FICLONE = 0x40049409  # Linux: the second file takes the blocks of the first, until one of them is written to
# What a machine refuses: number of the error -> what to do about it.
_REMEDIES = {
    **dict.fromkeys(FULL, "Free disk space (or raise the quota), and start again."),
    **dict.fromkeys((errno.EACCES, errno.EPERM), "Give this user the right to it, or choose another directory."),
    errno.EROFS: "Mount it for writing, or choose another directory.",
    errno.EIO: "Check the disk, and the system's log.",
    errno.ENOTDIR: "Move the file that stands where a directory should be, or choose another directory.",
    errno.EMFILE: "Raise the limit of open files (ulimit -n), and start again.",
    errno.ENFILE: "Raise the system's limit of open files, and start again.",
    errno.ENAMETOOLONG: "Choose a directory with a shorter path.",
}
# A file system's clock goes on in steps: a change this long after another one has another time.
_CLOCK_STEP = 0.05
# Stamp -> sha256 of a file that was read; and where it lies, if a change since would have shown in the stamp.
_known: dict[tuple[int, ...], str] = {}
_lasting: dict[tuple[int, ...], str] = {}


def sync(path: Path) -> None:
    """Force a file's bytes, or a directory's entries, to the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sync_entries(folder: Path) -> None:
    """Force a directory's entries to the disk, where its file system can do that."""
    with suppress(OSError):
        sync(folder)


def sha256_of(path: Path) -> str:
    """The file's sha256, hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def known_sha256(path: Path) -> str:
    """The file's sha256, read only once in this process (and in those that `remembering` links) unless it changed."""
    key = tuple(stamp(path))
    if key not in _known:
        if time.time() - key[-1] / 1e9 > _CLOCK_STEP:
            _lasting[key] = str(path.absolute())
        _known[key] = sha256_of(path)
    return _known[key]


@contextmanager
def remembering(record: Path) -> Iterator[None]:
    """Let `known_sha256` know what it found in earlier processes, and keep in the record what it finds in the block.

    So a file that was not touched since is not read again, however many there are. Who reads whole files for damage of
    the disk does not ask `known_sha256`.
    """
    with suppress(OSError, ValueError, TypeError):
        for place, (*key, sha256) in json.loads(record.read_bytes()).items():
            _known[tuple(key)], _lasting[tuple(key)] = sha256, place
    try:
        yield
    finally:
        with suppress(OSError, EnvironmentProblem):
            kept = {place: [*key, _known[key]] for key, place in _lasting.items() if _is_at(Path(place), key)}
            write_whole(record, json.dumps(kept).encode())


def _is_at(path: Path, key: tuple[int, ...]) -> bool:
    try:
        return tuple(stamp(path)) == key
    except OSError:
        return False


def stamp(path: Path) -> list[int]:
    """What is another whenever the file was written to, replaced, linked or unlinked: place, size and times.

    The time of the last change of the inode cannot be set back by whoever writes into the file.
    """
    stat = path.stat()
    return [stat.st_dev, stat.st_ino, stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns]


def settled(paths: Iterable[Path]) -> None:
    """Wait until a change of these files gives them another stamp: a moment, if they were changed just now."""
    newest = max((path.stat().st_ctime for path in paths), default=0.0)
    time.sleep(min(max(newest + _CLOCK_STEP - time.time(), 0.0), _CLOCK_STEP))


@contextmanager
def building(folder: Path) -> Iterator[IO[bytes]]:
    """A new file in a folder, under a name of its own, forced to the disk when the block ends; what is not moved to its
    final name within the block is removed.

    Its mode follows the umask, unlike that of a temporary file.
    """
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f".incoming-{secrets.token_hex(6)}"
    try:
        with path.open("xb") as file:
            yield file
    finally:
        path.unlink(missing_ok=True)


def place(file: IO[bytes], path: Path) -> None:
    """Give a file of `building` its final name: a crash leaves nothing there, what was there, or all of it."""
    file.flush()
    os.fsync(file.fileno())
    path.parent.mkdir(parents=True, exist_ok=True)
    os.replace(file.name, path)
    sync_entries(path.parent)


def write_whole(path: Path, content: bytes) -> None:
    """Write a file so that a crash leaves either the former one or all of it. EnvironmentProblem when it cannot be."""
    with told(path), building(path.parent) as file:
        file.write(content)
        place(file, path)


def new_folder(parent: Path, prefix: str) -> Path:
    """A new directory with a name of its own, whose mode follows the umask."""
    parent.mkdir(parents=True, exist_ok=True)
    folder = parent / f"{prefix}{secrets.token_hex(6)}"
    folder.mkdir()
    return folder


def make_read_only(path: Path) -> None:
    """Take away the right to write; who may read stays as it is."""
    path.chmod(path.stat().st_mode & _READ_ONLY)


def copy_apart(source: Path, target: Path) -> None:
    """A file with the same bytes that nothing done to the first can reach; shares its blocks where the disk can."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with source.open("rb") as old, target.open("wb") as new:
        try:
            fcntl.ioctl(new.fileno(), _FICLONE, old.fileno())
        except OSError:
            shutil.copyfile(source, target)


@contextmanager
def told(where: str | Path) -> Iterator[None]:
    """Turn what the machine refuses into an EnvironmentProblem that names the place and the remedy; others pass."""
    try:
        yield
    except Exception as error:
        problem = problem_of(error, where)
        if problem is None:
            raise
        raise problem from error


def problem_of(error: BaseException, where: str | Path) -> EnvironmentProblem | None:
    """What the machine refused: a full disk, a missing right … None where the error is of another kind.

    Also for errors in which a library hides the system's words (DuckDB: "No space left on device").
    """
    number = error.errno if isinstance(error, OSError) else None
    if number is None and type(error).__module__.split(".")[0] in ("duckdb", "_duckdb", "dbt", "dbt_common", "pyarrow"):
        return problem_in(str(error), where)
    if number is None or number not in _REMEDIES:
        return None
    return _problem(number, f"{getattr(error, 'filename', None) or where}")


def problem_in(text: str, where: str | Path) -> EnvironmentProblem | None:
    """The same, from the text of a message."""
    if "Could not set lock on file" in text:
        holder = text.partition("Conflicting lock is held in ")[2].split(". ")[0].strip()
        return EnvironmentProblem(
            str(where),
            found=f"a database that another program has open ({holder or 'which one is not known'})",
            expected="a database for this run alone while it works",
            remedy="Close it there, and start again. Readers can open the published release instead at any time.",
        )
    number = next((each for each in _REMEDIES if os.strerror(each) in text), None)
    if number is None and "max_temp_directory_size" in text:
        number = errno.ENOSPC
    return None if number is None else _problem(number, str(where))


def _problem(number: int, where: str) -> EnvironmentProblem:
    full = number in FULL
    return EnvironmentProblem(
        where,
        found=f"no space left ({os.strerror(number)})" if full else os.strerror(number),
        expected="room for what is written there" if full else "a place that this user can read and write",
        remedy=_REMEDIES[number],
    )
