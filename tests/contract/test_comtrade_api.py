"""Comtrade over real sockets: what is asked, what an error or a cut answer leads to, what is never asked twice."""

from __future__ import annotations

import csv
import gzip
import io
import json
from pathlib import Path
from typing import Any

import pytest

from dagster_project.datasets.trade import comtrade_api, comtrade_async
from dagster_project.errors import Deferred, SettingError, SourceError
from dagster_project.settings import load_settings
from dagster_project.sources.ledger import Ledger
from dagster_project.sources.live import Live
from tests.contract.conftest import NOON, SMALL, Bench
from tests.contract.server import faults
from tests.contract.server.app import INVALID_KEY, MISSING_KEY
from tests.contract.server.world import records_of

GET, PREVIEW, DA = r"^/data/v1/get/", r"^/public/v1/preview/", r"^/public/v1/getDa/"


def rows_of(found: Any) -> list[str]:
    """Every row of the payloads, in one order."""
    rows = []
    for payload in found.payloads:
        assert isinstance(payload.body, Path)
        rows += json.loads(gzip.decompress(payload.body.read_bytes()))["data"]
    return sorted(json.dumps(row, sort_keys=True) for row in rows)


def expected_rows() -> list[str]:
    """What the three reporters published of six-digit goods in 2018, imports and exports, breakdowns pinned."""
    rows = [
        record
        for reporter in SMALL
        for row, record in records_of(2018, reporter)
        if row.flow in "MX" and len(row.code) == 6 and (row.partner2, row.customs, row.mot) == (0, "C00", 0)
    ]
    return sorted(json.dumps(row, sort_keys=True) for row in rows)


def archived(live: Live) -> int:
    return len(live.archive.entries())


