"""The release asset: the marts of the warehouse, published for readers. Not here: how that works (see `publish`)."""

import subprocess
from collections.abc import Callable, Collection, Mapping
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
from dagster_project.assets.states import models_on, stale_models, tables_behind
from dagster_project.brief.data import AUTO
from dagster_project.brief.page import NAME as BRIEF
from dagster_project.brief.page import BriefOptions, write_brief
from dagster_project.datasets.registry import DATASETS, datasets_on
from dagster_project.dbt_project import files_behind, folder_of, mart_specs, model_nodes, needs_of, read_manifest
from dagster_project.errors import ReleaseError, UserError
from dagster_project.landing.yearly import landed_years
from dagster_project.markdown import without_html
from dagster_project.places import CHECKOUT, INSTALLED, command, program_version
from dagster_project.planning.intake import current_inputs
from dagster_project.planning.judgements import judgements, unfit
from dagster_project.planning.loading import require_whole
from dagster_project.planning.state import IN_WORK, Built, identity, release_lock
from dagster_project.publish.manifest import read_manifest as read_release_manifest
from dagster_project.publish.marts import MartSpec
from dagster_project.publish.read import Release
from dagster_project.publish.release import Callbacks, ReleaseContext, publish
from dagster_project.settings import DUCKDB, SPARK, Settings
from dagster_project.sql import literal, parquet

PACKAGES = ("dagster", "dagster-dbt", "dbt-core", "dbt-duckdb", "duckdb", "great-expectations", "pandas", "pyarrow")
SPARK_PACKAGES = ("dbt-spark", "pyspark")
# What a yearly model's `meta` says of the other years that it reads: how far away. See the macro `years_of_run`.
YEARS_READ = {"reads_year_before": -1, "reads_fifth_year_before": -5, "reads_year_after": 1}


def published_marts(settings: Settings, manifest: Mapping[str, Any]) -> list[MartSpec]:
    """The marts of a release under these settings: those whose dataset is on."""
    return mart_specs(manifest, models_on(settings, manifest))


def left_out(settings: Settings, manifest: Mapping[str, Any]) -> dict[str, str]:
    """Mart -> why it is not in the release."""
    present = {spec.name for spec in published_marts(settings, manifest)}
    on = {each.name for each in datasets_on(settings)}

    def reason(node: Mapping[str, Any]) -> str:
        off = [name for name in needs_of(node) or (folder_of(node),) if name not in on]
        return f"the {off[0]} source is off" if len(off) == 1 else f"the sources {' and '.join(off)} are off"

    nodes = {node["name"]: node for node in model_nodes(manifest)}
    return {spec.name: reason(nodes[spec.name]) for spec in mart_specs(manifest) if spec.name not in present}


def release_asset(
    settings: Settings,
    manifest_file: Path,
    blocking: Collection[dg.AssetCheckKey],
    required_states: Callable[[Settings], Mapping[dg.AssetCheckKey, str]],
) -> dg.AssetsDefinition:
    """The asset that publishes what all the `blocking` checks passed; it depends on every mart published.

    `required_states` names, for every check, the state that its data are in.
    """
    manifest = read_manifest(manifest_file)
    specs = published_marts(settings, manifest)

    @dg.asset(
        key="release",
        group_name="release",
        description=without_html(
            f"One complete release of the warehouse's marts under {settings.published_dir}/current: chokepoint.duckdb, "
            "Parquet files, manifest and lock. Built aside, verified by reopening, swapped in one step, and only when "
            "every blocking check passed."
        ),
        owners=OWNERS,
        kinds={"duckdb", "parquet"},
        freshness_policy=ANNUAL,
        deps=[["marts", spec.name] for spec in specs],
        pool=WAREHOUSE_POOL,
    )
    def release(context: AssetExecutionContext) -> dg.MaterializeResult:
        with user_errors():
            states = required_states(settings)
            _require_fit(settings, states, blocking, manifest)
            checks = check_results(settings, states)
            require_whole(settings)
            _require_undamaged(settings)
            published = publish(
                settings.warehouse,
                settings.published_dir,
                [replace(spec, ready=year_files(spec.name, settings, manifest)) for spec in specs],
                _context(checks, settings, manifest),
                retain=settings.retain_releases,
                resources=settings.resources,
                callbacks=Callbacks(
                    extras=lambda building: _brief(context, building, settings), progress=context.log.info
                ),
            )
        record = Built.load(settings).of(datasets_on(settings), models_on(settings, manifest))
        record.save(settings)
        record.save_released(settings)
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


def _require_fit(
    settings: Settings,
    states: Mapping[dg.AssetCheckKey, str],
    blocking: Collection[dg.AssetCheckKey],
    manifest: Mapping[str, Any],
) -> None:
    """ReleaseError unless every blocking check passed on the data as they are, and every mart is made of what landed.

    Whichever runs that was: a release may be materialised alone, or by the last run of a backfill.
    """
    stale = [*_stale(settings), *_stale_models(settings, manifest)]
    if stale:
        raise ReleaseError(
            f"release, {'; '.join(stale)}",
            found="marts that are not made of what is landed now",
            expected="marts of what is landed",
            remedy=f"Start the job `refresh` (or `{command('run')}`). Nothing was published.",
        )
    required = [((key.asset_key.to_user_string(), key.name), states[key]) for key in blocking]
    reasons = unfit(required, judgements(settings))
    if reasons:
        raise ReleaseError(
            "release",
            found=f"{len(reasons)} of {len(required)} blocking checks without a pass: {'; '.join(reasons[:5])}",
            expected="all of them passed on the data as they are now",
            remedy=f"Start the job `refresh` (or `{command('run')}`), which checks what it publishes. "
            "Nothing was published.",
        )


