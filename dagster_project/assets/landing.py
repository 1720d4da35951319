"""Landing assets: typed Parquet tables, with the accounting of every load as metadata. Not here: the rules."""

from collections.abc import Iterator

import dagster as dg
from dagster import AssetExecutionContext

from dagster_project.archive.lock import load_lock
from dagster_project.assets.common import (
    OWNERS,
    counts_metadata,
    entries_metadata,
    parquet_metadata,
    provenance_metadata,
    user_errors,
    year_metadata,
)
from dagster_project.datasets.declaration import Dataset
from dagster_project.datasets.registry import dataset, datasets_on
from dagster_project.landing.inputs import Input, land_inputs
from dagster_project.landing.loads import Landed
from dagster_project.partitions import years_of
from dagster_project.planning.intake import current_inputs
from dagster_project.planning.loading import land
from dagster_project.planning.state import release_lock
from dagster_project.settings import Settings


def landing_assets(settings: Settings, yearly: dg.PartitionsDefinition) -> list[dg.AssetsDefinition]:
    """The landing tables of every dataset that is on, and the table that says which those are."""
    return [*(_landing(each, settings, yearly) for each in datasets_on(settings)), _landing_inputs(settings)]


def _landing(each: Dataset, settings: Settings, yearly: dg.PartitionsDefinition) -> dg.AssetsDefinition:
    by_year = each.yearly is not None
    partitions = {"partitions_def": yearly} if by_year else {}
    waits_for = [["landing", table.name] for name in each.lands_after for table in dataset(name).tables]
    specs = [
        dg.AssetSpec(
            ["landing", table.name],
            deps=[["raw", each.name], *waits_for],
            description=f"{table.description} Read from the archived {each.name} payloads. "
            f"Source: {each.source_name(settings)}.",
            group_name="landing",
            owners=OWNERS,
            kinds={"parquet", "duckdb"},
            **partitions,  # type: ignore[arg-type]
        )
        for table in each.tables
    ]

    @dg.multi_asset(
        name=f"landing_{each.name}",
        specs=specs,
        backfill_policy=dg.BackfillPolicy.single_run() if by_year else None,
        **partitions,  # type: ignore[arg-type]
    )
    def landing(context: AssetExecutionContext) -> Iterator[dg.MaterializeResult]:
        asked = years_of(context.partition_keys, settings) if by_year else []
        with user_errors():
            landed = land(each, settings, asked)
        for warning in landed.warnings:
            context.log.warning(warning)
        if missing := [year for year in asked if str(year) not in landed.counts]:
            context.log.warning("the source holds no rows of %s", ", ".join(map(str, missing)))
        for year in asked:
            for table in each.tables:
                own = year_metadata(table.files(settings.landing_dir), year)
                context.add_asset_metadata(own, asset_key=["landing", table.name], partition_key=str(year))
        yield from _results(each, settings, landed)

    return landing


def _landing_inputs(settings: Settings) -> dg.AssetsDefinition:
    @dg.asset(
        key=["landing", "inputs"],
        group_name="landing",
        description="One row per dataset that is on: its source, and whether it is synthetic. Read from the lock "
        "of archive entries.",
        owners=OWNERS,
        kinds={"parquet", "duckdb"},
        deps=[["landing", each.tables[0].name] for each in datasets_on(settings)],
    )
    def landing_inputs() -> dg.MaterializeResult:
        locked = release_lock(settings, load_lock(settings.lock_path)).datasets
        inputs = [
            Input(name, dataset(name).source_name(settings), any(e.synthetic for e in entries), len(entries))
            for name, entries in locked.items()
        ]
        used = [entry for entries in locked.values() for entry in entries]
        table = parquet_metadata(land_inputs(settings.landing_dir, inputs))
        return dg.MaterializeResult(metadata={**table, **provenance_metadata(used)})

    return landing_inputs


def _results(each: Dataset, settings: Settings, landed: Landed) -> Iterator[dg.MaterializeResult]:
    """One result per landing table: its rows and preview, where it came from, and the accounting of the whole load."""
    entries = current_inputs(each, settings)
    for table in each.tables:
        yield dg.MaterializeResult(
            ["landing", table.name],
            metadata={
                **parquet_metadata(table.files(settings.landing_dir)),
                **entries_metadata(entries),
                **counts_metadata(landed.counts),
                "notes": dg.MetadataValue.json({**landed.notes, "warnings": list(landed.warnings)}),
            },
        )
