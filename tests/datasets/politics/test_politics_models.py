"""The models of politics: the sample's ideal points beside trade of nine economies.

Unit tests with hand-worked values lie beside the models.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import duckdb
import pytest

from dagster_project.datasets.politics import sample
from dagster_project.sample.reporting import YEARS
from tests.helpers.dbt_command import build, dbt
from tests.helpers.politics_desk import Desk, row
from tests.helpers.politics_desk import table as points_table
from tests.helpers.tiny_landing import random_world, write_landing

# The models with all that they are made from; tests that also read other marts are the trade models' own.
POLITICS = ("--select", "fqn:chokepoint.politics", "fqn:*.politics.*", "+fqn:chokepoint.marts.politics")
OWN_TESTS = ("--indirect-selection", "cautious")
# Azerbaijan has no point in 2018 (its newest is of 2015), Taiwan none in any year.
ECONOMIES = ("USA", "CHN", "JPN", "DEU", "FRA", "BRA", "HKG", "AZE", "TWN")


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("politics")
    desk = Desk(root)
    desk.write_sample()
    desk.land()
    world = random_world(1)
    world.countries.update(zip(world.countries, ECONOMIES, strict=True))
    write_landing(root / "landing", world)
    build(root, *POLITICS, *OWN_TESTS)
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


def exposures(warehouse: Path, year: int, *columns: str) -> dict[str, list[Any]]:
    with duckdb.connect(str(warehouse / "warehouse.duckdb"), read_only=True) as connection:
        query = f"select importer_iso3, {', '.join(columns)} from marts.political_exposure where year = {year}"
        return {iso3: rest for iso3, *rest in connection.execute(query).fetchall()}


def test_an_importer_without_a_point_has_what_needs_none(warehouse: Path) -> None:
    columns = ("risk_econ", "risk_capability", "ideal_point", "risk_pol", "pol_ratio_own", "share_unscored")
    for year, without in ((2017, {"TWN"}), (2018, {"TWN", "AZE"})):
        found = exposures(warehouse, year, *columns)
        for iso3, (econ, capability, *of_points) in found.items():
            assert econ > 0 and capability > 0
            assert [value is None for value in of_points] == [iso3 in without] * len(of_points), iso3
    assert exposures(warehouse, 2017, "ideal_point_year")["AZE"] == [2015]


def test_hong_kong_has_chinas_point_and_is_close_to_it(warehouse: Path) -> None:
    with duckdb.connect(str(warehouse / "warehouse.duckdb"), read_only=True) as connection:
        query = """
            select distinct distance, closeness from marts.political_exposure_supplier
            where importer_iso3 = 'CHN' and exporter_iso3 = 'HKG'
        """
        assert connection.execute(query).fetchall() == [(0.0, "close")]


def test_years_long_after_the_last_session_are_left_out_and_one_state_measures_nothing(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.write(points_table(row(710, 71, 0.5, "CHN"), row(2, 70, 2.5, "USA")))  # 2016 and 2015
    desk.land()
    world = random_world(1, years=(2017, 2018, 2019))
    world.countries.update(zip(world.countries, ECONOMIES, strict=True))
    write_landing(tmp_path / "landing", world)
    build(tmp_path, *POLITICS, *OWN_TESTS)
    assert exposures(tmp_path, 2017, "risk_pol")["CHN"][0] > 0
    # In 2018 the point of the United States is three years old.
    alone = exposures(tmp_path, 2018, "risk_econ", "risk_pol", "share_close", "ideal_point")["CHN"]
    assert alone[0] > 0 and alone[1:] == [None, None, 0.5]
    assert exposures(tmp_path, 2019, "risk_econ") == {}
