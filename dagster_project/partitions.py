"""The yearly partitions, and the pure functions between partition keys, years and dbt's list of years.

Not here: what is computed for a year.
"""

from __future__ import annotations

from collections.abc import Sequence

import dagster as dg

from dagster_project.checks.factory import YEARS_MEANT
from dagster_project.planning.state import possible_years
from dagster_project.settings import Settings


def yearly_partitions(settings: Settings) -> dg.TimeWindowPartitionsDefinition:
    """One partition per calendar year that the settings can ask for."""
    years = possible_years(settings)
    return dg.TimeWindowPartitionsDefinition(
        start=str(years.start), end=str(years.stop), cron_schedule="0 0 1 1 *", fmt="%Y"
    )


def years_of(partition_keys: Sequence[str], settings: Settings) -> list[int]:
    """The years that a run's partition keys and the settings both ask for."""
    return [int(key) for key in partition_keys if settings.years is None or int(key) in settings.years]


def partition_range_tags(years: Sequence[int]) -> dict[str, str]:
    """Run tags that make one run of the partitions from the first to the last of the years, and say which were meant.

    Datasets by year need not have the same years, and between two of them there may be years that none has.
    """
    return {
        YEARS_MEANT: ",".join(map(str, sorted(years))),
        "dagster/asset_partition_range_start": str(min(years)),
        "dagster/asset_partition_range_end": str(max(years)),
    }


def build_years(years: Sequence[int] | None) -> str:
    """The years that dbt's yearly models recompute, as they read them; None for every landed year.

    For no year at all it is the year 0, which nothing has.
    """
    if years is None:
        return ""
    return ",".join(str(year) for year in sorted(years)) or "0000"
