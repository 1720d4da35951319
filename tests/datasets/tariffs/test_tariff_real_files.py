"""Tariff landing on the real files, where they lie beside the checkout: the counts that must come out of them."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pytest

from dagster_project.archive.store import Archive
from dagster_project.datasets.tariffs.files import FILE_KINDS
from dagster_project.datasets.tariffs.landing import land as land_tariffs
from dagster_project.sources.files import find_files
from tests.helpers.real_files import DROP
from tests.helpers.steps import load_of

pytestmark = pytest.mark.skipif(not (DROP / "ustr").is_dir(), reason="no real tariff files beside the checkout")


@pytest.fixture(scope="module")
def landing(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("tariffs")
    archive = Archive(root / "archive")
    found = find_files(DROP, FILE_KINDS)
    assert found.ignored == []
    entries = [archive.put(payload, retrieved_at=datetime(2026, 1, 1, tzinfo=UTC)) for payload in found.payloads]
    land_tariffs(load_of(archive, entries, root / "landing"))
    return root / "landing"


def query(landing: Path, sql: str) -> list[tuple[object, ...]]:
    with duckdb.connect() as connection:
        for name in ("tariff_requests", "tariff_lists", "tariff_exclusions", "tariffs_rule_counts"):
            connection.execute(f"create view {name} as from '{landing / name}.parquet'")
        connection.execute(f"create view quarantine as from '{landing}/quarantine/tariffs/part-0.parquet'")
        return connection.execute(sql).fetchall()


def test_requests_and_approval_shares(landing: Path) -> None:
    rows = query(
        landing,
        "select list_id, count(*), count(*) filter (status = 'granted'), count(*) filter (status = 'denied') "
        "from tariff_requests group by 1 order by 1",
    )
    assert rows == [
        ("1", 10814, 3656, 7158),
        ("2", 2869, 1074, 1795),
        ("3", 30283, 1497, 28786),
        ("4A", 8780, 575, 8205),
    ]
    shares = [round(100 * granted / requests, 2) for _, requests, granted, _ in rows]  # type: ignore[operator]
    assert shares == [33.81, 37.43, 4.94, 6.55]


def test_the_largest_filer(landing: Path) -> None:
    (largest,) = query(
        landing,
        "select requester, count(*), count(*) filter (status = 'granted') from tariff_requests "
        "group by 1 order by 2 desc limit 1",
    )
    assert largest == ("AEP Holdings, Inc.", 10221, 25)


def test_requests_outside_the_list_file(landing: Path) -> None:
    outside = query(
        landing,
        "select list_id, count(*) from tariff_requests r where not exists (select 1 from tariff_lists l "
        "where l.source = 'ustr_final_lists' and l.hts8 = r.hts8 and l.list_id = rtrim(r.list_id, 'A')) "
        "group by 1 order by 1",
    )
    assert outside == [("1", 3), ("3", 749)]


def test_lists(landing: Path) -> None:
    assert query(
        landing,
        "select list_id, count(*), round(sum(imports_2017_usd) / 1e9, 2) from tariff_lists "
        "where source = 'ustr_final_lists' group by 1 order by 1",
    ) == [("1", 818, 31.87), ("2", 279, 13.82), ("3", 5745, 159.29), ("4", 3782, None)]
    assert query(
        landing, "select list_id, count(*) from tariff_lists where source = 'ustr_annexes' group by 1 order by 1"
    ) == [("1", 817), ("2", 279), ("3", 5759), ("4A", 3229), ("4B", 542)]
    assert query(landing, "select n from tariffs_rule_counts where rule = 'noted:hts_zero_padded'") == [(1098,)]


def test_codes_with_a_grant_are_in_the_note(landing: Path) -> None:
    assert query(
        landing,
        "select list_id, count(*), count(*) filter (exists (select 1 from tariff_exclusions e "
        "where e.source = 'htsus_note_20' and e.list_id = g.list_id and e.hts10 = g.hts10)) "
        "from (select distinct list_id, hts10 from tariff_requests where status = 'granted') g group by 1 order by 1",
    ) == [("1", 358, 347), ("2", 96, 92), ("3", 569, 569), ("4A", 128, 128)]


def test_quarantine_by_reason(landing: Path) -> None:
    assert query(landing, "select source, reason, count(*) from quarantine group by all order by all") == [
        ("mitsuo exclusions", "hts_missing", 9),
        ("mitsuo exclusions", "list_unknown", 36),
        ("usitc exclusions", "hts_missing", 1),
        ("usitc exclusions", "not_an_exclusion", 1),
    ]
