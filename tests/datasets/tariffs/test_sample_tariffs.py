"""The sample's tariff tables: the same bytes everywhere, every trap in them, and what landing must make of them."""

from __future__ import annotations

import hashlib
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from dagster_project.archive.store import Archive
from dagster_project.datasets import samples as sample
from dagster_project.datasets.tariffs import sample_requests as tariffs
from dagster_project.datasets.tariffs.landing import land as land_tariffs
from dagster_project.datasets.tariffs.sample import UNKNOWN_NOTE, tariff_files
from dagster_project.datasets.tariffs.values import parse_status
from dagster_project.landing.loads import Landed
from tests.helpers.steps import load_of

# Changes with every change of these tables. It must not change with the machine, the Python or the NumPy version.
SHA256 = "eaca8832e3c588189ed7cb65c700efa979dddc64bfd71197e95ab9122f638b8e"


@pytest.fixture(scope="module")
def landed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Landed, Path]:
    root = tmp_path_factory.mktemp("sample")
    archive = Archive(root / "archive")
    found = [payload for payload in sample.payloads() if payload.dataset == "tariffs"]
    entries = [archive.put(payload, retrieved_at=datetime(2026, 1, 1, tzinfo=UTC)) for payload in found]
    return land_tariffs(load_of(archive, entries, root / "landing")), root / "landing"


def rows(landing: Path, table: str) -> list[dict[str, Any]]:
    return pq.read_table(landing / f"{table}.parquet").to_pylist()


def test_same_bytes_on_every_machine() -> None:
    digest = hashlib.sha256()
    for path, body, _ in tariff_files():
        digest.update(path.encode() + body)
    assert digest.hexdigest() == SHA256


def test_every_request_is_landed_once_as_it_stood_in_the_end(landed: tuple[Landed, Path]) -> None:
    found = {row["request_id"]: row for row in rows(landed[1], "tariff_requests")}
    truth = {request.request_id: request for request in tariffs.requests()}
    assert found.keys() == truth.keys()
    for request_id, row in found.items():
        request = truth[request_id]
        assert (row["list_id"], row["hts10"], row["requester"]) == (request.list_id, request.hts10, request.requester)
        if row["layout"] == "research":  # three flags hold neither partial grants nor words
            continue
        assert row["status"] == parse_status(request.status), request


def test_every_trap_is_met(landed: tuple[Landed, Path]) -> None:
    counts, notes = landed[0].counts["sample requests"], landed[0].notes["sample requests"]
    assert {"not_a_request", "duplicate_equal", "duplicate_superseded"} <= counts.rules.keys()
    assert set(counts.quarantined) == {"hts_length", "hts_rounded", "malformed_row"}
    assert min(notes["noted:hts_zero_padded"], notes["noted:status_unknown"], notes["noted:date_unreadable"]) > 0
    assert {row["layout"] for row in rows(landed[1], "tariff_requests")} == {
        "lists_1_2",
        "lists_3_4a",
        "portal",
        "research",
        "scrape",
    }
    assert set(landed[0].counts["sample exclusions"].quarantined) == {"hts_missing", "list_unknown"}
    assert landed[0].counts["sample exclusions"].rules == {"deleted_exclusion": 1}
    assert any("Referred to the Committee" in warning for warning in landed[0].warnings)


def test_some_requests_name_a_line_that_no_list_has(landed: tuple[Landed, Path]) -> None:
    lines = {row["hts8"] for row in rows(landed[1], "tariff_lists")}
    outside = [row for row in rows(landed[1], "tariff_requests") if row["hts8"] not in lines]
    assert 5 < len(outside) < 100


def test_exclusions_overlap_are_extended_and_one_note_is_unknown(landed: tuple[Landed, Path]) -> None:
    exclusions = rows(landed[1], "tariff_exclusions")
    notes_of_code: dict[tuple[str, str], set[str]] = {}
    for row in exclusions:
        notes_of_code.setdefault((row["list_id"], row["hts10"]), set()).add(row["document"])
    assert any({"20(p)", "20(w)"} <= notes for notes in notes_of_code.values())
    assert any({"20(p)", "20(iii)", "20(vvv(iii))"} <= notes for notes in notes_of_code.values())
    assert any(row["document"] == UNKNOWN_NOTE for row in exclusions)
    assert any(row["valid_to"] is not None for row in exclusions)
    assert any(len(row["hts10"]) == 8 for row in exclusions)


def test_largest_filer_and_grants_are_there_to_be_found() -> None:
    of_requester = Counter(request.requester for request in tariffs.requests())
    assert of_requester.most_common(1)[0][0] == tariffs.LARGEST_FILER
    granted = Counter(request.list_id for request in tariffs.requests() if parse_status(request.status) == "granted")
    assert granted.keys() == {"1", "2", "3", "4A"} and min(granted.values()) >= 15
