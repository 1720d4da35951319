"""Warehouse assets: one Dagster op for all staging models, one for the models of each dataset, one for the figures.

Not here: the models (see `dbt/`), and how dbt is run (see `dbt_project`).
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import dagster as dg
import duckdb
from dagster import AssetExecutionContext, DagsterExecutionInterruptedError
from dagster_dbt import DagsterDbtTranslator, DagsterDbtTranslatorSettings, DbtProject, dbt_assets
from dagster_dbt.asset_utils import get_updated_cli_invocation_params_for_context
from dagster_dbt.core.dbt_cli_event import DbtCoreCliEventMessage

from dagster_project.assets.common import (
    ANNUAL,
    OWNERS,
    WAREHOUSE_POOL,
    provenance_metadata,
    relation_metadata,
    table_bytes,
)
from dagster_project.assets.pictures import picture
from dagster_project.datasets.declaration import Dataset
from dagster_project.datasets.registry import datasets_on
from dagster_project.dbt_project import folder_of, landing_tables_of, model_meta, node_layer, read_manifest, run_dbt
from dagster_project.jobs import models_op
from dagster_project.landing.yearly import landed_years
from dagster_project.partitions import build_years, years_of
from dagster_project.planning.fingerprints import folder_fingerprint
from dagster_project.planning.intake import current_inputs
from dagster_project.planning.state import FIGURES, Built, identity, shape
from dagster_project.settings import Settings
from dagster_project.sql import identifier

if TYPE_CHECKING:  # importing dbt takes two seconds, which the definitions do not need
    from dbt.cli.main import dbtRunnerResult

MODEL_LAYERS = ("intermediate", "marts")
# dbt selections by folder, with `fqn:` and not `path:`, which Dagster would look up in the process's directory.
STAGING = "fqn:chokepoint.staging.{0} fqn:chokepoint.{0},resource_type:seed"
MODELS = "fqn:chokepoint.intermediate.{0} fqn:chokepoint.marts.{0}"
EVERYTHING = "fqn:*.{0}.*"


class Translator(DagsterDbtTranslator):
    """Asset keys by layer and name; groups by layer; owners and descriptions from dbt."""

    def __init__(self) -> None:
        super().__init__(DagsterDbtTranslatorSettings(enable_asset_checks=True))

    def get_asset_key(self, dbt_resource_props: Mapping[str, Any]) -> dg.AssetKey:
        """`landing/<table>` for sources, `<layer>/<model>` for models and seeds."""
        return dg.AssetKey([node_layer(dbt_resource_props), dbt_resource_props["name"]])

    def get_group_name(self, dbt_resource_props: Mapping[str, Any]) -> str:
        """The layer."""
        return node_layer(dbt_resource_props)

    def get_owners(self, dbt_resource_props: Mapping[str, Any]) -> Sequence[str]:
        """One team owns the project."""
        return OWNERS

    def get_description(self, dbt_resource_props: Mapping[str, Any]) -> str:
        """dbt's description, what the model is made from, and its SQL."""
        description = str(dbt_resource_props["description"]).strip()
        parents = [name.split(".")[-1] for name in dbt_resource_props.get("depends_on", {}).get("nodes", ())]
        made = f"Computed from {', '.join(parents)}." if parents else "Kept in the repository as a CSV file (dbt seed)."
        sql = str(dbt_resource_props.get("raw_code") or "")
        return f"{description}\n\n{made}" + (f"\n\n```sql\n{sql.strip()}\n```" if sql else "")

    def get_asset_spec(self, manifest: Mapping[str, Any], unique_id: str, project: DbtProject | None) -> dg.AssetSpec:
        """Marts also have a freshness policy."""
        spec = super().get_asset_spec(manifest, unique_id, project)
        return spec.replace_attributes(freshness_policy=ANNUAL) if spec.group_name == "marts" else spec


