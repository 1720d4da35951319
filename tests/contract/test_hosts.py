"""Where answers may lead a live source: to hosts of its list over https, to those that the settings name, no other."""

from __future__ import annotations

import json
import socket
from typing import Any

import pytest

from dagster_project.datasets.patents import uspto
from dagster_project.datasets.reference import web as reference_web
from dagster_project.datasets.tariffs import web as ustr_web
from dagster_project.datasets.trade import comtrade_api
from dagster_project.errors import SettingError, SourceError
from dagster_project.settings import load_settings
from dagster_project.sources.hosts import Hosts
from dagster_project.sources.http import Service
from tests.contract.conftest import Bench
from tests.contract.server import faults
from tests.contract.server.world import Resource

LISTED = Service("listed", interval=0, hosts=("uspto.gov",))
ELSEWHERE = (
    "http://localhost/x", "http://[::1]/x", "https://127.0.0.2/x", "https://[::ffff:127.0.0.1]/x", "https://10.1.2.3/x",
    "http://169.254.169.254/latest/meta-data", "https://169.254.169.254/latest", "https://localhost/x", "https://db/x",
    "https://printer.local/x", "http://data.uspto.gov/x", "https://uspto.gov.example.org/x", "https://notuspto.gov/x",
    "https://example.org\\@uspto.gov/x", "https://me@example.org/x?uspto.gov", "ftp://uspto.gov/x", "file:///etc/passwd",
    "https://2130706433/x", "https://0x7f.1/x",
)  # fmt: skip


@pytest.mark.parametrize("address", ELSEWHERE)
def test_a_redirect_to_elsewhere_is_not_followed(bench: Bench, address: str) -> None:
    bench.contract.world.static["/static/a.csv"] = Resource(b"a,b\n")
    bench.contract.fail("/static/a.csv", faults.redirect(address), times=9)
    with bench.live() as live, pytest.raises(SourceError) as error:
        live.http.get_bytes(LISTED, f"{bench.contract.url}/static/a.csv", where="file a.csv")
    assert "file a.csv" in str(error.value) and "leads to" in error.value.found
    assert bench.contract.count("") == 1, "nothing is tried again"


@pytest.mark.parametrize("address", ["https://data.uspto.gov/x", "https://uspto.gov/x", "https://A.B.USPTO.GOV:8443/x"])
def test_hosts_of_the_list_are_followed_over_https(address: str) -> None:
    assert Hosts().objection(address, LISTED.hosts) is None


def test_what_the_settings_name_is_the_users_choice() -> None:
    hosts = Hosts()
    hosts.name(["http://127.0.0.1:8000/api", "https://mirror.example.org"])
    for address in ("http://127.0.0.1:9/x", "https://127.0.0.1/x", "https://mirror.example.org/x"):
        assert hosts.objection(address, ()) is None
    for address in ("http://mirror.example.org/x", "https://127.0.0.2/x", "https://a.mirror.example.org/x"):
        assert hosts.objection(address, ()), "no more than that: neither plain http nor what lies below"


def test_hosts_can_be_added_by_a_setting(bench: Bench) -> None:
    with bench.live(more_hosts=("files.example.org",)) as live:
        assert live.http.hosts.objection("https://files.example.org/x", ()) is None
        assert live.http.hosts.objection("https://example.org/x", ())
    with pytest.raises(SettingError, match="CHOKEPOINT_MORE_HOSTS"):
        load_settings({"CHOKEPOINT_MORE_HOSTS": "https://x.org"}, dotenv=None)


def test_a_host_of_the_list_whose_name_leads_to_this_machine_is_not_asked(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    port = int(bench.contract.url.rsplit(":", 1)[1])
    asked: list[str] = []

    def resolve(host: str, *_: Any, **__: Any) -> Any:
        asked.append(host)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port))]

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    bench.contract.fail("a.csv", faults.redirect(f"https://data.uspto.gov:{port}/x"))
    with bench.live() as live, pytest.raises(SourceError, match=r"name leads to this machine.*data\.uspto\.gov"):
        live.http.get_bytes(LISTED, f"{bench.contract.url}/static/a.csv", where="file a.csv")
    assert "data.uspto.gov" in asked and bench.contract.count("") == 1


def replaced(bench: Bench, pattern: str, change: Any) -> None:
    """Let the JSON answers of a request hold something else."""

    def act(handler: Any, answer: Any) -> None:
        code, headers, body = answer()
        content = json.loads(body)
        change(content)
        faults.send(handler, code, headers, json.dumps(content).encode())

    bench.contract.fail(pattern, act, times=9)


def test_links_in_answers_are_held_against_the_list_too(bench: Bench) -> None:
    """The next page and the text of notices, files of the portal, bulk files, batches."""
    inside = "http://localhost:1/x"
    for look, pattern, change, settings in (
        (ustr_web.tariffs, "/fr/documents", lambda c: c.update(next_page_url=inside), {}),
        (ustr_web.tariffs, "/fr/documents", lambda c: c["results"][0].update(full_text_xml_url=inside), {}),
        (
            uspto.patents, "pvgpatdis$",
            lambda c: [
                file.update(fileDownloadURI=inside)
                for file in c["bulkDataProductBag"][0]["productFileBag"]["fileDataBag"]
            ], {},
        ),
        (comtrade_api.trade, "/bulk/v1/get", lambda c: c["data"][0].update(fileUrl=inside), {"comtrade_bulk": True}),
        (comtrade_api.trade, "getDA/", lambda c: c["data"][0].update(status="Completed", uri=inside),
         {"comtrade_async": True, "comtrade_row_cap": 60}),
    ):  # fmt: skip
        bench.contract.faults.clear()
        bench.contract.world.row_cap = settings.get("comtrade_row_cap", 250_000)
        replaced(bench, pattern, change)
        with bench.live(**settings) as live, pytest.raises(SourceError, match="not https"):
            look(live)


def test_addresses_of_the_reference_list_are_the_users_choice(bench: Bench) -> None:
    with bench.live(comtrade_url=bench.contract.url, baci_url=f"{bench.contract.url}/baci") as live:
        path = live.settings.reference_list
        content = json.loads(path.read_text())
        other = bench.contract.url.replace("127.0.0.1", "localhost")
        for record in content["files"]:
            record["address"] = record["address"].replace("{comtrade}", bench.contract.url)
        content["files"][0]["address"] = content["files"][0]["address"].replace(bench.contract.url, other)
        path.write_text(json.dumps(content))
        assert reference_web.reference(live).payloads
