"""The marts' pictures: each answers from the mart's own columns, and is small and quick."""

from __future__ import annotations

import base64
import re
from types import SimpleNamespace

import dagster as dg
import duckdb
import pytest

from dagster_project.assets.pictures import picture
from dagster_project.assets.warehouse import _with_rows
from dagster_project.dbt_project import mart_specs, model_meta, plain_manifest
from dagster_project.settings import load_settings

MANIFEST = plain_manifest()
META = model_meta(MANIFEST)


def columns(model: str) -> str:
    """The columns of a model's contract, as SQL declares them."""
    node = next(n for n in MANIFEST["nodes"].values() if n["name"] == model and n["resource_type"] == "model")
    return ", ".join(f'"{c["name"]}" {c["data_type"] or "varchar"}' for c in node["columns"].values())


@pytest.mark.parametrize("mart", [spec.name for spec in mart_specs(MANIFEST)])
def test_every_mart_has_a_picture_that_draws_on_its_columns(mart: str) -> None:
    """On an empty table of the contract's columns and types: the query must run, and say that there is nothing."""
    with duckdb.connect() as connection:
        connection.execute("create schema staging")
        for model, table in (
            (mart, "t"),
            ("stg_countries", "staging.stg_countries"),
            ("stg_products", "staging.stg_products"),
        ):
            connection.execute(f"create table {table} ({columns(model)})")
        drawn = picture(connection, "t", META[mart])
    assert drawn is not None and "no rows to draw" in (drawn.md_str or "")


def test_a_mart_without_a_picture_is_materialised_without_one() -> None:
    unpartitioned = SimpleNamespace(partitions_def=None)
    context = SimpleNamespace(asset_key_for_output=lambda name: dg.AssetKey(["marts", name]), assets_def=unpartitioned)
    settings = load_settings({}, dotenv=None)
    with duckdb.connect() as connection:
        connection.execute("create schema marts; create table marts.plain as select 1 as n")
        event = _with_rows(context, dg.Output(None, "plain"), connection, settings, {"plain": {}}, {})  # type: ignore[arg-type]
    assert "dagster/row_count" in event.metadata and "picture" not in event.metadata


def test_a_picture_is_a_small_png_under_the_marts_question() -> None:
    with duckdb.connect() as connection:
        connection.execute("create table t as select '3' as list_id, 0.25 as approval_share union all select '1', 0.5")
        drawn = picture(connection, "t", {**META["exclusion_rates"], "question": "How often?"})
    assert drawn is not None and drawn.md_str is not None
    found = re.fullmatch(r"\*\*How often\?\*\*\n\n!\[[^\]]+\]\(data:image/png;base64,([^)]+)\)", drawn.md_str)
    assert found is not None
    image = base64.b64decode(found[1])
    assert image.startswith(b"\x89PNG") and len(image) < 60_000


@pytest.mark.parametrize(
    ("mart", "rows"),
    [
        ("exclusion_requesters", "select 'A' as requester, 3 as requests, 1 as granted, 2 as denied"),
        (
            "exclusion_regression",
            "select 'end_use' as specification, 'intermediate' as term, 0.5 as estimate, 0.2 as std_error, "
            "exp(0.5) as odds_ratio",
        ),
        (
            "exclusion_rates_by_month",
            "select '1' as list_id, date '2018-07-01' as month_posted, 9 as granted, 3 as denied, "
            "0.75 as approval_share",
        ),
    ],
)
def test_each_form_can_be_drawn(mart: str, rows: str) -> None:
    """Stacked bars, intervals and lines; the bars are drawn above."""
    with duckdb.connect() as connection:
        connection.execute(f"create table t as {rows}")
        drawn = picture(connection, "t", META[mart])
    assert drawn is not None and "data:image/png" in (drawn.md_str or "")
