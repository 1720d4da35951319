"""The generated pages of docs/ say what the code and dbt say, and leave nothing out."""

from __future__ import annotations

from typing import Any

import pytest

from dagster_project.datasets.registry import DATASETS
from dagster_project.dbt_project import mart_specs, plain_manifest
from dagster_project.docs_pages import FOLDER, PAGES, plain
from dagster_project.statements import published_figures


@pytest.fixture(scope="module")
def manifest() -> dict[str, Any]:
    return plain_manifest()


def read(name: str) -> str:
    return (FOLDER / name).read_text()


@pytest.mark.parametrize("name", PAGES)
def test_the_page_is_current(name: str, manifest: dict[str, Any]) -> None:
    assert read(name) == PAGES[name](manifest), "run `make docs` and commit the page"


@pytest.mark.parametrize("name", PAGES)
def test_every_row_of_a_table_has_all_cells(name: str) -> None:
    width = 0
    for line in read(name).splitlines():
        cells = line.replace("\\|", "").count("|") if line.startswith("|") else 0
        assert cells == width or not width or not cells, line
        width = cells


def test_every_published_figure_names_a_mart_that_there_is(manifest: dict[str, Any]) -> None:
    marts = {spec.name for spec in mart_specs(manifest)}
    assert {
        figure["benchmark_id"]: figure["mart"] for figure in published_figures() if figure["mart"] not in marts
    } == {}


@pytest.mark.parametrize("each", DATASETS, ids=lambda each: each.name)
def test_sources_tables_and_files_of_every_dataset_are_shown(each: Any) -> None:
    section = read("datasets.md").split(f"\n## {each.name}: ")[1].split("\n## ")[0]
    for shown in (*(source.name for source in each.sources), *(table.name for table in each.tables)):
        assert f"\n| `{shown}` |" in section
    for kind in each.kinds:
        folder = read("drop-folder.md").split(f"\n## `drop/{kind.folder}/`\n")[1].split("\n## ")[0]
        assert kind.provenance.publisher in folder and kind.provenance.licence in folder
        assert plain(kind.looked_for) in folder
