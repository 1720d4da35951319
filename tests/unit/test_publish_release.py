"""Publishing: what a release and its manifest hold, what is linked, when nothing is published, what is refused."""

from __future__ import annotations

import errno
import json
import os
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import pytest

from dagster_project.archive.lock import load_lock
from dagster_project.errors import ReleaseError
from dagster_project.publish import before as before_module
from dagster_project.publish import release as release_module
from dagster_project.publish.content import ContentHash, columns_of
from dagster_project.publish.described import as_copy_option
from dagster_project.publish.manifest import read_manifest
from dagster_project.publish.marts import MartSpec
from dagster_project.publish.release import publish
from tests.helpers.publish_helpers import (
    FLOWS,
    MARTS,
    RATES,
    VULNERABILITY,
    add_years,
    assert_whole,
    make_context,
    make_warehouse,
    names_below,
    publish_as,
    run_sql,
)

YEAR_2017 = "parquet/trade_flows/2017/part-0.parquet"


@pytest.fixture
def warehouse(tmp_path: Path) -> Path:
    return make_warehouse(tmp_path / "warehouse.duckdb")


@pytest.fixture
def published(tmp_path: Path) -> Path:
    return tmp_path / "published"


def damage(path: Path) -> None:
    """Change one byte in the middle, leaving the size."""
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 0xFF
    path.chmod(0o644)
    path.write_bytes(content)


# ------------------------------------------------------------------------------------------------------- a release


def test_a_release_is_complete(warehouse, published):
    outcome = publish_as(warehouse, published)
    current = published / "current"
    assert outcome.created
    assert current.readlink().as_posix() == f"releases/{outcome.release_id}"
    assert assert_whole(current) == outcome.release_id
    assert {p.relative_to(outcome.path).as_posix() for p in outcome.path.rglob("*") if p.is_file()} == {
        "chokepoint.duckdb",
        "parquet/import_vulnerability/2017/part-0.parquet",
        "parquet/import_vulnerability/2018/part-0.parquet",
        "parquet/exclusion_rates.parquet",
        YEAR_2017,
        "parquet/trade_flows/2018/part-0.parquet",
        "datapackage.json",
        "schemas/exclusion_rates.json",
        "schemas/import_vulnerability.json",
        "schemas/trade_flows.json",
        "inputs.lock.json",
        "manifest.json",
    }
    assert names_below(published) == [outcome.release_id, "current", "releases"]


def test_the_database_file_holds_the_marts_with_their_comments(warehouse, published):
    outcome = publish_as(warehouse, published)
    with duckdb.connect(str(outcome.path / "chokepoint.duckdb"), read_only=True) as con:
        tables = con.execute("select schema_name, table_name, comment from duckdb_tables() order by 2").fetchall()
        assert tables == [
            ("marts", "exclusion_rates", "One row per list.\nKey: list_id."),
            ("marts", "import_vulnerability", "One row per year, importer and good.\nKey: year, importer_code, hs6."),
            ("marts", "release_info", "One row: which release a query on this file is answered from."),
        ]
        comments = "select comment from duckdb_columns() where table_name = 'import_vulnerability' and comment <> ''"
        assert con.execute(comments).fetchall() == [(VULNERABILITY.columns["import_hhi"],)]
        assert con.execute("from marts.release_info").fetchall() == [
            (outcome.release_id, read_manifest(outcome.path)["created_at"], "0.1.0+test", True)
        ]
        assert con.execute("select count(*), sum(category) from marts.import_vulnerability").fetchone() == (80, 200)
        version = "select tags['storage_version'] from duckdb_databases() where database_name = 'chokepoint'"
        assert "v1.0" in con.execute(version).fetchone()[0]


def test_a_description_with_quotes_is_carried_over(warehouse, published):
    quoted = replace(RATES, description="One row per list; 'granted' over \"decided\".")
    outcome = publish(warehouse, published, [quoted], make_context(), retain=1)
    with duckdb.connect(str(outcome.path / "chokepoint.duckdb"), read_only=True) as con:
        found = con.execute("select comment from duckdb_tables() where table_name = 'exclusion_rates'").fetchone()
    assert found == (f"{quoted.description}\nKey: list_id.",)


def test_the_parquet_files_hold_their_year(warehouse, published):
    outcome = publish_as(warehouse, published)
    years = duckdb.sql(
        f"select distinct year, typeof(year), parse_filename(filename, true) from "
        f"read_parquet('{outcome.path}/{YEAR_2017}', filename = true, hive_partitioning = false)"
    ).fetchall()
    assert years == [(2017, "INTEGER", "part-0")]
    partitioned = duckdb.sql(f"select count(*) from read_parquet('{outcome.path}/parquet/trade_flows/*/*.parquet')")
    assert partitioned.fetchone() == (800,)


