"""The services about tariffs: Federal Register, regulations.gov and the Harmonized Tariff Schedule."""

from __future__ import annotations

import json
import re
from typing import Any

Reply = tuple[int, dict[str, str], bytes]


def respond(contract: Any, match: re.Match[str], query: dict[str, str], headers: dict[str, str]) -> Reply:
    """Not yet served."""
    return 404, {"Content-Type": "application/json"}, json.dumps({"code": 404, "message": "Not Found"}).encode()
