"""The release asset: the marts of the warehouse, published for readers. Not here: how that works (see `publish`)."""

import subprocess
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

import dagster as dg
import duckdb
from dagster import AssetExecutionContext

from dagster_project.archive.lock import load_lock
from dagster_project.archive.store import Entry
from dagster_project.assets.common import (
    ANNUAL,
    OWNERS,
    WAREHOUSE_POOL,
    markdown_table,
    provenance_metadata,
    user_errors,
)
from dagster_project.brief.page import NAME as BRIEF
from dagster_project.brief.page import BriefOptions, write_brief
from dagster_project.datasets.registry import DATASETS, datasets_on
from dagster_project.dbt_project import folder_of, mart_specs, model_nodes, read_manifest
from dagster_project.errors import ReleaseError, UserError
from dagster_project.landing.yearly import landed_years
from dagster_project.places import CHECKOUT, INSTALLED, program_version
from dagster_project.planning.intake import current_inputs
from dagster_project.planning.state import Built, release_lock
from dagster_project.publish.manifest import read_manifest as read_release_manifest
from dagster_project.publish.read import Release
from dagster_project.publish.release import Callbacks, MartSpec, ReleaseContext, publish
from dagster_project.settings import Settings
from dagster_project.sql import literal, parquet

PACKAGES = ("dagster", "dagster-dbt", "dbt-core", "dbt-duckdb", "duckdb", "great-expectations", "pandas", "pyarrow")


def published_marts(settings: Settings, manifest: Mapping[str, Any]) -> list[MartSpec]:
    """The marts of a release under these settings: those whose dataset is on."""
    off = {each.name for each in DATASETS} - {each.name for each in datasets_on(settings)}
    names = {node["name"] for node in model_nodes(manifest) if folder_of(node) not in off}
    return mart_specs(manifest, names)


def left_out(settings: Settings, manifest: Mapping[str, Any]) -> dict[str, str]:
    """Mart -> why it is not in the release."""
    present = {spec.name for spec in published_marts(settings, manifest)}
    folders = {node["name"]: folder_of(node) for node in model_nodes(manifest)}
    return {
        spec.name: f"the {folders[spec.name]} source is off"
        for spec in mart_specs(manifest)
        if spec.name not in present
    }


def release_asset(
    settings: Settings, manifest_file: Path, blocking: Collection[dg.AssetCheckKey]
) -> dg.AssetsDefinition:
    """The asset that publishes, in a run that made all the `blocking` checks; it depends on every mart published."""
    manifest = read_manifest(manifest_file)
    specs = published_marts(settings, manifest)

    @dg.asset(
        key="release",
        group_name="release",
        description="One complete release of the warehouse's marts under <data dir>/published/current: "
        "chokepoint.duckdb, Parquet files, manifest and lock. Built aside, verified by reopening, swapped in one step, "
        "and only when every blocking check passed.",
        owners=OWNERS,
        kinds={"duckdb", "parquet"},
        freshness_policy=ANNUAL,
        deps=[["marts", spec.name] for spec in specs],
        pool=WAREHOUSE_POOL,
    )
    def release(context: AssetExecutionContext) -> dg.MaterializeResult:
        with user_errors():
            checks = check_results(context)
            _require_checked(checks, settings, blocking)
            published = publish(
                settings.warehouse,
                settings.published_dir,
                [
                    replace(spec, ready=year_files(spec.name, settings, manifest)) if spec.partitioned else spec
                    for spec in specs
                ],
                _context(checks, settings, manifest),
                retain=settings.retain_releases,
                resources=settings.resources,
                callbacks=Callbacks(
                    extras=lambda building: _brief(context, building, settings), progress=context.log.info
                ),
            )
        Built.load(settings).save_released(settings)
        return dg.MaterializeResult(
            metadata={
                **contents_metadata(published.path),
                **provenance_metadata(_entries(settings)),
                "release_id": published.release_id,
                "new": published.created,
                "path": dg.MetadataValue.path(str(published.path)),
                "files_written": len(published.written),
                "files_linked": len(published.linked),
                "old_releases_removed": len(published.removed),
                "seconds": markdown_table(
                    [{"step": name, "seconds": took} for name, took in published.timings.items()]
                ),
            }
        )

    return release