def test_a_year_is_one_availability_call_per_look_and_one_call_per_reporter(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    with bench.live() as live, caplog.at_level("INFO", "dagster_project"):
        found = comtrade_api.trade(live)
        assert caplog.messages[-1] == f"UN Comtrade: {len(SMALL) - 1} of {len(SMALL)} reporters of 2018 are here"
        assert rows_of(found) == expected_rows()
    assert bench.contract.count(GET) == len(SMALL) == bench.calls("comtrade")
    assert bench.contract.count(DA) == 2  # before, and once more to see that nothing changed since
    for target in bench.contract.targets(GET):
        assert "partner2Code=0" in target and "motCode=0" in target and "customsCode=C00" in target
    bench.contract.seen.clear()
    with bench.live() as live:
        assert rows_of(comtrade_api.trade(live)) == expected_rows()
        assert comtrade_api.changed_years(live) == []
    assert bench.contract.targets() == ["/public/v1/getDa/C/A/HS?period=2018"] * 2


def test_the_key_is_in_the_header_and_nowhere_else(bench: Bench) -> None:
    with bench.live() as live:
        comtrade_api.trade(live)
        texts = [path.read_bytes() for path in live.settings.data_dir.rglob("*") if path.is_file()]
    assert not any(b"contract-key" in text for text in texts)
    for seen in bench.contract.seen:
        assert "contract-key" not in seen.target
        assert ("contract-key" in seen.headers.values()) == seen.target.startswith("/data/")


TRANSIENT = {
    "429 with Retry-After": faults.status(429, "Rate limit is exceeded. Try again in 1 seconds.", Retry_After="3"),
    "429 without Retry-After": faults.status(429, "Rate limit is exceeded. Try again in 2 seconds."),
    "429 with a date": faults.status(429, "Slow down", Retry_After="Mon, 15 Jun 2026 12:00:30 GMT"),
    "500": faults.status(500),
    "502": faults.body_of(502, "<html>Bad gateway</html>", "text/html"),
    "503": faults.status(503),
    "504": faults.status(504),
    "408": faults.status(408),
    "425": faults.status(425),
    "HTML with status 200": faults.HTML,
    "empty 200": faults.EMPTY,
    "cut off": faults.cut_off,
    "cut off between chunks": faults.cut_off_chunks,
    "cut off and closed in good order": faults.ended_early,
    "wrong Content-Length": faults.wrong_length,
    "reset": faults.reset,
    "count is not the number of rows": faults.body_of(200, '{"count": 2, "data": [{}], "error": ""}'),
}


@pytest.mark.parametrize("name", TRANSIENT)
def test_a_passing_failure_costs_one_counted_call_and_nothing_else(bench: Bench, name: str) -> None:
    bench.contract.fail(GET, TRANSIENT[name], after=1)
    with bench.live() as live:
        assert rows_of(comtrade_api.trade(live)) == expected_rows()
        assert archived(live) == len(SMALL)
    assert bench.calls("comtrade") == bench.contract.count(GET) == len(SMALL) + 1


def test_a_published_year_without_rows_of_the_goods_is_noted(bench: Bench) -> None:
    bench.contract.world.only_reporters = frozenset({40, 203})
    bench.contract.fail(GET, faults.body_of(200, '{"elapsedTime":"0.08 secs","count":0,"data":[],"error":""}'))
    with bench.live() as live:
        found = comtrade_api.trade(live)
        assert archived(live) == 1
    assert {payload.parameters["reporterCode"] for payload in found.payloads} == {"203"}
    assert any("reporter 40: published, but no rows" in note for note in found.ignored)


def test_retry_after_is_the_least_wait(bench: Bench) -> None:
    bench.contract.fail(GET, faults.status(429, Retry_After="77"))
    with bench.live() as live:
        comtrade_api.trade(live)
    assert 77 in bench.clock.slept


PERMANENT = {
    "400": (
        faults.body_of(
            400,
            '{"count":-1,"data":[],"error":"Invalid parameter value",'
            '"errorObject":[{"MemberNames":["partnerCode"],"ErrorMessage":"The field partnerCode is invalid"}]}',
        ),
        "The field partnerCode is invalid",
    ),
    "400 with one error object": (
        faults.body_of(400, '{"count":-1,"data":[],"errorObject":{"errorMessage":"no such code"}}'),
        "no such code",
    ),
    "401, no key": (faults.status(401, MISSING_KEY), "COMTRADE_API_KEY"),
    "401, wrong key": (faults.status(401, INVALID_KEY), "COMTRADE_API_KEY"),
    "403 without quota": (faults.status(403, "Forbidden"), "COMTRADE_API_KEY"),
    "404": (faults.status(404, "Resource not found"), "address in the settings"),
    "405": (faults.status(405, "Method Not Allowed"), "HTTP 405"),
    "410": (faults.status(410, "Gone"), "HTTP 410"),
    "414": (faults.status(414, "Request URL Too Long"), "HTTP 414"),
    "422": (faults.status(422, "Unprocessable"), "HTTP 422"),
    "200 with an error": (faults.body_of(200, '{"count":0,"data":[],"error":"something"}'), "something"),
}


@pytest.mark.parametrize("name", PERMANENT)
def test_a_refusal_is_not_tried_again_and_says_what_to_do(bench: Bench, name: str) -> None:
    action, expected = PERMANENT[name]
    bench.contract.fail(GET, action)
    with bench.live() as live, pytest.raises(SourceError) as raised:
        comtrade_api.trade(live)
    text = str(raised.value)
    assert "UN Comtrade, reporter 40, 2018" in text and expected in text and "contract-key" not in text
    assert bench.calls("comtrade") == bench.contract.count(GET) == 1


def test_an_invalid_key_is_refused_by_the_service_itself(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COMTRADE_API_KEY", "another-key")
    with bench.live() as live, pytest.raises(SourceError, match="invalid subscription key") as raised:
        comtrade_api.trade(live)
    assert "another-key" not in str(raised.value)


def test_a_key_in_dotenv_reaches_the_service(bench: Bench, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("COMTRADE_API_KEY")
    dotenv = tmp_path / ".env"
    dotenv.write_text("COMTRADE_API_KEY=contract-key\n")
    with bench.live(comtrade_api_key=load_settings({}, dotenv).comtrade_api_key) as live:
        assert rows_of(comtrade_api.trade(live)) == expected_rows()
    assert bench.contract.count(GET) == len(SMALL)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("Out of call volume quota. Quota will be replenished in 00:30:02.", 1802),
        ("Out of call volume quota. Quota will be replenished in 2.12 days", 2.12 * 86400),
    ],
)
def test_a_used_up_quota_ends_the_run_and_is_remembered(bench: Bench, text: str, seconds: float) -> None:
    bench.contract.fail(GET, faults.status(403, text), after=1)
    with bench.live() as live, pytest.raises(Deferred) as raised:
        comtrade_api.trade(live)
    assert raised.value.not_before == pytest.approx(bench.clock.now + seconds, abs=2)
    asked = bench.contract.count(GET)
    with bench.live() as live, pytest.raises(Deferred):
        comtrade_api.trade(live)
    assert bench.contract.count(GET) == asked, "no call before the quota is replenished"
    bench.clock.now = raised.value.not_before + 1
    with bench.live() as live:
        assert rows_of(comtrade_api.trade(live)) == expected_rows()
    assert bench.contract.count(GET) == len(SMALL) + 1, "what had succeeded is not asked for again"


def test_an_absurd_retry_after_ends_the_run(bench: Bench) -> None:
    bench.contract.fail(GET, faults.status(429, "OVER_RATE_LIMIT", Retry_After="57263"))
    with bench.live() as live, pytest.raises(Deferred):
        comtrade_api.trade(live)
    assert max(bench.clock.slept, default=0) <= 120


def test_a_lasting_failure_ends_after_five_counted_tries(bench: Bench) -> None:
    bench.contract.fail(GET, faults.status(503), times=99)
    with bench.live() as live, pytest.raises(SourceError, match="HTTP 503") as raised:
        comtrade_api.trade(live)
    assert "reporter 40" in str(raised.value)
    assert bench.calls("comtrade") == bench.contract.count(GET) == 5
    with bench.live() as live:
        assert archived(live) == 0


def test_five_failures_in_a_row_open_the_circuit_for_a_minute(bench: Bench) -> None:
    bench.contract.fail(GET, faults.status(503), times=5)
    with bench.live() as live:
        with pytest.raises(SourceError):
            comtrade_api.trade(live)
        before = bench.clock.now
        comtrade_api.trade(live)
    assert bench.clock.now - before >= 55


def test_a_slow_drip_is_cut_by_the_deadline(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    import time

    from dagster_project.sources.http import Http, Service

    bench.contract.fail(DA, faults.drip(20), times=2)
    with bench.live() as live:
        http = Http(live.ledger, clock=time.time, sleep=lambda _: None, timeout=(5, 5), tries=2)
        http.hosts.name([bench.contract.url])
        service = Service("slow", interval=0, deadline=0.3)
        started = time.monotonic()
        with pytest.raises(SourceError, match="not complete after"):
            http.get_json(service, f"{bench.contract.url}/public/v1/getDa/C/A/HS", {"period": "2018"}, where="drip")
        assert time.monotonic() - started < 15


def test_a_host_without_address_is_named(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    import socket

    def nowhere(*_: object, **__: object) -> None:
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", nowhere)
    with (
        bench.live(comtrade_url="http://comtrade.invalid") as live,
        pytest.raises(SourceError, match=r"no address for the host comtrade\.invalid"),
    ):
        comtrade_api.trade(live)
    assert bench.calls("comtrade-public") == 5


@pytest.mark.parametrize(("rows", "setting"), [(100_000, 250_000), (250_000, 250_000), (250_000, 300_000)])
def test_an_answer_of_exactly_a_cap_is_split(bench: Bench, rows: int, setting: int) -> None:
    bench.contract.world.only_reporters = frozenset({40})
    full = json.dumps({"count": rows, "data": [{}] * rows, "error": ""})
    bench.contract.fail(GET, faults.body_of(200, full))
    with bench.live(comtrade_row_cap=setting) as live:
        found = comtrade_api.trade(live)
        assert [row for row in expected_rows() if '"reporterCode": 40' in row] == rows_of(found)
        assert archived(live) == 2, "the cut answer is not archived"
    assert bench.contract.count(GET) == 3


@pytest.fixture
def few_chapters(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only the chapters that the sample's reporter has: the empty ones would be eighty calls more."""
    held = {row["cmdCode"][:2] for row in _wanted(40)}
    monkeypatch.setattr(comtrade_api, "CHAPTERS", tuple(f"{chapter}*" for chapter in sorted(held)))


def test_splitting_loses_and_doubles_nothing(bench: Bench, few_chapters: None) -> None:
    bench.contract.world.only_reporters = frozenset({40})
    bench.contract.world.row_cap = 100
    with bench.live(comtrade_row_cap=100, comtrade_daily_budget=100_000) as live:
        found = comtrade_api.trade(live)
    assert set(rows_of(found)) == {row for row in expected_rows() if '"reporterCode": 40' in row}
    assert len(rows_of(found)) == len(set(rows_of(found)))
    asked = bench.contract.targets(GET)
    assert sum("countOnly=true" in target for target in asked) == 1, "of imports; exports are few"
    assert any("cmdCode=85*&" in target for target in asked), "down to the chapters of a single partner"


def test_the_count_chooses_the_number_of_parts(bench: Bench) -> None:
    """A keyed year of one reporter, five times the cap: without the count every chapter would be a call."""
    bench.contract.world.only_reporters = frozenset({757})
    rows = len([row for row in _wanted(757) if row["flowCode"] == "M"])
    cap = rows // 4
    bench.contract.world.row_cap = cap
    with bench.live(comtrade_row_cap=cap) as live:
        comtrade_api.trade(live)
    assert bench.contract.count(GET) < 40


def test_a_partner_that_the_list_lacks_is_found_by_the_count(bench: Bench, few_chapters: None) -> None:
    world = bench.contract.world
    world.only_reporters = frozenset({40})
    world.row_cap = cap = 400
    held = json.loads(world.reference["partnerareas.json"].body.decode("utf-8-sig"))
    held["results"] = [row for row in held["results"] if row["PartnerCode"] not in (156, 203)]
    world.reference["partnerareas.json"].body = json.dumps(held).encode()
    with bench.live(comtrade_row_cap=cap) as live:
        found = comtrade_api.trade(live)
    assert set(rows_of(found)) >= {row for row in expected_rows() if '"reporterCode": 40' in row}
    assert any("of the listed partners" in note for note in found.ignored)


def _wanted(reporter: int) -> list[dict[str, Any]]:
    return [row for text in expected_rows() if (row := json.loads(text))["reporterCode"] == reporter]


BATCH = r"^/async/v1/get/"


def batch_rows(found: Any) -> list[tuple[str, ...]]:
    """What identifies the rows of batches, as text."""
    rows = []
    for payload in found.payloads:
        text = gzip.decompress(payload.body.read_bytes()).decode()
        delimiter = "\t" if payload.part.endswith(".txt.gz") else ","
        for row in csv.DictReader(io.StringIO(text), delimiter=delimiter):
            rows.append(tuple(row[name] for name in ("flowCode", "partnerCode", "cmdCode", "primaryValue")))
    return sorted(rows)


def batch_bench(bench: Bench) -> dict[str, Any]:
    """One reporter whose whole answer is at the cap; the settings that ask for it as a batch."""
    bench.contract.world.only_reporters = frozenset({40})
    bench.contract.world.row_cap = 60
    return {"comtrade_row_cap": 60, "comtrade_async": True}


def expected_batch() -> list[tuple[str, ...]]:
    names = ("flowCode", "partnerCode", "cmdCode", "primaryValue")
    return sorted(tuple(str(row[name]) for name in names) for row in _wanted(40))


@pytest.mark.parametrize("delimiter", ["\t", ","])
def test_an_answer_at_the_cap_becomes_one_batch(bench: Bench, delimiter: str) -> None:
    changes = batch_bench(bench)
    bench.contract.world.batch_delimiter = delimiter
    bench.contract.fail(r"async-downloads", faults.cut_off)
    with bench.live(**changes) as live:
        found = comtrade_api.trade(live)
        assert not [path for path in live.downloads.rglob("*") if path.is_file()]
    assert batch_rows(found) == expected_batch()
    assert bench.contract.count(GET) == bench.contract.count(BATCH) == 1
    assert bench.contract.count("/async/v1/getDA/") == 3 and bench.clock.slept.count(15.0) == 1
    bench.contract.seen.clear()
    with bench.live(**changes) as live:
        comtrade_api.trade(live)
    assert bench.contract.count("/async/") == 0


def test_a_batch_at_its_own_cap_is_split(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    changes = batch_bench(bench)
    bench.contract.world.batch_cap = len(expected_batch()) - 1
    monkeypatch.setattr(comtrade_async, "CAP", bench.contract.world.batch_cap)
    with bench.live(**changes) as live:
        assert batch_rows(comtrade_api.trade(live)) == expected_batch()
    assert bench.contract.count(BATCH) == 3


def test_a_batch_that_takes_long_ends_the_run_and_is_not_submitted_again(bench: Bench) -> None:
    changes = batch_bench(bench)
    bench.contract.world.batch_states = ("Submitted", "Running")
    with bench.live(**changes) as live, pytest.raises(Deferred, match="still Running"):
        comtrade_api.trade(live)
    bench.contract.world.batch_states = ("Completed",)
    with bench.live(**changes) as live:
        assert batch_rows(comtrade_api.trade(live)) == expected_batch()
    assert bench.contract.count(BATCH) == 1


def test_a_batch_that_fails_is_named_and_submitted_anew_by_the_next_run(bench: Bench) -> None:
    changes = batch_bench(bench)
    bench.contract.world.batch_states = ("Submitted", "Error")
    with bench.live(**changes) as live, pytest.raises(SourceError, match="ended as Error") as raised:
        comtrade_api.trade(live)
    assert "reporter 40, 2018" in str(raised.value) and "COMTRADE_ASYNC" in str(raised.value)
    bench.contract.world.batch_states = ("Completed",)
    with bench.live(**changes) as live:
        assert batch_rows(comtrade_api.trade(live)) == expected_batch()
    assert bench.contract.count(BATCH) == 2


def test_a_batch_file_on_another_host_gets_no_key(bench: Bench) -> None:
    changes = batch_bench(bench)
    contract = bench.contract

    def elsewhere(handler: Any, answer: Any) -> None:
        code, headers, body = answer()
        faults.send(handler, code, headers, body.replace(contract.url.encode(), contract.storage_url.encode()))

    contract.world.batch_states = ("Completed",)
    contract.fail("/async/v1/getDA/", elsewhere)
    with bench.live(**changes) as live:
        assert batch_rows(comtrade_api.trade(live)) == expected_batch()
    (download,) = [seen for seen in contract.seen if "async-downloads" in seen.target]
    assert "contract-key" not in download.headers.values()


def test_bulk_and_batches_exclude_each_other(bench: Bench) -> None:
    with (
        bench.live(comtrade_bulk=True, comtrade_async=True) as live,
        pytest.raises(SettingError, match="one of the two"),
    ):
        comtrade_api.trade(live)


def test_a_cell_at_the_cap_after_the_last_split_fails_and_nothing_is_used(bench: Bench) -> None:
    bench.contract.world.row_cap = 1
    with bench.live(comtrade_row_cap=1, comtrade_daily_budget=100_000) as live:
        with pytest.raises(SourceError, match="still at the cap") as raised:
            comtrade_api.trade(live)
        assert live.ledger.settled("comtrade") == {}
    assert "reporter 40, 2018" in str(raised.value) and "COMTRADE_ROW_CAP" in str(raised.value)


def test_without_pins_the_service_repeats_flows_so_that_pins_matter(bench: Bench) -> None:
    bench.contract.world.only_reporters = frozenset({528})
    pinned, free = records_of(2018, 528), 0
    free = len(pinned)
    with bench.live() as live:
        asked = len(rows_of(comtrade_api.trade(live)))
    assert asked < sum(1 for row, _ in pinned if row.flow in "MX" and len(row.code) == 6) < free


def test_two_values_for_one_flow_are_refused(bench: Bench) -> None:
    row = next(record for row, record in records_of(2018, 40) if len(row.code) == 6 and row.flow == "M")
    twice = json.dumps({"count": 2, "data": [row, {**row, "primaryValue": 1.5}], "error": ""})
    bench.contract.fail(GET, faults.body_of(200, twice))
    with bench.live() as live, pytest.raises(SourceError, match="a second time, with another value"):
        comtrade_api.trade(live)


def test_breakdowns_beside_their_total_are_no_second_value(bench: Bench) -> None:
    """A service that ignores the pins: landing sets such rows aside (`breakdown_duplicate`)."""
    row = next(record for row, record in records_of(2018, 40) if len(row.code) == 6 and row.flow == "M")
    broken = [row, {**row, "partner2Code": 156, "primaryValue": 1.5}, {**row, "motCode": 2100, "primaryValue": 2.5}]
    bench.contract.world.only_reporters = frozenset({40})
    bench.contract.fail(GET, faults.body_of(200, json.dumps({"count": 3, "data": broken, "error": ""})))
    with bench.live() as live:
        assert len(rows_of(comtrade_api.trade(live))) == 3


def test_a_missing_required_field_stops_the_year(bench: Bench) -> None:
    bench.contract.world.dropped_fields = frozenset({"primaryValue"})
    with bench.live() as live:
        with pytest.raises(SourceError, match="rows without primaryvalue") as raised:
            comtrade_api.trade(live)
        assert archived(live) == 0
    assert "reporter 40, 2018" in str(raised.value)


DRIFT = {
    "a code that is no number": (GET, {"reporterCode": "forty"}),
    "rows that are no objects": (GET, "a row"),
    "availability without versions": (DA, {"reporterCode": 40}),
}


@pytest.mark.parametrize("name", DRIFT)
def test_rows_of_another_shape_are_reported_and_not_used(bench: Bench, name: str) -> None:
    pattern, row = DRIFT[name]
    if isinstance(row, dict) and pattern == GET:
        row = {**next(record for found, record in records_of(2018, 40) if found.flow == "M"), **row}
    bench.contract.fail(pattern, faults.body_of(200, json.dumps({"count": 1, "data": [row], "error": ""})))
    with bench.live() as live:
        with pytest.raises(SourceError, match="an answer of another shape"):
            comtrade_api.trade(live)
        assert archived(live) == 0


def test_a_new_field_is_kept_and_named(bench: Bench) -> None:
    bench.contract.world.extra_fields = {"carbonKg": 1.0}
    with bench.live() as live:
        found = comtrade_api.trade(live)
    assert any("carbonkg is new" in note for note in found.ignored)
    assert len(rows_of(found)) == len(expected_rows())


def test_a_revision_between_availability_and_data_is_pulled_again(bench: Bench) -> None:
    world = bench.contract.world
    bench.contract.fail(r"^/data/v1/get/.*reporterCode=757", faults.then(lambda: world.revise(2018, 757)))
    with bench.live() as live:
        assert rows_of(comtrade_api.trade(live)) == expected_rows()
        versions = live.ledger.settled("comtrade", ["get/2018/757"])
    checksum, released = world.version(2018, 757)
    assert versions == {"get/2018/757": f"{checksum} {released}"}
    assert bench.contract.count("reporterCode=757") == 2 and bench.contract.count(GET) == len(SMALL) + 1


def test_a_revision_asks_for_that_reporter_only_and_keeps_the_old_payload(bench: Bench) -> None:
    with bench.live() as live:
        before = comtrade_api.trade(live)
        bench.contract.world.revise(2018, 203)
        bench.contract.world.extra_fields = {"datasetCode": 1}
        assert comtrade_api.changed_years(live) == [2018]
        bench.contract.seen.clear()
        after = comtrade_api.trade(live)
        assert archived(live) == len(SMALL) + 1
    assert bench.contract.count(GET) == 1
    assert len(rows_of(after)) == len(rows_of(before))


def test_the_budget_ends_the_run_and_the_next_day_goes_on(bench: Bench) -> None:
    bench.clock.now = NOON
    with bench.live(comtrade_daily_budget=2) as live, pytest.raises(Deferred, match="budget of 2") as raised:
        comtrade_api.trade(live)
    assert "2 of 3 reporters of 2018 are here" in str(raised.value)
    assert bench.contract.count(GET) == 2, "stopped before the call, not by the service"
    assert raised.value.not_before == NOON + 12 * 3600, "midnight UTC"
    bench.clock.now = raised.value.not_before
    with bench.live(comtrade_daily_budget=2) as live:
        assert rows_of(comtrade_api.trade(live)) == expected_rows()
    assert bench.contract.count(GET) == len(SMALL)


def test_a_budget_is_of_the_utc_day_on_which_a_call_is_sent(bench: Bench) -> None:
    bench.clock.now = NOON + 12 * 3600 - 1.5
    with bench.live(comtrade_daily_budget=2, comtrade_calls_per_minute=60) as live:
        comtrade_api.trade(live)
        counted = live.ledger.calls("comtrade")
    assert [day for _, _, day in counted] == ["2026-06-15", "2026-06-16"]
    assert sum(counted.values()) == len(SMALL)


def test_without_a_key_the_preview_gives_some_goods_and_a_note(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("COMTRADE_API_KEY")
    goods = ("850760", "854231")
    with bench.live(comtrade_preview_goods=goods) as live:
        found = comtrade_api.trade(live)
    wanted = [row for row in expected_rows() if json.loads(row)["cmdCode"] in goods]
    assert rows_of(found) == wanted and wanted
    assert any("without COMTRADE_API_KEY" in note for note in found.ignored)
    assert bench.contract.count(GET) == 0
    assert all("period=2018&" in target for target in bench.contract.targets(PREVIEW))


def test_the_preview_cap_of_500_is_seen_and_split(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("COMTRADE_API_KEY")
    bench.contract.world.only_reporters = frozenset({40})
    full = json.dumps({"count": 500, "data": [{}] * 500, "error": ""})
    bench.contract.fail(PREVIEW, faults.body_of(200, full))
    held = sorted({row.code for row, _ in records_of(2018, 40) if row.flow == "M" and len(row.code) == 6})
    goods = (held[0], held[1])
    with bench.live(comtrade_preview_goods=goods) as live:
        found = comtrade_api.trade(live)
    assert rows_of(found) == [
        row for row in expected_rows() if json.loads(row)["cmdCode"] in goods and '"reporterCode": 40' in row
    ]
    assert bench.contract.count(PREVIEW) == 3


def test_bulk_files_hold_the_same_year(bench: Bench) -> None:
    bench.contract.fail(r"^/bulk/v1/file/", faults.cut_off)
    with bench.live(comtrade_bulk=True) as live:
        found = comtrade_api.trade(live)
    names = sorted(payload.part for payload in found.payloads)
    assert names == [f"C_A_{code}_201801_H5_O.txt.gz" for code in (203, 40, 757)]
    assert bench.contract.count(r"^/bulk/v1/file/") == len(SMALL) + 1


def test_all_years_must_be_named(bench: Bench) -> None:
    with bench.live(years=None) as live, pytest.raises(SettingError, match="CHOKEPOINT_YEARS"):
        comtrade_api.trade(live)
    assert bench.contract.count("") == 0


def test_a_damaged_archive_file_is_asked_for_again(bench: Bench) -> None:
    with bench.live() as live:
        first = comtrade_api.trade(live).payloads[0].body
        assert isinstance(first, Path)
        first.unlink()
    bench.contract.seen.clear()
    with bench.live() as live:
        assert rows_of(comtrade_api.trade(live)) == expected_rows()
    assert bench.contract.count(GET) == 1


def test_the_ledger_survives_a_new_client(bench: Bench) -> None:
    with bench.live() as live:
        comtrade_api.trade(live)
    assert sum(Ledger(bench.home / "live/calls.sqlite").calls("comtrade").values()) == len(SMALL)
