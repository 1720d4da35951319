"""The marts' pictures: each answers from the mart's own columns, and is small and quick."""

from __future__ import annotations

import base64
import re

import duckdb
import pytest

from dagster_project.assets.pictures import PICTURES, picture
from dagster_project.dbt_project import manifest_path, mart_questions, mart_specs, read_manifest

MANIFEST = read_manifest(manifest_path())


@pytest.mark.parametrize("mart", sorted(PICTURES))
def test_every_picture_draws_on_columns_of_its_mart(mart: str) -> None:
    """On an empty table of the contract's columns and types: the query must run, and say that there is nothing."""
    node = next(n for n in MANIFEST["nodes"].values() if n["name"] == mart and n["resource_type"] == "model")
    columns = ", ".join(f'"{c["name"]}" {c["data_type"]}' for c in node["columns"].values())
    with duckdb.connect() as connection:
        connection.execute(f"create table t ({columns})")
        drawn = picture(connection, mart, "t", mart_questions(MANIFEST)[mart])
    assert drawn is not None
    assert "no rows to draw" in (drawn.md_str or "")


def test_pictures_are_of_marts_that_exist_and_most_marts_have_one() -> None:
    marts = {spec.name for spec in mart_specs(MANIFEST)}
    assert set(PICTURES) <= marts
    assert len(PICTURES) >= 15


def test_a_picture_is_a_small_png_under_the_marts_question() -> None:
    with duckdb.connect() as connection:
        connection.execute("create table t as select '3' as list_id, 0.25 as approval_share union all select '1', 0.5")
        drawn = picture(connection, "exclusion_rates", "t", "How often?")
    assert drawn is not None and drawn.md_str is not None
    found = re.fullmatch(r"\*\*How often\?\*\*\n\n!\[[^\]]+\]\(data:image/png;base64,([^)]+)\)", drawn.md_str)
    assert found is not None
    image = base64.b64decode(found[1])
    assert image.startswith(b"\x89PNG") and len(image) < 60_000


def test_a_mart_without_a_picture_has_none() -> None:
    with duckdb.connect() as connection:
        assert picture(connection, "no_such_mart", "t", "") is None
