"""Releases that grow: years that did not change are taken over, and what is not sure to be unchanged is written anew.

Not here: what any release holds and refuses (test_publish_release).
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from pathlib import Path

import duckdb
import pandas
import pyarrow.dataset as ds
import pytest

from dagster_project.errors import ReleaseError
from dagster_project.publish import database, marts
from dagster_project.publish.before import STAMPS
from dagster_project.publish.manifest import read_manifest
from dagster_project.publish.read import open_release, rehash, verify
from dagster_project.publish.release import Published, publish
from tests.helpers.publish_helpers import (
    MARTS,
    add_years,
    assert_whole,
    make_context,
    make_warehouse,
    publish_as,
    run_sql,
)

YEARLY = ("trade_flows", "import_vulnerability")
DATABASE = "chokepoint.duckdb"


@pytest.fixture
def warehouse(tmp_path: Path) -> Path:
    return make_warehouse(tmp_path / "warehouse.duckdb", rows=4000)


@pytest.fixture
def published(tmp_path: Path) -> Path:
    return tmp_path / "published"


def part(mart: str, year: int) -> str:
    return f"parquet/{mart}/{year}/part-0.parquet"


def grow(warehouse: Path, published: Path, since: Published, unchanged: Collection[int], *inputs: str) -> Published:
    """Publish where the record says which years no build has touched since a release."""
    known = dict.fromkeys(YEARLY, tuple(unchanged))
    context = make_context(*inputs or ("grown",), unchanged=known, since=since.release_id)
    return publish(warehouse, published, MARTS, context, retain=1)


def marts_of(folder: Path) -> dict[str, object]:
    """Hashes by mart and year, as a manifest says them."""
    return {
        name: (facts["content_hash"], facts.get("years"), facts["rows"])
        for name, facts in read_manifest(folder)["marts"].items()
    }


def overwrite(path: Path, size_stays: bool = True) -> None:
    path.chmod(0o644)
    with path.open("r+b") as file:
        file.write(b"x" * 100)
        if not size_stays:
            file.truncate(200)


@pytest.fixture
def hashed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The table expressions that are hashed from now on."""
    seen: list[str] = []
    hash_content = marts.hash_content

    def noted(con, relation, columns, year_column=None):
        seen.append(relation)
        return hash_content(con, relation, columns, year_column)

    monkeypatch.setattr(marts, "hash_content", noted)
    return seen


def test_a_grown_release_equals_one_written_at_once(warehouse, published, tmp_path):
    first = publish_as(warehouse, published)
    add_years(warehouse, [2019], 4000)
    second = grow(warehouse, published, first, [2017, 2018])
    assert set(second.written) == {part(mart, 2019) for mart in YEARLY}
    run_sql(warehouse, "delete from marts.import_vulnerability where year = 2018")
    add_years(warehouse, [2018], 400)
    run_sql(warehouse, "delete from marts.trade_flows where year = 2017")
    third = grow(warehouse, published, second, [2019])
    at_once = publish_as(warehouse, tmp_path / "elsewhere", "grown")
    assert marts_of(third.path) == marts_of(at_once.path)
    assert_whole(third.path)
    with open_release(published) as grown, open_release(tmp_path / "elsewhere") as other:
        assert rehash(grown) == rehash(other)
        with grown.connect() as ours, other.connect() as theirs:
            for mart in MARTS:
                rows = [con.execute(f"from marts.{mart.name} order by all").fetchall() for con in (ours, theirs)]
                assert rows[0] == rows[1] and len(rows[0]) > 3, mart.name


def test_the_grown_file_is_what_old_versions_open_and_says_which_release_it_is(warehouse, published):
    first = publish_as(warehouse, published)
    add_years(warehouse, [2019], 4000)
    second = grow(warehouse, published, first, [2017, 2018])
    with duckdb.connect(str(second.path / DATABASE), read_only=True) as con:
        version = "select tags['storage_version'] from duckdb_databases() where database_name = 'chokepoint'"
        assert "v1.0" in con.execute(version).fetchone()[0]
        assert con.execute("select release_id from marts.release_info").fetchall() == [(second.release_id,)]
        counts = con.execute("select year, count(*) from marts.import_vulnerability group by 1 order by 1").fetchall()
    assert counts == [(2017, 400), (2018, 400), (2019, 400)]


