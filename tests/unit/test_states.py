"""Which models are as they are to be: a part that was built says nothing of the rest, nor of what it was built on."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from dagster_project.assets.states import models_on, stale_models, states_built, states_now, tables_behind
from dagster_project.planning.state import IN_WORK, Built
from dagster_project.settings import Settings, load_settings

# Model -> its folder, and what it is made of.
LINEAGE = {
    "stg_a": ("trade", []),
    "int_b": ("trade", ["stg_a"]),
    "mart_c": ("trade", ["int_b"]),
    "mart_d": ("tariffs", ["mart_c"]),
    "figures": ("benchmarks", ["mart_c", "mart_d"]),
    "figures_of_d": ("benchmarks", ["mart_d"]),
    "mart_of_both": ("benchmarks", ["mart_c", "mart_d"]),
}
NEEDS = {"mart_of_both": ["trade", "tariffs"]}


def node(name: str, folder: str) -> dict[str, Any]:
    meta = {"needs": NEEDS[name]} if name in NEEDS else {}
    return {
        **{"name": name, "unique_id": f"model.x.{name}", "resource_type": "model", "fqn": ["x", "marts", folder, name]},
        "config": {"meta": meta},
    }


MANIFEST = {
    "nodes": {f"model.x.{name}": node(name, folder) for name, (folder, _) in LINEAGE.items()},
    "sources": {"source.x.trade_flows": {"name": "trade_flows"}},
    "parent_map": {
        **{f"model.x.{name}": [f"model.x.{each}" for each in parents] for name, (_, parents) in LINEAGE.items()},
        "model.x.stg_a": ["source.x.trade_flows"],
    },
}


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    environ = {"CHOKEPOINT_DATA_DIR": str(tmp_path), "CHOKEPOINT_TARIFF_SOURCE": "off"}
    settings = load_settings(environ, dotenv=None)
    settings.warehouse.touch()
    return settings


def record(settings: Settings, *names: str) -> None:
    """These models were built, as an op notes it."""
    Built.load(settings).with_models(states_built(names, settings, MANIFEST)).save(settings)


def test_models_of_a_dataset_that_is_off_are_none(settings: Settings) -> None:
    assert models_on(settings, MANIFEST) == {"stg_a", "int_b", "mart_c", "figures", "figures_of_d"}
    assert states_now(settings, MANIFEST).keys() == models_on(settings, MANIFEST)
    all_on = load_settings({"CHOKEPOINT_DATA_DIR": str(settings.data_dir)}, dotenv=None)
    assert models_on(all_on, MANIFEST) == set(LINEAGE), "a model over several datasets, where all of them are on"


def test_a_model_of_what_is_off_is_made_of_nothing(settings: Settings) -> None:
    """Dagster may build it before all others are."""
    assert tables_behind(settings, MANIFEST)["figures_of_d"] == set()
    assert tables_behind(settings, MANIFEST)["figures"] == {"trade_flows"}
    record(settings, "figures_of_d")
    assert "figures_of_d" not in stale_models(settings, MANIFEST)


def test_parts_built_in_order_make_a_whole(settings: Settings) -> None:
    for names, left in (
        (["figures_of_d", "stg_a"], ["figures", "int_b", "mart_c"]),
        (["int_b", "mart_c"], ["figures"]),
        (["figures"], []),
    ):
        record(settings, *names)
        assert stale_models(settings, MANIFEST) == left


def test_a_model_built_on_a_stale_one_is_not_what_its_landing_tables_say(settings: Settings) -> None:
    record(settings, "mart_c")
    assert "mart_c" in stale_models(settings, MANIFEST)
    record(settings, *models_on(settings, MANIFEST))
    Built.load(settings).with_models({"int_b": IN_WORK}).save(settings)
    record(settings, "mart_c")
    assert stale_models(settings, MANIFEST) == ["int_b"]
    assert states_built(["mart_c"], settings, MANIFEST) == {}, "it stays in work, as the op marked it before"


def test_settings_and_code_count_as_the_data_do(settings: Settings) -> None:
    record(settings, *models_on(settings, MANIFEST))
    assert stale_models(settings, MANIFEST) == []
    assert stale_models(replace(settings, product_scope="all"), MANIFEST) == ["int_b", "mart_c", "stg_a"]
