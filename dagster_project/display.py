"""How a piece of work is shown while it goes on: step k of n, what is going on, and since when.

A terminal gets one line that moves, anything else plain lines, and after a while of silence one that says what the work
is at. Not here: what the steps are (see `progress`, `installation`), and what came of them (see `summary`).
"""

from __future__ import annotations

import textwrap
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Column

# A plain display that said nothing for so long says what it is at: nobody should wonder for ten seconds.
SILENCE = 8.0
# What is going on is said in one line, however long the message is that says it.
LONGEST = 120


class Display:
    """Shows one piece of work on `stream`. `total` is its number of steps, 0 while it is not known."""

    def __init__(
        self, stream: TextIO, *, total: int = 0, silence: float = SILENCE, terminal: bool | None = None
    ) -> None:
        self.total, self._stream, self._silence = total, stream, silence
        self._started = self._spoken = time.monotonic()
        self._number, self._name, self._doing = 0, "", ""
        # A step may speak from a thread of its own.
        self._lock = threading.RLock()
        self._ended = threading.Event()
        console = Console(file=stream, force_terminal=terminal)
        self._bar = _bar(console) if console.is_terminal and not console.is_dumb_terminal else None
        self._task = self._bar.add_task("", total=None, place="", doing="") if self._bar else None

    @property
    def seconds(self) -> float:
        """How long it has been at work."""
        return time.monotonic() - self._started

    @property
    def begun(self) -> int:
        """How many steps have begun."""
        return self._number

    def step(self, name: str) -> None:
        """The next step begins."""
        with self._lock:
            self._number, self._name, self._doing = self._number + 1, name, ""
            self._move()
            if self._bar is not None:
                self._bar.refresh()  # the bar moves by itself, but only some times a second

    def doing(self, text: str) -> None:
        """What is going on within the step."""
        with self._lock:
            self._doing = textwrap.shorten(text, LONGEST, placeholder=" …")
            self._move()

    def done(self, ending: str = "done") -> None:
        """The step has ended. On a terminal the next one takes its place, unless it did not end well."""
        if self._bar is None or ending != "done":
            self.line(f"{self._place()}{self._name}: {ending}")

    def line(self, text: str) -> None:
        """A line that stays."""
        with self._lock:
            self._spoken = time.monotonic()
            line = f"  {self.seconds:6.1f} s  {text}"
            if self._bar is not None:
                self._bar.console.print(escape(line), highlight=False, soft_wrap=True)
            else:
                print(line, file=self._stream, flush=True)

    def _place(self) -> str:
        if not self._number:
            return ""
        return f"step {self._number} of {self.total}  " if self.total else f"step {self._number}  "

    def _move(self) -> None:
        if self._bar is not None and self._task is not None:
            self._bar.update(
                self._task,
                total=self.total or None,
                completed=max(self._number - 1, 0),
                description=escape(self._name),
                place=escape(self._place().strip()),
                doing=escape(self._doing),
            )

    def _break_silence(self) -> None:
        while not self._ended.wait(min(1.0, self._silence / 4)):
            if time.monotonic() - self._spoken >= self._silence:
                with self._lock:
                    self.line(f"{self._place()}{self._name} …" + (f" {self._doing}" if self._doing else ""))

    @contextmanager
    def shown(self) -> Iterator[Display]:
        """Show it while the block is at work."""
        watch = threading.Thread(target=self._break_silence, name="display", daemon=True)
        if self._bar is not None:
            self._bar.start()
        else:
            watch.start()
        try:
            yield self
        finally:
            self._ended.set()
            if self._bar is not None:
                self._bar.stop()
            else:
                watch.join()


def _bar(console: Console) -> Progress:
    """One line, which is gone when the work has ended. Prints to sys.stdout appear above it."""
    return Progress(
        SpinnerColumn(),
        TextColumn("{task.fields[place]}"),
        BarColumn(bar_width=20),
        TimeElapsedColumn(),
        TextColumn("{task.description}"),
        TextColumn("[dim]{task.fields[doing]}", table_column=Column(ratio=1, no_wrap=True, overflow="ellipsis")),
        console=console,
        transient=True,
        expand=True,
        redirect_stderr=False,
    )
