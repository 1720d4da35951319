"""dbt's profile for DuckDB: what every model of a run finds set. Not here: how a run starts dbt (`test_run`)."""

from __future__ import annotations

from pathlib import Path

import jinja2
import yaml
from dbt.adapters.duckdb.credentials import DuckDBCredentials
from dbt.adapters.duckdb.environments import Environment

from dagster_project.places import DBT_PROJECT

# A sort of two million rows, in less memory than they take.
SPILLING = "create table sorted as select random() as x, range as n from range(2_000_000) order by x"


def test_a_model_may_follow_one_that_spilled_to_the_disk(tmp_path: Path) -> None:
    credentials = _credentials({"CHOKEPOINT_WAREHOUSE": str(tmp_path / "warehouse.duckdb"), "MEMORY": "40MB"})
    connection = Environment.initialize_db(credentials)
    try:
        first = Environment.initialize_cursor(credentials, connection.cursor())
        first.execute(SPILLING)
        assert (tmp_path / "warehouse.duckdb.tmp").exists(), "nothing was spilled: the test tests nothing"
        second = Environment.initialize_cursor(credentials, connection.cursor())
        found = "select current_setting('temp_directory'), current_setting('preserve_insertion_order')"
        assert second.execute(found).fetchone() == (str(tmp_path / "warehouse.duckdb.tmp"), False)
    finally:
        connection.close()


def _credentials(variables: dict[str, str]) -> DuckDBCredentials:
    environment = jinja2.Environment(autoescape=False)
    environment.filters["as_number"] = int
    named = {"CHOKEPOINT_BUILD_MEMORY": variables["MEMORY"], "CHOKEPOINT_BUILD_THREADS": "2", **variables}
    text = (DBT_PROJECT / "profiles.yml").read_text(encoding="utf-8")
    target = yaml.safe_load(text)["chokepoint"]["outputs"]["warehouse"]

    def rendered(value: object) -> object:
        return environment.from_string(value).render(env_var=named.get) if isinstance(value, str) else value

    options = {
        name: {each: rendered(value) for each, value in part.items()}
        for name, part in target.items()
        if isinstance(part, dict)
    }
    return DuckDBCredentials(database="warehouse", schema="marts", path=named["CHOKEPOINT_WAREHOUSE"], **options)
