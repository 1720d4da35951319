"""CEPII BACI over the wire: the yearly tables of the release. Not here: how its zip is read (see `sources.cepii`)."""

from __future__ import annotations

from dagster_project.datasets.trade.baci_files import YEAR_FILE
from dagster_project.sources import cepii
from dagster_project.sources.files import Found
from dagster_project.sources.live import Live


def trade(live: Live) -> Found:
    """The yearly tables of the years asked for (all of the release where the settings say `all`)."""
    remote = cepii.remote_zip(live)
    years = live.settings.years

    def accepts(name: str) -> bool:
        match = YEAR_FILE.match(name)
        return match is not None and (years is None or int(match["year"]) in years)

    needed = [f"BACI_HS{remote.edition}_Y{year}_V{remote.release}.csv" for year in years or ()]
    return Found(cepii.members(live, remote, cepii.Wanted(YEAR_FILE, accepts, needed)), [])
