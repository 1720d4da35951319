"""The dbt project as the rest of the program sees it: parsed once per change, run in this process, and described.

Not here: which models an asset builds, and dbt's events as Dagster's (see `assets.warehouse`); the models (see `dbt/`).
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import chdir, contextmanager, suppress
from dataclasses import replace
from functools import cache, lru_cache
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dagster_project import spark
from dagster_project.durable import sha256_of, sync, write_whole
from dagster_project.locks import held
from dagster_project.places import DBT_PROJECT, INSTALLED
from dagster_project.publish.described import as_copy_option
from dagster_project.publish.marts import MartSpec
from dagster_project.settings import DUCKDB, SPARK, Settings, load_settings
from dagster_project.sql import one_file

if TYPE_CHECKING:  # importing dbt takes two seconds: only when a run or a parse needs it
    from dbt.cli.main import dbtRunnerResult

TARGET = DBT_PROJECT / "target"  # of a checkout
_PACKAGES = ("dbt-core", "dbt-adapters", "dbt-duckdb")
_DBT_FORM = "partial_parse.msgpack"  # the manifest in dbt's own form
_PARSED_FILES = ("manifest.json", _DBT_FORM)
_UNUSED_DAYS = 30  # a parse that nobody used for so long is removed

# Engine -> target of dbt's profile.
TARGETS = {DUCKDB: "warehouse", SPARK: "spark"}

# A column's declared type -> the type that DuckDB has of it.
DUCKDB_TYPES = {
    "string": "VARCHAR", "integer": "INTEGER", "bigint": "BIGINT", "double": "DOUBLE", "boolean": "BOOLEAN",
    "date": "DATE",
}  # fmt: skip

# Hash of what was parsed -> the project as this process has parsed it.
_parsed: dict[str, Any] = {}


def manifest_path(settings: Settings) -> Path:
    """dbt's manifest for these settings, parsed only where nobody has parsed the project as it is with such settings.

    All data directories share it: the warehouse's and the landing's paths enter when a node runs. One process parses
    at a time. EnvironmentProblem where the engine is not installed.
    """
    if settings.engine == SPARK:
        spark.require(settings)
    wanted = _project_hash(settings)
    target = _folder(settings, wanted)
    stamp = target / "manifest.hash"
    with held(target / "manifest.lock", "the dbt project is being parsed", wait=True):
        if _is_whole(target, stamp, wanted):
            stamp.touch()
        else:
            stamp.unlink(missing_ok=True)
            _parse(settings, wanted)
            for name in _PARSED_FILES:
                sync(target / name)
            write_whole(stamp, _stamp(target, wanted))
            _remove_unused(target)
    return target / "manifest.json"


def _folder(settings: Settings, project_hash: str) -> Path:
    """Where a parsed project lies: in a checkout, or else in the user's cache; in the data directory if neither can be
    written to.
    """
    cache = Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser() / "chokepoint"
    for folder in ((cache if INSTALLED else TARGET) / "parsed", settings.data_dir / "dbt" / "parsed"):
        with suppress(OSError):
            folder.mkdir(parents=True, exist_ok=True)
        if os.access(folder, os.W_OK):
            break
    return folder / project_hash[:20]


def _remove_unused(target: Path) -> None:
    """Remove what was parsed long ago, of projects and settings that are no more."""
    for stamp in target.parent.glob("*/manifest.hash"):
        with suppress(OSError):
            if stamp.stat().st_mtime < time.time() - _UNUSED_DAYS * 24 * 3600:
                shutil.rmtree(stamp.parent)


def _is_whole(target: Path, stamp: Path, wanted: str) -> bool:
    """Whether what lies there was parsed from the project as it is: a crash may leave half of it."""
    there = stamp.exists() and all((target / name).exists() for name in _PARSED_FILES)
    return there and stamp.read_bytes() == _stamp(target, wanted)


def _stamp(target: Path, project_hash: str) -> bytes:
    return " ".join([project_hash, *(sha256_of(target / name) for name in _PARSED_FILES)]).encode()


def plain_manifest() -> Mapping[str, Any]:
    """The manifest under default settings, for the documentation, which needs no data directory."""
    return read_manifest(manifest_path(load_settings({"CHOKEPOINT_DATA_DIR": str(TARGET)}, dotenv=None)))


def run_dbt(
    settings: Settings, arguments: Sequence[str], *, years: str = "", on_event: Callable[[dict[str, Any]], None]
) -> dbtRunnerResult:
    """Run dbt in this process, which saves each command the start of a process and a parse: 3 to 5 s.

    `years` as `partitions.build_years` writes them; `on_event` gets each of dbt's events as its JSON log would show it.
    The warehouse is closed at the end. Errors are in the result.
    """
    from dbt.adapters.duckdb.connections import DuckDBConnectionManager
    from dbt_common.events.functions import msg_to_dict

    # One manifest serves several commands, because dbt compiles each model again in each. Only ephemeral models would
    # keep their compiled SQL, and the project has none.
    manifest = _parsed_project(settings)
    try:
        said = [lambda event: on_event(msg_to_dict(event))]
        if settings.engine == SPARK:
            return _on_spark(settings, arguments, years, manifest, said)
        return _invoke(settings, arguments, _of_a_run(settings, years), _target(settings), manifest, said)
    finally:
        DuckDBConnectionManager.close_all_connections()


def _target(settings: Settings) -> Path:
    """Where a command writes what it compiled: one folder for each engine."""
    return settings.data_dir / ("dbt" if settings.engine == DUCKDB else f"dbt-{settings.engine}")


def _on_spark(
    settings: Settings, arguments: Sequence[str], years: str, manifest: Any, callbacks: list[Callable[[Any], None]]
) -> dbtRunnerResult:
    """The command on Spark. The warehouse then shows its tables; views are made there by DuckDB, from the same SQL."""
    described = read_manifest(manifest_path(settings))
    active = spark.session(settings)
    spark.offer_landing(active, described, _landing_files(settings))
    result = _invoke(settings, arguments, _of_a_run(settings, years), _target(settings), manifest, callbacks)
    made = [each.node for each in getattr(result.result, "results", ()) if each.status == "success"]
    models = [node for node in made if node.resource_type in ("model", "seed")]
    views = [node.name for node in models if node.config.materialized == "view"]
    spark.show(active, settings, described, {node.name for node in models} - set(views))
    if views:
        beside = replace(settings, engine=DUCKDB)
        variables = _of_a_run(beside, years)
        shown = _invoke(beside, ["run", "--select", *views], variables, _target(beside), _parsed_project(beside), [])
        if not shown.success:
            return shown
    return result


def write_docs(settings: Settings) -> Path:
    """dbt's documentation as one page in the data directory: models, SQL, tests, lineage, the warehouse's columns."""
    result = run_dbt(settings, ["docs", "generate", "--static"], on_event=lambda event: None)
    if not result.success:
        raise RuntimeError(f"dbt docs generate failed: {result.exception}")
    return Path(shutil.copyfile(_target(settings) / "static_index.html", settings.data_dir / "dbt-docs.html"))


def _parsed_project(settings: Settings) -> Any:
    """dbt's own form of the manifest; where another process has parsed it, it is read back."""
    from dbt.contracts.graph.manifest import Manifest

    wanted = _project_hash(settings)
    if wanted not in _parsed:
        folder = manifest_path(settings).parent
        if wanted not in _parsed:
            _parsed[wanted] = Manifest.from_msgpack((folder / _DBT_FORM).read_bytes())
            _parsed[wanted].build_flat_graph()
    return _parsed[wanted]