def test_published_files_cannot_be_written_in_place(warehouse, published):
    outcome = publish_as(warehouse, published)
    files = [p for p in outcome.path.rglob("*") if p.is_file()]
    assert {p.stat().st_mode & 0o777 for p in files} == {0o444}


def test_manifest(warehouse, published):
    clock = datetime(2026, 1, 2, 3, 4, 5, 678, tzinfo=UTC)
    outcome = publish_as(warehouse, published, "2017", "2018", now=lambda: clock)
    manifest = read_manifest(outcome.path)
    assert manifest["release_id"] == "20260102T030405-000678Z"
    assert manifest["created_at"] == "2026-01-02T03:04:05.000678+00:00"
    assert manifest["previous_release"] is None
    assert manifest["synthetic"] is True
    assert manifest["code_version"] == "0.1.0+test"
    assert manifest["packages"]["dbt-core"] == "1.11.16"
    assert manifest["settings"] == {"hs_revision": "H5", "trade_source": "sample"}
    assert manifest["sources_off"] == ["patents"]
    assert list(manifest["marts_left_out"]) == ["patent_core_share"]
    assert manifest["goods"] == {"loaded": 400, "in_scope": 150}
    assert manifest["checks"][0]["check"] == "keys"
    assert manifest["content_hash"] == {"algorithm": "duckdb-hash-sum/1", "duckdb": duckdb.__version__}
    assert manifest["inputs"] == {"trade": ["2017", "2018"]}
    assert [e["citation"] for e in manifest["archive_entries"]] == ["synthetic", "synthetic"]
    assert manifest["rule_counts"] == {
        "comtrade": {"2017": {"rows_read": 500, "landed": 400}},
        "bec": {"all": {"landed": 9}},
    }


def test_manifest_of_marts_and_files(warehouse, published):
    outcome = publish_as(warehouse, published)
    manifest = read_manifest(outcome.path)
    flows = manifest["marts"]["trade_flows"]
    assert flows["key"] == list(FLOWS.key)
    assert flows["columns"]["value_usd"] == {
        "type": "DOUBLE",
        "description": FLOWS.columns["value_usd"],
        "unit": "USD",
        "required": False,
    }
    assert flows["columns"]["source"] == {"type": "VARCHAR", "description": "", "unit": "", "required": False}
    assert flows["rows"] == 800
    assert {year: facts["rows"] for year, facts in flows["years"].items()} == {"2017": 400, "2018": 400}
    parts = [ContentHash.parse(facts["content_hash"]) for facts in flows["years"].values()]
    assert parts[0] + parts[1] == ContentHash.parse(flows["content_hash"])
    assert "years" not in manifest["marts"]["exclusion_rates"]
    rows = {name: facts["rows"] for name, facts in manifest["files"].items()}
    assert rows[YEAR_2017] == 400
    assert rows["parquet/exclusion_rates.parquet"] == 4
    assert rows["chokepoint.duckdb"] is None


def test_the_lock_of_a_release_can_be_read_back(warehouse, published):
    context = make_context("a", "b")
    outcome = publish(warehouse, published, MARTS, context, retain=1)
    assert load_lock(outcome.path / "inputs.lock.json") == context.lock


def test_content_hash_does_not_depend_on_the_order_in_the_warehouse(warehouse, published, tmp_path):
    first = publish_as(warehouse, published)
    for mart in ("trade_flows", "import_vulnerability", "exclusion_rates"):
        run_sql(warehouse, f"create or replace table marts.{mart} as select * from marts.{mart} order by random()")
    second = publish_as(warehouse, tmp_path / "elsewhere")
    hashes = [
        {name: facts["content_hash"] for name, facts in read_manifest(outcome.path)["marts"].items()}
        for outcome in (first, second)
    ]
    assert hashes[0] == hashes[1]
    assert not publish_as(warehouse, published).created


def test_a_mart_without_rows_is_published(tmp_path, published):
    warehouse = make_warehouse(tmp_path / "empty.duckdb", years=())
    outcome = publish_as(warehouse, published)
    manifest = read_manifest(outcome.path)
    assert manifest["marts"]["trade_flows"]["files"] == []
    assert manifest["marts"]["import_vulnerability"]["rows"] == 0
    assert_whole(outcome.path)


