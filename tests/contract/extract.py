"""A process that takes in live datasets and nothing else, to be killed: python -m tests.contract.extract <dataset>…"""

import sys
from datetime import UTC, datetime

from dagster_project.archive.store import Archive
from dagster_project.intake import take_in
from dagster_project.settings import load_settings

if __name__ == "__main__":
    settings = load_settings(dotenv=None)
    for dataset in sys.argv[1:]:
        take_in(dataset, settings, Archive(settings.archive_dir), datetime.now(UTC))
