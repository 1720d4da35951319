"""An extraction that does not pause between calls, as a function that a process of its own can run to be killed."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence

from dagster_project.settings import load_settings
from tests.contract.hurried import hurry
from tests.helpers.steps import fetch


def extract(environ: Mapping[str, str], datasets: Sequence[str]) -> None:
    """Take the datasets in, and nothing else, under this environment alone. For a process of its own: changes it."""
    os.environ.clear()
    os.environ.update(environ)
    hurry()
    settings = load_settings(dotenv=None)
    for dataset in datasets:
        fetch(dataset, settings)
