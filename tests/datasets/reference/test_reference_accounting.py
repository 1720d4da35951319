"""The reference checks: the account of a real load passes, and each fault in it is found."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import duckdb
import pytest

from dagster_project.checks import engine
from dagster_project.checks.declarations import Outcome
from dagster_project.checks.views import CheckedData
from dagster_project.datasets.reference.checks import REFERENCE_LANDING
from dagster_project.datasets.reference.dataset import REFERENCE
from tests.helpers.landing_desk import Desk

CHECK = ("reference_rule_counts", "rows_accounted_for")
TABLES = ("countries", "products", "hs_conversion", "reference_rule_counts")
# The lists of the desk name areas without codes of letters.
LETTERS = """
    update countries set iso2 = chr(65 + country_code // 26 % 26) || chr(65 + country_code % 26),
        iso3 = 'A' || chr(65 + country_code // 26 % 26) || chr(65 + country_code % 26)
    where iso3 is null
"""


@pytest.fixture(scope="module")
def landing(tmp_path_factory: pytest.TempPathFactory) -> Path:
    desk = Desk(tmp_path_factory.mktemp("reference"))
    desk.land_reference()
    return desk.settings.landing_dir


def outcomes(landing: Path, fault: str = "") -> dict[tuple[str, str], Outcome]:
    def setup(connection: Any) -> None:
        for table in REFERENCE.tables:
            connection.execute(f"create table {table.name} as from '{table.files(landing)}'")
        connection.execute(LETTERS)
        if fault:
            connection.execute(fault)

    return {(each.table, each.check): each for each in engine.run(REFERENCE_LANDING, CheckedData(setup))}


def test_all_pass_on_what_was_landed(landing: Path) -> None:
    assert tuple(table.name for table in REFERENCE.tables) == TABLES
    found = outcomes(landing)
    assert {key for key, outcome in found.items() if outcome.status != "passed"} == set()
    with duckdb.connect() as connection:
        query = "select sum(n) filter (rule = 'rows_read'), sum(n) filter (rule = 'landed') from "
        read = connection.execute(f"{query} '{landing}/reference_rule_counts.parquet'").fetchone()
    facts = found[CHECK].facts
    assert (facts["rows_read"], facts["rows_landed"], facts["rows_quarantined"]) == (*(read or ()), 0)


@pytest.mark.parametrize(
    "fault",
    [
        "delete from reference_rule_counts",
        "update reference_rule_counts set n = n + 1 where rule = 'rows_read' and source = 'unsd bec_table'",
        "delete from reference_rule_counts where rule = 'dead_end'",
        "update reference_rule_counts set n = -n where source = 'comtrade reporters'",
    ],
)
def test_row_that_is_not_accounted_for(landing: Path, fault: str) -> None:
    failed = {key for key, outcome in outcomes(landing, fault).items() if outcome.status != "passed"}
    assert failed == {CHECK}


def test_no_check_asks_for_a_quarantine() -> None:
    assert not any("quarantine" in check.table for check in REFERENCE_LANDING.checks)
