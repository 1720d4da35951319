"""Warehouse assets: one Dagster op for all staging models, one for the models of each dataset, one for the figures.

Not here: the models (see `dbt/`), and how dbt is run (see `dbt_project`).
"""

import logging
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
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
    rows_by_year,
    table_bytes,
    user_errors,
)
from dagster_project.assets.pictures import picture
from dagster_project.assets.states import models_on, stale_models, states_built
from dagster_project.datasets.declaration import Dataset
from dagster_project.datasets.registry import DATASETS, datasets_on
from dagster_project.dbt_project import (
    folder_of,
    landing_tables_behind_staging,
    landing_tables_of,
    model_meta,
    node_layer,
    read_manifest,
    run_dbt,
)
from dagster_project.durable import known_sha256, problem_in, problem_of, sync, told
from dagster_project.jobs import models_op
from dagster_project.landing.yearly import landed_years
from dagster_project.markdown import without_html
from dagster_project.partitions import build_years, years_of
from dagster_project.planning.fingerprints import folder_fingerprint
from dagster_project.planning.intake import current_inputs
from dagster_project.planning.loading import require_whole
from dagster_project.planning.state import FIGURES, IN_WORK, Built, identity, shape
from dagster_project.settings import DUCKDB, Settings
from dagster_project.spark import change_of_engine, take_over
from dagster_project.sql import identifier

if TYPE_CHECKING:  # importing dbt takes two seconds, which the definitions do not need
    from dbt.cli.main import dbtRunnerResult

MODEL_LAYERS = ("intermediate", "marts")
YEARLY = frozenset(each.name for each in DATASETS if each.yearly is not None)
BY_YEAR = frozenset(table.name for each in DATASETS for table in each.tables if table.by_year)
# dbt selections by folder, with `fqn:` and not `path:`, which Dagster would look up in the process's directory.
STAGED = ("fqn:chokepoint.staging.{0}", "fqn:chokepoint.{0},resource_type:seed")
MODELLED = ("fqn:chokepoint.intermediate.{0}", "fqn:chokepoint.marts.{0}")
EVERYTHING = "fqn:*.{0}.*"

_log = logging.getLogger(__name__)


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
        """The question that a mart answers, dbt's words, what it is made from, and last the SQL."""
        said = without_html(str(dbt_resource_props["description"]).strip())
        question = dbt_resource_props["config"].get("meta", {}).get("question")
        said = f"**{without_html(question)}**\n\n{said}" if question else said
        parents = [name.split(".")[-1] for name in dbt_resource_props.get("depends_on", {}).get("nodes", ())]
        made = f"Computed from {', '.join(parents)}." if parents else "Kept in the repository as a CSV file (dbt seed)."
        sql = str(dbt_resource_props.get("raw_code") or "")
        return f"{said}\n\n{made}" + (f"\n\n```sql\n{sql.strip()}\n```" if sql else "")

    def get_asset_spec(self, manifest: Mapping[str, Any], unique_id: str, project: DbtProject | None) -> dg.AssetSpec:
        """Marts also say how old they may get; yearly models also name the yearly landing tables behind staging.

        "Materialize all" walks from partition to partition. Staging has none, so without these dependencies the walk
        would end there, and the yearly models would be left out.
        """
        spec = super().get_asset_spec(manifest, unique_id, project)
        if spec.group_name == "marts":
            spec = spec.replace_attributes(freshness_policy=ANNUAL)
        if spec.group_name in MODEL_LAYERS and folder_of(manifest["nodes"][unique_id]) in YEARLY:
            behind = [dg.AssetKey(["landing", name]) for name in landing_tables_behind_staging(manifest, unique_id)]
            known = {dep.asset_key for dep in spec.deps}
            more = [dg.AssetDep(key) for key in behind if key.path[-1] in BY_YEAR and key not in known]
            spec = spec.replace_attributes(deps=[*spec.deps, *more])
        return spec


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


def _selection(manifest: Path, forms: Sequence[str], datasets: Sequence[Dataset]) -> str:
    """These selections for each dataset, but for those that no model or seed answers to: dbt would warn of them."""
    there = set()
    for node in read_manifest(manifest)["nodes"].values():
        kind = ",resource_type:seed" if node["resource_type"] == "seed" else ""
        there.add(f"fqn:{'.'.join(node['fqn'][:-1])}{kind}")
    wanted = (form.format(each.name) for each in datasets for form in forms)
    return " ".join(each for each in wanted if each in there)


class FullRefresh(dg.Config):
    """Run configuration of the models by year."""

    full_refresh: bool = False


def _staging(
    settings: Settings, on: Sequence[Dataset], staged_only: Sequence[Dataset], manifest: Path
) -> dg.AssetsDefinition:
    @dbt_assets(
        manifest=manifest,
        name="staging_models",
        select=_selection(manifest, STAGED, on),
        dagster_dbt_translator=Translator(),
        pool=WAREHOUSE_POOL,
    )
    def staging_models(context: AssetExecutionContext) -> Iterator[Any]:
        sources = landing_tables_of(read_manifest(manifest))
        chosen = {key.path[-1] for key in context.selected_asset_keys}
        with user_errors():
            require_whole(settings, {table for name in chosen for table in sources.get(name, ())})
        for each in staged_only:
            _strike(each, settings)
        # Tests that also read marts belong to the ops that build those.
        yield from _build(context, settings, ["--indirect-selection", "cautious"])
        for each in staged_only:
            _record(each, settings, read_manifest(manifest))

    return staging_models