def test_extras_become_part_of_the_release(warehouse, published):
    def brief(release):
        with release.connect() as con:
            (count,) = con.execute("select count(*) from marts.trade_flows").fetchone()
        (release.path / "brief.html").write_text(f"<p>{count} flows in {release.release_id}</p>")

    outcome = publish_as(warehouse, published, extras=brief)
    assert (outcome.path / "brief.html").read_text() == f"<p>800 flows in {outcome.release_id}</p>"
    assert "brief.html" in read_manifest(outcome.path)["files"]
    assert_whole(outcome.path)


def test_progress_and_timings_name_the_steps(warehouse, published):
    lines: list[str] = []
    outcome = publish_as(warehouse, published, progress=lines.append)
    assert list(outcome.timings) == ["hash", "database", "parquet", "verify", "finish"]
    assert len(lines) == 5


# ------------------------------------------------------------------------------------- the release after a release


def test_an_added_year_links_the_others(warehouse, published):
    first = publish_as(warehouse, published, "2017")
    add_years(warehouse, [2019])
    second = publish_as(warehouse, published, "2017", "2019")
    assert (first.path / YEAR_2017).samefile(second.path / YEAR_2017)
    assert set(second.linked) == {
        YEAR_2017,
        "parquet/trade_flows/2018/part-0.parquet",
        "parquet/import_vulnerability/2017/part-0.parquet",
        "parquet/import_vulnerability/2018/part-0.parquet",
        "parquet/exclusion_rates.parquet",
    }
    assert set(second.written) == {
        "parquet/trade_flows/2019/part-0.parquet",
        "parquet/import_vulnerability/2019/part-0.parquet",
    }
    assert read_manifest(second.path)["previous_release"] == first.release_id
    assert_whole(first.path)
    assert_whole(second.path)


def test_a_changed_year_is_found_and_written(warehouse, published):
    """A year recomputed in a run that was never published must not be taken from the old release."""
    publish_as(warehouse, published)
    run_sql(warehouse, "update marts.trade_flows set value_usd = value_usd + 1 where year = 2017 and hs6 = '000007'")
    second = publish_as(warehouse, published)
    assert YEAR_2017 in second.written
    assert "parquet/trade_flows/2018/part-0.parquet" in second.linked


def test_a_year_that_is_gone_leaves_the_release(warehouse, published):
    publish_as(warehouse, published)
    run_sql(warehouse, "delete from marts.trade_flows where year = 2017")
    second = publish_as(warehouse, published)
    assert list(read_manifest(second.path)["marts"]["trade_flows"]["years"]) == ["2018"]
    assert not (second.path / YEAR_2017).exists()


def test_files_are_copied_where_links_are_impossible(warehouse, published, monkeypatch):
    first = publish_as(warehouse, published, "a")

    def refuse(*_):
        raise OSError(errno.EXDEV, os.strerror(errno.EXDEV))

    monkeypatch.setattr(os, "link", refuse)
    second = publish_as(warehouse, published, "b")
    assert not (first.path / YEAR_2017).samefile(second.path / YEAR_2017)
    assert assert_whole(published / "current") == second.release_id


def test_a_damaged_file_is_not_linked_but_written_anew(warehouse, published):
    first = publish_as(warehouse, published, "a")
    damage(first.path / YEAR_2017)
    second = publish_as(warehouse, published, "b")
    assert YEAR_2017 in second.written
    assert assert_whole(published / "current") == second.release_id


def with_ready_files(warehouse: Path, folder: Path) -> tuple[MartSpec, ...]:
    """The marts' specs, with the yearly files of the flows lying beside the warehouse."""
    ready = {}
    with duckdb.connect(str(warehouse), read_only=True) as con:
        described = as_copy_option(FLOWS.key_values(columns_of(con, "marts.trade_flows")))
    for year in (2017, 2018):
        ready[year] = folder / f"flows.{year}.parquet"
        rows = f"select * from marts.trade_flows where year = {year}"
        run_sql(warehouse, f"copy ({rows}) to '{ready[year]}' (format parquet, {described})")
    return tuple(replace(spec, ready=ready) if not spec.in_database else spec for spec in MARTS)


def rewrite_in_place(path: Path) -> None:
    """As root, or the owner after a chmod: the name stays with the bytes' place on the disk."""
    path.chmod(0o644)
    with path.open("r+b") as file:
        file.write(b"x" * 100)