def test_years_that_no_build_touched_are_not_hashed_again(warehouse, published, hashed):
    first = publish_as(warehouse, published)
    add_years(warehouse, [2019], 4000)
    hashed.clear()
    grow(warehouse, published, first, [2017, 2018])
    large = [relation for relation in hashed if "exclusion_rates" not in relation]
    assert large and all("in (2019)" in relation or "/2019/" in relation for relation in large), large


def test_a_record_of_another_release_is_not_believed(warehouse, published):
    """Else a year that was published from other rows in between would pass as current."""
    first = publish_as(warehouse, published)
    run_sql(warehouse, "update marts.trade_flows set value_usd = value_usd + 1 where year = 2017")
    second = publish_as(warehouse, published, "b")
    run_sql(warehouse, "update marts.trade_flows set value_usd = value_usd + 1 where year = 2017")
    third = grow(warehouse, published, first, [2017, 2018])
    assert part("trade_flows", 2017) in third.written
    assert marts_of(third.path) != marts_of(second.path)


@pytest.mark.parametrize("change", [{"packages": {"duckdb": "9"}}, {"packages": {}}])
def test_what_other_programs_computed_is_not_taken_over_unseen(warehouse, published, hashed, change):
    first = publish_as(warehouse, published)
    hashed.clear()
    context = make_context("b", unchanged=dict.fromkeys(YEARLY, (2017, 2018)), since=first.release_id, **change)
    assert publish(warehouse, published, MARTS, context, retain=1).written == ()
    assert 'warehouse.marts."trade_flows"' in hashed


def test_a_year_with_other_rows_than_the_record_says_is_hashed(warehouse, published):
    first = publish_as(warehouse, published)
    run_sql(warehouse, "delete from marts.import_vulnerability where year = 2017 and hs6 = '000007'")
    second = grow(warehouse, published, first, [2017, 2018])
    assert second.written == (part("import_vulnerability", 2017),)
    assert read_manifest(second.path)["marts"]["import_vulnerability"]["years"]["2017"]["rows"] == 399


@pytest.mark.parametrize("size_stays", [True, False])
@pytest.mark.parametrize("name", [DATABASE, part("import_vulnerability", 2017)])
def test_a_damaged_file_is_not_built_upon(warehouse, published, name, size_stays):
    first = publish_as(warehouse, published)
    whole = marts_of(first.path)
    overwrite(first.path / name, size_stays)
    second = grow(warehouse, published, first, [2017, 2018])
    assert marts_of(second.path) == whole
    assert_whole(second.path)
    with open_release(published) as release:
        verify(release)
        assert str(rehash(release)["import_vulnerability"]) == whole["import_vulnerability"][0]
        with release.connect() as con:
            assert con.execute("select count(*), sum(category) from marts.import_vulnerability").fetchone() == (
                800,
                2000,
            )


def test_files_are_read_again_only_where_their_stamps_are_not_known(warehouse, published, monkeypatch):
    first = publish_as(warehouse, published, "a")
    read: list[str] = []
    sha256_of = database.Before.has_whole.__globals__["sha256_of"]

    def noted(path):
        read.append(path.name)
        return sha256_of(path)

    monkeypatch.setattr("dagster_project.publish.before.sha256_of", noted)
    second = grow(warehouse, published, first, [2017, 2018], "b")
    assert read == []
    (published / STAMPS).unlink()
    grow(warehouse, published, second, [2017, 2018], "c")
    assert len(read) == 6, "five Parquet files and the DuckDB file"