def _yearly_models(
    each: Dataset, settings: Settings, yearly: dg.PartitionsDefinition, manifest: Path
) -> dg.AssetsDefinition:
    models = [
        node["name"]
        for node in read_manifest(manifest)["nodes"].values()
        if node["config"].get("materialized") == "yearly_files" and folder_of(node) == each.name
    ]
    if settings.engine != DUCKDB:
        models = []  # only DuckDB writes their years beside the warehouse

    @dbt_assets(
        manifest=manifest,
        name=models_op(each),
        select=_selection(manifest, MODELLED, [each]),
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
        damaged = built.damaged_files(each, settings)
        if damaged:
            context.log.warning("not as the last build left them: %s", ", ".join(damaged))
        full = full or bool(damaged) or any(int(year) not in landed for year in before)
        built.without_years(each, landed if full else asked, full=full).save(settings)
        named = ", ".join(map(str, asked)) or "no year: none of those asked for is landed"
        context.log.info("computing %s", "all landed years anew" if full else named)
        computed = landed if full else {year: landed[year] for year in asked}
        left = [year for year, name in landed.items() if year not in computed and before.get(str(year)) != name]
        options = ["--full-refresh"] if full else []
        yield from _build(context, settings, options, build_years(None if full else asked), complete=not left)
        part = context.selected_asset_keys < yearly_models.keys
        unfinished = part if left else _stale_of(each.name, settings, read_manifest(manifest))
        if unfinished:
            if full:
                return  # the models that are still to be built stay struck
            computed = {}
        # Read again: other datasets have their own records, and their ops may have come meanwhile.
        record = Built.load(settings)
        kept = {} if full else {int(year): name for year, name in record.years_of(each).items() if int(year) in landed}
        years_now = {**kept, **computed}
        files = _sync_files(models, [year for year, name in years_now.items() if name != IN_WORK], settings)
        record.with_years(each, shaped_by, years_now, files, computed=list(computed)).save(settings)

    return yearly_models


def _models(each: Dataset, settings: Settings, manifest: Path) -> dg.AssetsDefinition:
    @dbt_assets(
        manifest=manifest,
        name=models_op(each),
        select=_selection(manifest, MODELLED, [each]),
        dagster_dbt_translator=Translator(),
        pool=WAREHOUSE_POOL,
    )
    def models(context: AssetExecutionContext) -> Iterator[Any]:
        context.log.info("%s from source %s", each.name, each.source_name(settings))
        _strike(each, settings)
        yield from _build(context, settings, [])
        _record(each, settings, read_manifest(manifest))

    return models


def _sync_files(models: Sequence[str], years: Iterable[int], settings: Settings) -> dict[str, str]:
    """Force the files of these models and years to the disk, before the record vouches for them; name -> sha256."""
    folder, name = settings.warehouse.parent, settings.warehouse.name
    files = [folder / f"{name}.{model}.{year}.parquet" for model in models for year in sorted(years)]
    for path in files:
        sync(path)
    sync(folder)
    return {path.name: known_sha256(path) for path in files}


def _strike(each: Dataset, settings: Settings) -> None:
    """Note that the dataset's models are about to be rebuilt, and are nothing to rely on until they are."""
    Built.load(settings).with_dataset(each, IN_WORK).save(settings)


def _record(each: Dataset, settings: Settings, manifest: Mapping[str, Any]) -> None:
    """Note what the dataset's models were built from, once all of them are: one run may have built a part of them."""
    if not _stale_of(each.name, settings, manifest):
        name = identity(each, settings, lambda other: current_inputs(other, settings))
        Built.load(settings).with_dataset(each, name).save(settings)


def _stale_of(folder: str, settings: Settings, manifest: Mapping[str, Any]) -> bool:
    """Whether a model of this folder is still to be built from what there is now."""
    own = {node["name"] for node in manifest["nodes"].values() if folder_of(node) == folder}
    return not own.isdisjoint(stale_models(settings, manifest))


def _figures(settings: Settings, manifest: Path) -> dg.AssetsDefinition:
    nodes = read_manifest(manifest)["nodes"].values()
    on = models_on(settings, read_manifest(manifest))
    left_out = [node["name"] for node in nodes if folder_of(node) == FIGURES and node["name"] not in on]

    # Marts of a dataset that is off count as upstream too: the models find out which marts exist.
    @dbt_assets(
        manifest=manifest,
        name="benchmark_models",
        select=EVERYTHING.format(FIGURES),
        exclude=" ".join(left_out) or None,
        dagster_dbt_translator=Translator(),
        pool=WAREHOUSE_POOL,
    )
    def benchmark_models(context: AssetExecutionContext) -> Iterator[Any]:
        replace(Built.load(settings), figures=IN_WORK).save(settings)
        yield from _build(context, settings, [])
        if not _stale_of(FIGURES, settings, read_manifest(manifest)):
            replace(Built.load(settings), figures=folder_fingerprint(FIGURES)).save(settings)

    return benchmark_models


def _build(
    context: AssetExecutionContext,
    settings: Settings,
    options: Sequence[str],
    years: str = "",
    *,
    complete: bool = True,
) -> Iterator[Any]:
    """Run `dbt build` of the op's models and their tests, and add rows and a preview to each model's metadata.

    `complete` says that no year is left in which the models hold something else than what is landed.
    """
    selected = get_updated_cli_invocation_params_for_context(context, manifest={}, dagster_dbt_translator=Translator())
    events: list[dict[str, Any]] = []
    chosen = {key.path[-1]: IN_WORK for key in context.selected_asset_keys}
    Built.load(settings).with_models(chosen).save(settings)

    def note(event: dict[str, Any]) -> None:
        events.append(event)
        if event["info"]["level"] != "debug":
            print(event["info"]["msg"], flush=True)
        if event["info"]["name"] == "LogStartLine":
            _log.info("%(index)s of %(total)s: %(description)s", event["data"])

    if selected.indirect_selection:
        options = [*options, "--indirect-selection", selected.indirect_selection]
    # dbt's own artifacts say nothing that the events and the parsed manifest do not say.
    command = ["--no-write-json", "build", "--exclude-resource-type", "unit_test", *options, *selected.selection_args]
    if said := change_of_engine(settings):
        context.log.warning(said)
    with user_errors():
        take_over(settings)
        result = run_dbt(settings, command, years=years, on_event=note)
    if isinstance(result.exception, (KeyboardInterrupt, DagsterExecutionInterruptedError)):
        raise result.exception
    # The warehouse has one writer: metadata is read when dbt is done.
    meta, tables = model_meta(selected.manifest), landing_tables_of(selected.manifest)
    built = set()
    with _reading(settings) as connection:
        for message in events:
            for event in DbtCoreCliEventMessage(message, {}).to_default_asset_events(
                selected.manifest, selected.dagster_dbt_translator, context
            ):
                if isinstance(event, dg.Output):
                    built.add(context.asset_key_for_output(event.output_name))
                yield _with_rows(context, event, connection, settings, meta, tables)
    _require_success(context, result, events, built, f"warehouse {settings.warehouse}")
    if complete:
        states = states_built([key.path[-1] for key in built], settings, selected.manifest)
        Built.load(settings).with_models(states).save(settings)


@contextmanager
def _reading(settings: Settings) -> Iterator[duckdb.DuckDBPyConnection]:
    with user_errors(), told(f"warehouse {settings.warehouse}"):
        connection = duckdb.connect(str(settings.warehouse), read_only=True)
    with connection:
        yield connection


def _require_success(
    context: AssetExecutionContext,
    result: "dbtRunnerResult",
    events: Sequence[dict[str, Any]],
    built: set[dg.AssetKey],
    where: str,
) -> None:
    """Fail unless dbt succeeded and built every selected model: it skips models that depend on a failed test."""
    errors = [event["info"]["msg"] for event in events if event["info"]["level"] == "error"]
    if not result.success:
        # A full disk or a lock of another program is no fault of a model: it is told as what it is.
        problem = problem_of(result.exception, where) if result.exception else problem_in("\n".join(errors), where)
        if problem is not None:
            raise dg.Failure(str(problem))
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
    facts = meta.get(table, {})
    metadata: dict[str, Any] = {"question": facts["question"]} if "question" in facts else {}
    if drawn := picture(connection, relation, facts):
        metadata["picture"] = drawn
    by_year = rows_by_year(connection, relation)
    whole = {**relation_metadata(connection, relation, by_year), **table_bytes(connection, schema, table)}
    metadata |= whole
    if context.assets_def.partitions_def is not None:
        for year, own in _by_year(by_year, context.partition_keys, whole).items():
            context.add_asset_metadata(own, asset_key=[schema, table], partition_key=year)
    if used := [
        entry
        for each in datasets_on(settings)
        if {landed.name for landed in each.tables} & set(tables.get(table, ()))
        for entry in current_inputs(each, settings)
    ]:
        metadata |= provenance_metadata(used)
    return dg.Output(event.value, event.output_name, metadata={**metadata, **event.metadata})


def _by_year(
    by_year: Mapping[int | None, int], years: Sequence[str], whole: Mapping[str, Any]
) -> dict[str, dict[str, Any]]:
    """Each year's own rows, and its part of the table's bytes by its part of the rows."""
    rows = {str(year): n for year, n in by_year.items()}
    all_rows = sum(rows.values())
    own: dict[str, dict[str, Any]] = {}
    for year in years:
        n = rows.get(year, 0)
        own[year] = {"dagster/row_count": n, "years": year}
        if "bytes" in whole:
            own[year]["bytes"] = round(whole["bytes"] * n / all_rows) if all_rows else 0
    return own
