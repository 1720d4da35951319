"""Landing assets: typed Parquet tables, with the accounting of every load as metadata. Not here: the rules."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import dagster as dg

from dagster_project.archive.store import Archive, write_whole
from dagster_project.assets.common import OWNERS, counts_metadata, entries_metadata, parquet_metadata
from dagster_project.errors import SourceError
from dagster_project.intake import taken_in
from dagster_project.landing import trade
from dagster_project.landing.reference import land_reference
from dagster_project.partitions import years_of
from dagster_project.settings import Settings
from dagster_project.state import config_fingerprint, requested

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


def table_path(landing: Path, table: str) -> Path:
    """The pattern of a landing table's files."""
    if table in REFERENCE_TABLES:
        return landing / "reference" / f"{table}.parquet"
    folder = f"quarantine/{table.removeprefix('quarantine_')}" if table.startswith("quarantine_") else table
    return landing / folder / "*" / "*.parquet" if table in TRADE_TABLES else landing / f"{folder}.parquet"


def landing_assets(settings: Settings, yearly: dg.PartitionsDefinition) -> list[dg.AssetsDefinition]:
    """The landing of reference data and of trade."""
    return [_landing_reference(settings), _landing_trade(settings, yearly)]


def _specs(tables: dict[str, str], raw: list[str], **more: dg.PartitionsDefinition) -> list[dg.AssetSpec]:
    return [
        dg.AssetSpec(
            ["landing", table],
            deps=[["raw", dataset] for dataset in raw],
            description=description,
            group_name="landing",
            owners=OWNERS,
            kinds={"parquet", "duckdb"},
            **more,  # type: ignore[arg-type]
        )
        for table, description in tables.items()
    ]


def _landing_reference(settings: Settings) -> dg.AssetsDefinition:
    @dg.multi_asset(name="landing_reference", specs=_specs(REFERENCE_TABLES, ["reference"]))
    def landing_reference(context: dg.AssetExecutionContext) -> Iterator[dg.MaterializeResult]:
        entries = taken_in("reference", settings)
        counts = land_reference(Archive(settings.archive_dir), entries, settings.landing_dir, settings.hs_revision)
        for note in counts.notes:
            context.log.warning(note)
        for table in REFERENCE_TABLES:
            yield dg.MaterializeResult(
                ["landing", table],
                metadata={
                    **parquet_metadata(table_path(settings.landing_dir, table)),
                    **entries_metadata(entries),
                    "base_revision": settings.hs_revision,
                    "revisions_with_a_way": ", ".join(counts.revisions),
                    "notes": dg.MetadataValue.json(list(counts.notes)),
                },
            )

    return landing_reference


def _landing_trade(settings: Settings, yearly: dg.PartitionsDefinition) -> dg.AssetsDefinition:
    @dg.multi_asset(
        name="landing_trade",
        specs=[
            spec.merge_attributes(deps=[["landing", table] for table in REFERENCE_TABLES])
            for spec in _specs(TRADE_TABLES, ["trade"], partitions_def=yearly)
        ],
        partitions_def=yearly,
        backfill_policy=dg.BackfillPolicy.single_run(),
    )
    def landing_trade(context: dg.AssetExecutionContext) -> Iterator[dg.MaterializeResult]:
        asked = years_of(context.partition_keys, settings)
        landed = land_trade(settings, asked)
        missing = sorted(set(asked) - {each.year for each in landed})
        if missing:
            context.log.warning("the source holds no rows of %s", ", ".join(map(str, missing)))
        for each in landed:
            context.log.info("%d: %s", each.year, "landed" if each.changed else "unchanged since it was last landed")
        accounting = counts_metadata({str(each.year): each.counts for each in landed})
        entries = taken_in("trade", settings)
        for table in TRADE_TABLES:
            yield dg.MaterializeResult(
                ["landing", table],
                metadata={
                    **parquet_metadata(table_path(settings.landing_dir, table)),
                    **entries_metadata(entries),
                    **accounting,
                    "years_without_rows": ", ".join(map(str, missing)) or "none",
                },
            )

    return landing_trade


def land_trade(settings: Settings, asked: list[int]) -> list[trade.LandedYear]:
    """Land the years asked for that the source holds, and take out years that no longer belong.

    A change of settings or reference data takes every landed year out first: the landing never mixes two of them.
    SourceError when the source holds none of the years.
    """
    landing, archive = settings.landing_dir, Archive(settings.archive_dir)
    config = config_fingerprint(settings, taken_in("reference", settings))
    parsed = trade.parse_trade(archive, taken_in("trade", settings), landing, settings.years)
    held = requested(settings, parsed)
    wanted = [year for year in asked if year in held]
    if not wanted:
        raise SourceError(
            f"trade, years {', '.join(map(str, asked)) or '(none)'}",
            found=f"no rows of these years; the source holds {', '.join(map(str, trade.years_held(parsed))) or 'none'}",
            expected="rows of at least one of them",
            remedy="Ask for years that the source holds (CHOKEPOINT_YEARS, or the partitions chosen in the UI).",
        )
    marker = landing / "trade_config"
    if not marker.exists() or marker.read_text() != config:
        for name in (*trade.TABLES, "trade_receipts"):
            shutil.rmtree(landing / name, ignore_errors=True)
        write_whole(marker, config.encode())
    trade.remove_years(landing, keep=held)
    landed = [trade.land_year(parsed, landing, year, settings.hs_revision, config) for year in wanted]
    trade.land_rest(parsed, landing, held)
    trade.write_empty_tables(landing)
    return landed
