"""A data directory whose record says that a run was there: landed, built and published, without dbt and a release."""

from __future__ import annotations

import duckdb

from dagster_project.archive.store import Entry
from dagster_project.datasets.declaration import Dataset
from dagster_project.datasets.reference.dataset import REFERENCE
from dagster_project.datasets.trade.dataset import TRADE
from dagster_project.landing import yearly
from dagster_project.landing.inputs import Input, land_inputs
from dagster_project.planning.fingerprints import folder_fingerprint
from dagster_project.planning.intake import current_inputs
from dagster_project.planning.loading import land
from dagster_project.planning.state import Built, identity, make_plan, shape
from tests.helpers.landing_desk import Desk


def build(desk: Desk, *, release: bool = True) -> Built:
    """Note what a run of the plan would have built, and published."""
    plan, settings = make_plan(desk.settings), desk.settings
    land(REFERENCE, settings)
    land(TRADE, settings, plan.held)
    land_inputs(settings.landing_dir, [Input("trade", "files", False, 1)])
    duckdb.connect(str(settings.warehouse)).close()

    def entries_of(each: Dataset) -> list[Entry]:
        return current_inputs(each, settings)

    landed = yearly.landed_years(settings.landing_dir, "trade")
    built = Built(figures=folder_fingerprint("benchmarks"))
    built = built.with_years(TRADE, shape(TRADE, settings, entries_of), landed, computed=list(landed))
    built = built.with_dataset(REFERENCE, identity(REFERENCE, settings, entries_of))
    built.save(settings)
    if release:
        built.save_released(settings)
    return built
