"""Loading a release into a real PostgreSQL, started for the test on loopback; skipped where none is installed."""

from __future__ import annotations

import os
import pwd
import re
import shutil
import socket
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from datetime import date
from functools import partial
from pathlib import Path

import dagster as dg
import duckdb
import psycopg
import pytest

from dagster_project import cli
from dagster_project.archive.lock import Lock
from dagster_project.errors import ReleaseError, SettingError
from dagster_project.places import CHECKOUT
from dagster_project.planning.state import Plan
from dagster_project.publish.marts import MartSpec
from dagster_project.publish.postgres import load
from dagster_project.publish.read import open_release
from dagster_project.publish.release import ReleaseContext, publish
from dagster_project.settings import load_settings

PROGRAMS = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres")) or [
    Path(found).resolve() for found in filter(None, [shutil.which("postgres")])
]
pytestmark = pytest.mark.skipif(not PROGRAMS, reason="no PostgreSQL server is installed (Debian: postgresql)")
MARTS = [
    MartSpec("rates", ("list_id",), "One row per list.", {"share": "Granted, it's 0..1."}),
    MartSpec("flows", ("year", "hs6"), "One row per year and good.", {}, year_column="year", in_database=False),
]


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """The address of a server of our own; PostgreSQL refuses to run as root, so root hands it to another user."""
    folder = Path(tempfile.mkdtemp(prefix="chokepoint-pg-"))
    user = "postgres" if os.geteuid() == 0 else None
    if user is not None:
        entry = pwd.getpwnam(user)
        os.chown(folder, entry.pw_uid, entry.pw_gid)
    tools, data = PROGRAMS[-1].parent, folder / "data"

    def run(*command: str) -> None:
        subprocess.run(command, check=True, cwd=folder, user=user, capture_output=True, timeout=120)

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    run(str(tools / "initdb"), "-D", str(data), "-U", "loader", "--auth=trust", "--no-sync", "-E", "UTF8")
    options = f"-c listen_addresses=127.0.0.1 -c port={port} -c unix_socket_directories={folder} -c fsync=off"
    control = [str(tools / "pg_ctl"), "-D", str(data), "-l", str(folder / "log"), "-w"]
    run(*control, "-o", options, "start")
    try:
        yield f"postgresql://loader@127.0.0.1:{port}/postgres"
    finally:
        run(*control, "-m", "immediate", "stop")
        shutil.rmtree(folder, ignore_errors=True)


def release_of(folder: Path, number: int) -> Path:
    """Publish one more release, in which every row of every mart holds `number`."""
    folder.mkdir(exist_ok=True)
    warehouse = folder / f"warehouse{number}.duckdb"
    with duckdb.connect(str(warehouse)) as connection:
        connection.execute("create schema marts")
        connection.execute(
            f"create table marts.rates as select '0' || i as list_id, {number}::double as share, null::boolean as odd, "
            "date '2020-02-29' as day, 'tab\there, \\N and ''quotes''' as note from range(3) r(i)"
        )
        connection.execute(
            f"create table marts.flows as select 2017 + i % 2 as year, lpad(i::varchar, 6, '0') as hs6, "
            f"{number}::bigint as n from range(500) r(i)"
        )
    context = ReleaseContext("test", {}, {"number": number}, Lock({}), synthetic=True)
    publish(warehouse, folder / "published", MARTS, context, retain=3)
    return folder / "published"


def test_rows_types_keys_and_descriptions_arrive(server: str, tmp_path: Path) -> None:
    with open_release(release_of(tmp_path, 1)) as release:
        loaded = load(release, server, "arrival")
        assert loaded.new and loaded.rows == {"rates": 3, "flows": 500}
        assert not load(release, server, "arrival").new
        release_id = release.release_id
    with psycopg.connect(server) as reader:
        rows = reader.execute("select list_id, share, odd, day::text, note from arrival.rates order by 1").fetchall()
        assert rows[0] == ("00", 1.0, None, "2020-02-29", "tab\there, \\N and 'quotes'")
        kinds = reader.execute(
            "select column_name, data_type from information_schema.columns where table_schema = 'arrival' "
            "and table_name = 'rates' order by ordinal_position"
        ).fetchall()
        assert [kind for _, kind in kinds] == ["text", "double precision", "boolean", "date", "text"]
        comments = reader.execute(
            "select obj_description('arrival'::regnamespace, 'pg_namespace'), "
            "obj_description('arrival.rates'::regclass), col_description('arrival.rates'::regclass, 2)"
        ).fetchone()
        assert comments == (f"Chokepoint release {release_id}", "One row per list.", "Granted, it's 0..1.")
        with pytest.raises(psycopg.errors.UniqueViolation):
            reader.execute("insert into arrival.rates values ('00')")


