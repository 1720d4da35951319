"""The landing of market returns: columns, what is set aside or quarantined, and files that are refused."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from dagster_project.errors import SourceError
from tests.helpers.contagion_desk import HEADERS, SOUND, Desk


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def test_the_four_files_become_typed_rows(desk: Desk) -> None:
    desk.write_files()
    landed = desk.land()
    assert landed.rows == {name: len(SOUND[name.removeprefix("contagion_")]) for name in landed.rows}
    (event,) = desk.rows("select * exclude (archive_entry, source_row) from contagion_events")
    assert [str(value) for value in event.values()] == ["E1", "2019-05-16", "False", "made up"]
    assert desk.rows("select industry from contagion_securities where kind = 'index'") == [{"industry": None}]
    (entry,) = {each["archive_entry"] for each in desk.rows("from contagion_returns")}
    assert entry in {each.id for each in desk.archive.entries()}
    found = desk.rows("select simple_return, source_row from contagion_returns where security_id = 'S1'")
    assert found == [{"simple_return": -0.04, "source_row": 4}]
    assert desk.counted("returns") == {"rows_read": 4, "landed": 4}


def test_returns_may_be_gzipped_and_have_market_values(desk: Desk) -> None:
    desk.write_files()
    (desk.drop / "contagion/returns.csv").unlink()
    lines = ["date,security_id,return,market_cap", "2019-05-16,MKT,0.01,", "2019-05-16,S1,-0.04,1e9"]
    lines += ["2019-05-16,P1,0.01,unknown", "2019-05-17,P1,0.01,0"]
    desk.write(gzip.compress("\n".join(lines).encode()), "returns.csv.gz")
    desk.land()
    caps = desk.rows("select security_id, market_cap from contagion_returns order by all")
    assert [each["market_cap"] for each in caps] == [None, None, None, 1e9]
    assert desk.counted("returns") == {"rows_read": 4, "landed": 4, "noted:market_cap_unreadable": 2}


@pytest.mark.parametrize(
    ("table", "bad", "reason"),
    [
        ("events", "E2,2019-02-30,false,made up", "bad_date"),
        ("events", "E2,16.5.2019,false,made up", "bad_date"),
        ("events", "E2,2019-05-16,maybe,made up", "bad_after_close"),
        ("events", ",2019-05-16,false,made up", "no_id"),
        ("securities", ",industry 1,MKT,stock", "no_id"),
        ("securities", "X1,industry 1,MKT,bond", "unknown_kind"),
        ("securities", "X1,industry 1,,stock", "no_market"),
        ("roles", "E9,S1,supplier", "unknown_event"),
        ("roles", "E1,X9,supplier", "unknown_security"),
        ("roles", "E1,P1,friend", "unknown_role"),
        ("returns", "2019-5-16,S1,0.01", "bad_date"),
        ("returns", "2019-02-30,S1,0.01", "bad_date"),
        ("returns", "2019-05-17,X9,0.01", "unknown_security"),
        ("returns", "2019-05-17,S1,high", "bad_return"),
        ("returns", "2019-05-17,S1,inf", "bad_return"),
        ("returns", "2019-05-17,S1,nan", "bad_return"),
        ("returns", "2019-05-17,S1,-1", "bad_return"),
        ("returns", "2019-05-17,S1,-1.5", "bad_return"),
        ("returns", "2019-05-17,S1,0.01,more", "malformed_row"),
    ],
)
def test_rows_that_cannot_be_used_are_quarantined(desk: Desk, table: str, bad: str, reason: str) -> None:
    sound = SOUND[table]
    desk.write_files(**{table: [*sound, bad]})
    desk.land()
    assert desk.reasons() == [(reason, len(sound) + 2)]
    assert desk.counted(table) == {"rows_read": len(sound) + 1, "landed": len(sound), f"quarantined:{reason}": 1}
    (kept,) = desk.rows("select detail, raw from quarantine_contagion")
    assert kept["detail"] and kept["raw"]


def test_a_day_without_a_return_is_missing_and_stays_so(desk: Desk) -> None:
    desk.write_files(returns=[*SOUND["returns"], "2019-05-17,S1,", "2019-05-17,P1,NA"])
    desk.land()
    assert desk.counted("returns") == {"rows_read": 6, "landed": 4, "no_return": 2}


def test_equal_twins_count_once_and_contradictions_not_at_all(desk: Desk) -> None:
    twins = ["2019-05-16,S1,-0.040", "2019-05-16,P1,0.5"]
    desk.write_files(
        returns=[*SOUND["returns"], *twins], roles=["E1,S1,supplier", "E1,P1,customer", "E1,P1,competitor"]
    )
    desk.land()
    assert desk.counted("returns") == {
        "rows_read": 6, "landed": 3, "duplicate_equal": 1, "quarantined:conflicting_duplicate": 2
    }  # fmt: skip
    assert desk.counted("roles") == {"rows_read": 3, "landed": 1, "quarantined:conflicting_duplicate": 2}
    assert desk.reasons() == [("conflicting_duplicate", line) for line in (3, 4, 5, 7)]
    assert desk.rows("select source_row from contagion_returns where security_id = 'S1'") == [{"source_row": 4}]


def test_an_index_needs_no_row_of_its_own(desk: Desk) -> None:
    desk.write_files(securities=SOUND["securities"][1:])
    desk.land()
    assert desk.counted("returns") == {"rows_read": 4, "landed": 4}


@pytest.mark.parametrize("missing", HEADERS)
def test_a_file_that_is_missing_is_named(desk: Desk, missing: str) -> None:
    desk.write_files()
    (desk.drop / f"contagion/{missing}.csv").unlink()
    with pytest.raises(SourceError, match=rf"no {missing}\.csv.*CHOKEPOINT_RETURNS_SOURCE=off"):
        desk.land()


@pytest.mark.parametrize(("table", "column"), [("events", "after_close"), ("roles", "role"), ("returns", "return")])
def test_a_column_that_is_missing_is_named(desk: Desk, table: str, column: str) -> None:
    desk.write_files()
    header = HEADERS[table].replace(column, "other")
    desk.write("\n".join([header, *SOUND[table]]), f"{table}.csv")
    with pytest.raises(SourceError, match=rf"contagion/{table}\.csv, column {column}: found only the columns .*other"):
        desk.land()


@pytest.mark.parametrize("returns", [["101.5", "102.25", "99.875", "0.5"], ["1.2", "-3.4", "2.5", "0.1"]])
def test_prices_and_per_cents_are_never_taken_for_returns(desk: Desk, returns: list[str]) -> None:
    names = [line.rsplit(",", 1)[0] for line in SOUND["returns"]]
    desk.write_files(returns=[f"{name},{value}" for name, value in zip(names, returns, strict=True)])
    with pytest.raises(SourceError, match=r"returns\.csv, column return: found 3 of 4 values beyond 1 .*Prices"):
        desk.land()


def test_a_few_large_returns_are_returns(desk: Desk) -> None:
    desk.write_files(returns=[*SOUND["returns"], "2019-05-17,S1,2.5"])
    desk.land()
    assert desk.counted("returns")["landed"] == 5


def test_an_event_without_securities_is_refused(desk: Desk) -> None:
    desk.write_files(events=[*SOUND["events"], "E2,2019-05-17,false,made up"])
    with pytest.raises(SourceError, match=r"roles\.csv: found no row for the event E2; .*Add its suppliers"):
        desk.land()


def test_no_event_that_can_be_read_is_refused(desk: Desk) -> None:
    desk.write_files(events=["E1,yesterday,false,made up"])
    with pytest.raises(SourceError, match=r"events\.csv: found no event that can be read"):
        desk.land()


def test_a_market_without_returns_is_refused(desk: Desk) -> None:
    desk.write_files(securities=[*SOUND["securities"], "X1,industry 1,OTHER,stock"])
    with pytest.raises(SourceError, match=r"returns\.csv: found no return of the market OTHER"):
        desk.land()


def test_landing_again_replaces_the_tables(desk: Desk) -> None:
    desk.write_files(returns=[*SOUND["returns"], "2019-02-30,S1,0.01"])
    desk.land()
    desk.write_files(returns=SOUND["returns"][:2])
    desk.land()
    assert desk.counted("returns") == {"rows_read": 2, "landed": 2}
    assert desk.reasons() == []
