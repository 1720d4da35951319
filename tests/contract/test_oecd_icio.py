"""Input-output tables from the OECD over real sockets: what is fetched, when anew, and what a closed door says."""

from __future__ import annotations

from pathlib import Path

import pytest

from dagster_project.datasets.chains import web
from dagster_project.datasets.chains.files import tables
from dagster_project.errors import Deferred, SourceError
from tests.contract.conftest import Bench
from tests.contract.server import faults, oecd_icio
from tests.contract.server.world import Resource

NEWEST = "2016-2022_SML.zip"


def place(bench: Bench, body: bytes) -> None:
    """Put other bytes under the newest zip's name."""
    bench.contract.world.static[f"{oecd_icio.PREFIX}/{NEWEST}"] = Resource(body, "application/zip")


def test_the_zip_of_the_years_asked_for_comes_whole_and_tells_its_edition(bench: Bench) -> None:
    with bench.live() as live:
        (payload,) = web.fetch(live).payloads
        (entry,) = live.archive.entries()
        found = tables([entry], live.archive)
    assert isinstance(payload.body, Path) and payload.body.read_bytes() == oecd_icio.zips()[NEWEST]
    assert payload.address == f"{bench.contract.url}{oecd_icio.PREFIX}/{NEWEST}"
    assert payload.provenance.source == "oecd_icio" and not payload.provenance.synthetic
    assert [(table.edition, table.year) for table in found] == [("icio_2025_sml", year) for year in (2017, 2018, 2019)]
    assert "Last-Modified" not in payload.parameters and "2026" in payload.parameters["version"]
    assert not list((bench.home / "live/downloads").rglob("*.zip"))


@pytest.mark.parametrize(("years", "n"), [((2018,), 1), ((2000, 2001), 2), (None, 5), ((2030,), 1)])
def test_only_zips_that_hold_a_year_are_asked_for(bench: Bench, years: tuple[int, ...] | None, n: int) -> None:
    with bench.live(years=years) as live:
        assert len(web.fetch(live).payloads) == n


def test_what_is_here_is_not_fetched_again_and_is_no_news(bench: Bench) -> None:
    with bench.live() as live:
        assert web.changed(live)
        before = web.fetch(live)
        bench.contract.seen.clear()
        assert not web.changed(live)
        assert web.fetch(live).payloads == before.payloads
    assert all(seen.headers.get("Range") == "bytes=0-511" for seen in bench.contract.seen)


def test_new_bytes_under_the_same_name_are_news_and_the_old_ones_stay(bench: Bench) -> None:
    with bench.live() as live:
        (before,) = web.fetch(live).payloads
        place(bench, oecd_icio.zips()["2011-2015_SML.zip"])
        assert web.changed(live)
        (after,) = web.fetch(live).payloads
        assert len(live.archive.entries()) == 2
        assert not web.changed(live)
    assert isinstance(before.body, Path) and isinstance(after.body, Path)
    assert before.body.read_bytes() == oecd_icio.zips()[NEWEST] != after.body.read_bytes()


def test_a_closed_door_is_not_tried_again_and_says_what_to_do(bench: Bench) -> None:
    bench.contract.fail(oecd_icio.PREFIX, faults.body_of(403, "<html>Access denied</html>", "text/html"), times=9)
    with bench.live() as live, pytest.raises(SourceError) as raised:
        web.fetch(live)
    said = str(raised.value)
    assert "HTTP 403" in said and "download by hand into drop/gvc/" in said and NEWEST in said
    assert "CHOKEPOINT_CHAINS_SOURCE=files" in said
    assert bench.contract.count(oecd_icio.PREFIX) == 1


@pytest.mark.parametrize("body", [b'{"other": 1}', b"<html>Sign in</html>", oecd_icio.zips()[NEWEST][:-60]])
def test_what_is_no_whole_zip_is_not_used(bench: Bench, body: bytes) -> None:
    place(bench, body)
    with bench.live() as live, pytest.raises(SourceError, match=NEWEST.replace(".", r"\.")):
        web.fetch(live)
    with bench.live() as live:
        assert not live.archive.entries()


def test_a_download_that_breaks_off_goes_on(bench: Bench) -> None:
    with bench.live() as live:
        web.changed(live)
        bench.contract.fail(oecd_icio.PREFIX, faults.cut_off)
        (payload,) = web.fetch(live).payloads
    assert isinstance(payload.body, Path) and payload.body.read_bytes() == oecd_icio.zips()[NEWEST]


def test_a_used_up_budget_stops_the_run(bench: Bench) -> None:
    with bench.live() as live:
        for _ in range(web.SERVICE.budget or 0):
            live.ledger.reserve(web.SERVICE.name, "none", live.now.strftime("%Y-%m-%d"), None)
        with pytest.raises(Deferred, match="budget of 60 calls"):
            web.changed(live)