def _parse(settings: Settings, project_hash: str) -> None:
    result = _invoke(settings, ["parse"], _parsed_with(settings), _folder(settings, project_hash), None, [])
    if not result.success:
        raise RuntimeError(f"dbt parse failed: {result.exception}")
    _parsed[project_hash] = result.result


def _invoke(
    settings: Settings,
    arguments: Sequence[str],
    variables: Mapping[str, str],
    target: Path,
    manifest: Any,
    callbacks: list[Callable[[Any], None]],
) -> dbtRunnerResult:
    from dbt.cli.main import dbtRunner

    places = [
        "--project-dir",
        str(DBT_PROJECT),
        "--profiles-dir",
        str(DBT_PROJECT),
        "--target-path",
        str(target),
        "--log-path",
        str(target),
        "--target",
        TARGETS[settings.engine],
    ]
    command = ["--log-level", "none", *arguments, *places, "--vars", json.dumps(dbt_vars(settings))]
    # dbt changes the working directory and does not change it back.
    with chdir(Path.cwd()), _environment(variables):
        return dbtRunner(manifest, callbacks).invoke(command)


def dbt_vars(settings: Settings) -> dict[str, Any]:
    """The dbt vars: what shapes all years alike. Every command gets the same: other vars would make dbt parse again."""
    return {
        "product_scope": settings.product_scope,
        "keep_reimports": settings.keep_reimports,
        "mirror_cif_fob_factor": settings.mirror_cif_fob_factor,
        "centrality_years": list(settings.centrality_years),
        "relocation_pairs": [list(pair) for pair in settings.relocation_pairs],
        "relocation_thirds": list(settings.relocation_thirds),
        "shock_exporters": list(settings.shock_exporters),
        "shock_cut": settings.shock_cut,
        "spare_capacity": settings.spare_capacity,
        "price_trim": settings.price_trim,
        "price_min_cells": settings.price_min_cells,
        "scenarios": [each._asdict() for each in settings.scenarios],
        "us_consumption": [list(pair) for pair in settings.us_consumption],
        "consumption_from_tables": settings.consumption_from_tables,
    }


