"""A probe: the smallest question that a service answers, asked to see whether a run could use it.

What belongs here: what a probe is and what it tells. Not here: any one service's question (see `datasets`), and what is
made of the answers (see `planning.doctor`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from dagster_project.sources.http import Service
from dagster_project.sources.integrity import check_start
from dagster_project.sources.live import Live


@dataclass(frozen=True)
class Seen:
    """What an answer told, whose shape was as expected: the newest edition, and what is worth a word besides."""

    newest: str = ""
    notes: Sequence[str] = ()


@dataclass(frozen=True)
class Probe:
    """One question to one service, whose `title` the user reads.

    ask         asks it, through the session's client only; raises what a run would raise for the answer
    key         the settings field of the service's key, where it takes one
    needs_key   whether it answers nothing at all without it
    """

    title: str
    ask: Callable[[Live], Seen]
    key: str = ""
    needs_key: bool = False


def probe_of_file(service: Service, address: str, name: str, title: str) -> Probe:
    """A probe that asks for the first bytes of a file and holds them against what its name promises."""

    def ask(live: Live) -> Seen:
        answer = live.http.get_start(service, address, where=title)
        check_start(answer.body, name, f"{title} ({address})")
        return Seen(answer.headers.get("Last-Modified", ""))

    return Probe(title, ask)
