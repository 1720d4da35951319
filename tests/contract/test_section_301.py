"""Section 301 over real sockets: notices, dockets, schedule and files, and that both paths land the same."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest

from dagster_project.datasets.tariffs import web as ustr_web
from dagster_project.datasets.tariffs.files import FILE_KINDS
from dagster_project.datasets.tariffs.landing import land as land_tariffs
from dagster_project.errors import Deferred, SourceError
from dagster_project.secret import Secret
from dagster_project.sources.files import find_files
from dagster_project.sources.live import Live
from tests.contract.conftest import Bench
from tests.contract.demo_live import write_drop_folder
from tests.contract.server import faults, notices
from tests.helpers.steps import load_of


def landed(live: Live, payloads: Any, folder: Path) -> dict[str, list[Any]]:
    """Every tariff table but for where its rows came from."""
    now = datetime(2026, 6, 15, tzinfo=UTC)
    result = land_tariffs(load_of(live.archive, [live.archive.put(p, retrieved_at=now) for p in payloads], folder))
    return {
        table: sorted(
            duckdb.sql(f"select * exclude (archive_entry) from '{folder / table}.parquet'").fetchall(), key=str
        )
        for table in result.rows
    }


def test_the_live_path_lands_what_the_file_path_lands(bench: Bench, tmp_path: Path) -> None:
    write_drop_folder(bench.contract, bench.settings().drop_dir)
    with bench.live() as live:
        over_the_wire = landed(live, ustr_web.tariffs(live).payloads, tmp_path / "wire")
        from_files = landed(live, find_files(live.settings.drop_dir, FILE_KINDS).payloads, tmp_path / "files")
    assert over_the_wire == from_files
    assert len(over_the_wire["tariff_requests"]) > 1000


def test_without_news_only_availability_is_asked(bench: Bench) -> None:
    with bench.live(ustr_addresses=()) as live:
        ustr_web.tariffs(live)
        bench.contract.seen.clear()
        ustr_web.tariffs(live)
        assert not ustr_web.changed(live)
    assert bench.contract.count("/fr/xml/") == 0
    assert bench.contract.count("page%5Bsize%5D=250") == 0
    assert bench.contract.count("exportList") == 0


def test_status_tables_are_asked_for_conditionally(bench: Bench) -> None:
    with bench.live() as live:
        ustr_web.tariffs(live)
        entries = len(live.archive.entries())
        bench.contract.seen.clear()
        ustr_web.tariffs(live)
        assert len(live.archive.entries()) == entries
    assert all(seen.headers.get("If-None-Match") for seen in bench.contract.seen if "/static/ustr/" in seen.target)


def test_notices_give_codes_list_and_the_days_they_state(bench: Bench, tmp_path: Path) -> None:
    with bench.live(ustr_addresses=()) as live:
        rows = landed(live, ustr_web.notices(live), tmp_path / "wire")["tariff_exclusions"]
    assert [row[3:9] for row in rows] == [
        ("3", code, code[:6], granted, date(2018, 9, 24), date(2020, 8, 7))
        for code, granted in (
            ("8413919010", date(2019, 8, 7)),
            ("8501104020", date(2019, 8, 7)),
            ("4015191010", date(2020, 2, 11)),
        )
    ]


def test_pages_are_followed_by_the_service_own_link(bench: Bench) -> None:
    bench.contract.world.register_page = 1
    with bench.live() as live:
        assert len(ustr_web.notices(live)) == 3
    assert bench.contract.count("/fr/documents.json") == 3


def test_an_answer_without_results_means_no_notice(bench: Bench) -> None:
    bench.contract.world.notices = []
    with bench.live() as live:
        assert ustr_web.notices(live) == []


def test_a_late_notice_inside_the_overlap_is_found_and_only_it_is_fetched(bench: Bench) -> None:
    with bench.live() as live:
        ustr_web.notices(live)
        bench.contract.seen.clear()
        late = notices.exclusion_notice("2020-99999", "2020-02-16", 34, "July 1, 2020", [("8412.21.0045", "Pistons")])
        bench.contract.world.notices.append(late)
        assert ustr_web.changed(live)
        assert len(ustr_web.notices(live)) == 4
    assert bench.contract.count("/fr/xml/") == 1


def test_a_400_of_the_register_is_reported(bench: Bench) -> None:
    bench.contract.fail("/fr/documents", faults.body_of(400, '{"errors":{"foo":"is not a valid field"}}'))
    with bench.live() as live, pytest.raises(SourceError, match="HTTP 400"):
        ustr_web.notices(live)


def test_dockets_are_paged_and_continued_past_page_20_without_doubles(bench: Bench, tmp_path: Path) -> None:
    bench.contract.world.documents = [notices.document(number) for number in range(130)]
    bench.contract.world.documents_page = 5
    with bench.live() as live:
        payloads = ustr_web.requests_of_docket(live, "USTR-2018-0025")
        rows = landed(live, payloads, tmp_path / "wire")["tariff_requests"]
    assert len(payloads) > 20
    assert sorted(row[0] for row in rows) == [f"USTR-2018-0025-{number:05d}" for number in range(130)]
    assert {row[8] for row in rows} == {"granted", "denied", "partially_granted", "withdrawn"}


def test_an_absurd_wait_of_the_gateway_defers_the_run(bench: Bench) -> None:
    body = '{"error":{"code":"OVER_RATE_LIMIT","message":"You have exceeded your rate limit."}}'
    bench.contract.fail("/regs/", faults.body_of(429, body, Retry_After="57263"))
    with bench.live() as live, pytest.raises(Deferred, match="OVER_RATE_LIMIT"):
        ustr_web.requests_of_docket(live, "USTR-2018-0025")


@pytest.mark.parametrize(
    ("code", "body", "expected"),
    [
        (400, '{"errors":[{"status":"400","title":"Bad request","detail":"page number"}]}', "page number"),
        (
            403,
            '{"error":{"code":"API_KEY_INVALID","message":"An invalid api_key was supplied."}}',
            "REGULATIONS_API_KEY",
        ),
    ],
)
def test_refusals_of_regulations_gov_are_reported(bench: Bench, code: int, body: str, expected: str) -> None:
    bench.contract.fail("/regs/", faults.body_of(code, body))
    with bench.live() as live, pytest.raises(SourceError, match=expected):
        ustr_web.requests_of_docket(live, "USTR-2018-0025")


@pytest.mark.parametrize(
    ("pattern", "body", "expected"),
    [
        ("/fr/documents", '{"count": 1, "results": [{"number": 1}]}', "Federal Register"),
        ("/regs/", '{"data": [{"id": 1}], "meta": {"totalElements": 1}}', "docket USTR-2018-0025"),
        ("/reststop/releaseList", '{"releases": []}', "USITC, releases of the HTS"),
    ],
)
def test_answers_of_another_shape_are_reported(bench: Bench, pattern: str, body: str, expected: str) -> None:
    bench.contract.fail(pattern, faults.body_of(200, body))
    with (
        bench.live(ustr_addresses=()) as live,
        pytest.raises(SourceError, match="an answer of another shape") as raised,
    ):
        ustr_web.tariffs(live)
    assert expected in str(raised.value)


def test_without_a_key_regulations_gov_is_left_out_and_noted(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("REGULATIONS_API_KEY")
    with bench.live() as live:
        found = ustr_web.tariffs(live)
    assert any("REGULATIONS_API_KEY" in note for note in found.ignored)
    assert bench.contract.count("/regs/") == 0


@pytest.mark.parametrize("dotted", [False, True])
def test_the_schedule_is_archived_once_a_release_in_either_form_of_address(bench: Bench, dotted: bool) -> None:
    bench.contract.world.dotted_schedule = dotted
    with bench.live() as live:
        (payload,), notes = ustr_web.schedule(live)
        assert (payload.part, payload.parameters["release"], notes) == ("hts_2026HTSRev20.json.gz", "2026HTSRev20", [])
        assert ustr_web.schedule(live)[0][0].body == payload.body
    assert bench.contract.count("exportList") == 1 + dotted
    assert {seen.headers["User-Agent"] for seen in bench.contract.seen} == {"chokepoint/0.1"}


def test_headings_of_chapter_99_are_landed_with_their_duty_and_edition(bench: Bench, tmp_path: Path) -> None:
    with bench.live() as live:
        rows = landed(live, ustr_web.schedule(live)[0], tmp_path / "wire")["tariff_headings"]
    assert {(row[0], row[3], row[4]) for row in rows} == {
        ("9903.88.01", 0.25, False),
        ("9903.88.02", 0.25, False),
        ("9903.88.03", 0.25, False),
        ("9903.88.05", None, False),
        ("9903.88.15", 0.075, False),
        ("9903.88.16", 0.15, True),
    }
    assert {row[5:7] for row in rows} == {("2026HTSRev20", 2_026_020)}


def test_a_new_edition_of_the_schedule_is_news(bench: Bench) -> None:
    static = bench.contract.world.static
    with bench.live() as live:
        ustr_web.tariffs(live)
        assert not ustr_web.changed(live)
        static["/static/ustr/hts_2026HTSRev21.json"] = static["/static/ustr/hts_2026HTSRev20.json"]
        bench.contract.world.schedule = "2026HTSRev21"
        assert ustr_web.changed(live)
        assert [payload.parameters["release"] for payload in ustr_web.schedule(live)[0]] == ["2026HTSRev21"]


def test_a_schedule_of_another_shape_is_refused(bench: Bench, tmp_path: Path) -> None:
    bench.contract.fail("exportList", faults.body_of(200, '[{"hts": "0101"}]'))
    with bench.live() as live, pytest.raises(SourceError, match=r"hts_2026HTSRev20.*no list of tariff lines.*htsno"):
        landed(live, ustr_web.schedule(live)[0], tmp_path / "wire")


def test_a_403_for_the_user_agent_is_reported(bench: Bench) -> None:
    bench.contract.fail("/reststop/", faults.body_of(403, "<html>Access denied</html>", "text/html"))
    with bench.live() as live, pytest.raises(SourceError, match="Access denied"):
        ustr_web.schedule(live)


def test_a_secret_in_an_address_is_sent_and_is_nowhere_else(bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
    """Not in the archive, the lock, the ledger, what is left of a download, nor in the message of a fault."""
    place = f"{bench.contract.url.replace('://', '://me:s3cret-word@')}/static/ustr/List-1-Exclusion-Requests.csv"
    addresses = (Secret(f"{place}?token=s3cret-token&page=1"),)
    with bench.live(ustr_addresses=addresses) as live:
        found = ustr_web.tariffs(live)
        again = ustr_web.tariffs(live)
        assert [payload.body for payload in found.payloads] == [payload.body for payload in again.payloads]
        bench.contract.fail("List-1", faults.status(500), times=99)
        with pytest.raises(SourceError, match="List-1-Exclusion-Requests") as error:
            ustr_web.tariffs(live)
    asked = [seen for seen in bench.contract.seen if "List-1" in seen.target]
    assert all("token=s3cret-token" in seen.target and seen.headers["Authorization"] for seen in asked)
    assert asked[1].headers["If-None-Match"], "an address with a secret is remembered all the same"
    files = [path for path in (bench.home / "live").rglob("*") if path.is_file()]
    texts = {str(path): path.read_bytes().decode("latin-1") for path in files}
    texts |= {"message": str(error.value), "log": caplog.text, "found": repr(found)}
    assert not [name for name, text in texts.items() if "s3cret" in text]
    assert "page=1" in found.payloads[0].address


@pytest.mark.parametrize("cut", [True, False])
def test_a_secret_in_an_address_of_a_download_is_in_no_file(bench: Bench, cut: bool) -> None:
    address = f"{bench.contract.url}/static/ustr/List-1-Exclusion-Requests.csv?sig=s3cret"
    bench.contract.fail("List-1", faults.cut_off, times=99 if cut else 0)
    with bench.live() as live:
        with suppress(SourceError):
            live.http.download(ustr_web.FILES, address, live.downloads, where="file")
        left = [path for path in live.downloads.rglob("*") if path.is_file()]
    assert left and not [path for path in left if b"s3cret" in path.read_bytes() or "s3cret" in path.name]
    if cut:
        assert any(seen.headers.get("Range") for seen in bench.contract.seen), "it is resumed all the same"
