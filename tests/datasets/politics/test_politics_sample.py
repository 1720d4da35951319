"""The sample's ideal points: the same bytes everywhere, every trap in them, and what landing must make of them."""

from __future__ import annotations

import csv
import hashlib
import io

import pytest

from dagster_project.datasets.politics import sample
from dagster_project.datasets.politics.dataset import POLITICS
from dagster_project.datasets.politics.landing import REPAIRS
from dagster_project.sample import areas
from dagster_project.sample.reporting import YEARS
from tests.helpers.politics_desk import Desk

# Changes with every change of the table. It must not change with the machine, the Python or the NumPy version.
SHA256 = "3c877bb083159113e2e7468d291f22569d380b21ff3dcc6136b66de330141f0b"


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Desk:
    desk = Desk(tmp_path_factory.mktemp("sample"))
    desk.write_sample()
    desk.land()
    return desk


def test_same_bytes_on_every_machine() -> None:
    ((_, body, _),) = sample.politics_files()
    assert hashlib.sha256(body).hexdigest() == SHA256


def test_it_has_the_shape_of_the_authors_table() -> None:
    ((_, body, n_rows),) = sample.politics_files()
    text = body.decode()
    header, first = text.split("\r\n")[:2]
    assert header.startswith('"","ccode","session","NVotesAll","IdealPointAll","QO%All"') and first.startswith('"1",2,')
    rows = list(csv.DictReader(io.StringIO(text, newline="")))
    assert len(rows) == n_rows and len(rows[0]) == 20
    assert all(-3 < float(row["IdealPointAll"]) < 3 for row in rows if row["IdealPointAll"] != "NA")


def test_every_economy_that_votes_has_a_point_and_hong_kong_and_taiwan_have_none(desk: Desk) -> None:
    found = {row["iso3"] for row in desk.rows("from points")}
    economies = {economy.iso3 for economy in areas.economies()}
    assert economies - found == {"HKG", "S19"}
    assert found - economies == {"SRB", "ROU", "TLS", "YAR", "YEM"}
    assert max(YEARS) == sample.LAST_YEAR and min(YEARS) > sample.FIRST_YEAR + 2


def test_every_point_is_landed_once(desk: Desk) -> None:
    found = {(row["ccode"], row["year"]): row for row in desk.rows("from points")}
    truth = {(vote.ccode, vote.year): vote for vote in sample.votes() if vote.point is not None}
    assert found.keys() == truth.keys()
    for key, vote in truth.items():
        row = found[key]
        assert (row["iso3c"], row["ideal_point"], row["n_votes"]) == (vote.printed, vote.point, vote.n_votes)


def test_every_trap_is_met(desk: Desk) -> None:
    counted = desk.counted()
    assert counted["duplicate_equal"] == 1 and counted["no_point"] == 1
    # Yugoslavia, Romania and East Timor; Congo stands as Zaire.
    assert {name.removeprefix("noted:repaired_") for name in counted if name.startswith("noted:")} == set(REPAIRS)
    shared = desk.rows("select year, count(*) as n from points where iso3 = 'YAR' group by 1 having n > 1 order by 1")
    assert [row["year"] for row in shared] == [1988, 1989]
    years = {
        iso3: {row["year"] for row in desk.rows(f"from points where iso3 = '{iso3}'")}
        for iso3 in ("PER", "NGA", "AZE", "VNM")
    }
    assert {year for year in YEARS if year not in years["PER"]} == {2018}
    assert max(years["NGA"]) == 2017 and max(years["AZE"]) == 2015 and max(years["VNM"]) == 2018
    assert desk.rows("select count(*) as n from points where n_votes is null") == [{"n": 1}]


def test_the_declaration_names_what_landing_writes(desk: Desk) -> None:
    for table in POLITICS.tables:
        pattern = table.files(desk.landing)
        assert list(pattern.parent.glob(pattern.name)), table.name