def test_a_published_file_rewritten_in_place_reaches_no_later_release(warehouse, published, tmp_path):
    specs = with_ready_files(warehouse, tmp_path)
    own = specs[0].ready[2017]
    before = own.read_bytes()
    first = publish(warehouse, published, specs, make_context("a"), retain=5)
    assert YEAR_2017 in first.written and not own.samefile(first.path / YEAR_2017)
    rewrite_in_place(first.path / YEAR_2017)
    assert own.read_bytes() == before
    second = publish(warehouse, published, specs, make_context("b"), retain=5)
    assert YEAR_2017 in second.written
    assert (second.path / YEAR_2017).read_bytes() == before
    assert assert_whole(published / "current") == second.release_id


def test_a_damaged_release_is_replaced_by_one_that_says_the_same(warehouse, published):
    first = publish_as(warehouse, published)
    rewrite_in_place(first.path / YEAR_2017)
    second = publish_as(warehouse, published)
    assert second.created and YEAR_2017 in second.written
    assert assert_whole(published / "current") == second.release_id
    assert not publish_as(warehouse, published).created


def test_a_current_release_without_its_files_is_replaced(warehouse, published):
    first = publish_as(warehouse, published)
    (first.path / YEAR_2017).unlink()
    second = publish_as(warehouse, published)
    assert second.created
    assert second.linked == ()
    assert assert_whole(published / "current") == second.release_id


def test_nothing_changed_publishes_nothing(warehouse, published):
    first = publish_as(warehouse, published)
    before = (published / "current").lstat()  # reading the link may change its access time, nothing else
    again = publish(warehouse, published, MARTS, make_context(code_version="0.1.1", checks=()), retain=5)
    assert not again.created
    assert (again.release_id, again.path) == (first.release_id, first.path)
    after = (published / "current").lstat()
    assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)
    assert names_below(published) == [first.release_id, "current", "releases"]


def test_a_release_names_the_payloads_that_a_revision_replaced(warehouse, published):
    publish_as(warehouse, published, "2017", "2018 first")
    outcome = publish_as(warehouse, published, "2017", "2018 revised")
    manifest = read_manifest(outcome.path)
    assert manifest["inputs"] == {"trade": ["2017", "2018 revised"]}
    assert [entry["id"] for entry in manifest["replaced_entries"]] == ["2018 first"]


@pytest.mark.parametrize(
    "change",
    [
        {"lock": make_context("other").lock},
        {"settings": {"hs_revision": "H4"}},
        {"synthetic": False},
        {"left_out": {}},
    ],
)
def test_other_inputs_or_settings_publish_again(warehouse, published, change):
    first = publish_as(warehouse, published)
    second = publish(warehouse, published, MARTS, make_context(**change), retain=5)
    assert second.created
    assert second.release_id > first.release_id
    assert second.written == ()


def test_another_description_publishes_again(warehouse, published):
    publish_as(warehouse, published)
    marts = [FLOWS, VULNERABILITY, replace(RATES, description="One row per exclusion list.")]
    assert publish(warehouse, published, marts, make_context(), retain=5).created


def test_hashes_of_another_duckdb_version_are_not_compared(warehouse, published, monkeypatch):
    publish_as(warehouse, published)
    for module in (release_module, before_module):
        monkeypatch.setattr(module, "method", lambda: {"algorithm": "duckdb-hash-sum/1", "duckdb": "9.9.9"})
    second = publish_as(warehouse, published)
    assert second.created
    assert second.linked == ()


def test_ids_sort_by_time_even_after_the_clock_was_set_back(warehouse, published):
    start = datetime(2026, 5, 1, tzinfo=UTC)
    ids = [
        publish_as(warehouse, published, name, now=lambda moment=moment: moment).release_id
        for name, moment in (("a", start), ("b", start), ("c", start - timedelta(days=400)), ("d", start))
    ]
    assert ids == sorted(set(ids))
    assert read_manifest(published / "current")["created_at"].startswith("2026-05-01")


# ------------------------------------------------------------------------------------------------------- retention


@pytest.mark.parametrize("retain", [0, 1, 3])
def test_retention_keeps_the_newest_old_releases(warehouse, published, retain):
    ids = [publish_as(warehouse, published, name, retain=retain).release_id for name in "abcde"]
    assert names_below(published) == [*ids[-1 - retain :], "current", "releases"]
    assert assert_whole(published / "current") == ids[-1]


def test_removing_a_release_leaves_open_files_readable(warehouse, published):
    first = publish_as(warehouse, published, "a")
    with duckdb.connect(str(first.path / "chokepoint.duckdb"), read_only=True) as con:
        second = publish_as(warehouse, published, "b", retain=0)
        assert second.removed == (first.release_id,)
        assert not first.path.exists()
        assert con.execute("select release_id from marts.release_info").fetchone() == (first.release_id,)
        assert con.execute("select count(*) from marts.import_vulnerability").fetchone() == (80,)
    assert assert_whole(published / "current") == second.release_id  # its linked files have lost only a name


