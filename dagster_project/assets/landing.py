"""Landing assets: typed Parquet tables, with the accounting of every load as metadata. Not here: the rules."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import dagster as dg
from dagster import AssetExecutionContext

from dagster_project.archive.lock import load_lock
from dagster_project.archive.store import Archive, Entry
from dagster_project.assets.common import (
    OWNERS,
    counts_metadata,
    entries_metadata,
    parquet_metadata,
    provenance_metadata,
    user_errors,
)
from dagster_project.datasets.patents.landing import land_patents
from dagster_project.datasets.reference.landing import land_reference
from dagster_project.datasets.tariffs.landing import land_tariffs
from dagster_project.datasets.trade.loading import land_trade
from dagster_project.landing.inputs import Input, land_inputs
from dagster_project.landing.tables import RuleCounts
from dagster_project.partitions import years_of
from dagster_project.planning.intake import chosen_source, datasets_on, taken_in
from dagster_project.planning.state import release_lock
from dagster_project.settings import Settings

REFERENCE_TABLES = {
    "countries": "One row per area of the country lists, with whether it counts as a country.",
    "products": "One row per HS6 code of the base revision, with its BEC Rev.4 code and BEC Rev.5 end use.",
    "hs_conversion": "One row per (HS revision, code, target code of the base revision) with its weight; weights of a "
    "source code sum to 1.",
}
TRADE_TABLES = {
    "trade_flows": "One row per (year, reporter, flow, partner, HS code) as reported, after the named rules.",
    "trade_unallocated": "Rows whose partner is no country: their value is kept as the importer's unallocated value.",
    "trade_reimports": "Rows whose reporter is their own partner.",
    "trade_control_totals": "World rows, kept to check the partners' sum against.",
    "trade_reporters": "One row per (year, country, flow) that reported anything.",
    "trade_rule_counts": "One row per (year, rule): rows read, landed, set aside by rule, quarantined by reason.",
    "quarantine_trade": "Rows that could not be used, with the reason and the archive entry and row they came from.",
}


TARIFF_TABLES = {
    "tariff_requests": "One row per exclusion request, whatever layout its file had.",
    "tariff_lists": "One row per source of lists, tariff line (HTS8) and list.",
    "tariff_exclusions": "One row per granted exclusion and HTS code it names, with the dates its text states.",
    "tariff_exclusion_tranches": "One row per paragraph of the note that grants or extends exclusions.",
    "tariff_headings": "One row per heading of chapter 99 about Section 301 and edition of the tariff schedule.",
    "quarantine_tariffs": "Rows of tariff files that could not be used, with the reason and where they came from.",
}
PATENT_TABLES = {
    "pct_publications": "One row per PCT publication.",
    "pct_applicants": "One row per PCT publication and applicant; weights of a publication sum to 1.",
    "pct_fields": "One row per PCT publication and WIPO field; weights of a publication sum to 1.",
    "pct_citations": "One row per cited PCT publication and citing patent.",
    "wipo_fields": "One row per WIPO technology field, with its sector.",
    "reference_totals": "Published totals by economy and year, of OECD (live or by hand) or NCSES (by hand).",
    "quarantine_patents": "Rows of patent files that could not be used, with the reason and where they came from.",
}
DATASET_OF = {
    table: dataset
    for dataset, tables in (
        ("reference", REFERENCE_TABLES),
        ("trade", TRADE_TABLES),
        ("tariffs", TARIFF_TABLES),
        ("patents", PATENT_TABLES),
    )
    for table in tables
}


def table_path(landing: Path, table: str) -> Path:
    """The pattern of a landing table's files; a crash may have left directories of other names beside the years."""
    if table.startswith("quarantine_"):
        folder = landing / "quarantine" / table.removeprefix("quarantine_")
        return folder / "year=*" / "*.parquet" if table in TRADE_TABLES else folder / "*.parquet"
    if table in REFERENCE_TABLES:
        return landing / "reference" / f"{table}.parquet"
    if table in PATENT_TABLES:
        return landing / "patents" / f"{table}.parquet"
    return landing / table / "year=*" / "*.parquet" if table in TRADE_TABLES else landing / f"{table}.parquet"


def landing_assets(settings: Settings, yearly: dg.PartitionsDefinition) -> list[dg.AssetsDefinition]:
    """The landing of reference data, of trade, and of every further dataset that is on."""
    assets = [_landing_reference(settings), _landing_trade(settings, yearly)]
    if "tariffs" in datasets_on(settings):
        assets.append(_landing_tariffs(settings))
    if "patents" in datasets_on(settings):
        assets.append(_landing_patents(settings))
    return [*assets, _landing_inputs(settings)]


def _specs(
    tables: dict[str, str], dataset: str, settings: Settings, **more: dg.PartitionsDefinition
) -> list[dg.AssetSpec]:
    return [
        dg.AssetSpec(
            ["landing", table],
            deps=[["raw", dataset]],
            description=f"{description} Read from the archived {dataset} payloads. "
            f"Source: {chosen_source(dataset, settings)}.",
            group_name="landing",
            owners=OWNERS,
            kinds={"parquet", "duckdb"},
            **more,  # type: ignore[arg-type]
        )
        for table, description in tables.items()
    ]


