"""Addresses without what must not be seen in them: user and password, and the secrets of a query.

One function, used wherever an address is archived, noted, logged or shown. Not here: settings that are secret as a
whole (see `secret`).
"""

from __future__ import annotations

import hashlib
import re
from urllib.parse import unquote

from dagster_project.secret import SHOWN

_USER = re.compile(r"(?i)(\b[a-z][a-z0-9+.-]*://)[^/?#\s]*@")
_PAIR = re.compile(r"([?&;#]|%3F|%26)([^=&;#?\s\"'<>]+)=([^&;#\s\"'<>]+)")
# Within the names of a query's parameters: keys, tokens, signatures (also of storage hosts' signed addresses).
_NAME = re.compile(
    r"(?i)key|token|secret|sig$|sign|passw|pwd|auth|credential|session|policy|ticket|jwt|bearer|\bpass\b|\bsas\b|\bcode$"
)
# Long, of letters and digits, without the punctuation of lists, dates and names: no one writes such a value by hand.
_RANDOM = re.compile(r"(?=.*\d)(?=.*[A-Za-z])[A-Za-z0-9+/_=~-]{20,}")
_NO_SECRET = frozenset({"cmdcode", "flowcode", "motcode", "partnercode", "partner2code", "customscode", "reportercode"})


def without_secrets(text: str) -> str:
    """An address, or a text with addresses in it, with *** for what may be secret. Done twice it is the same."""
    return _PAIR.sub(_shown, _USER.sub(rf"\1{SHOWN}@", text))


def noted(address: str) -> str:
    """What names an address in files that remember it: no secret in it, and yet not the name of another address."""
    shown = without_secrets(address)
    return shown if shown == address else f"{shown} {hashlib.sha256(address.encode()).hexdigest()[:12]}"


def _shown(pair: re.Match[str]) -> str:
    before, name, value = pair.groups()
    plain, end = unquote(name), value[len(value.rstrip(").,:]")) :]  # of the sentence around the address
    value = value.removesuffix(end)
    secret = (plain.lower() not in _NO_SECRET and _NAME.search(plain)) or _RANDOM.fullmatch(unquote(value))
    return f"{before}{name}={SHOWN}{end}" if secret else pair[0]
