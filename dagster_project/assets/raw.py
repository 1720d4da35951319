"""Raw assets: what each source holds now, archived as received. Not here: parsing."""

from datetime import UTC, datetime

import dagster as dg
from dagster import AssetExecutionContext

from dagster_project.archive.lock import Lock
from dagster_project.archive.store import Archive, Entry
from dagster_project.assets.common import ANNUAL, OWNERS, entries_metadata, freshness, user_errors
from dagster_project.planning.intake import chosen_source, datasets_on, take_in
from dagster_project.settings import Settings

DESCRIPTIONS = {
    "reference": "Classifications, country lists and HS conversion tables, archived as received.",
    "trade": "Trade payloads (UN Comtrade rows or CEPII BACI files), archived as received. "
    "A payload may hold several years; every payload is archived whichever years a run asks for.",
    "tariffs": "USTR Section 301 exclusion requests, tariff lists and granted exclusions, archived as received.",
    "patents": "PCT publications with applicants, fields and citations, archived as received.",
}
# How long a live source may go without being looked at; whatever else there is changes by a user's hand, or never.
FRESHNESS = {
    "comtrade": freshness(40, 100),
    "baci": freshness(100, 200),
    "ustr": freshness(30, 90),
    "uspto": freshness(60, 120),
}


def raw_assets(settings: Settings, yearly: dg.PartitionsDefinition, lock: Lock | None) -> list[dg.AssetsDefinition]:
    """One asset per dataset that is on. With a lock, its entries are verified instead of looking at the sources."""
    return [_raw_asset(dataset, settings, yearly, lock) for dataset in datasets_on(settings)]


def _raw_asset(
    dataset: str, settings: Settings, yearly: dg.PartitionsDefinition, lock: Lock | None
) -> dg.AssetsDefinition:
    by_year = dataset == "trade"

    @dg.asset(
        key=["raw", dataset],
        group_name="raw",
        description=f"{DESCRIPTIONS[dataset]} Source: {chosen_source(dataset, settings)}.",
        owners=OWNERS,
        kinds={"file"},
        freshness_policy=FRESHNESS.get(chosen_source(dataset, settings), ANNUAL),
        partitions_def=yearly if by_year else None,
        backfill_policy=dg.BackfillPolicy.single_run() if by_year else None,
        pool=f"source_{chosen_source(dataset, settings)}",
    )
    def raw(context: AssetExecutionContext) -> dg.MaterializeResult:
        archive = Archive(settings.archive_dir)
        with user_errors():
            if lock is None:
                entries, passed_over = take_in(dataset, settings, archive, datetime.now(UTC))
            else:
                entries, passed_over = list(lock.datasets[dataset]), lock.passed_over.get(dataset, ())
                _verify(archive, entries)
        context.log.info("%s: %d payloads", dataset, len(entries))
        for note in passed_over:
            context.log.warning("%s, passed over: %s", dataset, note)
        return dg.MaterializeResult(
            metadata={
                **entries_metadata(entries),
                "bytes": sum(entry.bytes for entry in entries),
                "passed_over": dg.MetadataValue.json(list(passed_over)),
                "newest_payload": max((entry.retrieved_at for entry in entries), default="none"),
                "looked_at": dg.MetadataValue.timestamp(datetime.now(UTC)),
            }
        )

    return raw


def _verify(archive: Archive, entries: list[Entry]) -> None:
    for entry in entries:
        archive.open_path(entry)