def _landing_reference(settings: Settings) -> dg.AssetsDefinition:
    @dg.multi_asset(name="landing_reference", specs=_specs(REFERENCE_TABLES, "reference", settings))
    def landing_reference(context: AssetExecutionContext) -> Iterator[dg.MaterializeResult]:
        with user_errors():
            entries = taken_in("reference", settings)
            archive = Archive(settings.archive_dir)
            counts = land_reference(archive, entries, settings.landing_dir, settings.hs_revision)
        for note in counts.notes:
            context.log.warning(note)
        notes = {"notes": list(counts.notes), "revisions_with_a_way": list(counts.revisions)}
        yield from _results(settings, REFERENCE_TABLES, entries, {}, {**notes, "base_revision": settings.hs_revision})

    return landing_reference


def _landing_trade(settings: Settings, yearly: dg.PartitionsDefinition) -> dg.AssetsDefinition:
    @dg.multi_asset(
        name="landing_trade",
        specs=[
            spec.merge_attributes(deps=[["landing", table] for table in REFERENCE_TABLES])
            for spec in _specs(TRADE_TABLES, "trade", settings, partitions_def=yearly)
        ],
        partitions_def=yearly,
        backfill_policy=dg.BackfillPolicy.single_run(),
    )
    def landing_trade(context: AssetExecutionContext) -> Iterator[dg.MaterializeResult]:
        asked = years_of(context.partition_keys, settings)
        with user_errors():
            landed = land_trade(settings, asked)
        missing = sorted(set(asked) - {each.year for each in landed})
        if missing:
            context.log.warning("the source holds no rows of %s", ", ".join(map(str, missing)))
        for each in landed:
            context.log.info("%d: %s", each.year, "landed" if each.changed else "unchanged since it was last landed")
        counts = {str(each.year): each.counts for each in landed}
        notes = {"years_without_rows": missing, "notes": sorted({note for each in landed for note in each.notes})}
        yield from _results(settings, TRADE_TABLES, taken_in("trade", settings), counts, notes)

    return landing_trade


def _landing_tariffs(settings: Settings) -> dg.AssetsDefinition:
    @dg.multi_asset(name="landing_tariffs", specs=_specs(TARIFF_TABLES, "tariffs", settings))
    def landing_tariffs(context: AssetExecutionContext) -> Iterator[dg.MaterializeResult]:
        with user_errors():
            entries = taken_in("tariffs", settings)
            landed = land_tariffs(Archive(settings.archive_dir), entries, settings.landing_dir)
        for warning in landed.warnings:
            context.log.warning(warning)
        yield from _results(settings, TARIFF_TABLES, entries, landed.counts, {"notes": dict(landed.notes)})

    return landing_tariffs


def _landing_patents(settings: Settings) -> dg.AssetsDefinition:
    @dg.multi_asset(name="landing_patents", specs=_specs(PATENT_TABLES, "patents", settings))
    def landing_patents() -> Iterator[dg.MaterializeResult]:
        with user_errors():
            entries = taken_in("patents", settings)
            landed = land_patents(Archive(settings.archive_dir), entries, settings.landing_dir)
        yield from _results(settings, PATENT_TABLES, entries, landed.accounting, {"noted": dict(landed.noted)})

    return landing_patents


def _landing_inputs(settings: Settings) -> dg.AssetsDefinition:
    first_tables = {
        "reference": "countries",
        "trade": "trade_flows",
        "tariffs": "tariff_requests",
        "patents": "pct_publications",
    }

    @dg.asset(
        key=["landing", "inputs"],
        group_name="landing",
        description="One row per dataset that is on: its source, and whether it is synthetic. Read from the lock "
        "of archive entries.",
        owners=OWNERS,
        kinds={"parquet", "duckdb"},
        deps=[["landing", first_tables[dataset]] for dataset in datasets_on(settings)],
    )
    def landing_inputs() -> dg.MaterializeResult:
        taken = release_lock(settings, load_lock(settings.lock_path)).datasets
        inputs = [
            Input(dataset, chosen_source(dataset, settings), any(e.synthetic for e in entries), len(entries))
            for dataset, entries in taken.items()
        ]
        used = [entry for entries in taken.values() for entry in entries]
        table = parquet_metadata(land_inputs(settings.landing_dir, inputs))
        return dg.MaterializeResult(metadata={**table, **provenance_metadata(used)})

    return landing_inputs


def _results(
    settings: Settings,
    tables: Mapping[str, str],
    entries: Sequence[Entry],
    counts: Mapping[str, RuleCounts],
    notes: Mapping[str, Any],
) -> Iterator[dg.MaterializeResult]:
    """One result per landing table: its rows and preview, where it came from, and the accounting of the whole load."""
    for table in tables:
        yield dg.MaterializeResult(
            ["landing", table],
            metadata={
                **parquet_metadata(table_path(settings.landing_dir, table)),
                **entries_metadata(entries),
                **counts_metadata(counts),
                **{name: dg.MetadataValue.json(value) for name, value in notes.items()},
            },
        )