def warehouse_assets(settings: Settings, yearly: dg.PartitionsDefinition, manifest: Path) -> list[dg.AssetsDefinition]:
    """The dbt ops: staging of all datasets that are on, the models of each, and the published figures over all."""
    on = datasets_on(settings)
    folders = {
        folder_of(node) for node in read_manifest(manifest)["nodes"].values() if node_layer(node) in MODEL_LAYERS
    }
    staged_only = [each for each in on if each.name not in folders]
    modelled = [each for each in on if each.name in folders]
    return [
        _staging(settings, on, staged_only, manifest),
        *(
            _yearly_models(each, settings, yearly, manifest) if each.yearly else _models(each, settings, manifest)
            for each in modelled
        ),
        _figures(settings, manifest),
    ]


class FullRefresh(dg.Config):
    """Run configuration of the models by year."""

    full_refresh: bool = False


def _staging(
    settings: Settings, on: Sequence[Dataset], staged_only: Sequence[Dataset], manifest: Path
) -> dg.AssetsDefinition:
    @dbt_assets(
        manifest=manifest,
        name="staging_models",
        select=" ".join(STAGING.format(each.name) for each in on),
        dagster_dbt_translator=Translator(),
        pool=WAREHOUSE_POOL,
    )
    def staging_models(context: AssetExecutionContext) -> Iterator[Any]:
        # Tests that also read marts belong to the ops that build those.
        yield from _build(context, settings, ["--indirect-selection", "cautious"])
        for each in staged_only:
            _record(each, settings)

    return staging_models


def _yearly_models(
    each: Dataset, settings: Settings, yearly: dg.PartitionsDefinition, manifest: Path
) -> dg.AssetsDefinition:
    @dbt_assets(
        manifest=manifest,
        name=models_op(each),
        select=MODELS.format(each.name),
        dagster_dbt_translator=Translator(),
        partitions_def=yearly,
        backfill_policy=dg.BackfillPolicy.single_run(),
        pool=WAREHOUSE_POOL,
    )
    def yearly_models(context: AssetExecutionContext, config: FullRefresh) -> Iterator[Any]:
        landed, built = landed_years(settings.landing_dir, each.name), Built.load(settings)
        shaped_by = shape(each, settings, lambda other: current_inputs(other, settings))
        full = config.full_refresh or built.shapes.get(each.name) != shaped_by
        asked = [year for year in years_of(context.partition_keys, settings) if year in landed]
        # A year that is no longer landed leaves the warehouse only when all years are computed anew.
        before = built.years_of(each)
        full = full or any(int(year) not in landed for year in before)
        years = [] if full else asked
        context.log.info("computing %s", "all landed years anew" if full else ", ".join(map(str, years)))
        yield from _build(context, settings, ["--full-refresh"] if full else [], build_years(years))
        computed = landed if full else {year: landed[year] for year in asked}
        kept = {} if full else {int(year): name for year, name in before.items() if int(year) in landed}
        # The record is read again: ops of other datasets may have changed their part of it since.
        Built.load(settings).with_years(each, shaped_by, {**kept, **computed}).save(settings)

    return yearly_models


def _models(each: Dataset, settings: Settings, manifest: Path) -> dg.AssetsDefinition:
    @dbt_assets(
        manifest=manifest,
        name=models_op(each),
        select=MODELS.format(each.name),
        dagster_dbt_translator=Translator(),
        pool=WAREHOUSE_POOL,
    )
    def models(context: AssetExecutionContext) -> Iterator[Any]:
        context.log.info("%s from source %s", each.name, each.source_name(settings))
        yield from _build(context, settings, [])
        _record(each, settings)

    return models


def _record(each: Dataset, settings: Settings) -> None:
    """Note what the dataset's models were built from."""
    name = identity(each, settings, lambda other: current_inputs(other, settings))
    Built.load(settings).with_dataset(each, name).save(settings)


