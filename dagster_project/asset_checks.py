"""The stage checks of the graph: which suite looks at which assets. Not here: the checks themselves (see `checks`)."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import replace

import dagster as dg

from dagster_project.assets.landing import REFERENCE_TABLES, TRADE_TABLES
from dagster_project.checks.benchmarks import BENCHMARKS
from dagster_project.checks.declarations import Stage
from dagster_project.checks.factory import make_stage_check, years_of_run
from dagster_project.checks.landing import LANDING
from dagster_project.checks.marts import MARTS
from dagster_project.checks.staging import STAGING
from dagster_project.checks.views import CheckedData, Previous, over_landing, over_warehouse, previous_release
from dagster_project.settings import Settings

Data = Callable[[dg.AssetCheckExecutionContext], CheckedData]


def _part(stage: Stage, tables: Collection[str]) -> Stage:
    """The checks of a stage that are about these tables."""
    return replace(stage, checks=tuple(check for check in stage.checks if check.table in tables))


def asset_checks(settings: Settings) -> list[dg.AssetChecksDefinition]:
    """One blocking step of checks per stage."""

    def years(context: dg.AssetCheckExecutionContext) -> list[int]:
        return [year for year in years_of_run(context) if settings.years is None or year in settings.years]

    def previous() -> Previous:
        # Years and retention may differ without making totals incomparable; whatever shapes the marts may not.
        return previous_release(settings.published_dir, settings.shaping())

    def landing(context: dg.AssetCheckExecutionContext) -> CheckedData:
        return over_landing(settings.landing_dir, years(context), previous())

    def warehouse(context: dg.AssetCheckExecutionContext) -> CheckedData:
        return over_warehouse(
            settings.warehouse,
            years(context),
            previous(),
            requested_years=settings.years or (),
            landing=settings.landing_dir,
        )

    # Reference tables have a step of their own: trade lands behind them, and a step cannot come before and after it.
    stages: Iterable[tuple[str, Stage, str, Data]] = (
        ("check_reference", _part(LANDING, REFERENCE_TABLES), "landing", landing),
        ("check_landing", _part(LANDING, TRADE_TABLES), "landing", landing),
        ("check_staging", STAGING, "staging", warehouse),
        ("check_marts", MARTS, "marts", warehouse),
        ("check_benchmarks", BENCHMARKS, "marts", warehouse),
    )
    return [
        make_stage_check(name, stage, {table: dg.AssetKey([layer, table]) for table in stage.tables}, data)
        for name, stage, layer, data in stages
    ]
