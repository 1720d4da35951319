"""The tariff models on the sample's requests, beside trade of a dozen goods without a request: marts are still built.

Unit tests with hand-worked values lie beside the models; here the marts are held against the sample's own requests.
"""

from __future__ import annotations

from collections import Counter
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest

from dagster_project.archive.store import Archive
from dagster_project.datasets import samples as sample
from dagster_project.datasets.tariffs import sample_requests as tariffs
from dagster_project.datasets.tariffs.landing import land as land_tariffs
from dagster_project.datasets.tariffs.sample import UNKNOWN_NOTE
from dagster_project.datasets.tariffs.values import parse_status
from tests.helpers.dbt_command import build
from tests.helpers.steps import load_of
from tests.helpers.tiny_landing import random_world, write_landing

Row = dict[str, Any]


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("tariffs")
    write_landing(root / "landing", random_world(1))
    archive = Archive(root / "archive")
    found = [payload for payload in sample.payloads() if payload.dataset == "tariffs"]
    entries = [archive.put(payload, retrieved_at=datetime(2026, 1, 1, tzinfo=UTC)) for payload in found]
    land_tariffs(load_of(archive, entries, root / "landing"))
    build(root, "--selector", "trade")
    build(root, "--select", "fqn:*.tariffs.*")
    return root / "warehouse.duckdb"


def table(warehouse: Path, query: str) -> list[Row]:
    with duckdb.connect(str(warehouse), read_only=True) as connection:
        found = connection.execute(query)
        names = [column[0] for column in found.description]
        return [dict(zip(names, row, strict=True)) for row in found.fetchall()]


def test_rates_are_those_of_the_sample(warehouse: Path) -> None:
    truth = Counter((request.list_id, parse_status(request.status)) for request in tariffs.requests())
    for row in table(warehouse, "from marts.exclusion_rates"):
        # The research table has no word for a partial grant, a withdrawal or an unknown word: list 4A is partly in it.
        if row["list_id"] == "4A":
            assert row["requests"] == sum(n for (list_id, _), n in truth.items() if list_id == "4A")
            continue
        granted = truth[row["list_id"], "granted"] + truth[row["list_id"], "partially_granted"]
        denied = truth[row["list_id"], "denied"]
        assert (row["granted"], row["denied"]) == (granted, denied)
        assert row["partially_granted"] == truth[row["list_id"], "partially_granted"]
        assert row["withdrawn"] == truth[row["list_id"], "withdrawn"]
        assert row["status_unknown"] == truth[row["list_id"], "unknown"]
        assert row["approval_share"] == granted / (granted + denied)
    (list_3,) = table(warehouse, "from marts.exclusion_rates where list_id = '3'")
    assert list_3["top_requester"] == tariffs.LARGEST_FILER
    assert list_3["approval_share_without_top_requester"] > list_3["approval_share"]
    assert list_3["not_on_list"] > 0


def test_duty_and_covered_trade_by_list(warehouse: Path) -> None:
    found = {row["list_id"]: row for row in table(warehouse, "from marts.exclusion_rates")}
    for duty in ("additional_duty", "scheduled_duty"):
        assert {key: row[duty] for key, row in found.items()} == {"1": 0.25, "2": 0.25, "3": 0.25, "4A": 0.075}
    assert {row["schedule_edition"] for row in found.values()} == {"2026HTSRev20"}
    for list_id in ("1", "2", "3"):
        expected = sum(line.imports_2017_usd for line in tariffs.lines() if line.list_id == list_id)
        assert found[list_id]["covered_trade_usd"] == expected
    assert found["4A"]["covered_trade_usd"] is None


def test_a_suspended_heading_adds_no_duty(warehouse: Path) -> None:
    (row,) = table(warehouse, "from staging.stg_tariff_headings where heading = '9903.88.16'")
    assert row["is_suspended"] and row["additional_duty"] is None and "+ 15%" in row["general_rate"]


def test_lines_are_split_between_the_halves_of_list_4(warehouse: Path) -> None:
    rows = table(warehouse, "select list_id, count(*) as n from intermediate.int_tariff_list_lines group by 1")
    assert {row["list_id"]: row["n"] for row in rows} == Counter(line.list_id for line in tariffs.lines())


def test_determinants_without_trade_are_null_and_keep_every_request(warehouse: Path) -> None:
    rows = table(warehouse, "from marts.exclusion_determinants")
    assert sum(row["requests"] for row in rows) == len(tariffs.requests())
    assert all(row["us_import_value_usd"] is None and row["china_import_share"] is None for row in rows)


def test_the_regression_says_that_it_cannot_be_estimated(warehouse: Path) -> None:
    rows = table(warehouse, "from marts.exclusion_regression where term = 'china_import_share'")
    assert len(rows) == 4
    assert all(row["estimate"] is None and row["n"] == 0 and "not estimable" in row["note"] for row in rows)


def test_intervals_cover_each_day_once_and_unknown_ends_stay_unknown(warehouse: Path) -> None:
    """Against the plainest merging there is: day by day."""
    exclusions = table(warehouse, "from intermediate.int_exclusion_intervals where valid_to is not null")
    days: dict[tuple[str, str], set[int]] = {}
    for row in exclusions:
        span = range(row["valid_from"].toordinal(), row["valid_to"].toordinal() + 1)
        days.setdefault((row["list_id"], row["hts10"]), set()).update(span)
    merged: dict[tuple[str, str], list[int]] = {}
    in_force = table(warehouse, "from marts.exclusions_in_force")
    for row in in_force:
        if row["valid_to"] is not None:
            span = range(row["valid_from"].toordinal(), row["valid_to"].toordinal() + 1)
            merged.setdefault((row["list_id"], row["hts10"]), []).extend(span)
    assert {key: sorted(values) for key, values in merged.items()} == {key: sorted(days[key]) for key in days}
    unknown = [row for row in in_force if row["valid_to"] is None]
    assert [(row["document"], row["validity_basis"]) for row in unknown] == [(UNKNOWN_NOTE, "end_unknown")]
    assert unknown[0]["valid_from"] == date(2018, 7, 6)


def test_extended_exclusions_last_longer_and_reinstated_ones_leave_a_gap(warehouse: Path) -> None:
    rows = table(warehouse, "from marts.exclusions_in_force where list_id = '3' order by hts10, valid_from")
    documents = {row["document"] for row in rows}
    assert {"20(iii); 20(p)", "20(vvv(iii))"} <= documents
    ends = {row["document"]: row["valid_to"] for row in rows}
    assert ends["20(p)"] == date(2020, 8, 7) and ends["20(iii); 20(p)"] == date(2020, 12, 31)