def _parsed_with(settings: Settings) -> dict[str, str]:
    """The environment variables that dbt reads while it parses, when it names relations; no data are there yet."""
    return {
        "CHOKEPOINT_WAREHOUSE": "/nowhere/warehouse.duckdb",
        "CHOKEPOINT_SCHEMA_PREFIX": settings.spark_schema if settings.engine == SPARK else "",
    }


def _landing_files(settings: Settings) -> str:
    """The landing folder as the inside of an SQL literal, with no pattern."""
    return one_file(settings.landing_dir)[1:-1]


@cache
def _metadata_of_files(manifest: Path) -> str:
    """Model -> the option of COPY that describes its mart, where a mart's files are published as dbt writes them."""
    described = read_manifest(manifest)
    columns = {node["name"]: node["columns"].values() for node in model_nodes(described)}
    options = {}
    for spec in mart_specs(described):
        if models := files_behind(described, spec.name):
            types = {column["name"]: DUCKDB_TYPES[column["data_type"]] for column in columns[spec.name]}
            options.update(dict.fromkeys(models, as_copy_option(spec.key_values(types))))
    return json.dumps(options)


def _of_a_run(settings: Settings, years: str) -> dict[str, str]:
    """The environment variables of a command: those of the parse, and what no part of it is."""
    resources = settings.resources
    return _parsed_with(settings) | {
        "CHOKEPOINT_WAREHOUSE": str(settings.warehouse),
        "CHOKEPOINT_LANDING_FILES": _landing_files(settings),
        "CHOKEPOINT_BUILD_YEARS": years,
        "CHOKEPOINT_FILE_METADATA": _metadata_of_files(manifest_path(settings)),
        "CHOKEPOINT_BUILD_MEMORY": resources.memory_limit,
        "CHOKEPOINT_BUILD_THREADS": str(resources.threads),
    }


@contextmanager
def _environment(variables: Mapping[str, str]) -> Iterator[None]:
    """Set environment variables inside the block."""
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


