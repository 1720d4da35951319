"""bi/superset says what the marts' contract and bi/dashboards.py say."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from bi import dashboards, superset_bundle
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
    lost = dataclasses.replace(dashboards.DATASETS[0], mart="no_such_mart")
    monkeypatch.setattr(superset_bundle, "DATASETS", (lost, *dashboards.DATASETS[1:]))
    with pytest.raises(ValueError, match="no_such_mart"):
        bundle(marts)


def test_the_partitioned_mart_is_not_in_the_file_and_not_in_the_bundle() -> None:
    assert "trade_flows" not in {each.mart for each in dashboards.DATASETS}


def test_rows_of_the_page_are_full() -> None:
    for page in dashboards.DASHBOARDS:
        assert {sum(chart.width for chart in row) for section in page.sections for row in section.rows} == {12}


def test_a_title_names_one_chart_and_a_mart_one_dataset() -> None:
    """Superset knows them by these: two of one name would be one."""
    shown = [chart for page in dashboards.DASHBOARDS for chart in page.charts()]
    assert len({chart.title for chart in shown}) == len({id(chart) for chart in shown}) == len(dashboards.charts())
    assert len({each.mart for each in dashboards.DATASETS}) == len(dashboards.DATASETS)


def test_a_chart_that_a_filter_narrows_has_its_column(manifest: dict[str, Any]) -> None:
    marts = contract(manifest)
    used = {each.mart: {**marts[each.mart], **each.calculated} for each in dashboards.DATASETS}
    for page in dashboards.DASHBOARDS:
        columns = {each.name: each.column for each in page.filters}
        for chart in page.charts():
            assert {columns[name] for name in chart.scope} <= used[chart.dataset].keys(), chart.title


def test_the_exposure_names_the_marts_that_the_dashboard_reads(manifest: dict[str, Any]) -> None:
    (exposure,) = (each for each in manifest["exposures"].values() if each["name"] == "superset_dashboard")
    read = {each.mart for each in dashboards.DATASETS} - {RELEASE_INFO}
    assert {name.rsplit(".", 1)[1] for name in exposure["depends_on"]["nodes"]} == read