def _stale(settings: Settings) -> list[str]:
    """What of the warehouse is not made of what is landed, from the settings and code as they are; years named."""
    built = Built.load(settings)
    found = []
    for each in datasets_on(settings):
        now = identity(each, settings, lambda other: current_inputs(other, settings))
        if each.yearly is None:
            found += [each.name] if built.datasets.get(each.name) != now else []
            continue
        landed = {str(year): name for year, name in landed_years(settings.landing_dir, each.name).items()}
        made = built.years_of(each)
        apart = sorted(year for year in {*landed, *made} if landed.get(year) != made.get(year))
        found += [f"{each.name} of {', '.join(apart)}"] if apart else []
    return found + (["the published figures"] if built.figures == IN_WORK else [])


def _stale_models(settings: Settings, manifest: Mapping[str, Any]) -> list[str]:
    """The models that are stale, each with the landing tables that it is made of."""
    tables = tables_behind(settings, manifest)
    return [
        f"{name} (made of {', '.join(sorted(tables[name]))})" if tables[name] else name
        for name in stale_models(settings, manifest)
    ]


def _require_undamaged(settings: Settings) -> None:
    """ReleaseError when a file beside the warehouse is not as its models left it."""
    built = Built.load(settings)
    damaged = [name for each in datasets_on(settings) for name in built.damaged_files(each, settings)]
    if damaged:
        raise ReleaseError(
            f"warehouse {settings.warehouse.parent}, {', '.join(damaged)}",
            found="other bytes than the models left there, or no file",
            expected="the files as they were computed",
            remedy=f"Start the job `refresh` (or `{command('run')}`): it computes them again. Nothing was published.",
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

    An importer or years that were asked for and are not there cost no release either: the page shows the default then,
    and a warning says so.
    """
    asked = BriefOptions(settings.brief_importer, settings.brief_years)
    said = ""
    for options in dict.fromkeys((asked, replace(asked, importer=AUTO), BriefOptions())):
        try:
            write_brief(building, building.path / BRIEF, options)
        except UserError as error:
            said = said or str(error)
            continue
        if said:
            importer = "the largest importer" if options.importer == AUTO else options.importer
            years = "all years" if options.years is None else ", ".join(map(str, options.years))
            context.log.warning("%s shows %s and %s instead: %s", BRIEF, importer, years, said)
        return
    context.log.warning("the release has no %s: %s", BRIEF, said)


def _context(checks: list[dict[str, Any]], settings: Settings, manifest: Mapping[str, Any]) -> ReleaseContext:
    lock = release_lock(settings, load_lock(settings.lock_path))
    released = Built.released(settings)
    return ReleaseContext(
        code_version=code_version(),
        packages={name: version(name) for name in (*PACKAGES, *(SPARK_PACKAGES if settings.engine == SPARK else ()))},
        settings=settings.public(),
        lock=lock,
        synthetic=any(entry.synthetic for entries in lock.datasets.values() for entry in entries),
        checks=checks,
        rule_counts=rule_counts(settings),
        sources={each.name: each.source_name(settings) for each in DATASETS},
        left_out=left_out(settings, manifest),
        goods=goods(settings),
        unchanged=unchanged_years(settings, manifest, released),
        since=released.release,
    )


def unchanged_years(settings: Settings, manifest: Mapping[str, Any], released: Built) -> dict[str, list[int]]:
    """Mart by year -> the years that no build has touched since the release before was published.

    None of a mart that is made anew as a whole: a run of one year may change what it says of the others. A mart that
    also reads other years (its `meta` says which) changes with those too.
    """
    built, nodes = Built.load(settings), {node["name"]: node for node in model_nodes(manifest)}
    by_year = {each.name: each for each in datasets_on(settings) if each.yearly}

    def unchanged(mart: str) -> list[int]:
        config, folder = nodes[mart]["config"], folder_of(nodes[mart])
        if config["materialized"] == "table" or folder not in by_year:
            return []
        meta = config["meta"]
        also_read = [away for name, away in YEARS_READ.items() if meta.get(name)]
        before = meta.get("reads_years_before", False)
        return built.unchanged_years(by_year[folder], released, also_read=also_read, reads_years_before=before)

    return {spec.name: unchanged(spec.name) for spec in published_marts(settings, manifest) if spec.year_column}


def year_files(mart: str, settings: Settings, manifest: Mapping[str, Any]) -> dict[int, Path]:
    """Year -> Parquet file beside the warehouse, of the model in `yearly_files` that the mart is a view of.

    Empty where there is none; see the dbt materialization of that name. Of files that another engine left there, none.
    """
    if settings.engine != DUCKDB:
        return {}
    patterns = [f"{settings.warehouse.name}.{model}.*.parquet" for model in files_behind(manifest, mart)]
    files = [path for pattern in patterns for path in settings.warehouse.parent.glob(pattern)]
    return {int(path.suffixes[-2][1:]): path for path in files}


def check_results(settings: Settings, states: Mapping[dg.AssetCheckKey, str]) -> list[dict[str, Any]]:
    """The outcomes of all checks on the data as they are, for the manifest."""
    now = {(key.asset_key.to_user_string(), key.name): state for key, state in states.items()}
    return [
        {
            "asset": each.asset,
            "check": each.check,
            "passed": each.passed,
            "severity": each.severity,
            "description": each.description,
        }
        for each in judgements(settings)
        if now.get(each.key) == each.state
    ]


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
