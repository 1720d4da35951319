"""Where a live source may be led: by redirects, and by the addresses that its answers hold.

Hosts that the settings name are the user's own choice. Any other must be on the list of its service, over https, and
must not turn out to be a machine of this network: a publisher's answer must not reach what only this machine can reach.
Not here: which hosts belong to which service (see its `Service`).
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress

import requests
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPSConnection
from urllib3.connectionpool import HTTPSConnectionPool
from urllib3.util import parse_url


class PrivateHost(Exception):
    """A host whose name belongs to a machine of this network."""


class Hosts:
    """The hosts that the settings name, with their scheme."""

    def __init__(self) -> None:
        self._named: set[tuple[str, str]] = set()

    def name(self, addresses: Iterable[str]) -> None:
        """Take the hosts of these addresses for the user's choice."""
        for address in addresses:
            with suppress(requests.RequestException):  # an address that the client cannot read is told when it is asked
                self._named.add(_place(address))

    def is_named(self, scheme: str, host: str) -> bool:
        """Whether it is the user's choice; https, too, where the user chose http."""
        return not {(scheme, host), ("http" if scheme == "https" else scheme, host)}.isdisjoint(self._named)

    def objection(self, address: str, listed: Sequence[str]) -> str | None:
        """Why an address is not followed; `listed` are hosts, each with all below it. None where it may be."""
        scheme, host = _place(address)
        if self.is_named(scheme, host):
            return None
        if scheme != "https":
            return f"an address that is not https ({scheme}://{host})"
        if _is_private(host):
            return f"an address of this machine or its network ({host})"
        if not any(host == each or host.endswith(f".{each}") for each in listed):
            return f"a host that is none of this service's ({host})"
        return None

    def session(self) -> requests.Session:
        """A session that reaches no machine of this network under a name that the settings do not hold."""
        session = requests.Session()
        session.mount("https://", _Adapter(lambda host: self.is_named("https", host)))
        return session


class _Adapter(HTTPAdapter):
    """Looks at the address of every https connection, once it stands and before anything is sent.

    Behind a proxy nobody here can tell: it is the proxy that looks the name up.
    """

    def __init__(self, is_named: Callable[[str], bool]) -> None:
        self._is_named = is_named
        super().__init__()

    def init_poolmanager(self, *arguments: object, **options: object) -> None:
        """The usual pool, of connections that look."""
        super().init_poolmanager(*arguments, **options)  # type: ignore[arg-type]
        is_named = self._is_named

        class Connection(HTTPSConnection):
            def _new_conn(self) -> socket.socket:
                made = super()._new_conn()
                if not is_named(self.host) and _is_private(str(made.getpeername()[0])):
                    made.close()
                    raise PrivateHost(self.host)
                return made

        class Pool(HTTPSConnectionPool):
            ConnectionCls = Connection

        self.poolmanager.pool_classes_by_scheme = {**self.poolmanager.pool_classes_by_scheme, "https": Pool}


def _place(address: str) -> tuple[str, str]:
    """Scheme and host as the client itself will read them: two readers of one address may find two hosts in it."""
    prepared = requests.PreparedRequest()
    prepared.prepare_url(address, None)
    parts = parse_url(str(prepared.url))
    return (parts.scheme or "").lower(), (parts.host or "").lower()


def _is_private(host: str) -> bool:
    """Whether a host is, by its number or its name, no machine of the public network."""
    try:
        number = ipaddress.ip_address(host.strip("[]").partition("%")[0])
    except ValueError:
        return host == "localhost" or host.endswith((".localhost", ".local", ".internal")) or "." not in host
    inner = getattr(number, "ipv4_mapped", None) or getattr(number, "sixtofour", None)
    return not number.is_global or number.is_multicast or (inner is not None and not inner.is_global)
