"""Reading: one release throughout, damage named, releases listed, a held release kept, readers beside a publisher."""

from __future__ import annotations

import multiprocessing
import shutil
from pathlib import Path

import pytest

from dagster_project.errors import ReleaseError
from dagster_project.machine import Resources
from dagster_project.publish.manifest import read_manifest
from dagster_project.publish.read import list_releases, open_release, rehash, verify
from tests.helpers.publish_helpers import add_years, make_warehouse, publish_as, run_sql

YEAR_2017 = "parquet/trade_flows/2017/part-0.parquet"


@pytest.fixture
def warehouse(tmp_path: Path) -> Path:
    return make_warehouse(tmp_path / "warehouse.duckdb")


@pytest.fixture
def published(tmp_path: Path) -> Path:
    return tmp_path / "published"


def overwrite(path: Path, content: bytes) -> None:
    path.chmod(0o644)
    path.write_bytes(content)


# ----------------------------------------------------------------------------------------------------- opening, asking


def test_every_mart_can_be_queried(warehouse, published):
    outcome = publish_as(warehouse, published)
    with open_release(published, resources=Resources(500_000_000, 1)) as release, release.connect() as con:
        assert release.release_id == outcome.release_id
        assert release.marts == ["trade_flows", "import_vulnerability", "exclusion_rates"]
        counts = [con.execute(f"select count(*) from marts.{mart}").fetchone()[0] for mart in release.marts]
        assert counts == [800, 80, 4]
        assert con.execute("select release_id from marts.release_info").fetchone() == (outcome.release_id,)
        years = "select year, typeof(year), count(*) from marts.trade_flows group by all order by 1"
        assert con.execute(years).fetchall() == [(2017, "INTEGER", 400), (2018, "INTEGER", 400)]
        comment = "select comment from duckdb_columns() where table_name = 'trade_flows' and column_name = 'hs6'"
        assert con.execute(comment).fetchone() == ("HS6 code, text with leading zeros.",)


def test_an_open_release_stays_the_same_release(warehouse, published):
    first = publish_as(warehouse, published, "a")
    with open_release(published) as release:
        run_sql(warehouse, "update marts.trade_flows set value_usd = 0")
        publish_as(warehouse, published, "b")
        with release.connect() as con:
            assert con.execute("select min(value_usd) > 0 from marts.trade_flows").fetchone() == (True,)
            assert con.execute("select release_id from marts.release_info").fetchone() == (first.release_id,)
    with open_release(published) as release, release.connect() as con:
        assert con.execute("select max(value_usd) from marts.trade_flows").fetchone() == (0,)


def test_an_older_release_can_be_opened_by_its_id(warehouse, published):
    first = publish_as(warehouse, published, "a")
    publish_as(warehouse, published, "b")
    with open_release(published, first.release_id) as release:
        assert release.path == first.path.resolve()


def test_a_mart_without_rows_has_its_columns(tmp_path, published):
    publish_as(make_warehouse(tmp_path / "empty.duckdb", years=()), published)
    with open_release(published) as release, release.connect() as con:
        described = con.execute("select typeof(year), typeof(value_usd) from (select null as x) left join "
                                "marts.trade_flows on true").fetchone()  # fmt: skip
        assert con.execute("select count(*) from marts.trade_flows").fetchone() == (0,)
        assert described == ("INTEGER", "DOUBLE")
        assert release.parquet("trade_flows") == []


def test_parquet_files_of_a_mart(warehouse, published):
    outcome = publish_as(warehouse, published)
    with open_release(published) as release:
        assert release.parquet("trade_flows")[0] == outcome.path.resolve() / YEAR_2017
        assert [p.name for p in release.parquet("exclusion_rates")] == ["exclusion_rates.parquet"]
        with pytest.raises(ReleaseError, match="no mart 'patents'; expected one of exclusion_rates, import_vuln"):
            release.parquet("patents")


