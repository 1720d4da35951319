"""The marts of input-output tables over the sample's tables of one year, built once. Not here: expectations."""

from __future__ import annotations

from pathlib import Path

import duckdb

from dagster_project.checks.views import CheckedData, over_landing, over_warehouse
from dagster_project.datasets.chains.dataset import CHAINS
from dagster_project.datasets.chains.sample import LEATHER_YEAR, files
from tests.helpers.chains_desk import Desk
from tests.helpers.dbt_command import build
from tests.helpers.tiny_landing import COUNTRIES_SCHEMA

YEAR = LEATHER_YEAR
CHAINS_MODELS = (
    *("--indirect-selection", "cautious", "--select", "stg_countries"),
    *("fqn:chokepoint.chains", "fqn:*.chains.*"),
)


def write_countries(landing: Path, *codes: tuple[int, str]) -> None:
    """The reference table of countries with these."""
    (landing / "reference").mkdir(parents=True, exist_ok=True)
    rows = ", ".join(f"({code}, null, '{iso3}', '{iso3}', false, true, null)" for code, iso3 in codes)
    with duckdb.connect() as connection:
        connection.execute(f"create table countries ({COUNTRIES_SCHEMA})")
        connection.execute(f"insert into countries values {rows}")
        connection.execute(f"copy countries to '{landing / 'reference' / 'countries.parquet'}' (format parquet)")


def built(root: Path) -> Path:
    """Land and build below `root`, and return it."""
    desk = Desk(root)
    for path, body, _ in files():
        desk.write(body, path.removeprefix("gvc/"))
    desk.land(YEAR)
    write_countries(desk.landing, (156, "CHN"), (842, "USA"))
    build(root, *CHAINS_MODELS)
    return root


def landed(root: Path) -> CheckedData:
    """What the checks of the landing look at."""
    return over_landing({table.name: table.files(root / "landing") for table in CHAINS.tables}, [YEAR])


def marts(root: Path) -> CheckedData:
    """What the checks of the marts look at."""
    landing = {table.name: table.files(root / "landing") for table in CHAINS.tables}
    return over_warehouse(root / "warehouse.duckdb", [YEAR], landing=landing)