def test_readers_never_see_a_mix_nor_a_gap_and_keep_their_rights(server: str, tmp_path: Path) -> None:
    with open_release(release_of(tmp_path, 1)) as release:
        load(release, server, "swapped")
    with psycopg.connect(server, autocommit=True) as admin:
        admin.execute("create role analyst login; grant usage on schema swapped to analyst")
        admin.execute("grant select on all tables in schema swapped to analyst")
    seen: set[tuple[int, ...]] = set()
    problems: list[Exception] = []
    done = threading.Event()

    def read() -> None:
        try:
            with psycopg.connect(server.replace("loader@", "analyst@"), autocommit=True) as reader:
                while not done.is_set():
                    query = (
                        "select (select min(share) from swapped.rates), (select max(share) from swapped.rates), "
                        "(select min(n) from swapped.flows), (select max(n) from swapped.flows)"
                    )
                    found = reader.execute(query).fetchone()
                    assert found is not None
                    seen.add(tuple(int(value) for value in found))
        except Exception as error:
            problems.append(error)

    threads = [threading.Thread(target=read) for _ in range(3)]
    for thread in threads:
        thread.start()
    for number in range(2, 7):
        with open_release(release_of(tmp_path, number)) as release:
            load(release, server, "swapped")
    done.set()
    for thread in threads:
        thread.join()
    assert problems == []
    assert all(len(set(values)) == 1 for values in seen), seen
    assert len(seen) > 1


def test_a_load_that_fails_leaves_the_old_release_and_can_be_repeated(server: str, tmp_path: Path) -> None:
    with open_release(release_of(tmp_path, 1)) as release:
        load(release, server, "held")
    with open_release(release_of(tmp_path, 2)) as release:
        with psycopg.connect(server) as reader:
            reader.execute("select * from held.rates").fetchall()  # an open transaction holds the table
            with pytest.raises(ReleaseError, match="lock timeout"):
                load(release, server, "held", lock_seconds=1)
            assert reader.execute("select max(share) from held.rates").fetchone() == (1.0,)
        assert load(release, server, "held").new


def test_a_schema_of_somebody_else_is_not_touched(server: str, tmp_path: Path) -> None:
    with psycopg.connect(server) as owner:
        owner.execute("create schema precious; create table precious.t as select 1 as x")
    with open_release(release_of(tmp_path, 1)) as release, pytest.raises(ReleaseError, match="no release was loaded"):
        load(release, server, "precious")
    with psycopg.connect(server) as owner:
        assert owner.execute("select x from precious.t").fetchone() == (1,)


def test_an_unreachable_server_is_reported_without_the_password(tmp_path: Path) -> None:
    with open_release(release_of(tmp_path, 1)) as release, pytest.raises(ReleaseError, match="no connection") as caught:
        load(release, "postgresql://loader:secret-word@127.0.0.1:1/postgres", "chokepoint")
    assert "secret-word" not in str(caught.value)


def materialised(settings: dict[str, str], instance: dg.DagsterInstance) -> dg.ExecuteInProcessResult:
    """The asset alone, as in the UI."""
    from dagster_project.assets.postgres import postgres_assets

    assets = postgres_assets(load_settings(settings, dotenv=None))
    return dg.materialize(assets, instance=instance, raise_on_error=False)


