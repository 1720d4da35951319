"""The stage checks of the graph: which suite looks at which assets. Not here: the checks (see `datasets`)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import dagster as dg

from dagster_project.checks.declarations import Stage
from dagster_project.checks.factory import check_key, make_stage_check, years_of_run
from dagster_project.checks.views import CheckedData, over_landing, over_warehouse, previous_release
from dagster_project.datasets.declaration import Dataset, Layer
from dagster_project.datasets.registry import dataset, datasets_on, figures_stage
from dagster_project.landing import yearly
from dagster_project.markdown import plain
from dagster_project.planning.intake import current_inputs
from dagster_project.planning.judgements import Judgement, record_judgements, state_of_table
from dagster_project.planning.loading import load_of, table_files
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
            files = {entry.id: entry.address for entry in current_inputs(each, settings)}
            tables = _tables_read(each, settings)
            return over_landing(tables, years, previous, files=files, resources=settings.resources)
        landing = table_files(each, settings.landing_dir)
        return over_warehouse(
            settings.warehouse,
            years,
            previous,
            requested_years=settings.years or (),
            landing=landing,
            resources=settings.resources,
        )

    record = _recorder(settings, lambda table: state_of_table(settings, each, layer, table))
    return make_stage_check(f"check_{each.name}_{layer}", stage, _keys(stage, layer), data, on_results=record)


def _figures_step(settings: Settings) -> dg.AssetChecksDefinition:
    def data(context: dg.AssetCheckExecutionContext) -> CheckedData:
        previous = previous_release(settings.published_dir, settings.shaping())
        return over_warehouse(settings.warehouse, (), previous, resources=settings.resources)

    record = _recorder(settings, lambda table: Built.load(settings).models.get(table, "not built"))
    stage = figures_stage(datasets_on(settings))
    return make_stage_check(f"check_{FIGURES}", stage, _keys(stage, "marts"), data, on_results=record)


def required_states(settings: Settings) -> dict[dg.AssetCheckKey, str]:
    """Check -> the state that its table is in now, for every check of the graph."""
    states: dict[dg.AssetCheckKey, str] = {}
    for each in datasets_on(settings):
        for part in each.checks:
            now = {table: state_of_table(settings, each, part.layer, table) for table in part.stage.tables}
            states |= {check_key(check, _keys(part.stage, part.layer)): now[check.table] for check in part.stage.checks}
    built = Built.load(settings).models
    figures = figures_stage(datasets_on(settings))
    keys = _keys(figures, "marts")
    return states | {check_key(check, keys): built.get(check.table, "not built") for check in figures.checks}


def _recorder(settings: Settings, state: Callable[[str], str]) -> Callable[[Sequence[dg.AssetCheckResult]], None]:
    def record(results: Sequence[dg.AssetCheckResult]) -> None:
        record_judgements(
            settings,
            [
                Judgement(
                    each.asset_key.to_user_string() if each.asset_key else "",
                    each.check_name or "",
                    each.passed,
                    each.severity.value,
                    plain(each.description or ""),
                    state(each.asset_key.path[-1] if each.asset_key else ""),
                )
                for each in results
            ],
        )

    return record


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
    released = Built.released(settings).years_of(each)
    # Not what is landed: this dataset may be checked before another one is landed.
    elsewhere = {
        year
        for other in datasets_on(settings)
        if other.yearly is not None and other.name != each.name and not each.yearly.has_gaps
        for year in other.yearly.identities(load_of(other, settings))
    }
    return years_to_check(each, asked, held, released, elsewhere)
