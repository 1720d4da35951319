"""What the other services may do wrong: each time the error names source, place and remedy, and nothing is used."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable
from typing import Any

import pytest

from dagster_project.datasets.patents import uspto
from dagster_project.datasets.reference import web as reference_web
from dagster_project.datasets.tariffs import web as ustr_web
from dagster_project.datasets.trade import baci_web, comtrade_api
from dagster_project.errors import SourceError
from dagster_project.sources.live import Live
from tests.contract.conftest import Bench
from tests.contract.server import faults

Look = Callable[[Live], Any]


def zip_that_climbs_out() -> str:
    body = io.BytesIO()
    with zipfile.ZipFile(body, "w") as archive:
        archive.writestr("../../evil.tsv", "patent_id\n")
    return body.getvalue().decode("latin-1")


def raw(text: str, kind: str) -> faults.Action:
    return lambda handler, answer: faults.send(handler, 200, {"Content-Type": kind}, text.encode("latin-1"))


ENVELOPE = '{"count": 1, "data": [{"other": 1}], "error": ""}'
# What is asked, the request that goes wrong, how, settings, and what the error must say.
FAULTS: dict[str, tuple[Look, str, faults.Action, dict[str, Any], tuple[str, ...]]] = {
    "availability of another shape": (
        comtrade_api.trade, "getDa", faults.body_of(200, ENVELOPE), {},
        ("UN Comtrade, availability of 2018", "datasetChecksum"),
    ),
    "partners of another shape": (
        comtrade_api.trade, "partnerAreas", faults.body_of(200, '{"rows": []}'), {"comtrade_row_cap": 60},
        ("UN Comtrade, list of partners", "PartnerCode"),
    ),
    "bulk list of another shape": (
        comtrade_api.trade, "/bulk/v1/get", faults.body_of(200, ENVELOPE), {"comtrade_bulk": True},
        ("UN Comtrade bulk, reporter 40, 2018", "classificationCode"),
    ),
    "bulk file that is no gzip": (
        comtrade_api.trade, "/bulk/v1/file", faults.body_of(200, "a\tb", "application/TSV"), {"comtrade_bulk": True},
        ("UN Comtrade bulk, reporter 40, 2018", "expected gzip"),
    ),
    "batch without id": (
        comtrade_api.trade, "/async/v1/get/", faults.body_of(202, '{"message": "accepted"}'),
        {"comtrade_row_cap": 60, "comtrade_async": True},
        ("UN Comtrade batch, reporter 40, 2018", "without requestId"),
    ),
    "batch file that is cut off at the service": (
        comtrade_api.trade, "async-downloads", raw("PK\x03\x04rubbish", "application/zip"),
        {"comtrade_row_cap": 60, "comtrade_async": True},
        ("UN Comtrade batch, reporter 40, 2018", "truncated zip"),
    ),
    "BACI's page without a release": (
        baci_web.trade, "baci_webpage", faults.body_of(200, "<html>soon</html>", "text/html"), {},
        ("BACI, the page that names", "CHOKEPOINT_BACI_RELEASE"),
    ),
    "portal without files": (
        uspto.patents, "pvgpatdis$", faults.body_of(200, '{"count": 0, "bulkDataProductBag": []}'), {},
        ("USPTO Open Data Portal, product PVGPATDIS", "fileDownloadURI"),
    ),
    "portal file that climbs out of its folder": (
        uspto.patents, "/storage/g_patent", raw(zip_that_climbs_out(), "application/zip"), {},
        ("USPTO file g_patent.tsv.zip", "outside the zip"),
    ),
    "totals that are XML": (
        uspto.patents, "/oecd/", faults.body_of(200, "<message:GenericData/>", "application/xml"), {},
        ("OECD, PCT applications by economy", "drop folder"),
    ),
    "status table that is a web page": (
        ustr_web.tariffs, r"/static/ustr/List-1", faults.body_of(200, "<!DOCTYPE html><p>moved</p>", "text/csv"), {},
        ("Section 301 file List-1-Exclusion-Requests.csv", "web page"),
    ),
    "notices of another shape": (
        ustr_web.tariffs, "/fr/documents", faults.body_of(200, '{"results": [{"title": "x"}]}'), {},
        ("Federal Register, notices of product exclusions since 2018-06-01", "document_number"),
    ),
    "notice that is a web page": (
        ustr_web.tariffs, "/fr/xml", faults.body_of(200, "<?xml version='1.0'?><html>x</html>", "text/xml"), {},
        ("Federal Register notice 2019-16886", "web page"),
    ),
    "docket of another shape": (
        ustr_web.tariffs, "/regs/", faults.body_of(200, '{"data": [{"id": 1}], "meta": {}}'), {},
        ("regulations.gov, docket USTR-2018-0025", "totalElements"),
    ),
    "releases of another shape": (
        ustr_web.tariffs, "releaseList", faults.body_of(200, '{"message": "x"}'), {},
        ("USITC, releases of the HTS", "status"),
    ),
    "schedule that fails": (
        ustr_web.tariffs, "exportList", faults.status(500), {},
        ("USITC, HTS 2026HTSRev20", "HTTP 500", "Run again later"),
    ),
    "empty reference list": (
        reference_web.reference, "/reference/Reporters", faults.EMPTY, {},
        ("reference file Reporters.json", "empty answer"),
    ),
    "empty reference table": (
        reference_web.reference, "/static/reference/hs2017_bec", faults.body_of(200, "", "text/csv"), {},
        ("reference file hs2017_bec.csv", "empty answer"),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", FAULTS)
def test_the_error_names_source_place_and_remedy_and_the_next_run_is_whole(bench: Bench, name: str) -> None:
    look, pattern, action, changes, expected = FAULTS[name]
    bench.contract.world.row_cap = changes.get("comtrade_row_cap", 250_000)
    bench.contract.fail(pattern, action, times=99)
    with bench.live(**changes) as live, pytest.raises(SourceError) as raised:
        look(live)
    text = str(raised.value)
    assert all(part in text for part in expected), text
    assert raised.value.remedy and "contract-key" not in text
    assert not list(bench.home.rglob("evil.tsv"))
    bench.contract.faults.clear()
    changes = {key: value for key, value in changes.items() if key != "comtrade_row_cap"}
    bench.contract.world.row_cap = 250_000
    with bench.live(**changes) as live:
        parts = [payload.part for payload in look(live).payloads]
    assert parts and len(parts) == len(set(parts)), "what the fault left behind is neither used nor doubled"


def test_a_service_that_ignores_conditions_gives_no_second_entry(bench: Bench) -> None:
    for resource in bench.contract.world.reference.values():
        resource.validators = False
    with bench.live() as live:
        first = reference_web.reference(live)
        entries = len(live.archive.entries())
        second = reference_web.reference(live)
        assert len(live.archive.entries()) == entries
    assert [payload.body for payload in first.payloads] == [payload.body for payload in second.payloads]


def test_the_yearly_allowance_of_a_portal_file_is_not_wasted(bench: Bench) -> None:
    text = json.dumps({"message": "you have submitted 21 requests for this file in 31536000 sec"})
    bench.contract.fail("/files/PVGPATDIS/g_patent", faults.body_of(429, text), times=99)
    with bench.live() as live, pytest.raises(SourceError, match=r"31536000 sec.*in 1 try"):
        uspto.patents(live)
    assert bench.contract.count("/files/PVGPATDIS/g_patent") == 1
