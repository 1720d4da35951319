"""The models of ideal points on the sample: no trade is needed. Unit tests with hand-worked values lie beside them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import duckdb
import pytest

from dagster_project.datasets.politics import sample
from dagster_project.sample.reporting import YEARS
from tests.helpers.dbt_command import build, dbt
from tests.helpers.politics_desk import Desk

POLITICS = ("--select", "fqn:chokepoint.politics", "fqn:*.politics.*")


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("politics")
    desk = Desk(root)
    desk.write_sample()
    desk.land()
    build(root, *POLITICS)
    return root


def points(warehouse: Path, where: str) -> dict[tuple[str, int], dict[str, Any]]:
    with duckdb.connect(str(warehouse / "warehouse.duckdb"), read_only=True) as connection:
        found = connection.execute(f"from intermediate.int_ideal_points where {where}")
        names = [column[0] for column in found.description]
        rows = [dict(zip(names, row, strict=True)) for row in found.fetchall()]
    return {(row["iso3"], row["year"]): row for row in rows}


def voted(iso3: str, year: int) -> float | None:
    ccode = sample.CCODES[iso3]
    return next(vote.point for vote in sample.votes() if (vote.ccode, vote.year) == (ccode, year))


def test_hand_worked_values(warehouse: Path) -> None:
    dbt(warehouse, "test", "--select", "fqn:*.politics.*,test_type:unit")


def test_a_point_is_that_of_the_year_or_at_most_two_years_old(warehouse: Path) -> None:
    found = points(warehouse, f"year between {min(YEARS)} and {max(YEARS)}")
    asked = [("PER", 2018, 2017), ("NGA", 2019, 2017), ("AZE", 2017, 2015), ("VNM", 2019, 2018), ("USA", 2019, 2019)]
    for iso3, year, of_year in asked:
        row = found[iso3, year]
        assert (row["ideal_point_year"], row["ideal_point"]) == (of_year, voted(iso3, of_year))
    assert not {("AZE", 2018), ("AZE", 2019)} & found.keys()
    assert all(row["ideal_point"] is not None for row in found.values())


def test_areas_take_the_point_of_the_state_that_speaks_for_them_and_taiwan_none(warehouse: Path) -> None:
    found = points(warehouse, "year = 2018")
    for area, state in (("HKG", "CHN"), ("GRL", "DNK"), ("BMU", "GBR"), ("ANT", "NLD"), ("COK", "NZL")):
        if state in sample.CCODES:
            row = found[area, 2018]
            assert (row["state_iso3"], row["ideal_point"]) == (state, voted(state, 2018))
        else:
            assert (area, 2018) not in found
    assert not {"TWN", "S19", "PSE", "XKX", "VAT"} & {iso3 for iso3, _ in found}


def test_a_code_that_two_states_share_has_no_point(warehouse: Path) -> None:
    found = points(warehouse, "iso3 in ('YAR', 'YEM')")
    assert {year: row["n_states"] for (iso3, year), row in found.items() if iso3 == "YAR"} == {
        1988: 2, 1989: 2, 1990: 1, 1991: 1, 1992: 1,
    }  # fmt: skip
    assert found["YAR", 1989]["ideal_point"] is None and found["YAR", 1992]["ideal_point_year"] == 1990
    assert min(year for iso3, year in found if iso3 == "YEM") == 1991


def test_points_reach_two_years_beyond_the_last_session(warehouse: Path) -> None:
    assert max(year for _, year in points(warehouse, "true")) == sample.LAST_YEAR + 2
