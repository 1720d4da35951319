"""Warehouse assets: the dbt models, one Dagster op per domain and layer. Not here: the models, which lie in `dbt/`."""

import json
import os
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import dagster as dg
import duckdb
from dagster import AssetExecutionContext
from dagster_dbt import DagsterDbtTranslator, DagsterDbtTranslatorSettings, DbtCliResource, DbtProject, dbt_assets

from dagster_project.assets.common import (
    ANNUAL,
    OWNERS,
    WAREHOUSE_POOL,
    provenance_metadata,
    relation_metadata,
    table_bytes,
)
from dagster_project.assets.landing import DATASET_OF
from dagster_project.assets.pictures import picture
from dagster_project.dbt_project import (
    DBT_DIR,
    dbt_environment,
    dbt_executable,
    landing_tables_of,
    manifest_path,
    mart_questions,
    read_manifest,
)
from dagster_project.intake import chosen_source, datasets_on, taken_in
from dagster_project.landing.trade import landed_years
from dagster_project.partitions import build_years, dbt_vars, years_of
from dagster_project.settings import Settings
from dagster_project.state import Built, config_fingerprint, dataset_identity

# dbt selections; tariffs, patents and benchmarks are selected by their tag.
STAGING = "fqn:chokepoint.staging.reference fqn:chokepoint.staging.trade resource_type:seed"
TRADE = "fqn:chokepoint.intermediate.trade fqn:chokepoint.marts.trade"


class Translator(DagsterDbtTranslator):
    """Asset keys by layer and name; groups by layer; owners and descriptions from dbt."""

    def __init__(self) -> None:
        super().__init__(DagsterDbtTranslatorSettings(enable_asset_checks=True))

    def get_asset_key(self, dbt_resource_props: Mapping[str, Any]) -> dg.AssetKey:
        """`landing/<table>` for sources, `<layer>/<model>` for models and seeds."""
        return dg.AssetKey([_layer(dbt_resource_props), dbt_resource_props["name"]])

    def get_group_name(self, dbt_resource_props: Mapping[str, Any]) -> str:
        """The layer."""
        return _layer(dbt_resource_props)

    def get_owners(self, dbt_resource_props: Mapping[str, Any]) -> Sequence[str]:
        """One team owns the project."""
        return OWNERS

    def get_description(self, dbt_resource_props: Mapping[str, Any]) -> str:
        """dbt's words, what it is made from, and the SQL."""
        said = str(dbt_resource_props["description"]).strip()
        parents = [name.split(".")[-1] for name in dbt_resource_props.get("depends_on", {}).get("nodes", ())]
        made = f"Computed from {', '.join(parents)}." if parents else "Kept in the repository as a CSV file (dbt seed)."
        sql = str(dbt_resource_props.get("raw_code") or "")
        return f"{said}\n\n{made}" + (f"\n\n```sql\n{sql.strip()}\n```" if sql else "")

    def get_asset_spec(self, manifest: Mapping[str, Any], unique_id: str, project: DbtProject | None) -> dg.AssetSpec:
        """Marts also say how old they may get."""
        spec = super().get_asset_spec(manifest, unique_id, project)
        return spec.replace_attributes(freshness_policy=ANNUAL) if spec.group_name == "marts" else spec


def _layer(dbt_resource_props: Mapping[str, Any]) -> str:
    if dbt_resource_props["resource_type"] == "source":
        return "landing"
    return str(dbt_resource_props["config"]["schema"])


def warehouse_assets(settings: Settings, yearly: dg.PartitionsDefinition, manifest: Path) -> list[dg.AssetsDefinition]:
    """The dbt ops: staging, trade by year, one per further dataset that is on, and the published figures over all."""
    ops = [_staging(settings, manifest), _trade(settings, yearly, manifest)]
    return [
        *ops,
        *(
            _domain(dataset, settings, manifest)
            for dataset in ("tariffs", "patents")
            if dataset in datasets_on(settings)
        ),
        _benchmarks(settings, manifest),
    ]


class Dbt(DbtCliResource):
    """dbt as a process of its own only: Dagster's handle on dbt's adapter, which nothing here uses, costs seconds."""

    def _initialize_dbt_core_adapter(self, args: Sequence[str]) -> None:  # type: ignore[override]
        return None


def dbt_resource() -> DbtCliResource:
    """dbt as a Dagster resource."""
    return Dbt(project_dir=str(DBT_DIR), profiles_dir=str(DBT_DIR), dbt_executable=dbt_executable())


class FullRefresh(dg.Config):
    """Run configuration of the trade models."""

    full_refresh: bool = False


def _staging(settings: Settings, manifest: Path) -> dg.AssetsDefinition:
    @dbt_assets(
        manifest=manifest,
        name="staging_models",
        select=STAGING,
        exclude="tag:tariffs tag:patents tag:benchmarks",
        dagster_dbt_translator=Translator(),
        pool=WAREHOUSE_POOL,
    )
    def staging_models(context: AssetExecutionContext, dbt: DbtCliResource) -> Iterator[Any]:
        # Tests that also read marts belong to the ops that build those.
        yield from _build(context, dbt, settings, ["--indirect-selection", "cautious"])

    return staging_models


