"""The address of a PostgreSQL database, taken apart, so that its password stays out of every message.

libpq must not get the address itself. It ends a password at the first `@`, takes the rest of it for a host, and names
that host in its message; and it quotes a password with a stray `%`. Not here: the connecting.
"""

from __future__ import annotations

import re
from urllib.parse import unquote

_HOST = r"(?:\[[0-9A-Fa-f:.]+\]|[^:@/?#\[\],\s]*)(?::\d+)?"
_PLACE = rf"(?P<hosts>{_HOST}(?:,{_HOST})*)(?:/(?P<dbname>[^/?#@\s]*))?(?:\?(?P<query>\w+=[^&\s]*(?:&\w+=[^&\s]*)*)?)?"
_SCHEME = r"postgres(?:ql)?://"
# The form without a user is tried first, because a password in the query may hold an @. In the form with a user, the
# password ends at the first @ that a valid place follows: it may itself hold an @ or a /.
_FORMS = (
    re.compile(_SCHEME + _PLACE),
    re.compile(_SCHEME + r"(?P<user>[^:@/?#\s]*)(?::(?P<password>\S*?))?@" + _PLACE),
)


def connection_parameters(address: str) -> dict[str, str]:
    """The address as parameters of libpq (host, port, user, password, dbname and those of its query).

    `%40` stands for `@` and so on; a `%` that begins no such code stands for itself. ValueError for what is no address.
    """
    match = next(filter(None, (form.fullmatch(address) for form in _FORMS)), None)
    if match is None:
        raise ValueError("no address of a PostgreSQL database")
    parts = match.groupdict()
    hosts, ports = _hosts_and_ports(parts["hosts"])
    found = {"host": hosts, "port": ports, "dbname": parts["dbname"]}
    found |= {name: parts.get(name) for name in ("user", "password")}
    query = dict(item.split("=", 1) for item in (parts["query"] or "").split("&") if item)
    return {name: unquote(text) for name, text in {**found, **query}.items() if text}


def _hosts_and_ports(text: str) -> tuple[str, str]:
    """Hosts and ports, comma-separated each as libpq wants them; no ports where none is given."""
    places = [re.fullmatch(r"(.*?)(?::(\d+))?", each) for each in re.split(r",", text)]
    hosts = [place[1].strip("[]") for place in places if place]
    ports = [place[2] or "" for place in places if place]
    return ",".join(hosts), ",".join(ports) if any(ports) else ""
