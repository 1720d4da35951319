"""What checks look at: landing's files, the warehouse and the release before, within the years of the run.

Not here: what the checks find there (the tests beside each dataset).
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import duckdb
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from dagster_project.checks import engine
from dagster_project.checks.views import CheckedData, Previous, over_landing, over_warehouse, previous_release
from dagster_project.datasets.reference.checks import REFERENCE_LANDING
from dagster_project.datasets.reference.dataset import REFERENCE
from dagster_project.datasets.trade.dataset import TRADE
from dagster_project.datasets.trade.landing_checks import TRADE_LANDING
from dagster_project.datasets.trade.mart_checks import TRADE_MARTS
from dagster_project.datasets.trade.staging_checks import TRADE_STAGING
from dagster_project.planning.loading import table_files
from dagster_project.publish.manifest import write_manifest
from tests.helpers.check_cases import assert_passes, holding, not_passed
from tests.helpers.sound_reference import QUARANTINE_SCHEMA, table
from tests.helpers.sound_trade import YEARS, landing_tables, mart_tables, quarantined_trade, staging_tables


@pytest.fixture
def landing(tmp_path: Path) -> Path:
    """The sound landing tables where landing writes them."""
    sound = landing_tables()
    for name, pattern in table_files(TRADE, tmp_path / "landing").items():
        by_year = pattern.parent.name == "year=*"
        for year in YEARS if by_year else (None,):
            path = Path(str(pattern).replace("*", str(year), 1).replace("*", "part-0"))
            path.parent.mkdir(parents=True, exist_ok=True)
            pq.write_table(sound[name].filter(pc.field("year") == year) if by_year else sound[name], path)
    return tmp_path / "landing"


@pytest.fixture
def warehouse(tmp_path: Path) -> Path:
    """The sound staging tables and marts in the schemas that dbt writes."""
    path = tmp_path / "warehouse.duckdb"
    with duckdb.connect(str(path)) as connection:
        holding({name: each for name, each in staging_tables().items() if name.startswith("stg_")}).setup(connection)
        connection.execute("create schema staging; create schema marts")
        for (name,) in connection.execute("select table_name from duckdb_tables()").fetchall():
            # dbt's views name their database.
            connection.execute(f"create view staging.{name} as select * from warehouse.main.{name}")
        made = {name: each for name, each in mart_tables().items() if not re.search(r"^stg_|_years$|[.]", name)}
        schemas = {name: "intermediate" if name.startswith("int_") else "marts" for name in made}
        holding({f"{schemas[name]}.{name}": each for name, each in made.items()}).setup(connection)
    return path


def trade_landing(landing: Path, years: tuple[int, ...]) -> CheckedData:
    return over_landing(table_files(TRADE, landing), years)


@pytest.mark.parametrize(("years", "rows_read"), [((), 246), (YEARS, 246), ((2017,), 123)])
def test_over_landing_reads_the_parquet_of_the_years(landing: Path, years: tuple[int, ...], rows_read: int) -> None:
    outcomes = {each.check: each for each in engine.run(TRADE_LANDING, trade_landing(landing, years))}
    assert [each for each in outcomes.values() if not each.passed] == []
    assert outcomes["rows_accounted_for"].facts["rows_read"] == rows_read


def test_over_landing_reads_tables_without_years_whole(landing: Path) -> None:
    assert_passes(REFERENCE_LANDING, over_landing(table_files(REFERENCE, landing), (2017,)))


def test_over_landing_reads_the_rows_of_no_year_with_those_of_a_year(landing: Path) -> None:
    unknown = landing / "quarantine" / "trade" / "year=unknown" / "part-0.parquet"
    unknown.parent.mkdir()
    malformed = quarantined_trade("malformed_row", year=None, detail="a line of two fields")
    pq.write_table(table(QUARANTINE_SCHEMA, [malformed]), unknown)
    found = not_passed(TRADE_LANDING, trade_landing(landing, (2017,)))
    (shown,) = found["quarantine_trade.nothing_quarantined"].rows
    assert shown["year"] is None and shown["example"] == "a line of two fields"


def test_over_landing_reports_a_year_without_flows_and_a_table_without_files(landing: Path) -> None:
    for path in landing.glob("trade_reporters/*/*.parquet"):
        path.unlink()
    found = not_passed(TRADE_LANDING, trade_landing(landing, (2017, 2019)))
    assert [row["year"] for row in found["trade_flows.years_as_requested"].rows] == [2019]
    assert found["trade_reporters.reporters_plausible"].status == "missing"


def test_over_warehouse_reads_landing_beside_staging(landing: Path, warehouse: Path) -> None:
    beside = over_warehouse(warehouse, (2017,), landing=table_files(TRADE, landing))
    assert_passes(TRADE_STAGING, beside)
    for path in landing.glob("trade_unallocated/year=2017/*.parquet"):
        path.unlink()
    assert not_passed(TRADE_STAGING, beside).keys() == {"stg_trade_unallocated.all_rows_arrived"}


def test_over_warehouse_checks_the_years_of_the_run_only(warehouse: Path) -> None:
    with duckdb.connect(str(warehouse)) as connection:
        connection.execute("update marts.exporter_position set export_value_usd = 0 where year = 2018")
    assert_passes(TRADE_MARTS, over_warehouse(warehouse, (2017,)))
    assert "exporter_position.totals_match_flows" in not_passed(TRADE_MARTS, over_warehouse(warehouse, YEARS))


def test_checks_leave_no_lock_on_the_warehouse(warehouse: Path) -> None:
    engine.run(TRADE_MARTS, over_warehouse(warehouse))
    # This process first, which would clash by configuration; then another one, which would clash by lock.
    with duckdb.connect(str(warehouse)) as connection:
        connection.execute("create table proof as select 1")
    engine.run(TRADE_MARTS, over_warehouse(warehouse))
    write = f"import duckdb; duckdb.connect({str(warehouse)!r}).execute('drop table proof')"
    subprocess.run([sys.executable, "-c", write], check=True)


def release(published: Path, warehouse: Path, settings: dict[str, Any]) -> Path:
    """A previous release of the warehouse's bilateral totals, as the publisher lays it out."""
    directory = published / "releases" / "r1"
    directory.mkdir(parents=True)
    with duckdb.connect(str(directory / "chokepoint.duckdb")) as connection:
        connection.execute(f"attach '{warehouse}' as w (read_only); create schema marts")
        connection.execute("create table marts.bilateral_totals as from w.marts.bilateral_totals")
    write_manifest(directory, {"format": 1, "settings": settings})
    (published / "current").symlink_to(directory)
    return directory