def test_nothing_published(published):
    with pytest.raises(ReleaseError, match="no current release; expected at least one"):
        open_release(published)
    assert list_releases(published) == []


@pytest.mark.parametrize("asked", ["20200101T000000-000000Z", "../releases", ".trash-x", ""])
def test_an_unknown_release_lists_the_known_ones(warehouse, published, asked):
    outcome = publish_as(warehouse, published)
    with pytest.raises(ReleaseError, match=f"expected one of {outcome.release_id}"):
        open_release(published, asked)


def test_a_release_under_construction_has_what_the_run_may_take(warehouse, published):
    limits = []
    resources = Resources(1_000_000_000, 1)
    publish_as(warehouse, published, resources=resources, extras=lambda building: limits.append(building.limits))
    assert limits == [{"memory_limit": "600000000B", "threads": 1}]


def test_rehash_gives_what_the_manifest_says(warehouse, published):
    publish_as(warehouse, published)
    with open_release(published) as release:
        facts = release.manifest["marts"]
        assert {mart: str(content) for mart, content in rehash(release).items()} == {
            mart: facts[mart]["content_hash"] for mart in facts
        }


# ------------------------------------------------------------------------------------------------------------ damage


def test_a_whole_release_verifies(warehouse, published):
    publish_as(warehouse, published)
    with open_release(published) as release:
        verify(release)


@pytest.mark.parametrize("name", [YEAR_2017, "chokepoint.duckdb", "inputs.lock.json"])
def test_a_changed_byte_is_found_and_the_file_named(warehouse, published, name):
    path = publish_as(warehouse, published).path / name
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    overwrite(path, content)
    with open_release(published) as release, pytest.raises(ReleaseError, match=f"file {name}: found .*sha256 differs"):
        verify(release)


@pytest.mark.parametrize("name", [YEAR_2017, "chokepoint.duckdb"])
def test_a_truncated_or_missing_file_is_named_on_opening(warehouse, published, name):
    path = publish_as(warehouse, published).path / name
    size = path.stat().st_size
    overwrite(path, path.read_bytes()[:100])
    with pytest.raises(ReleaseError, match=f"file {name}: found .*100 bytes instead of {size}"):
        open_release(published)
    path.unlink()
    with pytest.raises(ReleaseError, match=f"file {name}: found .*missing"):
        open_release(published)


def test_two_damaged_files_are_both_named(warehouse, published):
    folder = publish_as(warehouse, published).path
    for name in (YEAR_2017, "parquet/exclusion_rates.parquet"):
        (folder / name).unlink()
    with pytest.raises(ReleaseError, match=f"files parquet/exclusion_rates.parquet, {YEAR_2017}"):
        open_release(published)


@pytest.mark.parametrize(
    ("change", "found"),
    [
        (lambda text: text.replace('"rows": 800', '"rows": 801'), "not the one its checksum names"),
        (lambda text: text[:500], "unreadable content"),
        (lambda text: "[]", "no JSON object"),
        (lambda text: text.replace('"format": 1', '"format": 99'), "format 99"),
    ],
)
def test_a_changed_manifest_is_found(warehouse, published, change, found):
    path = publish_as(warehouse, published).path / "manifest.json"
    text = path.read_text(encoding="utf-8")
    assert change(text) != text
    overwrite(path, change(text).encode())
    with pytest.raises(ReleaseError, match=f"file manifest.json: found .*{found}"):
        open_release(published)


def test_a_missing_manifest_is_named(warehouse, published):
    (publish_as(warehouse, published).path / "manifest.json").unlink()
    with pytest.raises(ReleaseError, match=r"file manifest.json: found no such file"):
        open_release(published)


