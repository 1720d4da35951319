"""What `make` installs into the checkout's environment, shown while it goes on: pip itself is silent for a minute.

Run by the environment's own Python while nothing is in it yet: only the standard library is imported before rich is
there. Not here: what is installed, which the lock file says.
"""

from __future__ import annotations

import re
import subprocess
import sys
import sysconfig
import tempfile
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event, Thread

CHECKOUT = Path(__file__).resolve().parent.parent
LOCK = CHECKOUT / "requirements.lock"
# What the display needs, fetched first.
SHOWING = ("rich", "markdown-it-py", "mdurl", "pygments")
KEPT_LINES = 40
_PIP = [sys.executable, "-m", "pip", "install", "--disable-pip-version-check", "--no-deps", "--progress-bar", "off"]


class PipFailed(Exception):
    """pip ended with an error; the text is what it last said."""


def main() -> int:
    """Install what the lock names, then the checkout itself; 1 when pip fails, after its last words."""
    print(f"Installing the packages of {LOCK.name} into {sys.prefix} …", flush=True)
    try:
        with tempfile.TemporaryDirectory() as folder:
            first = Path(folder) / LOCK.name
            first.write_text(blocks_of(LOCK.read_text(encoding="utf-8"), SHOWING), encoding="utf-8")
            _pip("--require-hashes", "-r", str(first))
        _install_all()
    except PipFailed as error:
        print(f"{error}\n\nNot installed: see above what pip said. `make` again goes on from here.", file=sys.stderr)
        return 1
    return 0


def blocks_of(lock: str, names: tuple[str, ...]) -> str:
    """The lines of a lock file that stand for these packages, with their hashes."""
    blocks = re.split(r"\n(?=[A-Za-z0-9])", lock)
    return "\n".join(block for block in blocks if block.partition("==")[0] in names) + "\n"


def _install_all() -> None:
    from dagster_project.display import Display

    display = Display(sys.stdout, total=3)
    with display.shown():
        display.step("fetching packages")
        fetched = 0

        def follow(line: str) -> None:
            nonlocal fetched
            if line.startswith("Collecting "):
                fetched += 1
                display.doing(f"{fetched}: {line.split()[1]}")
            elif line.startswith("Installing collected packages:"):
                display.done()
                display.step(f"installing {line.count(',') + 1} packages")

        with _counted(display.doing):
            _pip("--require-hashes", "-r", str(LOCK), follow=follow)
        display.done()
        display.step("chokepoint itself")
        _pip("--no-index", "--no-build-isolation", "--editable", str(CHECKOUT))
        display.done()


@contextmanager
def _counted(doing: Callable[[str], None]) -> Iterator[None]:
    """Say now and then how many packages are in place: pip says nothing while it installs them."""
    places, ended = Path(sysconfig.get_path("purelib")), Event()
    before = now = sum(1 for _ in places.glob("*.dist-info"))

    def count() -> None:
        nonlocal now
        while not ended.wait(1.0):
            found = sum(1 for _ in places.glob("*.dist-info"))
            if found != now:
                now = found
                doing(f"{now - before} in place")

    thread = Thread(target=count, daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def _pip(*arguments: str, follow: Callable[[str], None] = lambda line: None) -> None:
    said: deque[str] = deque(maxlen=KEPT_LINES)
    with subprocess.Popen(
        [*_PIP, *arguments], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace"
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            said.append(line.rstrip())
            follow(line)
    if process.returncode:
        raise PipFailed("\n".join(said))


if __name__ == "__main__":
    sys.exit(main())
