"""Every source says who published its data, how to cite it and on what terms."""

from __future__ import annotations

import importlib
import pkgutil

import pytest

from dagster_project import datasets, sample
from dagster_project.archive.payload import Provenance
from dagster_project.datasets.registry import DATASETS
from dagster_project.places import CHECKOUT


def found() -> list[Provenance]:
    """Every provenance that a module of the program holds."""
    modules = [importlib.import_module(each.name) for each in pkgutil.walk_packages(datasets.__path__, PREFIX)]
    values = [value for module in (*modules, sample) for value in vars(module).values()]
    return list({repr(value): value for value in values if isinstance(value, Provenance)}.values())


PREFIX = f"{datasets.__name__}."
PROVENANCES = found()
FILE_KINDS = [kind for each in DATASETS for kind in each.kinds]


@pytest.mark.parametrize("provenance", PROVENANCES, ids=lambda each: f"{each.source}-{each.publisher[:20]}")
def test_publisher_citation_and_licence(provenance: Provenance) -> None:
    for text in (provenance.source, provenance.publisher, provenance.citation, provenance.licence):
        assert text.strip() == text and len(text) >= 3
    assert len(provenance.citation) > len(provenance.publisher) / 2
    assert provenance.synthetic == (provenance.source == "sample")


def test_all_sources_are_looked_at() -> None:
    assert {"comtrade", "baci", "unsd", "growth_lab", "sample"} <= {each.source for each in PROVENANCES}
    assert {each.dataset for each in FILE_KINDS} == {each.name for each in DATASETS}
    assert all(each.provenance in PROVENANCES for each in FILE_KINDS)


def test_a_kind_is_read_by_one_landing_only() -> None:
    homes = {(each.kind, each.dataset) for each in FILE_KINDS}
    assert len(homes) == len({each.kind for each in FILE_KINDS})


def test_every_folder_of_the_drop_folder_is_documented() -> None:
    page = (CHECKOUT / "docs/drop-folder.md").read_text()
    for kind in FILE_KINDS:
        assert f"## `drop/{kind.folder}/`" in page, f"{kind.kind}: {kind.looked_for}"
