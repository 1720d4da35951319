"""The contagion marts: hand-worked values by dbt, and the example of the shared folder where a machine has it."""

from __future__ import annotations

import pytest

from tests.helpers.built_contagion import Built
from tests.helpers.contagion_desk import HEADERS, Desk
from tests.helpers.dbt_command import dbt
from tests.helpers.real_files import DROP

EXAMPLE = DROP.parent / "contagion"
# A supplier without returns, a late listing, a thin stock and one that was split.
LEFT_OUT = {"S24": "no_returns", "P0202": "too_few_returns", "P0101": "thin_trading", "S03": "possible_split"}


def test_hand_worked_values(built: Built) -> None:
    dbt(built.root, "test", "--select", "fqn:*.contagion.*,test_type:unit")


@pytest.fixture(scope="module")
def example(tmp_path_factory: pytest.TempPathFactory) -> Built:
    if not EXAMPLE.is_dir():
        pytest.skip("the example is not on this machine")
    desk = Desk(tmp_path_factory.mktemp("example"))
    for name in HEADERS:
        for path in EXAMPLE.glob(f"{name}.csv*"):
            desk.write(path.read_bytes(), path.name)
    return Built(desk)


def test_the_example_is_accounted_for(example: Built) -> None:
    (returns,) = (count for source, count in example.landed.counts.items() if source.endswith("/returns"))
    assert (returns.rows_read, returns.landed) == (47537, 47534)
    assert returns.quarantined == {"bad_return": 1, "conflicting_duplicate": 2}


def test_the_example_has_the_spread_that_was_put_in(example: Built) -> None:
    """Of 9 industries 3 with contagion, which hold 16 of the 24 suppliers, on the day of the event."""
    (row,) = (each for each in example.mart("contagion_summary") if each["window"] == "d0")
    asked = ("n_industries", "n_contagion", "n_suppliers", "n_suppliers_in_contagion", "n_suppliers_measured")
    assert [row[name] for name in asked] == [9, 3, 24, 16, 21]
    verdicts = [each for each in example.mart("contagion_industries") if each["window"] == "d0"]
    found = {each["industry"] for each in verdicts if each["verdict"] == "contagion"}
    assert found == {"industry 1", "industry 2", "industry 3"}


def test_the_examples_traps_are_left_out_with_their_reasons(example: Built) -> None:
    rows = [each for each in example.mart("contagion_firms") if each["window"] == "m1p1" and each["reason"]]
    assert {each["security_id"]: each["reason"] for each in rows} == LEFT_OUT
