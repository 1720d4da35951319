"""`chokepoint doctor` over real sockets: what it asks, what it says of every fault, that it leaves nothing behind."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from dagster_project import cli
from dagster_project.datasets.declaration import LiveService
from dagster_project.datasets.registry import DATASETS
from dagster_project.planning.doctor import Finding, examine, table
from dagster_project.sources.http import Http
from dagster_project.sources.ledger import Ledger
from tests.contract.conftest import Bench
from tests.contract.demo_live import live_settings
from tests.contract.server import faults

# Every fault of the server: how it strikes, and what the table or the lines below it must then say of every service.
FAULTS: dict[str, tuple[faults.Action, str]] = {
    "400": (faults.status(400, "Bad"), "HTTP 400"),
    "401": (faults.status(401, "no such key"), "HTTP 401"),
    "403": (faults.status(403, "not for you"), "HTTP 403"),
    "404": (faults.status(404, "Resource not found"), "HTTP 404"),
    "429": (faults.status(429, "Rate limit is exceeded. Try again in 3 seconds."), "HTTP 429"),
    "429 for hours": (faults.status(429, "too many", Retry_After="7200"), "none until 2026-06-15 14:0"),
    "403 quota": (faults.status(403, "Out of call volume quota. Quota will be replenished in 03:00:00."), "none until"),
    "500": (faults.status(500), "HTTP 500"),
    "503": (faults.status(503), "HTTP 503"),
    "web page": (faults.HTML, "web page|text/html|no name of a release"),
    "empty": (faults.EMPTY, "empty|no name of a release"),
    "other JSON": (faults.body_of(200, '{"other": 1}'), "another shape|without|begins|JSON|no name of a release|holds"),
    "cut off": (faults.cut_off, "broke off|of the first|connection"),
    "cut off in chunks": (faults.cut_off_chunks, "broke off|of the first|connection|without the directory|Content-"),
    "ended early": (faults.ended_early, "breaks off|of the first|line|Content-Range|HTTP 404|without the directory"),
    "wrong length": (faults.wrong_length, "breaks off|of the first|line|Content-Range|without the directory"),
    "drip": (faults.drip(0.1), "broke off|not complete|of the first|connection|breaks off"),
    "reset": (faults.reset, "connection"),
    "redirect": (faults.redirect("https://169.254.169.254/latest"), "leads to an address of this machine"),
    "redirect to another host": (faults.redirect("https://example.org/x"), "leads to a host that is none"),
    "redirect to plain http": (faults.redirect("http://example.org/x"), "leads to an address that is not https"),
}  # fmt: skip
SAID_BY_STATUS = {"401": "refused", "403": "refused", "404": "accepted"}


def look(bench: Bench, **changes: Any) -> list[Finding]:
    with bench.live(**changes) as live:
        return examine(live)


def test_every_service_of_a_live_source_is_asked_and_found_well(bench: Bench) -> None:
    findings = look(bench)
    assert [finding.wrong for finding in findings if finding.wrong] == []
    by_title = {finding.service: finding for finding in findings}
    assert {"UN Comtrade", "UN Comtrade, availability", "Federal Register", "regulations.gov", "OECD", "CEPII BACI",
            "USITC, releases of the HTS", "USPTO Open Data Portal", "Harvard Dataverse"} <= by_title.keys()  # fmt: skip
    assert {finding.reachable for finding in findings} == {"yes"}
    assert {finding.shape for finding in findings} == {"as expected"}
    keyed = {title for title, finding in by_title.items() if finding.key == "accepted"}
    assert keyed == {"UN Comtrade", "regulations.gov", "USPTO Open Data Portal"}
    newest = {title: finding.newest for title, finding in by_title.items()}
    assert newest["UN Comtrade, availability"] == "2018: 3 reporters, 2026-03-04"
    assert newest["CEPII BACI"] == "release 201901" and newest["USITC, releases of the HTS"] == "2026HTSRev20"
    assert newest["Federal Register"] == "2020-02-20" and newest["OECD"] == "2015"
    assert newest["USPTO Open Data Portal"] == "2026-03-31" and newest["Harvard Dataverse"].startswith("Idealpoint")
    assert by_title["UN Comtrade"].quota == "499 of 500 calls today"
    lines = table(findings).splitlines()
    assert lines[0].split()[:2] == ["dataset", "service"] and len(lines) == len(findings) + 2


def test_its_calls_are_counted_and_small_and_nothing_is_archived(bench: Bench) -> None:
    look(bench)
    for source in ("comtrade", "comtrade-public", "federal_register", "regulations_gov", "usitc", "uspto", "oecd",
                   "dataverse", "ustr", "reference", "baci", "oecd_icio"):  # fmt: skip
        assert bench.calls(source) >= 1, source
    assert sum(map(len, Ledger(bench.home / "live/calls.sqlite").calls())) // 3 <= 12
    left = {path.name for path in (bench.home / "live").rglob("*") if path.is_file()}
    assert left <= {"calls.sqlite", "sources.lock"}
    files = [seen for seen in bench.contract.seen if re.search(r"/static/|/files/v1/app/reference/", seen.target)]
    assert files and all(seen.headers.get("Range") == "bytes=0-511" for seen in files)
    assert not bench.contract.count(r"/files/PVGPATDIS/|exportList|/access/datafile/|/fr/xml/|=250")


@pytest.mark.parametrize("name", FAULTS)
def test_every_fault_of_the_server_is_named(bench: Bench, name: str) -> None:
    action, said = FAULTS[name]
    bench.contract.fail(".", action, times=10_000)
    findings = look(bench)
    if name == "other JSON":  # of a file only its beginning is looked at
        findings = [finding for finding in findings if not re.fullmatch(r"reference file .*\.json", finding.service)]
    assert not [finding for finding in findings if not finding.wrong and not (name == "404" and finding.notes)]
    for finding in findings:
        text = f"{finding.shape} {finding.quota} {finding.wrong}"
        assert finding.notes or re.search(said, text), (finding.service, text)
    reached = {finding.reachable for finding in findings if not finding.notes}
    assert reached - {"not asked"} == {"no" if name == "reset" else "yes"}
    assert "not asked" not in reached or "none until" in said, "a service that wants no calls is not called again"
    shown = table(findings)
    assert "contract-key" not in shown
    if name in SAID_BY_STATUS:
        assert {finding.key for finding in findings} == {"none needed", SAID_BY_STATUS[name]}


def test_slow_and_right_is_right(bench: Bench) -> None:
    bench.contract.fail("getDa", faults.in_pieces(3, 0.01), times=9)
    assert not [finding for finding in look(bench, reference_source="sample", tariff_source="off") if finding.wrong]


@pytest.mark.parametrize(
    ("pattern", "body", "service", "field"),
    [
        ("getDa", '{"count": 1, "data": [{"reporterCode": 1, "lastReleased": 1}]}', "availability", "datasetchecksum"),
        ("/data/v1/get", '{"count": 1, "data": [{"reporterCode": 40, "period": 2018}]}', "UN Comtrade", "primaryvalue"),
        ("pvgpatdis$", '{"bulkDataProductBag": [{}]}', "USPTO", "productFileBag"),
        ("/fr/documents", '{"results": [{"publication_date": "2020-01-01"}]}', "Federal Register", "document_number"),
        ("/regs/", '{"data": [{"attributes": {}}], "meta": {"totalElements": 1}}', "regulations", "lastModifiedDate"),
        ("releaseList", '[{"status": "current"}]', "USITC", "name"),
        ("/versions/:latest", '{"data": [{"dataFile": {"id": 1}}]}', "Harvard", "filename"),
        ("/oecd/", "STRUCTURE,REF_AREA,TIME_PERIOD\nx,y,2015\n", "OECD", "OBS_VALUE"),
    ],
)  # fmt: skip
def test_the_field_that_differs_is_named(bench: Bench, pattern: str, body: str, service: str, field: str) -> None:
    kind = "text/csv" if pattern == "/oecd/" else "application/json"
    bench.contract.fail(pattern, faults.body_of(200, body, kind), times=99)
    wrong = [finding for finding in look(bench) if finding.wrong and service in finding.service]
    assert wrong and all(field in finding.wrong and finding.reachable == "yes" for finding in wrong)


def test_new_fields_are_noted(bench: Bench) -> None:
    bench.contract.world.extra_fields = {"novelty": 1}
    (rows,) = [finding for finding in look(bench) if finding.service == "UN Comtrade"]
    assert not rows.wrong and "novelty" in " ".join(rows.notes)


def test_without_keys_what_needs_one_is_not_asked(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in ("COMTRADE_API_KEY", "USPTO_API_KEY", "REGULATIONS_API_KEY"):
        monkeypatch.delenv(variable)
    by_title = {finding.service: finding for finding in look(bench)}
    assert by_title["regulations.gov"].reachable == "not asked" and not by_title["regulations.gov"].wrong
    assert "REGULATIONS_API_KEY" in " ".join(by_title["regulations.gov"].notes)
    assert by_title["UN Comtrade, preview"].key == "not set" and not by_title["UN Comtrade, preview"].wrong
    assert "USPTO_API_KEY" in by_title["USPTO Open Data Portal"].wrong, "patents stop without it"
    assert not bench.contract.count("/regs/|pvgpatdis")


def test_every_live_source_declares_probes_for_every_service_it_asks(bench: Bench) -> None:
    for each in DATASETS:
        for source in each.sources:
            if isinstance(source, LiveService):
                assert source.probes(bench.settings()), f"{each.name}, {source.name}"


def test_baci_as_source_of_trade_is_asked(bench: Bench) -> None:
    findings = look(bench, trade_source="baci", reference_source="sample")
    assert [finding.service for finding in findings if finding.dataset == "trade"] == ["CEPII BACI"]


@pytest.mark.parametrize(("fault", "status"), [(None, 0), (faults.status(500), 1)])
def test_the_command_prints_one_table_and_its_status_says_whether_all_is_well(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], fault: Any, status: int
) -> None:
    def impatient(ledger: Ledger, user_agent: str, **options: Any) -> Http:
        return Http(ledger, user_agent=user_agent, clock=bench.clock, sleep=bench.clock.sleep, **options)

    monkeypatch.setattr("dagster_project.sources.live.make_http", impatient)
    for name, value in live_settings(bench.contract, bench.home).items():
        monkeypatch.setenv(name, value)
    if fault is not None:
        bench.contract.fail("/fr/", fault, times=99)
    assert cli.main(["doctor"]) == status
    said = capsys.readouterr().out
    assert said.count("dataset  ") == 1 and "Federal Register" in said
    assert ("Wrong: Federal Register" in said) == bool(status)


def test_without_a_live_source_there_is_nothing_to_ask(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("CHOKEPOINT_DATA_DIR", str(tmp_path))
    assert cli.main(["doctor"]) == 0
    assert "No live source is chosen" in capsys.readouterr().out
