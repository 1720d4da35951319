"""bi/superset says what the marts' contract and bi/dashboard.py say."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from bi import dashboard, superset_bundle
from bi.superset_bundle import FOLDER, RELEASE_INFO, bundle, contract
from dagster_project.dbt_project import plain_manifest


@pytest.fixture(scope="module")
def manifest() -> dict[str, Any]:
    return plain_manifest()


def test_the_bundle_is_current(manifest: dict[str, Any]) -> None:
    kept = {path.relative_to(FOLDER).as_posix(): path.read_text() for path in FOLDER.rglob("*") if path.is_file()}
    assert kept == bundle(contract(manifest)), "run `make docs` and commit bi/superset"


def test_a_chart_cannot_use_what_its_dataset_lacks(manifest: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    marts = {**contract(manifest)}
    marts["product_centrality"] = {k: v for k, v in marts["product_centrality"].items() if k != "top_exporter_share"}
    with pytest.raises(ValueError, match=r"Which goods hang on.*product_centrality.*\['top_exporter_share'\]"):
        bundle(marts)
    lost = dataclasses.replace(dashboard.DATASETS[0], mart="no_such_mart", name="release_info")
    monkeypatch.setattr(superset_bundle, "DATASETS", (lost, *dashboard.DATASETS[1:]))
    with pytest.raises(ValueError, match=r"release_info.*no_such_mart"):
        bundle(marts)


def test_the_partitioned_mart_is_not_in_the_file_and_not_in_the_bundle() -> None:
    assert "trade_flows" not in {mart for each in dashboard.DATASETS for mart in (each.mart, *each.added.values())}


def test_rows_of_the_page_are_full() -> None:
    widths = [sum(chart.width for chart in row) for section in dashboard.SECTIONS for row in section.rows]
    assert set(widths) == {12}


def test_the_exposure_names_the_marts_that_the_dashboard_reads(manifest: dict[str, Any]) -> None:
    (exposure,) = (each for each in manifest["exposures"].values() if each["name"] == "superset_dashboard")
    read = {mart for each in dashboard.DATASETS for mart in (each.mart, *each.added.values())} - {RELEASE_INFO}
    assert {name.rsplit(".", 1)[1] for name in exposure["depends_on"]["nodes"]} == read
