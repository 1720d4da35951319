"""docs/data-dictionary.md says what dbt says."""

from __future__ import annotations

from dagster_project.dbt_project import plain_manifest
from dagster_project.dictionary import PAGE, dictionary


def test_the_page_is_current() -> None:
    assert PAGE.read_text() == dictionary(plain_manifest()), "run `make docs` and commit the page"