def _figures(settings: Settings, manifest: Path) -> dg.AssetsDefinition:
    # Marts of a dataset that is off count as upstream too: the models find out which marts exist.
    @dbt_assets(
        manifest=manifest,
        name="benchmark_models",
        select=EVERYTHING.format(FIGURES),
        dagster_dbt_translator=Translator(),
        pool=WAREHOUSE_POOL,
    )
    def benchmark_models(context: AssetExecutionContext) -> Iterator[Any]:
        yield from _build(context, settings, [])
        replace(Built.load(settings), figures=folder_fingerprint(FIGURES)).save(settings)

    return benchmark_models


def _build(
    context: AssetExecutionContext, settings: Settings, options: Sequence[str], years: str = ""
) -> Iterator[Any]:
    """Run `dbt build` of the op's models and their tests, and add rows and a preview to each model's metadata."""
    selected = get_updated_cli_invocation_params_for_context(context, manifest={}, dagster_dbt_translator=Translator())
    events: list[dict[str, Any]] = []

    def note(event: dict[str, Any]) -> None:
        events.append(event)
        if event["info"]["level"] != "debug":
            print(event["info"]["msg"], flush=True)

    if selected.indirect_selection:
        options = [*options, "--indirect-selection", selected.indirect_selection]
    command = ["build", "--exclude-resource-type", "unit_test", *options, *selected.selection_args]
    result = run_dbt(settings, command, years=years, on_event=note)
    if isinstance(result.exception, (KeyboardInterrupt, DagsterExecutionInterruptedError)):
        raise result.exception
    # The warehouse has one writer: metadata is read when dbt is done.
    meta, tables = model_meta(selected.manifest), landing_tables_of(selected.manifest)
    built = set()
    with duckdb.connect(str(settings.warehouse), read_only=True) as connection:
        for message in events:
            for event in DbtCoreCliEventMessage(message, {}).to_default_asset_events(
                selected.manifest, selected.dagster_dbt_translator, context
            ):
                if isinstance(event, dg.Output):
                    built.add(context.asset_key_for_output(event.output_name))
                yield _with_rows(context, event, connection, settings, meta, tables)
    _require_success(context, result, events, built)


def _require_success(
    context: AssetExecutionContext, result: "dbtRunnerResult", events: Sequence[dict[str, Any]], built: set[dg.AssetKey]
) -> None:
    """Fail unless dbt succeeded and built every selected model: it skips models that depend on a failed test."""
    errors = [event["info"]["msg"] for event in events if event["info"]["level"] == "error"]
    if not result.success:
        raise dg.Failure(
            "\n".join(["dbt build failed:", *errors, *([str(result.exception)] if result.exception else [])])
        )
    if skipped := sorted(key.to_user_string() for key in context.selected_asset_keys - built):
        raise dg.Failure(f"dbt built only a part: {', '.join(skipped)} were skipped. See the dbt log above for why.")


def _with_rows(
    context: AssetExecutionContext,
    event: Any,
    connection: duckdb.DuckDBPyConnection,
    settings: Settings,
    meta: Mapping[str, Mapping[str, Any]],
    tables: Mapping[str, Collection[str]],
) -> Any:
    """Add rows, years, bytes, origin, a preview and a mart's picture to a model's event; return others as they are."""
    if not isinstance(event, dg.Output):
        return event
    schema, table = context.asset_key_for_output(event.output_name).path
    relation = f"{identifier(schema)}.{identifier(table)}"
    metadata = {**relation_metadata(connection, relation), **table_bytes(connection, schema, table)}
    if used := [
        entry
        for each in datasets_on(settings)
        if {landed.name for landed in each.tables} & set(tables.get(table, ()))
        for entry in current_inputs(each, settings)
    ]:
        metadata |= provenance_metadata(used)
    if drawn := picture(connection, relation, meta.get(table, {})):
        metadata["picture"] = drawn
    return dg.Output(event.value, event.output_name, metadata={**metadata, **event.metadata})
