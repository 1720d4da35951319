"""Dagster's run history, opened once for a run instead of once for every event.

Dagster keeps the history in SQLite files. For each of some five hundred events of a run it makes an engine, opens the
file, compiles the statement and closes the file, several times over: three seconds of processor time. While `kept_open`
lasts, there is one engine per file, which keeps its connections. What is written is the same, and is committed event by
event as before. Not here: which runs are alive (see `runs`).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock
from typing import Any

from dagster._core.storage.event_log.sqlite import sqlite_event_log
from dagster._core.storage.runs.sqlite import sqlite_run_storage
from sqlalchemy.engine import Engine
from sqlalchemy.pool import QueuePool

_STORAGES = (sqlite_event_log, sqlite_run_storage)


@contextmanager
def kept_open() -> Iterator[None]:
    """Keep each file of the history open inside the block."""
    engines: dict[str, Engine] = {}
    lock, create = Lock(), [module.create_engine for module in _STORAGES]

    def engine_of(address: str, **options: Any) -> Engine:
        with lock:
            if address not in engines:
                engines[address] = create[0](address, **{**options, "poolclass": QueuePool})
                # Dagster disposes of an engine after each use, and with it would go the connections.
                engines[address].dispose = lambda close=True: None  # type: ignore[method-assign]
            return engines[address]

    for module in _STORAGES:
        module.create_engine = engine_of  # type: ignore[attr-defined]
    try:
        yield
    finally:
        for module, before in zip(_STORAGES, create, strict=True):
            module.create_engine = before  # type: ignore[attr-defined]
        for engine in engines.values():
            Engine.dispose(engine)
