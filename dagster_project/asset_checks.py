"""The stage checks of the graph: which suite looks at which assets. Not here: the checks (see `datasets`)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import dagster as dg

from dagster_project.checks.benchmarks import BENCHMARKS
from dagster_project.checks.declarations import Stage
from dagster_project.checks.factory import make_stage_check, years_of_run
from dagster_project.checks.views import CheckedData, over_landing, over_warehouse, previous_release
from dagster_project.datasets.declaration import Dataset, Layer
from dagster_project.datasets.registry import dataset, datasets_on
from dagster_project.landing import yearly
from dagster_project.planning.loading import table_files
from dagster_project.planning.state import FIGURES, Built, years_to_check
from dagster_project.settings import Settings


def asset_checks(settings: Settings) -> list[dg.AssetChecksDefinition]:
    """One step of checks per dataset and layer, and one of the published figures."""
    return [
        *(_step(settings, each, part.layer, part.stage) for each in datasets_on(settings) for part in each.checks),
        _figures_step(settings),
    ]


def _step(settings: Settings, each: Dataset, layer: Layer, stage: Stage) -> dg.AssetChecksDefinition:
    def data(context: dg.AssetCheckExecutionContext) -> CheckedData:
        # Totals can be compared where all settings that shape the marts are the same; years and retention may differ.
        previous = previous_release(settings.published_dir, settings.shaping())
        held = _years_held(settings, each, layer)
        years = _years_of_run(context, settings, each, held)
        if layer == "landing":
            return over_landing(_tables_read(each, settings), years, previous, resources=settings.resources)
        landing = table_files(each, settings.landing_dir)
        return over_warehouse(
            settings.warehouse,
            years,
            previous,
            requested_years=settings.years or (),
            landing=landing,
            resources=settings.resources,
        )

    return make_stage_check(f"check_{each.name}_{layer}", stage, _keys(stage, layer), data)


def _figures_step(settings: Settings) -> dg.AssetChecksDefinition:
    def data(context: dg.AssetCheckExecutionContext) -> CheckedData:
        previous = previous_release(settings.published_dir, settings.shaping())
        return over_warehouse(settings.warehouse, (), previous, resources=settings.resources)

    return make_stage_check(f"check_{FIGURES}", BENCHMARKS, _keys(BENCHMARKS, "marts"), data)


def _keys(stage: Stage, layer: Layer) -> dict[str, dg.AssetKey]:
    return {table: dg.AssetKey([layer, table]) for table in stage.tables}


def _tables_read(each: Dataset, settings: Settings) -> dict[str, Path]:
    """The landing tables that the landing checks of a dataset read: its own, and those that its landing reads."""

    def tables() -> Iterator[tuple[str, Path]]:
        for one in (*map(dataset, each.lands_after), each):
            yield from ((table.name, table.files(settings.landing_dir)) for table in one.tables)

    return dict(tables())


def _years_held(settings: Settings, each: Dataset, layer: Layer) -> Mapping[str, str]:
    """Year -> what it was made from, at the stage under check."""
    if layer == "landing":
        return {str(year): name for year, name in yearly.landed_years(settings.landing_dir, each.name).items()}
    return Built.load(settings).years_of(each)


def _years_of_run(
    context: dg.AssetCheckExecutionContext, settings: Settings, each: Dataset, held: Mapping[str, str]
) -> list[int]:
    """The years to check; none for a dataset without years, which is checked whole."""
    if each.yearly is None:
        return []
    asked = [year for year in years_of_run(context) if settings.years is None or year in settings.years]
    return years_to_check(asked, held, Built.released(settings).years_of(each))
