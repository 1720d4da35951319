"""The sample's market returns: synthetic, the same everywhere, with the traps that tests and readers look for."""

from __future__ import annotations

from dagster_project.datasets.contagion import sample
from tests.helpers.built_contagion import Built, Row


def test_everything_says_that_it_is_synthetic() -> None:
    assert all(label.startswith("synthetic: ") and name.startswith("SYN-") for name, _, _, label in sample.EVENTS)
    assert all(
        each.security_id.startswith("SYN-") and each.industry.startswith("synthetic ") for each in sample.stocks()
    )


def test_every_row_is_accounted_for(built: Built) -> None:
    (returns,) = (count for source, count in built.landed.counts.items() if source.endswith("/returns"))
    assert returns.rules == {"no_return": 1, "duplicate_equal": 1}
    assert returns.quarantined == {"bad_date": 1, "unknown_security": 1, "bad_return": 1, "conflicting_duplicate": 2}
    assert not built.landed.warnings


def firms(built: Built, **values: object) -> list[Row]:
    return [row for row in built.mart("contagion_firms") if values.items() <= row.items()]


def reason(built: Built, event: str, security: str, window: str) -> str | None:
    (row,) = firms(built, event_id=event, security_id=security, window=window)
    found: str | None = row["reason"]
    return found


def test_the_traps_are_told_apart(built: Built) -> None:
    asked = {
        sample.SPLIT: "possible_split", sample.WITHOUT_RETURNS: "no_returns", sample.TOO_THIN: "thin_trading",
        sample.LATE: "too_few_returns", sample.SUSPENDED: "no_trade_in_window",
    }  # fmt: skip
    assert {name: reason(built, sample.SANCTION, name, "d0") for name in asked} == asked
    assert reason(built, sample.SANCTION, sample.SUSPENDED, "m1p1") is None
    assert {row["reason"] for row in firms(built, event_id=sample.BANKRUPTCY, window="m5p5")} == {"window_outside_data"}
    (thin,) = firms(built, event_id=sample.SANCTION, security_id=sample.THIN, window="m5p5")
    assert thin["thin"] and thin["reason"] is None and thin["car_dimson"] is not None


def test_the_shock_is_found_where_it_was_put_in(built: Built) -> None:
    rows = built.mart("contagion_industries")
    found = {row["industry"]: row for row in rows if (row["event_id"], row["window"]) == (sample.SANCTION, "d0")}
    assert {name: row["verdict"] for name, row in found.items()} == {
        "synthetic A": "contagion", "synthetic B": "contagion", "synthetic C": "none", "synthetic D": "none",
        "synthetic E": None,
    }  # fmt: skip
    assert found["synthetic E"]["reason"] == "too_few_peers"
    assert [name for name, row in found.items() if row["car_vw"] is not None] == ["synthetic A"]
    (summary,) = (
        row for row in built.mart("contagion_summary") if (row["event_id"], row["window"]) == (sample.SANCTION, "d0")
    )
    assert (summary["n_industries"], summary["n_contagion"], summary["n_suppliers"]) == (5, 2, 9)
    assert summary["n_suppliers_in_contagion"] == 5 and summary["supplier_caar"] < -0.02


def test_days_of_another_market_are_its_own(built: Built) -> None:
    (row,) = firms(built, event_id=sample.BANKRUPTCY, security_id="SYN-CP2", window="d0")
    assert str(row["day_zero"]) == "2019-07-02"
