"""The guard of conftest.py: tests reach this machine and no other."""

from __future__ import annotations

import socket
import urllib.request

import pytest


@pytest.mark.parametrize("address", ["http://192.0.2.1/", "http://[2001:db8::1]/", "https://example.org/"])
def test_other_machines_cannot_be_reached(address: str) -> None:
    with pytest.raises(RuntimeError, match="a test tried to reach"):
        urllib.request.urlopen(address, timeout=1)


def test_nor_by_their_number() -> None:
    with socket.socket() as client, pytest.raises(RuntimeError, match=r"192\.0\.2\.1"):
        client.connect_ex(("192.0.2.1", 80))


def test_loopback_can() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        for host in ("127.0.0.1", "localhost"):
            with socket.create_connection((host, server.getsockname()[1]), timeout=5):
                pass