def model_nodes(manifest: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """The models in the manifest, seeds and tests left out."""
    return (node for node in manifest["nodes"].values() if node["resource_type"] == "model")


def node_layer(node: Mapping[str, Any]) -> str:
    """The layer of a source, model or seed in the manifest: landing, staging, intermediate or marts."""
    return "landing" if node["resource_type"] == "source" else str(node["config"].get("schema"))


def folder_of(node: Mapping[str, Any]) -> str:
    """The folder of a model or seed in the manifest, which is named like its dataset: trade, tariffs, benchmarks …"""
    return str(node["fqn"][-2])


def needs_of(node: Mapping[str, Any]) -> Sequence[str]:
    """The datasets that must all be on for a model over several of them, as its `meta` says; else it is left out."""
    needs: Sequence[str] = node.get("config", {}).get("meta", {}).get("needs", ())
    return needs


def mart_specs(manifest: Mapping[str, Any], names: set[str] | None = None) -> list[MartSpec]:
    """What the manifest says of each mart (of those named): key, grain, columns. Sorted by name."""
    marts = [node for node in model_nodes(manifest) if node["config"]["schema"] == "marts"]
    return [
        MartSpec(
            name=node["name"],
            key=node["config"]["meta"]["key"],
            description=node["description"],
            columns={column["name"]: column["description"] for column in node["columns"].values()},
            year_column="year" if node["config"]["meta"].get("yearly") else None,
            in_database=node["config"]["meta"].get("in_database", True),
            required={
                column["name"]
                for column in node["columns"].values()
                if any(constraint["type"] == "not_null" for constraint in column["constraints"])
            },
            units={
                column["name"]: column["config"]["meta"]["unit"]
                for column in node["columns"].values()
                if "unit" in column["config"]["meta"]
            },
        )
        for node in sorted(marts, key=lambda node: node["name"])
        if names is None or node["name"] in names
    ]


def files_behind(manifest: Mapping[str, Any], mart: str) -> list[str]:
    """The models in `yearly_files` that a mart is a view of: their files can be published as they are."""
    unique_id = f"model.chokepoint.{mart}"
    if manifest["nodes"][unique_id]["config"]["materialized"] != "view":
        return []
    parents = (manifest["nodes"].get(parent) for parent in manifest["parent_map"][unique_id])
    return [each["name"] for each in parents if each and each["config"]["materialized"] == "yearly_files"]


def model_meta(manifest: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """Model -> what its `meta` says; of a mart its question and its picture, among others."""
    return {node["name"]: node["config"]["meta"] for node in model_nodes(manifest)}


def landing_tables_behind_staging(manifest: Mapping[str, Any], model: str) -> list[str]:
    """The landing tables that the staging models read by this model (a unique id) are views of, sorted."""
    parents, sources = manifest["parent_map"], manifest["sources"]
    staging = [
        each for each in parents[model] if each.split(".")[0] == "model" and each.split(".")[-1].startswith("stg_")
    ]
    return sorted({sources[each]["name"] for one in staging for each in parents[one] if each in sources})


def landing_tables_of(manifest: Mapping[str, Any]) -> dict[str, set[str]]:
    """Model -> the landing tables that it is made from, directly or through other models."""
    parents, sources = manifest["parent_map"], manifest["sources"]

    @cache
    def tables(unique_id: str) -> frozenset[str]:
        if unique_id in sources:
            return frozenset({sources[unique_id]["name"]})
        return frozenset(table for parent in parents[unique_id] for table in tables(parent))

    return {node["name"]: set(tables(node["unique_id"])) for node in model_nodes(manifest)}


def _project_hash(settings: Settings) -> str:
    """A hash of the project's files, of the settings that dbt parses with them, and of dbt's version."""
    files = [path for path in sorted(DBT_PROJECT.rglob("*")) if path.is_file() and TARGET not in path.parents]
    shaped = [settings.engine, _parsed_with(settings), dbt_vars(settings), [version(name) for name in _PACKAGES]]
    digest = hashlib.sha256(json.dumps(shaped).encode())
    for path in files:
        if "logs" not in path.parts:
            digest.update(path.relative_to(DBT_PROJECT).as_posix().encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()


def read_manifest(path: Path) -> Mapping[str, Any]:
    """The manifest as plain data, read once for all who ask: it has megabytes."""
    return _read(path, path.stat().st_mtime_ns)


@lru_cache(maxsize=2)
def _read(path: Path, written: int) -> dict[str, Any]:
    manifest: dict[str, Any] = json.loads(path.read_text())
    return manifest
