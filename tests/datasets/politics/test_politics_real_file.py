"""The authors' real table, where it lies beside the checkout; the repository holds no line of it."""

from __future__ import annotations

import pytest

from tests.helpers.politics_desk import Desk
from tests.helpers.real_files import DROP

REAL = DROP / "reference" / "IdealpointestimatesAll_Jun2024.csv"
pytestmark = pytest.mark.skipif(not REAL.is_file(), reason="no real file beside the checkout")


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Desk:
    desk = Desk(tmp_path_factory.mktemp("real"))
    desk.write(REAL.read_bytes(), REAL.name, "reference")
    landed = desk.land()
    assert not landed.warnings and landed.notes == {"repaired": {"YUG -> SRB": 70}}
    return desk


def test_every_row_is_landed(desk: Desk) -> None:
    assert desk.counted() == {"rows_read": 11238, "landed": 11238, "noted:repaired_YUG": 70}
    assert not desk.rows("from quarantine")
    assert REAL.read_bytes().count(b"\n") == 11239
    (last,) = desk.rows("from points order by source_row desc limit 1")
    assert last["source_row"] == 11239 and last["iso3"] == "WSM"


def test_sessions_and_range(desk: Desk) -> None:
    (facts,) = desk.rows("""
        select min(session) as first, max(session) as last, count(distinct session) as n,
            count(distinct ccode) as states, min(ideal_point) as lowest, max(ideal_point) as highest,
            max(year) as last_year
        from points
    """)
    assert (facts["first"], facts["last"], facts["n"], facts["states"]) == (1, 78, 77, 199)
    assert facts["last_year"] == 2023
    assert (facts["lowest"], facts["highest"]) == pytest.approx((-3.146242, 3.222513))
    assert not desk.rows("from points where session = 19"), "the session of 1964 held no recorded votes"


def test_serbia_has_a_point_to_the_last_session(desk: Desk) -> None:
    rows = desk.rows("select session, iso3c from points where iso3 = 'SRB' order by session")
    assert (rows[0]["session"], rows[-1]["session"], len(rows)) == (1, 78, 70)
    assert {row["iso3c"] for row in rows} == {"YUG"}
    assert not desk.rows("from points where iso3 in ('YUG', 'ROM', 'ZAR', 'TMP')")


def test_only_the_two_yemens_share_a_code_in_sessions_22_to_44(desk: Desk) -> None:
    shared = desk.rows("select iso3, session from points group by all having count(*) > 1 order by session")
    assert {row["iso3"] for row in shared} == {"YAR"}
    assert [row["session"] for row in shared] == list(range(22, 45))


def test_which_states_have_no_point(desk: Desk) -> None:
    recent = {row["iso3"] for row in desk.rows("from points where session = 78")}
    assert len(recent) == 192
    assert not {"TWN", "PSE", "XKX", "VAT", "HKG", "VEN"} & recent
    (taiwan,) = desk.rows("select max(session) as last from points where iso3 = 'TWN'")
    assert taiwan["last"] == 26
