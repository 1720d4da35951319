"""The stage checks of the graph: which suite looks at which assets. Not here: the checks themselves (see `checks`)."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import replace

import dagster as dg

from dagster_project.assets.landing import PATENT_TABLES, REFERENCE_TABLES, TARIFF_TABLES, TRADE_TABLES, table_path
from dagster_project.checks.benchmarks import BENCHMARKS
from dagster_project.checks.declarations import Stage
from dagster_project.checks.factory import make_stage_check, years_of_run
from dagster_project.checks.landing import LANDING
from dagster_project.checks.marts import MARTS
from dagster_project.checks.patents import PATENT_LANDING, PATENT_MARTS
from dagster_project.checks.staging import STAGING
from dagster_project.checks.tariffs import TARIFF_LANDING, TARIFF_MARTS
from dagster_project.checks.views import (
    CheckedData,
    Previous,
    over_files,
    over_landing,
    over_warehouse,
    previous_release,
)
from dagster_project.intake import datasets_on
from dagster_project.landing.trade import landed_years
from dagster_project.settings import Settings
from dagster_project.state import Built, years_to_check

Data = Callable[[dg.AssetCheckExecutionContext], CheckedData]


def _part(stage: Stage, tables: Collection[str]) -> Stage:
    """The checks of a stage that are about these tables."""
    return replace(stage, checks=tuple(check for check in stage.checks if check.table in tables))


def asset_checks(settings: Settings) -> list[dg.AssetChecksDefinition]:
    """One blocking step of checks per stage."""

    def years(context: dg.AssetCheckExecutionContext, held: Mapping[str, str]) -> list[int]:
        asked = [year for year in years_of_run(context) if settings.years is None or year in settings.years]
        return years_to_check(asked, held, Built.released(settings).years)

    def previous() -> Previous:
        # Years and retention may differ without making totals incomparable; whatever shapes the marts may not.
        return previous_release(settings.published_dir, settings.shaping())

    def landing(context: dg.AssetCheckExecutionContext) -> CheckedData:
        landed = {str(year): name for year, name in landed_years(settings.landing_dir).items()}
        found = years(context, landed)
        return over_landing(settings.landing_dir, found, previous(), resources=settings.resources)

    def warehouse(context: dg.AssetCheckExecutionContext) -> CheckedData:
        return over_warehouse(
            settings.warehouse,
            years(context, Built.load(settings).years),
            previous(),
            requested_years=settings.years or (),
            landing=settings.landing_dir,
            resources=settings.resources,
        )

    def whole_warehouse(context: dg.AssetCheckExecutionContext) -> CheckedData:
        return over_warehouse(
            settings.warehouse, (), previous(), landing=settings.landing_dir, resources=settings.resources
        )

    def files_of(dataset: str, tables: Collection[str]) -> Data:
        counts = f"{dataset}_rule_counts"
        paths = {table: table_path(settings.landing_dir, table) for table in (*tables, counts)}
        return lambda context: over_files(paths, previous(), resources=settings.resources)

    domains = {
        "tariffs": (TARIFF_LANDING, TARIFF_TABLES, TARIFF_MARTS),
        "patents": (PATENT_LANDING, PATENT_TABLES, PATENT_MARTS),
    }
    # Reference tables have a step of their own: trade lands behind them, and a step cannot come before and after it.
    stages: Iterable[tuple[str, Stage, str, Data]] = (
        ("check_reference", _part(LANDING, REFERENCE_TABLES), "landing", landing),
        ("check_landing", _part(LANDING, TRADE_TABLES), "landing", landing),
        ("check_staging", STAGING, "staging", warehouse),
        ("check_marts", MARTS, "marts", warehouse),
        ("check_benchmarks", BENCHMARKS, "marts", warehouse),
        *(
            step
            for dataset, (landed, tables, marts) in domains.items()
            if dataset in datasets_on(settings)
            for step in (
                (f"check_{dataset}_landing", landed, "landing", files_of(dataset, tables)),
                (f"check_{dataset}_marts", marts, "marts", whole_warehouse),
            )
        ),
    )
    return [
        make_stage_check(name, stage, {table: dg.AssetKey([layer, table]) for table in stage.tables}, data)
        for name, stage, layer, data in stages
    ]
