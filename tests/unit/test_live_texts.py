"""What services say in words and headers: waits, messages, keys taken out, requests named without host and key."""

from __future__ import annotations

import pytest

from dagster_project.datasets.trade.comtrade_api import Cell
from dagster_project.sources.http import Service, canonical, message_of, redact, requested_wait

NOW = 1_781_524_800.0  # 2026-06-15 12:00 UTC


@pytest.mark.parametrize(
    ("headers", "text", "seconds"),
    [
        ({"Retry-After": "7"}, "", 7),
        ({"Retry-After": "Mon, 15 Jun 2026 12:01:00 GMT"}, "", 60),
        ({"Retry-After": "Mon, 15 Jun 2026 11:00:00 GMT"}, "", 0),
        ({"Retry-After": "soon"}, "", None),
        ({}, "Rate limit is exceeded. Try again in 2 seconds.", 2),
        ({"Retry-After": "1"}, "Try again in 2 seconds.", 2),
        ({}, "Quota will be replenished in 00:30:02.", 1802),
        ({}, "Quota will be replenished in 1.02:00:00.", 93_600),
        ({}, "Quota will be replenished in 2.5 days", 216_000),
        ({}, "no word of it", None),
    ],
)
def test_requested_wait(headers: dict[str, str], text: str, seconds: float | None) -> None:
    assert requested_wait(headers, text, NOW) == seconds


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"statusCode":404,"message":"Resource not found"}', "Resource not found"),
        ('{"error":{"code":"API_KEY_MISSING","message":"No key"}}', "API_KEY_MISSING; No key"),
        ('{"errors":[{"status":"400","title":"Bad","detail":"page"}]}', "Bad; page"),
        ("<html><body>Service <b>down</b></body></html>", "Service down"),
        ("", "no text"),
    ],
)
def test_message_of(text: str, message: str) -> None:
    assert message_of(text) == message


def test_no_key_stays_in_a_text() -> None:
    service = Service("x", key="s3cret", key_header="X-Api-Key")
    text = redact("GET /a?subscription-key=abc&api_key=def with s3cret, X-Api-Key: ghi", service)
    assert not any(secret in text for secret in ("abc", "def", "ghi", "s3cret"))
    assert "s3cret" not in repr(service)


def test_a_request_has_one_name_whatever_the_order_and_the_host() -> None:
    assert canonical("http://a/x", {"b": "1", "a": "2"}) == canonical("https://b/x", [("a", "2"), ("b", "1")])


def test_splitting_goes_from_flows_to_partners_to_chapters_and_ends() -> None:
    cell = Cell(2018, 842)
    imports, exports = cell.split()
    assert [imports.flows, exports.flows] == [("M",), ("X",)]
    parts = imports.by_partner((0, 4, 8, 12, 16), 3)
    assert [part.partners for part in parts] == [(0, 12), (4, 16), (8,)]
    assert [half.partners for half in parts[0].split()] == [(0,), (12,)]
    assert [part.partners for part in imports.by_partner((0, 4), 9)] == [(0,), (4,)]
    chapters = parts[2].split()
    assert len(chapters) == 98 and "99*" in {chapter.goods[0] for chapter in chapters}
    assert all(chapter.partners == (8,) and chapter.split() == [] for chapter in chapters)
    assert [part.goods for part in Cell(2018, 842, ("M",), ("1", "2")).split()] == [("1",), ("2",)]
    assert len({part.name for part in (cell, *parts, *chapters)}) == 102