def test_a_release_that_cannot_be_removed_does_not_undo_the_publishing(warehouse, published, monkeypatch, caplog):
    first = publish_as(warehouse, published, "a")

    def refuse(folder):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(folder))

    monkeypatch.setattr(release_module, "discard", refuse)
    second = publish_as(warehouse, published, "b", retain=0)
    assert assert_whole(published / "current") == second.release_id
    assert first.release_id in caplog.text


def test_a_negative_retention_is_refused(warehouse, published):
    with pytest.raises(ValueError, match="retain"):
        publish_as(warehouse, published, retain=-1)


# --------------------------------------------------------------------------------------------------------- refusals


def refused(warehouse: Path, published: Path, marts=MARTS, **options) -> str:
    with pytest.raises(ReleaseError) as caught:
        publish(warehouse, published, marts, make_context(), retain=5, **options)
    return str(caught.value)


def test_a_mart_that_is_missing(warehouse, published):
    unknown = MartSpec("exporter_position", ("year",), "grain", {})
    assert "mart exporter_position: found no such table" in refused(warehouse, published, [*MARTS, unknown])
    assert names_below(published) == ["releases"]


def test_a_described_column_that_is_missing(warehouse, published):
    described = replace(RATES, columns={"requests": "Number of requests."})
    message = refused(warehouse, published, [described])
    assert "exclusion_rates" in message
    assert "also requests" in message


def test_rows_without_a_year(warehouse, published):
    run_sql(warehouse, "insert into marts.trade_flows (hs6) values ('854231'), ('270900')")
    assert "mart trade_flows: found 2 rows without year" in refused(warehouse, published)


def test_a_type_that_parquet_would_change(warehouse, published):
    run_sql(warehouse, "alter table marts.exclusion_rates add column requests hugeint default 5")
    message = refused(warehouse, published)
    assert "mart exclusion_rates, file parquet/exclusion_rates.parquet" in message
    assert "requests HUGEINT" in message
    assert names_below(published) == ["releases"]


def test_a_copy_that_lost_a_row_is_found_on_reopening(warehouse, published, monkeypatch):
    first = publish_as(warehouse, published, "a")
    write = release_module._write_parquet

    def lossy(con, building, mart, name, year):
        write(con, building, mart, name, year)
        if mart is building.marts[1] and year == 2019:
            con.execute(
                f"copy (from read_parquet('{building.folder / name}', hive_partitioning = false) limit 39) "
                f"to '{building.folder / name}.x' (format parquet)"
            )
            os.replace(building.folder / f"{name}.x", building.folder / name)

    monkeypatch.setattr(release_module, "_write_parquet", lossy)
    add_years(warehouse, [2019])
    message = refused(warehouse, published)
    assert "file parquet/import_vulnerability/2019/part-0.parquet: found 39 rows" in message
    assert names_below(published) == [first.release_id, "current", "releases"]
    assert assert_whole(published / "current") == first.release_id


def test_no_warehouse(tmp_path, published):
    assert "no such file" in refused(tmp_path / "none.duckdb", published)


def test_a_warehouse_that_is_being_written(warehouse, published):
    holder = f"import duckdb; con = duckdb.connect({str(warehouse)!r}); print('open', flush=True); input()"
    process = subprocess.Popen([sys.executable, "-c", holder], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout.readline() == "open\n"
        message = refused(warehouse, published)
    finally:
        process.communicate("\n")
    assert "warehouse" in message
    assert "Let the other run or program end" in message


def test_current_that_is_no_link_is_left_alone(warehouse, published):
    (published / "current").mkdir(parents=True)
    (published / "current" / "mine.txt").write_text("notes")
    assert "no symbolic link" in refused(warehouse, published)
    assert (published / "current" / "mine.txt").read_text() == "notes"


def test_an_error_in_an_extra_ends_the_publishing(warehouse, published):
    first = publish_as(warehouse, published, "a")

    def broken(release):
        raise KeyError("no such importer")

    with pytest.raises(KeyError):
        publish_as(warehouse, published, "b", extras=broken)
    assert names_below(published) == [first.release_id, "current", "releases"]


def test_a_manifest_is_json_that_other_tools_read(warehouse, published):
    outcome = publish_as(warehouse, published)
    text = (outcome.path / "manifest.json").read_text(encoding="utf-8")
    assert json.loads(text)["manifest_sha256"]