def test_dead_space_does_not_pile_up(warehouse, published, tmp_path):
    """Every release replaces a year; the file stays within half as much again of one written at once."""
    release = publish_as(warehouse, published)
    for turn in range(8):
        year = 2017 + turn % 2
        run_sql(
            warehouse,
            f"delete from marts.import_vulnerability where year = {year}; insert into marts.import_vulnerability "
            f"select {year}, i, lpad(i::varchar, 6, '0'), hash(i + {turn}) / 1e19, i % 4 from range(300000) r(i)",
        )
        release = grow(warehouse, published, release, [4035 - year], str(turn))
    at_once = publish_as(warehouse, tmp_path / "elsewhere")
    assert marts_of(release.path) == marts_of(at_once.path)
    sizes = [(folder / DATABASE).stat().st_size for folder in (release.path, at_once.path)]
    assert sizes[0] <= 1.6 * sizes[1] + 2**20, sizes


def test_another_type_or_description_reaches_the_grown_file(warehouse, published):
    first = publish_as(warehouse, published)
    run_sql(warehouse, "alter table marts.import_vulnerability alter category type bigint")
    specs = [MARTS[0], MARTS[1], replace(MARTS[2], description="One row per exclusion list.", columns={})]
    context = make_context("b", unchanged=dict.fromkeys(YEARLY, (2017, 2018)), since=first.release_id)
    second = publish(warehouse, published, specs, context, retain=1)
    assert {part("import_vulnerability", year) for year in (2017, 2018)} <= set(second.written)
    with duckdb.connect(str(second.path / DATABASE), read_only=True) as con:
        told = con.execute("select comment from duckdb_tables() where table_name = 'exclusion_rates'").fetchall()
        left = "select column_name from duckdb_columns() where table_name = 'exclusion_rates' and comment <> ''"
        assert told == [("One row per exclusion list.\nKey: list_id.",)] and con.execute(left).fetchall() == []
        typed = "select data_type from duckdb_columns() where column_name = 'category'"
        assert con.execute(typed).fetchall() == [("BIGINT",)]


def test_a_mart_that_left_is_not_in_the_grown_file(warehouse, published):
    first = publish_as(warehouse, published)
    context = make_context("b", unchanged=dict.fromkeys(YEARLY, (2017, 2018)), since=first.release_id)
    second = publish(warehouse, published, MARTS[:2], context, retain=1)
    with duckdb.connect(str(second.path / DATABASE), read_only=True) as con:
        names = [name for (name,) in con.execute("select table_name from duckdb_tables() order by 1").fetchall()]
    assert names == ["import_vulnerability", "release_info"]


def test_a_copy_that_lost_rows_is_found_on_reopening(warehouse, published, monkeypatch):
    first = publish_as(warehouse, published)
    write = database._write_mart

    def lossy(con, mart, kept):
        write(con, mart, kept)
        if kept and mart.spec.year_column:
            con.execute(f"delete from {database._built(mart.spec.name)} where hs6 = '000007' and year = 2017")

    monkeypatch.setattr(database, "_write_mart", lossy)
    add_years(warehouse, [2019], 4000)
    with pytest.raises(ReleaseError, match=r"file chokepoint.duckdb: found rows by year .*2017: 399"):
        grow(warehouse, published, first, [2017, 2018])
    assert assert_whole(published / "current") == first.release_id


@pytest.mark.parametrize("mart", YEARLY)
def test_a_folder_of_years_is_read_with_the_year_as_a_whole_number(warehouse, published, mart):
    folder = publish_as(warehouse, published).path / "parquet" / mart
    frame = pandas.read_parquet(folder, partitioning=None)
    assert str(frame["year"].dtype) == "int32" and set(frame["year"]) == {2017, 2018}
    table = ds.dataset(folder).to_table()
    assert str(table.schema.field("year").type) == "int32" and table.num_rows == len(frame)
    rows = duckdb.sql(f"select count(*), sum(year) from read_parquet('{folder}/*/*.parquet')").fetchone()
    assert rows == (len(frame), int(frame["year"].sum()))
