"""Raw assets: what each source holds now, archived as received. Not here: parsing."""

from datetime import UTC, datetime

import dagster as dg
from dagster import AssetExecutionContext

from dagster_project.archive.lock import Lock
from dagster_project.archive.store import Archive, Entry
from dagster_project.assets.common import ANNUAL, OWNERS, entries_metadata, freshness, user_errors
from dagster_project.datasets.declaration import Dataset, LiveService
from dagster_project.datasets.registry import datasets_on
from dagster_project.planning.intake import fetch_inputs
from dagster_project.settings import Settings


def raw_assets(settings: Settings, yearly: dg.PartitionsDefinition, lock: Lock | None) -> list[dg.AssetsDefinition]:
    """One asset per dataset that is on. With a lock, its entries are verified instead of looking at the sources."""
    return [_raw_asset(each, settings, yearly, lock) for each in datasets_on(settings)]


def _raw_asset(
    each: Dataset, settings: Settings, yearly: dg.PartitionsDefinition, lock: Lock | None
) -> dg.AssetsDefinition:
    by_year = each.yearly is not None
    source = each.source(settings)
    # A live source should be asked again after so many days. Other sources change only when the user changes files.
    policy = freshness(*source.stale) if isinstance(source, LiveService) else ANNUAL

    @dg.asset(
        key=["raw", each.name],
        group_name="raw",
        description=f"{each.description} Source: {each.source_name(settings)}.",
        owners=OWNERS,
        kinds={"file"},
        freshness_policy=policy,
        partitions_def=yearly if by_year else None,
        backfill_policy=dg.BackfillPolicy.single_run() if by_year else None,
        pool=f"source_{each.source_name(settings)}",
    )
    def raw(context: AssetExecutionContext) -> dg.MaterializeResult:
        archive = Archive(settings.archive_dir)
        with user_errors():
            if lock is None:
                entries, notes = fetch_inputs(each, settings, archive, datetime.now(UTC))
            else:
                entries, notes = list(lock.datasets[each.name]), lock.passed_over.get(each.name, ())
                _verify(archive, entries)
        context.log.info("%s: %d payloads", each.name, len(entries))
        for note in notes:
            context.log.warning("%s, passed over: %s", each.name, note)
        return dg.MaterializeResult(
            metadata={
                **entries_metadata(entries),
                "bytes": sum(entry.bytes for entry in entries),
                "passed_over": dg.MetadataValue.json(list(notes)),
                "newest_payload": max((entry.retrieved_at for entry in entries), default="none"),
                "looked_at": dg.MetadataValue.timestamp(datetime.now(UTC)),
            }
        )

    return raw


def _verify(archive: Archive, entries: list[Entry]) -> None:
    for entry in entries:
        archive.open_path(entry)
