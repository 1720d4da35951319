"""The dbt project as the rest of the program sees it: its manifest, built once per change, and what it says of marts.

Not here: running models (see `assets.warehouse`), and the models themselves (see `dbt/`).
"""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from filelock import FileLock

from dagster_project.publish.release import MartSpec
from dagster_project.settings import PROJECT_ROOT, Settings

DBT_DIR = PROJECT_ROOT / "dbt"
TARGET = DBT_DIR / "target"


def dbt_executable() -> str:
    """The dbt beside this Python, which need not be on PATH."""
    return str(Path(sys.executable).with_name("dbt"))


def dbt_environment(settings: Settings, years: str) -> dict[str, str]:
    """The environment variables that dbt's profile, sources and yearly models read (`partitions.build_years`)."""
    return {
        "CHOKEPOINT_WAREHOUSE": str(settings.warehouse),
        "CHOKEPOINT_LANDING": str(settings.landing_dir),
        "CHOKEPOINT_BUILD_YEARS": years,
    }


def manifest_path() -> Path:
    """dbt's manifest, parsed anew only when a file of the project changed; one process parses at a time."""
    TARGET.mkdir(exist_ok=True)
    manifest, stamp = TARGET / "manifest.json", TARGET / "manifest.hash"
    with FileLock(TARGET / "manifest.lock"):
        wanted = _project_hash()
        if not (manifest.exists() and stamp.exists() and stamp.read_text() == wanted):
            _parse()
            stamp.write_text(wanted)
    return manifest


def mart_specs(manifest: Mapping[str, Any], names: set[str] | None = None) -> list[MartSpec]:
    """What the manifest says of each mart (of those named): key, grain, columns. Sorted by name."""
    marts = [
        node
        for node in manifest["nodes"].values()
        if node["resource_type"] == "model" and node["config"]["schema"] == "marts"
    ]
    return [
        MartSpec(
            name=node["name"],
            key=node["config"]["meta"]["key"],
            description=node["description"],
            columns={column["name"]: column["description"] for column in node["columns"].values()},
            year_column="year" if node["config"]["meta"].get("yearly") else None,
            partitioned=node["name"] == "trade_flows",
        )
        for node in sorted(marts, key=lambda node: node["name"])
        if names is None or node["name"] in names
    ]


def mart_questions(manifest: Mapping[str, Any]) -> dict[str, str]:
    """Mart -> the question that it answers."""
    return {
        node["name"]: node["config"]["meta"]["question"]
        for node in manifest["nodes"].values()
        if node["resource_type"] == "model" and "question" in node["config"]["meta"]
    }


def landing_tables_of(manifest: Mapping[str, Any]) -> dict[str, set[str]]:
    """Model -> the landing tables that it is made from, directly or through other models."""
    parents, sources = manifest["parent_map"], manifest["sources"]

    @cache
    def tables(unique_id: str) -> frozenset[str]:
        if unique_id in sources:
            return frozenset({sources[unique_id]["name"]})
        return frozenset(table for parent in parents[unique_id] for table in tables(parent))

    models = (node for node in manifest["nodes"].values() if node["resource_type"] == "model")
    return {node["name"]: set(tables(node["unique_id"])) for node in models}


def _project_hash() -> str:
    files = [path for path in sorted(DBT_DIR.rglob("*")) if path.is_file() and TARGET not in path.parents]
    digest = hashlib.sha256()
    for path in files:
        if "logs" not in path.parts:
            digest.update(path.relative_to(DBT_DIR).as_posix().encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()


def _parse() -> None:
    # Parsing opens no database; the profile only wants its variables to have a value.
    placeholders = {"CHOKEPOINT_WAREHOUSE": ":memory:", "CHOKEPOINT_LANDING": "landing"}
    command = [dbt_executable(), "parse", "--project-dir", str(DBT_DIR), "--profiles-dir", str(DBT_DIR)]
    run = subprocess.run(command, env={**os.environ, **placeholders}, capture_output=True, text=True, check=False)
    if run.returncode:
        raise RuntimeError(f"dbt parse failed:\n{run.stdout[-3000:]}{run.stderr[-1000:]}")


def read_manifest(path: Path) -> dict[str, Any]:
    """The manifest as plain data."""
    manifest: dict[str, Any] = json.loads(path.read_text())
    return manifest
