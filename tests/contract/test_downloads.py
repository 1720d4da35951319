"""Files over real sockets: resume, ranges, damaged containers, redirects; and the services that give files."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from pathlib import Path
from typing import Any

import pytest

from dagster_project.datasets.patents import oecd, uspto
from dagster_project.datasets.reference import web as reference_web
from dagster_project.datasets.reference.files import FILE_KINDS
from dagster_project.datasets.trade import baci_web
from dagster_project.errors import SettingError, SourceError
from dagster_project.sources import cepii
from dagster_project.sources.http import Service
from dagster_project.sources.live import kind_of_name
from tests.contract.conftest import Bench
from tests.contract.server import faults
from tests.contract.server.world import Resource, baci_tables, baci_zip, oecd_table

FILES = Service("files", interval=0)
BODY = hashlib.shake_256(b"rows").digest(300_000).hex().encode()


def fetch(bench: Bench, resource: Resource, name: str = "table.csv") -> bytes:
    """Download one file as the sources do."""
    bench.contract.world.static[f"/static/{name}"] = resource
    with bench.live() as live:
        path = live.http.download(FILES, f"{bench.contract.url}/static/{name}", live.downloads, where=f"file {name}")
        return path.read_bytes()


def ranges(bench: Bench) -> list[str | None]:
    return [seen.headers.get("Range") for seen in bench.contract.seen]


def conditions(bench: Bench) -> list[str | None]:
    return [seen.headers.get("If-Range") for seen in bench.contract.seen]


def test_a_cut_file_goes_on_where_it_stopped(bench: Bench) -> None:
    bench.contract.fail("table", faults.cut_off)
    resource = Resource(BODY)
    assert fetch(bench, resource) == BODY
    assert ranges(bench) == [None, f"bytes={len(BODY) // 2}-"]
    assert conditions(bench)[1] == resource.etag


def test_a_weak_etag_is_not_used_to_resume_but_the_date_is(bench: Bench) -> None:
    bench.contract.fail("table", faults.cut_off)
    assert fetch(bench, Resource(BODY, weak=True)) == BODY
    assert conditions(bench)[1] == "Tue, 05 May 2026 05:05:05 GMT"


def test_without_validators_nothing_is_resumed(bench: Bench) -> None:
    bench.contract.fail("table", faults.cut_off)
    assert fetch(bench, Resource(BODY, validators=False)) == BODY
    assert ranges(bench) == [None, None]


def test_a_server_that_ignores_range_gives_the_whole_file_once_more(bench: Bench) -> None:
    bench.contract.fail("table", faults.cut_off)
    assert fetch(bench, Resource(BODY, ranges=False)) == BODY


def test_a_file_that_changed_during_a_resume_is_taken_whole_in_its_new_form(bench: Bench) -> None:
    new = Resource(BODY[::-1])

    def cut_and_change(handler: object, answer: object) -> None:
        faults.cut_off(handler, answer)  # type: ignore[arg-type]
        bench.contract.world.static["/static/table.csv"] = new

    bench.contract.fail("table", cut_and_change)
    assert fetch(bench, Resource(BODY)) == new.body


def test_416_with_everything_here_is_done(bench: Bench) -> None:
    resource = Resource(BODY)

    def all_but_the_end(handler: object, answer: object) -> None:
        code, headers, body = answer()  # type: ignore[operator]
        faults.cut_off(handler, lambda: (code, headers, body + b"x" * len(body)))  # type: ignore[arg-type]

    bench.contract.fail("table", all_but_the_end)
    with bench.live() as live:
        part = live.downloads / "part"
        bench.contract.world.static["/static/table.csv"] = resource
        address = f"{bench.contract.url}/static/table.csv"
        service = Service("files", interval=0, tries=1)
        with pytest.raises(SourceError):
            live.http.download(service, address, live.downloads, where="file")
        (state,) = part.glob("*.state.json")
        record = json.loads(state.read_text())
        state.write_text(json.dumps({**record, "total": len(BODY)}))
        assert live.http.download(service, address, live.downloads, where="file").read_bytes() == BODY
    assert ranges(bench)[-1] == f"bytes={len(BODY)}-"


def test_416_without_everything_starts_again(bench: Bench) -> None:
    bench.contract.fail("table", faults.cut_off)
    bench.contract.fail("table", faults.body_of(416, ""))
    assert fetch(bench, Resource(BODY)) == BODY


def test_content_that_does_not_match_its_md5_is_fetched_again(bench: Bench) -> None:
    def spoilt(handler: object, answer: object) -> None:
        code, headers, body = answer()  # type: ignore[operator]
        faults.send(handler, code, headers, body[:-1] + b"?")  # type: ignore[arg-type]

    bench.contract.fail("table", spoilt)
    assert fetch(bench, Resource(BODY)) == BODY


def test_a_web_page_in_place_of_a_file_is_not_taken(bench: Bench) -> None:
    bench.contract.fail("table", faults.HTML)
    assert fetch(bench, Resource(BODY)) == BODY


def test_a_truncated_zip_is_refused(bench: Bench) -> None:
    with pytest.raises(SourceError, match="broken or truncated zip"):
        fetch(bench, Resource(baci_zip()[:-2000]), "table.zip")
    assert not list((bench.home / "live/downloads").rglob("*table*"))


def test_a_zip_member_that_leaves_its_folder_is_refused(bench: Bench) -> None:
    body = io.BytesIO()
    with zipfile.ZipFile(body, "w") as archive:
        archive.writestr("../../evil.csv", "t,i,j\n")
    with pytest.raises(SourceError, match="outside the zip"):
        fetch(bench, Resource(body.getvalue()), "table.zip")
    assert not list(bench.home.rglob("evil.csv"))


def years_of(payloads: object) -> dict[str, bytes]:
    import gzip

    return {
        payload.part.removesuffix(".gz"): gzip.decompress(payload.body.read_bytes())
        for payload in payloads  # type: ignore[attr-defined]
    }


def test_only_the_years_wanted_are_read_out_of_the_zip(bench: Bench) -> None:
    with bench.live() as live:
        found = baci_web.trade(live)
        assert years_of(found.payloads) == {"BACI_HS17_Y2018_V201901.csv": baci_tables()["BACI_HS17_Y2018_V201901.csv"]}
        bench.contract.seen.clear()
        assert years_of(baci_web.trade(live).payloads) == years_of(found.payloads)
        assert not cepii.changed(live)
    assert all(asked in (None, "bytes=-65536") for asked in ranges(bench)), "no data call without news"


@pytest.mark.parametrize("ranges", [True, False])
def test_a_member_of_bacis_zip_writes_nowhere_else(bench: Bench, ranges: bool) -> None:
    outside = bench.home / "outside"
    outside.mkdir()
    victim = outside / "BACI_HS17_Y2018_V201901.csv.gz"
    victim.write_bytes(b"mine")
    body = io.BytesIO()
    with zipfile.ZipFile(body, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(str(victim).removesuffix(".gz"), "t,i,j,k,v,q\n")
    bench.contract.world.static["/baci/data/BACI_HS17_V201901.zip"] = Resource(body.getvalue(), ranges=ranges)
    with bench.live(years=None) as live, pytest.raises(SourceError, match="outside the zip"):
        baci_web.trade(live)
    assert victim.read_bytes() == b"mine"
    with bench.live(years=None) as live:
        assert not live.archive.entries()


def test_a_member_in_a_folder_of_bacis_zip_is_taken(bench: Bench) -> None:
    body = io.BytesIO()
    with zipfile.ZipFile(body, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("BACI_HS17/BACI_HS17_Y2018_V201901.csv", "t,i,j,k,v,q\n")
    bench.contract.world.static["/baci/data/BACI_HS17_V201901.zip"] = Resource(body.getvalue())
    with bench.live(years=None) as live:
        assert list(years_of(baci_web.trade(live).payloads)) == ["BACI_HS17_Y2018_V201901.csv"]


def test_a_zip_that_cannot_be_read_by_ranges_is_fetched_whole_and_resumed(bench: Bench) -> None:
    resource = bench.contract.world.static["/baci/data/BACI_HS17_V201901.zip"]
    resource.ranges = False
    with bench.live() as live:
        found = baci_web.trade(live)
    assert years_of(found.payloads) == {"BACI_HS17_Y2018_V201901.csv": baci_tables()["BACI_HS17_Y2018_V201901.csv"]}


def test_a_member_that_breaks_off_is_resumed(bench: Bench) -> None:
    bench.contract.fail(r"BACI_HS17_V201901\.zip", faults.cut_off, after=1)
    with bench.live() as live:
        found = baci_web.trade(live)
    assert years_of(found.payloads) == {"BACI_HS17_Y2018_V201901.csv": baci_tables()["BACI_HS17_Y2018_V201901.csv"]}


def test_a_year_that_the_release_lacks_is_named(bench: Bench) -> None:
    with bench.live(years=(2031,)) as live, pytest.raises(SourceError, match="it holds the years 2017, 2018, 2019"):
        baci_web.trade(live)


def test_a_zip_cut_off_at_the_publisher_is_named(bench: Bench) -> None:
    bench.contract.world.static["/baci/data/BACI_HS17_V201901.zip"] = Resource(baci_zip()[:-3000])
    with bench.live() as live, pytest.raises(SourceError, match="without a directory"):
        baci_web.trade(live)


def test_a_new_release_is_news(bench: Bench) -> None:
    with bench.live() as live:
        baci_web.trade(live)
        static = bench.contract.world.static
        static["/baci/doc/baci_webpage.html"] = Resource(b"V201901 V202001b", "text/html")
        static["/baci/data/BACI_HS17_V202001b.zip"] = Resource(baci_zip("202001b"))
        assert cepii.changed(live)
        assert [payload.parameters["release"] for payload in baci_web.trade(live).payloads] == ["202001b"]


def test_unchanged_reference_files_cost_304s_and_pinned_ones_nothing(bench: Bench) -> None:
    with bench.live() as live:
        before = reference_web.reference(live)
        entries = len(live.archive.entries())
        bench.contract.seen.clear()
        after = reference_web.reference(live)
        assert len(live.archive.entries()) == entries
    assert [p.part for p in before.payloads] == [p.part for p in after.payloads]
    assert bench.contract.count("/static/") == 0
    tags = [seen.headers.get("If-None-Match") for seen in bench.contract.seen if "/reference/" in seen.target]
    assert len(tags) == 2 and all(tag and not tag.startswith('"') for tag in tags), "sent back as received"


def test_a_reference_file_that_is_not_the_pinned_one_is_refused_until_it_is_pinned(bench: Bench) -> None:
    with bench.live() as live:
        listed = live.settings.reference_list
        record = json.loads(listed.read_text())
        pins = {"hs2017_bec.csv": "0" * 64}
        files = [{**each, "sha256": pins.get(each["name"], each["sha256"])} for each in record["files"]]
        listed.write_text(json.dumps({"files": files}))
        with pytest.raises(SourceError, match=r"hs2017_bec\.csv") as raised:
            reference_web.reference(live)
        assert "make pin" in str(raised.value)
        assert sorted(reference_web.pin(live)) == ["Reporters.json", "hs2017_bec.csv", "partnerAreas.json"]
        assert len(reference_web.reference(live).payloads) == 6


def test_a_reference_file_without_a_pin_is_asked_for_conditionally_and_noted(bench: Bench) -> None:
    with bench.live() as live:
        listed = live.settings.reference_list
        files = [{**record, "sha256": None} for record in json.loads(listed.read_text())["files"]]
        listed.write_text(json.dumps({"files": files}))
        found = reference_web.reference(live)
        bench.contract.seen.clear()
        reference_web.reference(live)
        assert len(live.archive.entries()) == len(found.payloads)
    (note,) = found.ignored
    assert "hs2017_bec.csv" in note and "make pin" in note
    asked = [seen.headers.get("If-None-Match") for seen in bench.contract.seen if "/baci/" not in seen.target]
    assert len(asked) == len(files) and all(asked), "304s only"


def test_a_pinned_file_stays_as_it_is_until_pin_accepts_what_its_publisher_has_now(bench: Bench) -> None:
    with bench.live() as live:
        reference_web.pin(live)
        assert not reference_web.reference(live).ignored
        static = bench.contract.world.static
        body = static["/static/reference/hs2017_bec.csv"].body
        static["/static/reference/hs2017_bec.csv"] = Resource(body.replace(b"\n", b"\r\n"))
        bench.contract.seen.clear()
        before = reference_web.reference(live)
        assert not bench.contract.count("/reference/"), "what is pinned and here is not asked for"
        assert reference_web.pin(live) == ["hs2017_bec.csv"]
        after = reference_web.reference(live)
        assert len({payload.part for payload in after.payloads}) == len(before.payloads)
        bodies = {payload.part: Path(str(payload.body)).read_bytes() for payload in after.payloads}
        assert b"\r\n" in bodies["hs2017_bec.csv"]
        assert body in [live.archive.open_path(entry).read_bytes() for entry in live.archive.entries()]


def test_the_list_that_comes_with_the_program_names_files_that_it_can_read() -> None:
    listed = Path(reference_web.__file__).with_name("reference_list.json")
    for record in json.loads(listed.read_text())["files"]:
        assert kind_of_name(FILE_KINDS, record["name"], where=record["name"])
        assert record["address"].startswith(("{comtrade}/", "https://"))


def test_portal_files_are_fetched_once_and_no_credential_reaches_the_storage_host(bench: Bench) -> None:
    with bench.live() as live:
        found = uspto.patents(live)
        bench_storage = [seen for seen in bench.contract.seen if seen.target.startswith("/storage/")]
        assert len(bench_storage) == 7 and not any("X-Api-Key" in seen.headers for seen in bench_storage)
        bench.contract.seen.clear()
        again = uspto.patents(live)
        assert not uspto.changed(live)
        bench.contract.world.odp_released["g_patent.tsv.zip"] = "2026-06-30 00:00:00"
        assert uspto.changed(live)
        uspto.patents(live)
    assert [p.part for p in found.payloads] == [p.part for p in again.payloads]
    assert bench.contract.count("/storage/") == 1, "only the file that moved"


def test_a_redirect_to_another_host_loses_the_key(bench: Bench) -> None:
    storage = f"{bench.contract.storage_url}/static/elsewhere.csv"
    bench.contract.world.static["/static/elsewhere.csv"] = Resource(BODY)
    bench.contract.fail(r"^/static/table\.csv", faults.redirect(storage))
    service = Service("keyed", interval=0, key="contract-key", key_header="X-Api-Key", home=bench.contract.url)
    with bench.live() as live:
        address = f"{bench.contract.url}/static/table.csv"
        assert live.http.download(service, address, live.downloads, where="file").read_bytes() == BODY
    first, second = bench.contract.seen
    assert first.headers.get("X-Api-Key") == "contract-key" and "X-Api-Key" not in second.headers
    assert bench.calls("keyed") == 1, "the storage host is no call of the service"


def test_a_portal_file_at_another_host_gets_no_key(bench: Bench) -> None:
    contract = bench.contract

    def elsewhere(handler: Any, answer: Any) -> None:
        code, headers, body = answer()
        faults.send(handler, code, headers, body.replace(contract.url.encode(), contract.storage_url.encode()))

    contract.fail("pvgpatdis$", elsewhere)
    with bench.live() as live, pytest.raises(SourceError, match="HTTP 401"):
        uspto.patents(live)
    metadata, file = contract.seen
    assert metadata.headers["X-Api-Key"] == "contract-key" and "X-Api-Key" not in file.headers


def test_a_portal_file_is_not_tried_again_blindly_and_resumes_in_the_next_run(bench: Bench) -> None:
    bench.contract.fail("/storage/g_patent", faults.cut_off)
    with bench.live() as live:
        with pytest.raises(SourceError, match=r"g_patent\.tsv\.zip"):
            uspto.patents(live)
        assert bench.contract.count("/storage/g_patent") == 1
        uspto.patents(live)
    assert any(asked and asked != "bytes=0-" for asked in ranges(bench))


@pytest.mark.parametrize(
    ("code", "body"),
    [
        (401, '{"message":"Unauthorized"}'),
        (403, '{"message":"Missing Authentication Token"}'),
        (404, '{"code":404,"message":"Not Found","requestIdentifier":"1"}'),
        (429, '{"message":"you have submitted 21 requests for this file in 31536000 sec"}'),
    ],
)
def test_refusals_of_the_portal_are_reported(bench: Bench, code: int, body: str) -> None:
    bench.contract.fail("/files/PVGPATDIS/g_patent", faults.body_of(code, body))
    with bench.live() as live, pytest.raises(SourceError, match=rf"HTTP {code}") as raised:
        uspto.patents(live)
    assert "contract-key" not in str(raised.value)
    assert bench.contract.count("/files/PVGPATDIS/g_patent") == 1


def test_without_a_key_the_portal_is_not_asked(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("USPTO_API_KEY")
    with bench.live() as live, pytest.raises(SettingError, match="USPTO_API_KEY"):
        uspto.patents(live)
    assert bench.contract.count("") == 0


def test_totals_of_oecd_are_asked_for_once_and_then_conditionally(bench: Bench) -> None:
    with bench.live() as live:
        before = uspto.patents(live)
        after = uspto.patents(live)
    (totals,) = [payload for payload in before.payloads if payload.parameters["kind"] == "oecd_totals"]
    assert isinstance(totals.body, Path) and totals.body.read_bytes().startswith(b"STRUCTURE,")
    assert [p.part for p in before.payloads] == [p.part for p in after.payloads]
    first, second = (seen for seen in bench.contract.seen if seen.target.startswith("/oecd/"))
    assert "If-None-Match" not in first.headers and second.headers.get("If-None-Match")
    assert first.headers["User-Agent"].startswith("chokepoint/")


def test_no_records_at_oecd_are_noted_and_stop_nothing(bench: Bench) -> None:
    bench.contract.fail("/oecd/", faults.body_of(404, "NoRecordsFound", "text/plain"))
    with bench.live() as live:
        found = uspto.patents(live)
    assert len(found.payloads) == 7 and any("NoRecordsFound" in note for note in found.ignored)


def test_a_page_in_place_of_totals_stops_the_patents_and_is_named(bench: Bench) -> None:
    bench.contract.fail("/oecd/", faults.body_of(403, "<html>Request blocked</html>", "text/html"))
    with bench.live() as live, pytest.raises(SourceError, match=r"OECD, PCT applications.*Request blocked"):
        uspto.patents(live)


def test_a_hand_placed_table_of_oecd_is_not_asked_for(bench: Bench) -> None:
    folder = Path(bench.settings().drop_dir) / "patents"
    folder.mkdir(parents=True)
    (folder / "oecd_2026.csv").write_bytes(oecd_table(oecd.KEY.split("."), 1999))
    with bench.live() as live:
        kinds = [payload.parameters["kind"] for payload in uspto.patents(live).payloads]
    assert kinds.count("oecd_totals") == 1 and bench.contract.count("/oecd/") == 0


def test_hand_placed_tables_join_the_portal_files(bench: Bench) -> None:
    drop = Path(bench.settings().drop_dir)
    (drop / "patents").mkdir(parents=True)
    concordance = bench.contract.world.static["/static/patents/wipo_ipc_technology_concordance.csv"].body
    (drop / "patents/wipo_ipc_technology_concordance.csv").write_bytes(concordance)
    with bench.live() as live:
        kinds = [payload.parameters["kind"] for payload in uspto.patents(live).payloads]
    assert "wipo_concordance" in kinds and len(kinds) == 9