def test_coverage_compares_with_the_previous_release(tmp_path: Path, warehouse: Path) -> None:
    settings = {"trade_source": "files", "hs_revision": "H5"}
    release(tmp_path / "published", warehouse, settings)
    previous = previous_release(tmp_path / "published", settings)
    assert previous.directory is not None
    with duckdb.connect(str(warehouse)) as connection:
        connection.execute("delete from marts.bilateral_totals where year = 2018")
        connection.execute("update marts.bilateral_totals set value_usd = value_usd * 0.5 where year = 2017")

    def coverage(**arguments: Any) -> dict[str, Any]:
        outcomes = engine.run(TRADE_MARTS, over_warehouse(warehouse, previous=previous, **arguments))
        return {o.check: [row["year"] for row in o.rows] for o in outcomes if o.check.startswith("coverage")}

    assert coverage() == {"coverage_years": [2018], "coverage_value": [2017]}
    assert coverage(requested_years=(2017,)) == {"coverage_years": [], "coverage_value": [2017]}


def test_coverage_of_a_run_of_one_year_does_not_miss_the_others(tmp_path: Path, warehouse: Path) -> None:
    release(tmp_path / "published", warehouse, {})
    previous = previous_release(tmp_path / "published", {})
    assert_passes(TRADE_MARTS, over_warehouse(warehouse, (2017,), previous))


def test_no_previous_release_or_one_of_other_settings_says_why(tmp_path: Path, warehouse: Path) -> None:
    published = tmp_path / "published"
    assert previous_release(published, {}) == Previous(None, "there is no previous release")
    directory = release(published, warehouse, {"trade_source": "sample", "hs_revision": "H5"})
    assert previous_release(published, {"trade_source": "sample"}).directory == directory
    other = previous_release(published, {"trade_source": "files", "hs_revision": "H5"})
    assert other.directory is None
    assert other.reason == (
        "the previous release was made with other settings: trade_source was 'sample' and is 'files'"
    )
    (directory / "manifest.json").write_text("{}")
    assert "cannot be read" in previous_release(published, {}).reason