def _trade(settings: Settings, yearly: dg.PartitionsDefinition, manifest: Path) -> dg.AssetsDefinition:
    @dbt_assets(
        manifest=manifest,
        name="trade_models",
        select=TRADE,
        dagster_dbt_translator=Translator(),
        partitions_def=yearly,
        backfill_policy=dg.BackfillPolicy.single_run(),
        pool=WAREHOUSE_POOL,
    )
    def trade_models(context: AssetExecutionContext, dbt: DbtCliResource, config: FullRefresh) -> Iterator[Any]:
        landed, built = landed_years(settings.landing_dir), Built.load(settings)
        shaped_by = config_fingerprint(settings, taken_in("reference", settings))
        full = config.full_refresh or built.config != shaped_by
        asked = [year for year in years_of(context.partition_keys, settings) if year in landed]
        # Years that are no longer landed leave the warehouse only when it is made anew.
        full = full or any(int(year) not in landed for year in built.years)
        years = [] if full else asked
        context.log.info("computing %s", "all landed years anew" if full else ", ".join(map(str, years)))
        yield from _build(context, dbt, settings, ["--full-refresh"] if full else [], build_years(years))
        computed = landed if full else {year: landed[year] for year in asked}
        kept = {} if full else {year: name for year, name in built.years.items() if int(year) in landed}
        # Other datasets keep their record: their ops may have come before this one in the same run.
        Built(shaped_by, {**kept, **{str(y): name for y, name in computed.items()}}, built.datasets).save(settings)

    return trade_models


def _domain(dataset: str, settings: Settings, manifest: Path) -> dg.AssetsDefinition:
    @dbt_assets(
        manifest=manifest,
        name=f"{dataset}_models",
        select=f"tag:{dataset}",
        dagster_dbt_translator=Translator(),
        pool=WAREHOUSE_POOL,
    )
    def domain_models(context: AssetExecutionContext, dbt: DbtCliResource) -> Iterator[Any]:
        context.log.info("%s from source %s", dataset, chosen_source(dataset, settings))
        yield from _build(context, dbt, settings, [])
        config = config_fingerprint(settings, taken_in("reference", settings))
        built, identity = Built.load(settings), dataset_identity(taken_in(dataset, settings), config)
        replace(built, datasets={**built.datasets, dataset: identity}).save(settings)

    return domain_models


def _benchmarks(settings: Settings, manifest: Path) -> dg.AssetsDefinition:
    # Marts of a dataset that is off are upstream all the same: the models find out what is there, and say so.
    @dbt_assets(
        manifest=manifest,
        name="benchmark_models",
        select="tag:benchmarks",
        dagster_dbt_translator=Translator(),
        pool=WAREHOUSE_POOL,
    )
    def benchmark_models(context: AssetExecutionContext, dbt: DbtCliResource) -> Iterator[Any]:
        yield from _build(context, dbt, settings, [])

    return benchmark_models


def _build(
    context: AssetExecutionContext, dbt: DbtCliResource, settings: Settings, options: Sequence[str], years: str = ""
) -> Iterator[Any]:
    """Run `dbt build` of the op's models and their tests, and add rows and a preview to each model's metadata."""
    arguments = ["build", "--exclude-resource-type", "unit_test", *options]
    arguments += ["--vars", json.dumps(dbt_vars(settings))]
    # One target directory per data directory: dbt parses again whenever paths or vars differ from the last time.
    target = settings.data_dir / "dbt"
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    with _environment(dbt_environment(settings, years)):
        # The warehouse has one writer: metadata is read when dbt is done, so the events wait until then.
        events = list(dbt.cli(arguments, context=context, target_path=target).stream())
    _require_all(context, events)
    manifest = read_manifest(manifest_path())
    questions, tables = mart_questions(manifest), landing_tables_of(manifest)
    with duckdb.connect(str(settings.warehouse), read_only=True) as connection:
        for event in events:
            yield _with_rows(context, event, connection, settings, questions, tables)


def _require_all(context: AssetExecutionContext, events: Sequence[Any]) -> None:
    """Every selected model must have been built: dbt skips a model behind a failed test and still may say success."""
    built = {context.asset_key_for_output(event.output_name) for event in events if isinstance(event, dg.Output)}
    skipped = sorted(key.to_user_string() for key in context.selected_asset_keys - built)
    if skipped:
        raise dg.Failure(f"dbt built only a part: {', '.join(skipped)} were skipped. See the dbt log above for why.")


def _with_rows(
    context: AssetExecutionContext,
    event: Any,
    connection: duckdb.DuckDBPyConnection,
    settings: Settings,
    questions: Mapping[str, str],
    tables: Mapping[str, Collection[str]],
) -> Any:
    """Add rows, years, bytes, origin and a preview to a model's event, and a mart's picture; other events pass."""
    if not isinstance(event, dg.Output):
        return event
    schema, table = context.asset_key_for_output(event.output_name).path
    relation = f'"{schema}"."{table}"'
    metadata = {**event.metadata, **relation_metadata(connection, relation), **table_bytes(connection, schema, table)}
    if read := {DATASET_OF[name] for name in tables.get(table, ()) if name in DATASET_OF}:
        metadata |= provenance_metadata([entry for dataset in read for entry in taken_in(dataset, settings)])
    if schema == "marts":
        metadata["picture"] = picture(connection, table, relation, questions[table])
    return dg.Output(event.value, event.output_name, metadata=metadata)


@contextmanager
def _environment(variables: Mapping[str, str]) -> Iterator[None]:
    """Set environment variables for the dbt process started inside the block."""
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
