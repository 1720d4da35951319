"""The publishers' real files, where they lie beside the checkout; the repository holds none of them."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pytest

from dagster_project.archive.store import Archive
from dagster_project.datasets.reference.landing import land as land_reference
from dagster_project.datasets.trade import landing as trade
from dagster_project.datasets.trade.parsing import parse
from dagster_project.settings import Settings, load_settings
from tests.helpers.real_files import DROP
from tests.helpers.steps import fetch, load_of

pytestmark = pytest.mark.skipif(not (DROP / "comtrade").is_dir(), reason="no real files beside the checkout")
YEAR = 2022


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    return load_settings(
        {
            "CHOKEPOINT_DATA_DIR": str(tmp_path_factory.mktemp("real")),
            "CHOKEPOINT_DROP_DIR": str(DROP),
            "CHOKEPOINT_TRADE_SOURCE": "files",
            "CHOKEPOINT_REFERENCE_SOURCE": "files",
        },
        dotenv=None,
    )


@pytest.fixture(scope="module")
def landed(settings: Settings) -> trade.LandedYear:
    """One real year, landed by the rules."""
    archive, now = Archive(settings.archive_dir), datetime.now(UTC)
    reference, _ = fetch("reference", settings, now)
    land_reference(load_of(archive, reference, settings.landing_dir, settings.hs_revision))
    entries, _ = fetch("trade", settings, now)
    entries = [entry for entry in entries if str(YEAR) in entry.part]
    assert entries
    load = load_of(archive, entries, settings.landing_dir, settings=settings, years=[YEAR])
    return trade.land_year(load, parse(load, None), YEAR)


def column(settings: Settings, table: str, expression: str) -> list[object]:
    path = settings.landing_dir / table / f"year={YEAR}" / "part-0.parquet"
    with duckdb.connect() as connection:
        return [row[0] for row in connection.execute(f"select distinct {expression} from '{path}'").fetchall()]


def test_real_rows_are_read_whole_and_accounted_for(landed: trade.LandedYear) -> None:
    assert landed.counts.landed > 0.8 * landed.counts.rows_read
    assert landed.counts.quarantined.keys() <= {"revision_not_stated", "no_conversion", "superseded"}
    assert landed.notes == []  # no column that the API's record does not have


def test_real_areas_and_codes(landed: trade.LandedYear, settings: Settings) -> None:
    partners, codes = (column(settings, "trade_flows", name) for name in ("partner_code", "cmd_code"))
    assert {156, 276, 842, 490} <= set(partners) and not {0, 97, 837, 838, 839, 899} & set(partners)
    assert "850760" in codes and all(isinstance(code, str) and len(code) == 6 for code in codes)
    assert set(column(settings, "trade_control_totals", "partner_code")) == {0}


def test_real_reference_files(settings: Settings, landed: trade.LandedYear) -> None:
    folder: Path = settings.landing_dir / "reference"
    with duckdb.connect() as connection:
        taiwan = connection.execute(
            f"select iso3, is_country from '{folder}/countries.parquet' where country_code = 490"
        ).fetchone()
        worst = connection.execute(
            f"select max(abs(total - 1)) from (select sum(weight) as total from '{folder}/hs_conversion.parquet' "
            "group by from_revision, from_code)"
        ).fetchone()
        battery = connection.execute(f"select bec4 from '{folder}/products.parquet' where hs6 = '850760'").fetchone()
    assert taiwan == ("TWN", True)
    assert worst is not None and worst[0] < 1e-6
    assert battery is not None and battery[0] is not None
