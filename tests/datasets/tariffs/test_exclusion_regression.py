"""The regression of the grant decision: finds what was put in, clusters by good, says what it cannot estimate."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from dagster_project.datasets.tariffs.exclusion_regression import SCHEMA, SPECIFICATIONS, estimate

Results = dict[tuple[str, str], dict[str, Any]]


def decisions(goods: int = 120, per_good: int = 12, seed: int = 1) -> pd.DataFrame:
    """Requests whose chance of a grant is known: log-odds −1 + 2·share − 0.5·list 3, and −4 for the largest filer."""
    draw = np.random.default_rng(seed)
    rows = []
    for good in range(goods):
        share, suppliers, central = draw.random(), int(draw.integers(1, 40)), draw.random()
        use = draw.integers(0, 3)
        for request in range(per_good):
            list_id, largest = ("1", "3")[request % 2], request == 0
            odds = -1 + 2 * share - 0.5 * (list_id == "3") - 4 * largest
            rows.append(
                {
                    "request_id": f"{good:03}-{request:02}",
                    "list_id": list_id,
                    "hs6": f"{840000 + good}",
                    "is_granted": bool(draw.random() < 1 / (1 + np.exp(-odds))),
                    "is_largest_filer": largest,
                    "china_import_share": share,
                    "us_suppliers": suppliers,
                    "export_centrality": central,
                    "is_intermediate": bool(use == 0),
                    "is_consumption": bool(use == 1),
                }
            )
    return pd.DataFrame(rows)


def results(frame: pd.DataFrame) -> Results:
    table = estimate(frame)
    assert table.schema == SCHEMA
    return {(row["specification"], row["term"]): row for row in table.to_pylist()}


def test_it_finds_what_was_put_in() -> None:
    found = results(decisions())
    for term, true in (("china_import_share", 2.0), ("list_3", -0.5), ("intercept", -1.0)):
        row = found["trade_and_end_use_without_largest_filer", term]
        assert abs(row["estimate"] - true) < 3 * row["std_error"]
    share = found["trade_and_end_use_without_largest_filer", "china_import_share"]
    assert share["p_value"] < 1e-6 and share["note"] is None
    assert share["odds_ratio"] == pytest.approx(np.exp(share["estimate"]))
    assert (share["n"], share["n_clusters"]) == (120 * 11, 120)
    assert found["trade_and_end_use", "china_import_share"]["n"] == 120 * 12
    assert found["trade_and_end_use", "log_us_suppliers"]["p_value"] > 0.01


def test_every_specification_has_every_term() -> None:
    found = results(decisions())
    assert {specification for specification, _ in found} == {each.name for each in SPECIFICATIONS}
    assert [term for specification, term in found if specification == "end_use"] == [
        "intercept",
        "intermediate",
        "consumption",
        "list_3",
    ]


def test_errors_are_clustered_by_good() -> None:
    """Each request ten times over: the estimate stays, and so does the error, which knows that they are no news."""
    once = decisions(per_good=3)
    tenfold = pd.concat([once.assign(request_id=once["request_id"] + f"-{copy}") for copy in range(10)])
    key = ("trade_and_end_use", "china_import_share")
    one, ten = results(once)[key], results(tenfold)[key]
    assert ten["estimate"] == pytest.approx(one["estimate"], abs=1e-6)
    assert ten["std_error"] == pytest.approx(one["std_error"], rel=0.02)
    assert ten["n"] == 10 * one["n"]


def test_the_order_of_the_rows_changes_nothing() -> None:
    frame = decisions(goods=40)
    assert results(frame) == results(frame.sample(frac=1, random_state=3))


def test_rows_without_trade_leave_only_the_specifications_that_need_it() -> None:
    frame = decisions()
    frame.loc[frame["hs6"] > "840059", "china_import_share"] = None
    found = results(frame)
    assert found["trade_and_end_use", "china_import_share"]["n_clusters"] == 60
    assert found["end_use", "intermediate"]["n_clusters"] == 120


def test_no_trade_at_all_is_noted() -> None:
    frame = decisions(goods=10).assign(china_import_share=None, us_suppliers=None, export_centrality=None)
    row = results(frame)["trade_and_end_use", "china_import_share"]
    assert (row["estimate"], row["std_error"], row["p_value"], row["n"]) == (None, None, None, 0)
    assert row["note"].startswith("not estimable: too few observations (0 requests")


def test_no_rows_at_all() -> None:
    found = results(decisions(goods=1).iloc[:0])
    assert all(row["estimate"] is None and row["note"] for row in found.values())


def test_a_list_decided_all_alike_is_left_out_with_its_rows() -> None:
    frame = decisions()
    frame.loc[frame["list_id"] == "3", "is_granted"] = False
    found = results(frame)
    row = found["end_use", "list_3"]
    assert row["estimate"] is None
    assert row["note"] == "left out: each of the 720 requests with it was denied"
    assert found["end_use", "intermediate"]["n"] == 720
    assert found["end_use", "intermediate"]["estimate"] is not None


def test_a_share_that_tells_grants_apart_perfectly_has_no_finite_estimate() -> None:
    frame = decisions()
    frame["is_granted"] = frame["china_import_share"] > 0.5
    row = results(frame)["trade_and_end_use_without_largest_filer", "china_import_share"]
    assert row["estimate"] is None and "no finite maximum" in row["note"]


def test_a_term_that_does_not_vary_is_left_out() -> None:
    row = results(decisions().assign(is_consumption=False))["end_use", "consumption"]
    assert (row["estimate"], row["note"]) == (None, "left out: the same for every observation")


def test_grants_only_among_intermediate_goods_leave_the_others_out() -> None:
    frame = decisions()
    frame.loc[~frame["is_intermediate"], "is_granted"] = False
    found = results(frame)
    others = int((~frame["is_intermediate"]).sum())
    note = found["china_share", "intermediate"]["note"]
    assert note == f"left out: each of the {others} requests without it was denied"
    assert found["china_share", "china_import_share"]["n"] == len(frame) - others
    assert found["china_share", "china_import_share"]["estimate"] is not None


def test_few_events_and_few_goods_are_a_caution() -> None:
    note = results(decisions(goods=30, per_good=4))["trade_and_end_use", "china_import_share"]["note"]
    assert note == (
        "fewer than 10 decisions of the rarer kind per term; fewer than 40 goods, so errors are understated: "
        "read with care"
    )
