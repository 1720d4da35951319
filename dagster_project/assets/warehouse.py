"""Warehouse assets: the dbt models, one Dagster op per domain and layer. Not here: the models, which lie in `dbt/`."""

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
from dagster_project.assets.landing import DATASET_OF
from dagster_project.assets.pictures import picture
from dagster_project.dbt_project import landing_tables_of, model_meta, run_dbt
from dagster_project.intake import chosen_source, datasets_on, taken_in
from dagster_project.landing.trade import landed_years
from dagster_project.partitions import build_years, years_of
from dagster_project.settings import Settings
from dagster_project.state import Built, config_fingerprint, dataset_identity

if TYPE_CHECKING:  # two seconds that loading the definitions need not cost
    from dbt.cli.main import dbtRunnerResult

# dbt selections. By folder, with `fqn:` and not `path:`, which Dagster would look up in the process's directory.
STAGING = "fqn:*.reference.* fqn:chokepoint.staging.trade"
TRADE = "fqn:chokepoint.intermediate.trade fqn:chokepoint.marts.trade"
BY_FOLDER = "fqn:*.{}.*"


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


class FullRefresh(dg.Config):
    """Run configuration of the trade models."""

    full_refresh: bool = False


def _staging(settings: Settings, manifest: Path) -> dg.AssetsDefinition:
    @dbt_assets(
        manifest=manifest,
        name="staging_models",
        select=STAGING,
        dagster_dbt_translator=Translator(),
        pool=WAREHOUSE_POOL,
    )
    def staging_models(context: AssetExecutionContext) -> Iterator[Any]:
        # Tests that also read marts belong to the ops that build those.
        yield from _build(context, settings, ["--indirect-selection", "cautious"])

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
    def trade_models(context: AssetExecutionContext, config: FullRefresh) -> Iterator[Any]:
        landed, built = landed_years(settings.landing_dir), Built.load(settings)
        shaped_by = config_fingerprint(settings, taken_in("reference", settings))
        full = config.full_refresh or built.config != shaped_by
        asked = [year for year in years_of(context.partition_keys, settings) if year in landed]
        # Years that are no longer landed leave the warehouse only when it is made anew.
        full = full or any(int(year) not in landed for year in built.years)
        years = [] if full else asked
        context.log.info("computing %s", "all landed years anew" if full else ", ".join(map(str, years)))
        yield from _build(context, settings, ["--full-refresh"] if full else [], build_years(years))
        computed = landed if full else {year: landed[year] for year in asked}
        kept = {} if full else {year: name for year, name in built.years.items() if int(year) in landed}
        # Other datasets keep their record: their ops may have come before this one in the same run.
        Built(shaped_by, {**kept, **{str(y): name for y, name in computed.items()}}, built.datasets).save(settings)

    return trade_models


def _domain(dataset: str, settings: Settings, manifest: Path) -> dg.AssetsDefinition:
    @dbt_assets(
        manifest=manifest,
        name=f"{dataset}_models",
        select=BY_FOLDER.format(dataset),
        dagster_dbt_translator=Translator(),
        pool=WAREHOUSE_POOL,
    )
    def domain_models(context: AssetExecutionContext) -> Iterator[Any]:
        context.log.info("%s from source %s", dataset, chosen_source(dataset, settings))
        yield from _build(context, settings, [])
        config = config_fingerprint(settings, taken_in("reference", settings))
        built, identity = Built.load(settings), dataset_identity(taken_in(dataset, settings), config)
        replace(built, datasets={**built.datasets, dataset: identity}).save(settings)

    return domain_models


def _benchmarks(settings: Settings, manifest: Path) -> dg.AssetsDefinition:
    # Marts of a dataset that is off are upstream all the same: the models find out what is there, and say so.
    @dbt_assets(
        manifest=manifest,
        name="benchmark_models",
        select=BY_FOLDER.format("benchmarks"),
        dagster_dbt_translator=Translator(),
        pool=WAREHOUSE_POOL,
    )
    def benchmark_models(context: AssetExecutionContext) -> Iterator[Any]:
        yield from _build(context, settings, [])

    return benchmark_models


def _build(
    context: AssetExecutionContext, settings: Settings, options: Sequence[str], years: str = ""
) -> Iterator[Any]:
    """Run `dbt build` of the op's models and their tests, and add rows and a preview to each model's metadata."""
    selected = get_updated_cli_invocation_params_for_context(context, manifest={}, dagster_dbt_translator=Translator())
    told: list[dict[str, Any]] = []

    def note(event: dict[str, Any]) -> None:
        told.append(event)
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
        for message in told:
            for event in DbtCoreCliEventMessage(message, {}).to_default_asset_events(
                selected.manifest, selected.dagster_dbt_translator, context
            ):
                if isinstance(event, dg.Output):
                    built.add(context.asset_key_for_output(event.output_name))
                yield _with_rows(context, event, connection, settings, meta, tables)
    _require_success(context, result, told, built)


def _require_success(
    context: AssetExecutionContext, result: "dbtRunnerResult", told: Sequence[dict[str, Any]], built: set[dg.AssetKey]
) -> None:
    """dbt must say success, and every selected model must have been built: it skips those behind a failed test."""
    errors = [event["info"]["msg"] for event in told if event["info"]["level"] == "error"]
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
    """Add rows, years, bytes, origin and a preview to a model's event, and a mart's picture; other events pass."""
    if not isinstance(event, dg.Output):
        return event
    schema, table = context.asset_key_for_output(event.output_name).path
    relation = f'"{schema}"."{table}"'
    metadata = {**relation_metadata(connection, relation), **table_bytes(connection, schema, table)}
    if read := {DATASET_OF[name] for name in tables.get(table, ()) if name in DATASET_OF}:
        metadata |= provenance_metadata([entry for dataset in read for entry in taken_in(dataset, settings)])
    if drawn := picture(connection, relation, meta.get(table, {})):
        metadata["picture"] = drawn
    return dg.Output(event.value, event.output_name, metadata={**metadata, **event.metadata})