def _require_checked(
    checks: Sequence[Mapping[str, Any]], settings: Settings, blocking: Collection[dg.AssetCheckKey]
) -> None:
    """ReleaseError unless the run's `checks` hold all blocking ones, and the warehouse is made from what is landed.

    A failed check stops the run by itself. But a run whose assets were selected by hand may leave checks out.
    """
    made = {(each["asset"], each["check"]) for each in checks if each["passed"]}
    missing = [key for key in blocking if (key.asset_key.to_user_string(), key.name) not in made]
    if missing:
        raise ReleaseError(
            "release",
            found=f"a run without {len(missing)} of {len(blocking)} blocking checks, such as {missing[0].name} of "
            f"{missing[0].asset_key.to_user_string()}",
            expected="a run in which all of them passed",
            remedy="Start the job `refresh` (or `make run`), which checks what it publishes. Nothing was published.",
        )
    for each in datasets_on(settings):
        landed = {str(year): name for year, name in landed_years(settings.landing_dir, each.name).items()}
        built = Built.load(settings).years_of(each)
        apart = sorted(year for year in {*landed, *built} if landed.get(year) != built.get(year))
        if apart:
            raise ReleaseError(
                f"release, {each.name} of {', '.join(apart)}",
                found="years landed anew since their marts were computed",
                expected="marts of what is landed",
                remedy="Start the job `refresh` for these years too (or `make run`). Nothing was published.",
            )


def contents_metadata(path: Path) -> dict[str, Any]:
    """Rows, years and bytes of a release, in all and by mart."""
    manifest = read_release_manifest(path)
    files, marts = manifest["files"], manifest["marts"]
    rows = [
        {
            "mart": name,
            "rows": mart["rows"],
            "years": ", ".join(mart.get("years", {})),
            "parquet_bytes": sum(files[file]["bytes"] for file in mart["files"]),
        }
        for name, mart in marts.items()
    ]
    return {
        "dagster/row_count": sum(mart["rows"] for mart in marts.values()),
        "years": ", ".join(sorted({year for mart in marts.values() for year in mart.get("years", {})})),
        "bytes": sum(file["bytes"] for file in files.values()),
        "preview": markdown_table(rows),
    }


def _entries(settings: Settings) -> list[Entry]:
    return [entry for each in datasets_on(settings) for entry in current_inputs(each, settings)]


def _brief(context: AssetExecutionContext, building: Release, settings: Settings) -> None:
    """Write the release's page. A release without any good in scope gets none, and the log says so.

    Settings that name an importer or years which the release does not hold are a mistake, and stop the release.
    """
    options = BriefOptions(settings.brief_importer, settings.brief_years)
    try:
        write_brief(building, building.path / BRIEF, options)
    except UserError as error:
        if options != BriefOptions():
            raise
        context.log.warning("the release has no %s: %s", BRIEF, error)


def _context(checks: list[dict[str, Any]], settings: Settings, manifest: Mapping[str, Any]) -> ReleaseContext:
    lock = release_lock(settings, load_lock(settings.lock_path))
    return ReleaseContext(
        code_version=code_version(),
        packages={name: version(name) for name in PACKAGES},
        settings=settings.public(),
        lock=lock,
        synthetic=any(entry.synthetic for entries in lock.datasets.values() for entry in entries),
        checks=checks,
        rule_counts=rule_counts(settings),
        sources={each.name: each.source_name(settings) for each in DATASETS},
        left_out=left_out(settings, manifest),
        goods=goods(settings),
    )