def test_releases_are_listed_with_their_problems(warehouse, published):
    first = publish_as(warehouse, published, "a")
    second = publish_as(warehouse, published, "b")
    (first.path / "inputs.lock.json").unlink()
    (published / "releases" / ".building-x").mkdir()
    one, two = list_releases(published)
    assert (one.release_id, one.current, one.created_at) == (first.release_id, False, None)
    assert "inputs.lock.json" in one.problem
    assert (two.release_id, two.current, two.synthetic, two.problem) == (second.release_id, True, True, None)
    assert two.created_at == read_manifest(second.path)["created_at"]


def test_a_copied_release_can_be_read_where_it_lies(warehouse, published, tmp_path):
    """`current` taken away by itself, links resolved: `cp -rL published elsewhere` gives a readable directory."""
    outcome = publish_as(warehouse, published)
    shutil.copytree(published / "current", tmp_path / "elsewhere" / "current")
    with open_release(tmp_path / "elsewhere") as release:
        verify(release)
        assert release.release_id == outcome.release_id


# ----------------------------------------------------------------------------------------------- beside a publisher


def test_retention_spares_a_release_that_is_being_read(warehouse, published):
    first = publish_as(warehouse, published, "a")
    with open_release(published) as release, release.connect() as con:
        second = publish_as(warehouse, published, "b", retain=0)
        third = publish_as(warehouse, published, "c", retain=0)
        assert third.removed == (second.release_id,)
        # The view opens its Parquet files with each query: they must still have their names.
        assert con.execute("select count(*) from marts.trade_flows").fetchone() == (800,)
        verify(release)
    assert first.release_id in publish_as(warehouse, published, "d", retain=0).removed


def read_until_told(published: Path, ready, stop, results) -> None:
    """Query over and over; report the releases seen, the reads made and the first thing that was wrong."""
    seen, reads, problem = set(), 0, None
    try:
        while problem is None and not (stop.is_set() and reads):
            with open_release(published) as release, release.connect() as con:
                for _ in range(3):
                    (marked,) = con.execute("select distinct import_hhi from marts.import_vulnerability").fetchall()
                    (flows,) = con.execute("select distinct value_usd from marts.trade_flows").fetchall()
                    (named,) = con.execute("select release_id from marts.release_info").fetchone()
                    if marked != flows or named != release.release_id:
                        problem = f"a mix in {release.release_id}: {marked} {flows} {named}"
                    reads += 1
                seen.add(release.release_id)
                ready.release()
    except Exception as error:
        problem = repr(error)
    results.put((seen, reads, problem))


def mark(warehouse: Path, number: int) -> None:
    """Give both marts one value that tells which generation they are of."""
    run_sql(warehouse, f"update marts.trade_flows set value_usd = {number}")
    run_sql(warehouse, f"update marts.import_vulnerability set import_hhi = {number}")


@pytest.mark.slow
def test_four_readers_while_twenty_releases_are_published(tmp_path, published):
    warehouse = make_warehouse(tmp_path / "warehouse.duckdb", years=(2017,), rows=100)
    mark(warehouse, 0)
    ids = [publish_as(warehouse, published, "0").release_id]
    context = multiprocessing.get_context("spawn")
    ready, stop, results = context.Semaphore(0), context.Event(), context.Queue()
    readers = [context.Process(target=read_until_told, args=(published, ready, stop, results)) for _ in range(4)]
    for reader in readers:
        reader.start()
    for _ in readers:
        assert ready.acquire(timeout=60)
    for number in range(1, 21):
        mark(warehouse, number)
        if number == 3:
            add_years(warehouse, [2018], rows=100)
            mark(warehouse, number)
        ids.append(publish_as(warehouse, published, str(number), retain=0).release_id)
    stop.set()
    outcomes = [results.get(timeout=60) for _ in readers]
    for reader in readers:
        reader.join()
    for seen, reads, problem in outcomes:
        assert problem is None
        assert reads >= 3
        assert seen <= set(ids)
    assert len(set.union(*(seen for seen, _, _ in outcomes))) > 2, "readers and publisher were never at work together"
