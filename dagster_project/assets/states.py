"""What every dbt model is to be made of now: one run may build a part of the models, and all must fit together.

What belongs here: the state of models, from the manifest's lineage. Not here: the record of what was built (see
`planning.state`), and the building.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from functools import cache
from typing import Any

from dagster_project.archive.store import Entry
from dagster_project.datasets.declaration import Dataset
from dagster_project.datasets.registry import DATASETS, datasets_on
from dagster_project.dbt_project import folder_of, needs_of
from dagster_project.planning.fingerprints import folder_fingerprint
from dagster_project.planning.intake import current_inputs
from dagster_project.planning.state import FIGURES, Built, model_state, shape
from dagster_project.settings import Settings


def models_on(settings: Settings, manifest: Mapping[str, Any]) -> set[str]:
    """The models and seeds whose datasets are on, and those of the published figures."""
    return {node["name"] for node in _nodes_on(settings, manifest)}


def tables_behind(settings: Settings, manifest: Mapping[str, Any]) -> dict[str, set[str]]:
    """Model or seed that is on -> the landing tables that it is made of, directly or through others that are on."""
    sources = manifest["sources"]
    return {
        name: {sources[each]["name"] for each in above if each in sources}
        for name, above in _lineage(settings, manifest).items()
    }


def states_now(settings: Settings, manifest: Mapping[str, Any]) -> dict[str, str]:
    """Model or seed that is on -> what names the landed data, the code and the settings that it is to be made of."""

    def entries_of(each: Dataset) -> Sequence[Entry]:
        return current_inputs(each, settings)

    # The code and settings alone: a model's data are those of its landing tables, and it may be built, where it reads
    # nothing of another dataset, before that dataset's payloads are there.
    made_by = {each.name: shape(each, settings, lambda _: ()) for each in datasets_on(settings)}
    made_by[FIGURES] = folder_fingerprint(FIGURES)
    tables = tables_behind(settings, manifest)

    @cache
    def state(behind: frozenset[str], folder: str) -> str:
        return model_state(behind, made_by[folder], settings, entries_of)

    return {
        node["name"]: state(frozenset(tables[node["name"]]), folder_of(node)) for node in _nodes_on(settings, manifest)
    }


def stale_models(settings: Settings, manifest: Mapping[str, Any]) -> list[str]:
    """The models and seeds that are on and were not built to their end from what there is now."""
    built = Built.load(settings).models
    return sorted(name for name, now in states_now(settings, manifest).items() if built.get(name) != now)


def states_built(names: Collection[str], settings: Settings, manifest: Mapping[str, Any]) -> dict[str, str]:
    """The states of models that were just built: of those that all they are made of is as it is to be now.

    A model that was built on a stale one is left out: its own landing tables do not say what it holds.
    """
    now, stale = states_now(settings, manifest), set(stale_models(settings, manifest)) - set(names)
    nodes = {node["unique_id"]: node["name"] for node in _nodes_on(settings, manifest)}
    above = _lineage(settings, manifest)
    return {
        name: now[name]
        for name in names
        if name in now and stale.isdisjoint(nodes[each] for each in above[name] if each in nodes)
    }


def _lineage(settings: Settings, manifest: Mapping[str, Any]) -> dict[str, frozenset[str]]:
    """Model or seed that is on -> the unique ids of all that it is made of.

    A model that is off is not built: what is made of it finds nothing there, and nothing behind it.
    """
    nodes = {node["unique_id"]: node["name"] for node in _nodes_on(settings, manifest)}
    parents, sources = manifest["parent_map"], manifest["sources"]

    @cache
    def above(unique_id: str) -> frozenset[str]:
        direct = [each for each in parents[unique_id] if each in nodes or each in sources]
        return frozenset(direct).union(*(above(each) for each in direct if each in nodes))

    return {name: above(unique_id) for unique_id, name in nodes.items()}


def _nodes_on(settings: Settings, manifest: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    off = {each.name for each in DATASETS} - {each.name for each in datasets_on(settings)}
    nodes = (node for node in manifest["nodes"].values() if node["resource_type"] in ("model", "seed"))
    return [node for node in nodes if off.isdisjoint((folder_of(node), *needs_of(node)))]