def year_files(mart: str, settings: Settings, manifest: Mapping[str, Any]) -> dict[int, Path]:
    """Year -> Parquet file beside the warehouse, of the model in `yearly_files` that the mart is a view of.

    Empty where there is none; see the dbt materialization of that name.
    """
    parents = (manifest["nodes"].get(parent) for parent in manifest["parent_map"][f"model.chokepoint.{mart}"])
    models = [each["name"] for each in parents if each and each["config"]["materialized"] == "yearly_files"]
    patterns = [f"{settings.warehouse.name}.{model}.*.parquet" for model in models]
    files = [path for pattern in patterns for path in settings.warehouse.parent.glob(pattern)]
    return {int(path.suffixes[-2][1:]): path for path in files}


def check_results(context: AssetExecutionContext) -> list[dict[str, Any]]:
    """The checks that this run evaluated, for the manifest; of a backfill, those of all its runs so far.

    Of several evaluations of a check the last one counts, unless one failed.
    """
    results: dict[tuple[str, str], dict[str, Any]] = {}
    for each in (found for run_id in _runs_together(context) for found in _evaluations(context.instance, run_id)):
        key = (each.asset_key.to_user_string(), each.check_name)
        if key not in results or results[key]["passed"]:
            results[key] = {
                "asset": key[0],
                "check": key[1],
                "passed": each.passed,
                "severity": each.severity.value,
                "description": each.description,
            }
    return [results[key] for key in sorted(results)]


def _runs_together(context: AssetExecutionContext) -> list[str]:
    """The ids of the runs of this run's backfill, the oldest first; its own alone, where there is none."""
    backfill = context.run.tags.get("dagster/backfill")
    if backfill is None:
        return [context.run.run_id]
    runs = context.instance.get_runs(dg.RunsFilter(tags={"dagster/backfill": backfill}))
    return [run.run_id for run in reversed(runs)]


def _evaluations(instance: dg.DagsterInstance, run_id: str) -> list[dg.AssetCheckEvaluation]:
    records = instance.get_records_for_run(run_id, of_type=dg.DagsterEventType.ASSET_CHECK_EVALUATION).records
    events = [record.event_log_entry.dagster_event for record in records]
    return [event.asset_check_evaluation_data for event in events if event is not None]


def rule_counts(settings: Settings) -> list[tuple[str, int | None, str, int]]:
    """(source, year, rule, n) of every landing table of counts, and of the accounting that dbt goes on with.

    Of datasets that are on: a landing may still hold what was landed before one was switched off.
    """
    counts: list[tuple[str, int | None, str, int]] = []
    with duckdb.connect(str(settings.warehouse), read_only=True) as connection:
        for each in datasets_on(settings):
            table = each.counts_table
            year = "year" if table.by_year else "null"
            rows = parquet(table.files(settings.landing_dir))
            counts += connection.execute(f"select source, {year}, rule, n from {rows} order by all").fetchall()
            for name, model in (each.accounting or {}).items():
                query = f"select {literal(name)}, year, rule, n from intermediate.{model} order by all"
                counts += connection.execute(query).fetchall()
    return counts


def goods(settings: Settings) -> dict[str, int]:
    """How many goods the release covers: quartiles are taken over what is loaded."""
    query = "select count(distinct hs6), count(distinct hs6) filter (where in_scope) from marts.product_centrality"
    with duckdb.connect(str(settings.warehouse), read_only=True) as connection:
        row = connection.execute(query).fetchone()
    assert row is not None
    return {"loaded": row[0], "in_scope": row[1]}


def code_version() -> str:
    """The checkout's commit, marked when files differ from it; the program's version where there is no git checkout."""

    def git(*arguments: str) -> str | None:
        try:
            run = subprocess.run(
                ["git", *arguments], cwd=CHECKOUT, capture_output=True, text=True, check=False, timeout=20
            )
        except (OSError, subprocess.TimeoutExpired):
            return None
        return run.stdout.strip() if run.returncode == 0 else None

    commit = None if INSTALLED else git("rev-parse", "--short=12", "HEAD")
    if commit is None:
        return program_version()
    return commit + ("-modified" if git("status", "--porcelain", "--untracked-files=no") else "")
