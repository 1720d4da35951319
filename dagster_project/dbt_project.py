"""The dbt project as the rest of the program sees it: parsed once per change, run in this process, and described.

Not here: which models an asset builds, and dbt's events as Dagster's (see `assets.warehouse`); the models (see `dbt/`).
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import chdir, contextmanager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dagster_project.durable import sha256_of, sync, write_whole
from dagster_project.locks import held
from dagster_project.places import DBT_PROJECT
from dagster_project.publish.release import MartSpec
from dagster_project.settings import Settings, load_settings
from dagster_project.sql import one_file

if TYPE_CHECKING:  # importing dbt takes two seconds: only when a run or a parse needs it
    from dbt.cli.main import dbtRunnerResult

TARGET = DBT_PROJECT / "target"  # of a checkout: what is parsed for a run lies in its data directory

# Target directory -> hash of what was parsed, and the project that this process has parsed there.
_parsed: dict[Path, tuple[str, Any]] = {}


def manifest_path(settings: Settings) -> Path:
    """dbt's manifest for these settings, parsed anew only when the project or the settings changed.

    It lies in the data directory, because what dbt parses holds the warehouse's and the landing's paths. One process
    parses at a time.
    """
    target = settings.data_dir / "dbt"
    manifest, stamp = target / "manifest.json", target / "manifest.hash"
    with held(target / "manifest.lock", "the dbt project is being parsed", wait=True):
        wanted = _project_hash(settings)
        if not _is_whole(manifest, stamp, wanted):
            stamp.unlink(missing_ok=True)
            _parse(settings, wanted)
            sync(manifest)
            write_whole(stamp, _stamp(manifest, wanted))
    return manifest


def _is_whole(manifest: Path, stamp: Path, wanted: str) -> bool:
    """Whether the manifest is the one that was parsed from the project as it is: a crash may leave half of one."""
    return manifest.exists() and stamp.exists() and stamp.read_bytes() == _stamp(manifest, wanted)


def _stamp(manifest: Path, project_hash: str) -> bytes:
    return f"{project_hash} {sha256_of(manifest)}".encode()


def plain_manifest() -> dict[str, Any]:
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
        return _invoke(settings, arguments, years, manifest, [lambda event: on_event(msg_to_dict(event))])
    finally:
        DuckDBConnectionManager.close_all_connections()


def write_docs(settings: Settings) -> Path:
    """dbt's documentation as one page in the data directory: models, SQL, tests, lineage, the warehouse's columns."""
    result = run_dbt(settings, ["docs", "generate", "--static"], on_event=lambda event: None)
    if not result.success:
        raise RuntimeError(f"dbt docs generate failed: {result.exception}")
    return Path(shutil.copyfile(settings.data_dir / "dbt" / "static_index.html", settings.data_dir / "dbt-docs.html"))


def _parsed_project(settings: Settings) -> Any:
    """dbt's own form of the manifest; another process may have parsed it, then dbt reads it back from its target."""
    wanted = _project_hash(settings)
    known = _parsed.get(settings.data_dir)
    return known[1] if known and known[0] == wanted else _parse(settings, wanted)


def _parse(settings: Settings, project_hash: str) -> Any:
    result = _invoke(settings, ["parse"], "", None, [])
    if not result.success:
        raise RuntimeError(f"dbt parse failed: {result.exception}")
    _parsed[settings.data_dir] = (project_hash, result.result)
    return result.result


def _invoke(
    settings: Settings, arguments: Sequence[str], years: str, manifest: Any, callbacks: list[Callable[[Any], None]]
) -> dbtRunnerResult:
    from dbt.cli.main import dbtRunner

    target = str(settings.data_dir / "dbt")
    places = [
        "--project-dir",
        str(DBT_PROJECT),
        "--profiles-dir",
        str(DBT_PROJECT),
        "--target-path",
        target,
        "--log-path",
        target,
    ]
    command = ["--log-level", "none", *arguments, *places, "--vars", json.dumps(dbt_vars(settings))]
    # dbt changes the working directory and does not change it back.
    with chdir(Path.cwd()), _environment({**_variables(settings, years), **_limits(settings)}):
        return dbtRunner(manifest, callbacks).invoke(command)


def dbt_vars(settings: Settings) -> dict[str, Any]:
    """The dbt vars: what shapes all years alike. Every command gets the same: other vars would make dbt parse again."""
    return {
        "product_scope": settings.product_scope,
        "keep_reimports": settings.keep_reimports,
        "mirror_cif_fob_factor": settings.mirror_cif_fob_factor,
        "relocation_pairs": [list(pair) for pair in settings.relocation_pairs],
        "relocation_thirds": list(settings.relocation_thirds),
        "shock_exporters": list(settings.shock_exporters),
        "shock_cut": settings.shock_cut,
        "spare_capacity": settings.spare_capacity,
        "scenarios": [each._asdict() for each in settings.scenarios],
    }


def _variables(settings: Settings, years: str) -> dict[str, str]:
    """The environment variables that dbt's profile, sources and yearly models read."""
    return {
        "CHOKEPOINT_WAREHOUSE": str(settings.warehouse),
        "CHOKEPOINT_LANDING_FILES": _inside_source(settings.landing_dir),
        "CHOKEPOINT_BUILD_YEARS": years,
    }


def _inside_source(folder: Path) -> str:
    """A folder as it stands in the sources' SQL: inside a literal, with no pattern, and formatted once more by dbt."""
    return one_file(folder)[1:-1].replace("{", "{{").replace("}", "}}")


def _limits(settings: Settings) -> dict[str, str]:
    """The environment variables from which dbt's profile takes its memory and threads: no part of what is parsed."""
    resources = settings.resources
    return {"CHOKEPOINT_BUILD_MEMORY": resources.memory_limit, "CHOKEPOINT_BUILD_THREADS": str(resources.threads)}


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
            partitioned=node["config"]["meta"].get("published") == "yearly_files",
        )
        for node in sorted(marts, key=lambda node: node["name"])
        if names is None or node["name"] in names
    ]


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
    """A hash of the project's files and of the settings that dbt parses with them; memory and threads are none."""
    files = [path for path in sorted(DBT_PROJECT.rglob("*")) if path.is_file() and TARGET not in path.parents]
    digest = hashlib.sha256(json.dumps([_variables(settings, ""), dbt_vars(settings)]).encode())
    for path in files:
        if "logs" not in path.parts:
            digest.update(path.relative_to(DBT_PROJECT).as_posix().encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()


def read_manifest(path: Path) -> dict[str, Any]:
    """The manifest as plain data."""
    manifest: dict[str, Any] = json.loads(path.read_text())
    return manifest
