"""One load of trade under the settings: which years are landed, and which must leave. Knows nothing of Dagster.

Not here: how a year is landed (see `landing.trade`).
"""

from __future__ import annotations

import shutil

from dagster_project.archive.store import Archive, write_whole
from dagster_project.errors import SourceError
from dagster_project.planning.intake import taken_in
from dagster_project.datasets.trade import landing as trade
from dagster_project.settings import Settings
from dagster_project.planning.state import config_fingerprint, requested


def land_trade(settings: Settings, asked: list[int]) -> list[trade.LandedYear]:
    """Land the years asked for that the source holds, and take out years that no longer belong.

    A change of settings or reference data takes every landed year out first: the landing never mixes two of them.
    SourceError when the source holds none of the years.
    """
    landing, archive = settings.landing_dir, Archive(settings.archive_dir)
    config = config_fingerprint(settings, taken_in("reference", settings))
    parsed = trade.parse_trade(archive, taken_in("trade", settings), landing, settings.years)
    held = requested(settings, parsed)
    wanted = [year for year in asked if year in held]
    if not wanted:
        raise SourceError(
            f"trade, years {', '.join(map(str, asked)) or '(none)'}",
            found=f"no rows of these years; the source holds {', '.join(map(str, trade.years_held(parsed))) or 'none'}",
            expected="rows of at least one of them",
            remedy="Ask for years that the source holds (CHOKEPOINT_YEARS, or the partitions chosen in the UI).",
        )
    marker = landing / "trade_config"
    if not marker.exists() or marker.read_text() != config:
        for name in (*trade.TABLES, "trade_receipts"):
            shutil.rmtree(landing / name, ignore_errors=True)
        write_whole(marker, config.encode())
    trade.remove_years(landing, keep=held)
    landed = [trade.land_year(parsed, landing, year, settings.hs_revision, config) for year in wanted]
    trade.land_rest(parsed, landing, held)
    trade.write_empty_tables(landing)
    return landed
