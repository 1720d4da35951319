"""The program's own command, but without pauses between calls: python -m tests.contract.hurried run

The pauses spare the services; the contract server is on this machine and needs none.
"""

from __future__ import annotations

import sys
import time
from typing import Any

from dagster_project import cli
from dagster_project.sources import live
from dagster_project.sources.http import Http
from dagster_project.sources.ledger import Ledger


def hurry() -> None:
    """Let the live sources of this process sleep a hundredth of a second where they would sleep longer."""
    live.make_http = _hurried


def _hurried(ledger: Ledger, user_agent: str, **options: Any) -> Http:
    return Http(ledger, user_agent=user_agent, sleep=lambda seconds: time.sleep(min(seconds, 0.01)), **options)


if __name__ == "__main__":
    hurry()
    sys.exit(cli.main())
