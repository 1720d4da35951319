"""What holds for every test: no connection leaves this machine."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.register_assert_rewrite("tests.helpers")


# Files of few tests that take minutes. Begun last, one of them keeps a process busy when the other has nothing left.
LONGEST = ("ui", "pipeline", "contract/test_kills.py")
_TESTS = Path(__file__).parent


class ConnectionLeavesTheMachine(RuntimeError):
    """A test tried to reach another machine; tests use recorded answers or a server on loopback."""


def _is_local(address: Any) -> bool:
    if not isinstance(address, tuple):
        return True  # a path: a socket of this machine
    host = str(address[0])
    if host in ("localhost", ""):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def pytest_addoption(parser: pytest.Parser) -> None:
    """How much two tests do: the browser's visit leaves pictures, and more runs are killed."""
    parser.addoption("--screenshots", metavar="DIRECTORY", help="let tests/ui leave the README's pictures there")
    parser.addoption("--kills", type=int, default=2, help="how many runs tests/pipeline/test_killed_runs.py kills")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest files first, whole as the processes of `make test` take them; else the order that pytest finds."""

    def place(item: pytest.Item) -> int:
        file = item.path.relative_to(_TESTS)
        return next((n for n, name in enumerate(LONGEST) if file.is_relative_to(name)), len(LONGEST))

    items.sort(key=place)


@pytest.fixture(autouse=True, scope="session")
def only_loopback() -> Iterator[None]:
    """Refuse every connection and every name of another machine."""
    connect, connect_ex, resolve = socket.socket.connect, socket.socket.connect_ex, socket.getaddrinfo

    def checked_connect(self: socket.socket, address: Any) -> None:
        _require_local(address)
        connect(self, address)

    def checked_connect_ex(self: socket.socket, address: Any) -> int:
        _require_local(address)
        return connect_ex(self, address)

    def checked_resolve(host: Any, *arguments: Any, **options: Any) -> Any:
        _require_local((host.decode() if isinstance(host, bytes) else host or "",))
        return resolve(host, *arguments, **options)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket.socket, "connect", checked_connect)
        patch.setattr(socket.socket, "connect_ex", checked_connect_ex)
        patch.setattr(socket, "getaddrinfo", checked_resolve)
        yield


def _require_local(address: Any) -> None:
    if not _is_local(address):
        raise ConnectionLeavesTheMachine(f"a test tried to reach {address}")