def test_the_asset_says_what_failed_and_can_be_materialised_again(server: str, tmp_path: Path) -> None:
    published = release_of(tmp_path, 1)
    before = (published / "current").resolve()
    settings = {"CHOKEPOINT_DATA_DIR": str(tmp_path), "CHOKEPOINT_POSTGRES_SCHEMA": "as_asset"}
    away = {**settings, "CHOKEPOINT_POSTGRES_URL": "postgresql://loader:secret-word@127.0.0.1:1/postgres"}
    with dg.DagsterInstance.ephemeral() as instance:
        failed = materialised(away, instance)
        [event] = [each for each in failed.all_events if each.is_step_failure]
        failure = event.step_failure_data.user_failure_data
        assert failure is not None and failure.description is not None
        assert "no connection" in failure.description and "materialise `postgres` alone" in failure.description
        assert "secret-word" not in failure.description
        assert (published / "current").resolve() == before

        again = materialised({**settings, "CHOKEPOINT_POSTGRES_URL": server}, instance)
        [made] = again.asset_materializations_for_node("postgres")
        assert made.metadata["new"].value is True and made.metadata["dagster/row_count"].value == 503
    with psycopg.connect(server) as reader:
        assert reader.execute("select count(*) from as_asset.flows").fetchone() == (500,)


def test_a_run_without_news_still_loads_what_the_server_lacks(
    server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The address was set after the release was made, or the server was away when it was."""
    release_of(tmp_path / "data", 1)
    Lock({}).save(tmp_path / "data" / "inputs.lock.json")
    for name in [name for name in os.environ if name.startswith("CHOKEPOINT_")]:
        monkeypatch.delenv(name)
    for name, value in {
        "DATA_DIR": str(tmp_path / "data"), "POSTGRES_URL": server, "POSTGRES_SCHEMA": "late",
        "TARIFF_SOURCE": "off", "PATENT_SOURCE": "off",
    }.items():  # fmt: skip
        monkeypatch.setenv(f"CHOKEPOINT_{name}", value)
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path / "dagster"))
    monkeypatch.setattr(cli, "load_settings", partial(load_settings, dotenv=None))
    monkeypatch.setattr(cli, "make_plan", lambda settings, on_news: Plan([2017], [], [], False, []))
    monkeypatch.setattr(cli, "print_summary", lambda *arguments: None)
    assert cli.main(["run"]) == 0
    assert "Nothing has changed" in capsys.readouterr().out
    with psycopg.connect(server) as reader:
        assert reader.execute("select count(*) from late.flows").fetchone() == (500,)


@pytest.mark.parametrize("name", ["Upper", "with space", "pg_own", "public", 'quo"te', "1st", "a" * 60])
def test_a_schema_name_that_needs_quoting_is_refused(name: str) -> None:
    with pytest.raises(SettingError, match="CHOKEPOINT_POSTGRES_SCHEMA"):
        load_settings({"CHOKEPOINT_POSTGRES_SCHEMA": name}, dotenv=None)


def test_a_password_is_in_no_message_and_in_no_manifest() -> None:
    with pytest.raises(SettingError) as caught:
        load_settings({"CHOKEPOINT_POSTGRES_URL": "mysql://me:secret-word@host/db"}, dotenv=None)
    assert "secret-word" not in str(caught.value)
    good = load_settings({"CHOKEPOINT_POSTGRES_URL": "postgresql://me:secret-word@host/db"}, dotenv=None)
    assert "secret-word" not in str(good.public())


def test_sql_of_the_recipes_runs_here_too(server: str, tmp_path: Path) -> None:
    """docs/bi.md gives it for Metabase and Grafana; tests/unit/test_bi_recipes.py runs it in DuckDB."""
    with duckdb.connect(str(tmp_path / "warehouse.duckdb")) as connection:
        connection.execute("create schema marts")
        connection.execute(
            "create table marts.vulnerability_summary as select 2017 as year, 'USA' as importer_iso3, "
            "'USA' as importer_name, category, 1::bigint as n_goods, 0.5e0 as goods_share, "
            "category / 5 as value_share, category::double as import_value_usd from (values (1), (4)) as v (category)"
        )
    spec = MartSpec("vulnerability_summary", ("year", "importer_iso3", "category"), "Grain.", {})
    context = ReleaseContext("test", {}, {}, Lock({}), synthetic=True)
    publish(tmp_path / "warehouse.duckdb", tmp_path / "published", [spec], context, retain=1)
    with open_release(tmp_path / "published") as release:
        load(release, server, "recipes")
    page = (CHECKOUT / "docs" / "bi.md").read_text()
    table, series = re.findall(r"```sql\n(.*?)```", page.replace("marts.", "recipes."), re.DOTALL)
    with psycopg.connect(server) as reader:
        assert [row[2] for row in reader.execute(table)] == [1, 4]
        assert reader.execute(series).fetchall() == [(date(2017, 1, 1), 0.2)]
