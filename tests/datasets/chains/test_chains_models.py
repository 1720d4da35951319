"""The marts of input-output tables over the sample, by dbt: hand-worked cases, years, and what an odd year leaves.

Not here: the measures themselves (`test_chains_measures`), and the checks (`test_chains_checks`).
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest

from dagster_project.datasets.chains import sample
from dagster_project.datasets.registry import dataset
from dagster_project.errors import SourceError
from dagster_project.landing import yearly
from dagster_project.partitions import build_years
from dagster_project.planning.loading import land
from dagster_project.planning.state import years_to_hold
from dagster_project.settings import load_settings
from tests.helpers import steps
from tests.helpers.built_chains import CHAINS_MODELS, YEAR, built
from tests.helpers.chains_desk import Desk, csv
from tests.helpers.dbt_command import build, dbt

CHAINS = dataset("chains")
MARTS = (
    "gvc_position",
    "gvc_position_country",
    "supplier_exposure",
    "shock_exposure_io",
    "embodied_carbon",
    "embodied_carbon_country",
)


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return built(tmp_path_factory.mktemp("chains"))


def ask(root: Path, query: str) -> list[tuple[Any, ...]]:
    with duckdb.connect(str(root / "warehouse.duckdb"), read_only=True) as connection:
        return connection.execute(query).fetchall()


def test_hand_worked_values(root: Path) -> None:
    dbt(root, "test", "--select", "fqn:*.chains.*,test_type:unit")


def test_the_textbook_table(root: Path) -> None:
    """Published values of the leather table, to seven digits."""
    found = ask(
        root,
        "select forward_participation, backward_participation, forward_domestic, backward_domestic "
        "from marts.gvc_position where edition = 'icio_sml' and country_iso3 = 'TUR' order by sector",
    )
    assert [[round(value, 7) for value in row] for row in found] == [
        [0.3170871, 0.1836763, 0.396319, 0.4703428],
        [0.3754873, 0.2096294, 0.3233576, 0.3881702],
        [0.1429043, 0.3452213, 0.6168995, 0.4924149],
    ]
    assert ask(root, "select count(*) from marts.gvc_position where edition = 'icio_sml'") == [(9,)]


def test_tables_of_a_year_do_not_mix(root: Path) -> None:
    counted = "select edition, count(*), bool_or(is_complete) from marts.{} group by all order by all"
    economies = len(sample.SIZES) - 2
    n = economies * len(sample.SECTORS)
    assert ask(root, counted.format("gvc_position")) == [("icio_ext", n, True), ("icio_sml", 9, False)]
    living = n - economies
    assert ask(root, counted.format("supplier_exposure")) == [
        ("icio_ext", living * (economies - 1), True),
        ("icio_sml", 18, False),
    ]
    assert ask(root, counted.format("shock_exposure_io")) == [("icio_ext", living * 5 // 6, True)]
    assert ask(root, "select count(*) from marts.gvc_position_country") == [(2 * (economies + 3),)]


def test_carbon_of_the_sample_and_why_there_is_none(root: Path) -> None:
    """The synthetic table has intensities of all sectors with output; the textbook's has none."""
    reasons = "select edition, reason, count(*) from marts.embodied_carbon where embodied_carbon_t is null group by all"
    economies = len(sample.SIZES) - 2
    assert sorted(ask(root, reasons)) == [
        ("icio_ext", "the sector has no output", economies),
        ("icio_sml", "no emission intensities for this table", 9),
    ]
    of_china = "from marts.embodied_carbon_country where country_iso3 = 'CHN' and edition = 'icio_ext'"
    ((total, own, counted, coverage),) = ask(
        root, f"select embodied_carbon_t, domestic_carbon_t, counted_share, intensity_coverage {of_china}"
    )
    assert 0 < own < total and counted == 1 and coverage == pytest.approx(1)


def test_a_run_of_no_year_leaves_the_marts_as_they_are(root: Path) -> None:
    hashes = [f"select sum(hash(t)) from marts.{mart} as t" for mart in MARTS]
    before = [ask(root, query) for query in hashes]
    assert build_years([]) == "0000" and build_years(None) == "" and build_years([2019, 2018]) == "2018,2019"
    build(root, *CHAINS_MODELS, years=build_years([]))
    assert [ask(root, query) for query in hashes] == before
    build(root, *CHAINS_MODELS, years=str(YEAR))
    assert [ask(root, query) for query in hashes] == before


def test_a_year_without_a_table_is_no_error(tmp_path: Path) -> None:
    """Trade asks for years; of the tables, those are taken that are there."""
    desk = Desk(tmp_path)
    desk.write(csv(), "2018_SML.csv")
    places = {"CHOKEPOINT_DATA_DIR": str(tmp_path / "data"), "CHOKEPOINT_DROP_DIR": str(desk.drop)}
    settings = load_settings({**places, "CHOKEPOINT_CHAINS_SOURCE": "files", "CHOKEPOINT_YEARS": "2018-2020"}, None)
    entries, _ = steps.fetch("chains", settings, datetime(2026, 1, 1, tzinfo=UTC))
    assert years_to_hold(CHAINS, settings, [2018], entries) == [2018]
    assert list(land(CHAINS, settings, [2019, 2018]).counts) == ["2018"]
    only = replace(settings, years=(2020,))
    assert years_to_hold(CHAINS, only, [2018], entries) == []
    assert land(CHAINS, only, [2020]).counts == {}
    assert yearly.landed_years(only.landing_dir, "chains") == {}, "a year that is not asked for leaves"
    with pytest.raises(SourceError, match="no row with a year"):
        years_to_hold(CHAINS, settings, [], entries)
