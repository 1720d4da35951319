"""Ideal points from Harvard Dataverse over real sockets: which file is taken, when it is asked for, what is refused."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import requests

from dagster_project.archive.payload import Payload
from dagster_project.datasets.politics import web
from dagster_project.errors import Deferred, SourceError
from tests.contract.conftest import Bench
from tests.contract.server import faults
from tests.contract.server.dataverse import Deposit

LIST, FILES, STORAGE = r"/versions/:latest/files", "/api/access/datafile/", "/dataverse/storage/"
NAME = "IdealpointestimatesAll_Jun2024.csv"


def body(payload: Payload) -> bytes:
    assert isinstance(payload.body, Path)
    return payload.body.read_bytes()


def deposit(bench: Bench, name: str = NAME) -> Deposit:
    return next(each for each in bench.contract.world.deposits if each.name == name)


def change(bench: Bench, **changes: Any) -> None:
    """Change the table of ideal points in the data set."""
    world = bench.contract.world
    world.deposits = [replace(each, **changes) if each.name == NAME else each for each in world.deposits]


def refused(bench: Bench, *expected: str) -> SourceError:
    with bench.live() as live, pytest.raises(SourceError) as raised:
        web.fetch(live)
    assert all(part in str(raised.value) for part in expected), raised.value
    assert raised.value.remedy
    with bench.live() as live:
        assert not live.archive.entries()
    return raised.value


def test_the_table_comes_as_its_authors_uploaded_it_over_the_storage_host(bench: Bench) -> None:
    with bench.live() as live:
        found = web.fetch(live)
    (payload,) = found.payloads
    assert not found.ignored
    assert (payload.dataset, payload.part, payload.parameters["kind"]) == ("politics", NAME, "ideal_points")
    assert payload.parameters["published"] == "2024-06-20"
    assert body(payload) == deposit(bench).body
    assert payload.provenance.licence == "CC0 1.0" and not payload.provenance.synthetic
    assert payload.address == f"{bench.contract.url}/dataverse/api/access/datafile/10295878?format=original"
    listed, asked, stored = bench.contract.seen
    assert "persistentId=doi%3A10.7910%2FDVN%2FLEJUQZ" in listed.target
    assert asked.target.endswith("?format=original") and f"http://127.0.0.1:{stored.port}" == bench.contract.storage_url
    assert bench.calls("dataverse") == 2, "the storage host is no call of the service"
    assert not list((bench.home / "live/downloads").rglob("*Ideal*"))


def test_a_release_that_is_here_is_no_news_and_not_asked_for_again(bench: Bench) -> None:
    with bench.live() as live:
        assert web.changed(live)
        before = web.fetch(live)
        bench.contract.seen.clear()
        assert not web.changed(live)
        after = web.fetch(live)
        assert len(live.archive.entries()) == 1
    assert before.payloads == after.payloads
    assert bench.contract.count(LIST) == 2 and bench.contract.count("") == 2


def test_ids_that_change_alone_are_no_news(bench: Bench) -> None:
    with bench.live() as live:
        before = web.fetch(live)
        change(bench, file_id=11111111)
        bench.contract.seen.clear()
        assert not web.changed(live)
        assert web.fetch(live).payloads == before.payloads
    assert not bench.contract.count(FILES)


def test_a_new_release_is_news_and_is_found_under_its_new_id(bench: Bench) -> None:
    new = deposit(bench).body.replace(b"\r\n", b"\n")
    with bench.live() as live:
        before = web.fetch(live)
        change(bench, file_id=12345678, name="IdealpointestimatesAll_Jul2025.csv", body=new, published="2025-07-11")
        assert web.changed(live)
        (payload,) = web.fetch(live).payloads
        assert not web.changed(live)
        assert len(live.archive.entries()) == 2, "the former release stays in the archive"
    assert payload.part == "IdealpointestimatesAll_Jul2025.csv" and body(payload) == new
    assert payload.address.split("?")[0].endswith("/12345678") and before.payloads[0].body != payload.body


def test_new_bytes_under_the_same_name_are_news(bench: Bench) -> None:
    with bench.live() as live:
        web.fetch(live)
        change(bench, body=deposit(bench).body.replace(b"\r\n", b"\n"))
        assert web.changed(live)
        assert body(web.fetch(live).payloads[0]) == deposit(bench).body


@pytest.mark.parametrize(
    ("older", "newer"),
    [
        # By day of release, then by the month in the name, then by id; the alphabet would take Jun2024 every time.
        (("Jun2024", "2024-06-20", 9), ("Jul2023", "2025-01-01", 1)),
        (("Jun2024", "2024-06-20", 9), ("Jul2025", "2024-06-20", 1)),
        (("Jun2024", "2024-06-20", 1), ("jun2024", "2024-06-20", 9)),
    ],
)
def test_of_several_releases_the_newest_is_taken(
    bench: Bench, older: tuple[str, str, int], newer: tuple[str, str, int]
) -> None:
    for suffix, published, file_id in (newer, older):
        name = f"Ideal point estimates_All_{suffix}.csv"
        bench.contract.world.deposits.insert(0, Deposit(file_id, name, suffix.encode(), published))
    bench.contract.world.deposits = bench.contract.world.deposits[:2]
    with bench.live() as live:
        (payload,) = web.fetch(live).payloads
    assert body(payload) == newer[0].encode()


def test_a_table_that_was_not_read_in_is_asked_for_as_it_is(bench: Bench) -> None:
    change(bench, read_in=False)
    with bench.live() as live:
        assert body(web.fetch(live).payloads[0]) == deposit(bench).body
    assert not bench.contract.count("format=original")


def test_tab_separated_text_in_place_of_the_original_is_refused(bench: Bench) -> None:
    bench.contract.world.ignores_format = True
    refused(bench, NAME, "tab-separated text: Dataverse's own form", "CHOKEPOINT_POLITICS_SOURCE=files")
    bench.contract.world.ignores_format = False
    with bench.live() as live:
        assert body(web.fetch(live).payloads[0]) == deposit(bench).body, "nothing of it was kept"


def test_content_with_another_md5_than_listed_is_refused(bench: Bench) -> None:
    change(bench, md5="0" * 32)
    refused(bench, NAME, "expected the file as uploaded, with MD5 " + "0" * 32)


def test_a_restricted_table_is_named_and_no_older_one_taken(bench: Bench) -> None:
    change(bench, restricted=True)
    world = bench.contract.world
    world.deposits.append(replace(deposit(bench), file_id=1, published="2020-01-01", restricted=False))
    refused(bench, NAME, "access is restricted", "drop folder")
    assert not bench.contract.count(FILES)


def test_a_file_that_turns_out_to_be_restricted_is_not_tried_again(bench: Bench) -> None:
    text = json.dumps({"status": "ERROR", "message": "You do not have permission to download this file."})
    bench.contract.fail(FILES, faults.body_of(403, text), times=9)
    refused(bench, "HTTP 403", "You do not have permission")
    assert bench.contract.count(FILES) == 1


@pytest.mark.parametrize("names", [(), ("AgreementScoresAll_Jun2024.csv", "IdealpointsPanel.csv")])
def test_a_data_set_without_the_table_is_refused(bench: Bench, names: tuple[str, ...]) -> None:
    bench.contract.world.deposits = [Deposit(place, name, b"x") for place, name in enumerate(names)]
    refused(bench, f"no table of ideal points among {len(names)} files", "IdealpointestimatesAll", *names)


@pytest.mark.parametrize(
    "text",
    [
        '{"status": "OK"}',
        '{"status": "OK", "data": [{"label": "x"}]}',
        '{"status": "OK", "data": [{"dataFile": {"id": 1, "filename": "IdealpointestimatesAll.csv"}}]}',
        '{"status": "OK", "data": [{"dataFile": {"id": 1, "filename": "IdealpointestimatesAll.csv", "md5": null}}]}',
        '{"status": "OK", "data": [{"dataFile": {"id": "", "filename": "IdealpointestimatesAll.csv", "md5": ""}}]}',
    ],
)
def test_a_list_of_another_shape_is_refused(bench: Bench, text: str) -> None:
    bench.contract.fail(LIST, faults.body_of(200, text))
    refused(bench, "an answer of another shape", "dataFile: id, filename, md5")


def test_a_file_name_that_is_a_path_stays_inside(bench: Bench) -> None:
    change(bench, name="../../../IdealpointestimatesAll_evil.csv")
    with bench.live() as live:
        (payload,) = web.fetch(live).payloads
    assert payload.part == "IdealpointestimatesAll_evil.csv"
    assert not list(bench.home.rglob("IdealpointestimatesAll_evil.csv"))


def test_passing_failures_are_tried_again(bench: Bench) -> None:
    bench.contract.fail(LIST, faults.status(503))
    bench.contract.fail(FILES, faults.status(502))
    bench.contract.fail(STORAGE, faults.cut_off)
    with bench.live() as live:
        assert body(web.fetch(live).payloads[0]) == deposit(bench).body
    assert any(seen.headers.get("Range") for seen in bench.contract.seen), "resumed"


def test_a_page_in_place_of_list_or_file_is_not_taken(bench: Bench) -> None:
    bench.contract.fail(LIST, faults.HTML)
    bench.contract.fail(STORAGE, faults.HTML)
    with bench.live() as live:
        assert body(web.fetch(live).payloads[0]) == deposit(bench).body


def test_a_service_that_is_down_is_reported(bench: Bench) -> None:
    bench.contract.fail(LIST, faults.status(503), times=99)
    refused(bench, "Harvard Dataverse", "HTTP 503")


def test_a_used_up_budget_stops_the_run(bench: Bench) -> None:
    with bench.live() as live:
        for _ in range(web.SERVICE.budget or 0):
            live.ledger.reserve("dataverse", "none", live.now.strftime("%Y-%m-%d"), None)
        with pytest.raises(Deferred, match="budget of 100 calls"):
            web.changed(live)


def test_the_server_itself_keeps_to_what_dataverse_says(bench: Bench) -> None:
    """Asked without the client: redirect, both forms of a table, no such data set."""
    base = f"{bench.contract.url}/dataverse/api"
    listed = requests.get(
        f"{base}/datasets/:persistentId/versions/:latest/files", {"persistentId": web.DOI}, timeout=30
    ).json()
    assert listed["status"] == "OK" and len(listed["data"]) == 3
    assert requests.get(f"{base}/datasets/:persistentId/versions/:latest/files", timeout=30).status_code == 404
    moved = requests.get(f"{base}/access/datafile/10295878", timeout=30, allow_redirects=False)
    assert moved.status_code == 303 and moved.headers["Location"].startswith(bench.contract.storage_url)
    table = requests.get(moved.headers["Location"], timeout=30).text
    assert table.startswith("V1\tccode\tsession\t") and "NA" not in {*table.split("\n")[1].split("\t")}
    assert requests.get(moved.headers["Location"].split("?")[0], timeout=30).status_code == 403
