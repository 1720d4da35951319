"""File operations that a release needs: sync, link, swap, discard.

Not here: what a release consists of.
"""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from dagster_project.durable import make_read_only, sync
from dagster_project.errors import ReleaseError

LOCK_NAME = ".publish.lock"


def sync_tree(root: Path) -> None:
    """Force a whole directory to the disk, and make its files read-only.

    Read-only because releases share files by hard links: a change of one in place would change all of them.
    """
    for folder, _, names in os.walk(root, topdown=False):
        for name in names:
            make_read_only(Path(folder) / name)
            sync(Path(folder) / name)
        sync(Path(folder))


def link_or_copy(source: Path, target: Path) -> None:
    """Give a file a second name; where the file system cannot (another device, no links, too many), copy it."""
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)


def point(link: Path, target: str, temporary: Path) -> None:
    """Make the symbolic link `link` lead to `target` in one step: readers see the old target or the new one."""
    temporary.symlink_to(target)
    os.replace(temporary, link)
    # The switch is made. If this fails, a power cut may bring the old link back, and that leads to a whole release too.
    with suppress(OSError):
        sync(link.parent)


def discard(folder: Path) -> None:
    """Remove a directory. It is renamed first, so that no reader finds it half removed.

    Files in it that a reader has open stay readable.
    """
    trash = folder.with_name(f".trash-{folder.name.lstrip('.')}-{os.getpid()}")
    os.replace(folder, trash)
    shutil.rmtree(trash)


def share(descriptor: int) -> None:
    """Mark an open file as being read. A file system without locks ignores it; open files stay readable there too."""
    with suppress(OSError):
        fcntl.flock(descriptor, fcntl.LOCK_SH)


@contextmanager
def unless_shared(path: Path) -> Iterator[bool]:
    """True when no process has marked the file with `share`, and none can until the block ends; else False.

    True also for a file that does not exist, or lies where files cannot be locked.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY)
    except FileNotFoundError:
        yield True
        return
    try:
        free = True
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            free = False
        except OSError:
            pass
        yield free
    finally:
        os.close(descriptor)


@contextmanager
def only_publisher(published: Path) -> Iterator[None]:
    """Hold the publishing lock of a directory; ReleaseError at once when another process or thread holds it.

    The operating system drops the lock when its holder dies, so a crash leaves nothing to clean by hand.
    """
    lock = published / LOCK_NAME
    descriptor = os.open(lock, os.O_RDWR | os.O_CREAT, 0o666)  # who may, as the umask says
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.read(descriptor, 32).decode(errors="replace").strip() or "unknown"
            raise ReleaseError(
                f"releases in {published}",
                found=f"another publisher at work (process {holder})",
                expected="one publisher at a time",
                remedy="Wait until the other run has ended, then run this one again.",
            ) from None
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
        yield
    finally:
        os.close(descriptor)
