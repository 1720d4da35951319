"""One function builds the whole graph, so that tests run the real graph with other settings.

Not here: assets, checks, jobs, sensors and schedules themselves.
"""

from __future__ import annotations

import warnings

import dagster as dg

from dagster_project.archive.lock import Lock
from dagster_project.settings import Settings, load_settings

# Dagster marks backfill policies and partitioned checks as beta; users can do nothing about it.
warnings.filterwarnings("ignore", category=dg.BetaWarning)
warnings.filterwarnings("ignore", category=dg.PreviewWarning)

from dagster_project.asset_checks import asset_checks, required_states  # noqa: E402
from dagster_project.assets.landing import landing_assets  # noqa: E402
from dagster_project.assets.postgres import postgres_assets  # noqa: E402
from dagster_project.assets.raw import raw_assets  # noqa: E402
from dagster_project.assets.release import release_asset  # noqa: E402
from dagster_project.assets.warehouse import warehouse_assets  # noqa: E402
from dagster_project.dbt_project import manifest_path  # noqa: E402
from dagster_project.jobs import jobs  # noqa: E402
from dagster_project.partitions import yearly_partitions  # noqa: E402
from dagster_project.runs import run_executor  # noqa: E402
from dagster_project.schedules import schedules  # noqa: E402
from dagster_project.sensors import sensors  # noqa: E402


def build_definitions(*, settings: Settings | None = None, lock: Lock | None = None) -> dg.Definitions:
    """The definitions under the settings (from the environment when None).

    With a lock, the raw assets verify its archive entries and no source is looked at.
    """
    settings = settings or load_settings()
    yearly, manifest, checks = yearly_partitions(settings), manifest_path(settings), asset_checks(settings)
    blocking = [spec.key for step in checks for spec in step.check_specs if spec.blocking]
    return dg.Definitions(
        assets=[
            *raw_assets(settings, yearly, lock),
            *landing_assets(settings, yearly),
            *warehouse_assets(settings, yearly, manifest),
            release_asset(settings, manifest, blocking, required_states),
            *postgres_assets(settings),
        ],
        asset_checks=checks,
        jobs=jobs(settings),
        sensors=sensors(settings),
        schedules=schedules(settings),
        executor=run_executor(settings),
    )
