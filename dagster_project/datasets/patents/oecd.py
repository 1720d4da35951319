"""OECD's counts of PCT applications by economy and year (SDMX, no key): what our patent shares are reconciled with.

What belongs here: which series is asked for. Not here: its columns (see `totals`).
"""

from __future__ import annotations

from dagster_project.archive.payload import Payload
from dagster_project.datasets.patents.files import FILE_KINDS, OECD_KIND
from dagster_project.errors import SourceError
from dagster_project.sources.http import Service
from dagster_project.sources.live import Live

SERVICE = Service("oecd", interval=1.0)
NAME = "oecd_pct_applications.csv"
FLOW = "OECD.STI.PIE,DSD_PATENTS@DF_PATENTS_WIPO,1.0"
# Eleven dimensions: PCT applications a year, their number, by the year of application, all areas, by applicant. A
# dimension that stands under _T in some series and under _Z in others is left open.
KEY = "9P50_1.A.AP.PATN.APPLICATION...APPLICANT..."
FIRST_YEAR = 1999


def totals(live: Live) -> tuple[list[Payload], list[str]]:
    """The table, asked for only when it changed, and notes: OECD answers 404 when it has no such records."""
    address = (
        f"{live.settings.oecd_url}/data/{FLOW}/{KEY}?startPeriod={FIRST_YEAR}"
        "&dimensionAtObservation=AllDimensions&format=csvfilewithlabels"
    )
    kind = next(kind for kind in FILE_KINDS if kind.kind == OECD_KIND)
    try:
        return [live.conditional(SERVICE, address, kind, NAME, where="OECD, PCT applications by economy")], []
    except SourceError as error:
        if "HTTP 404" not in error.found:
            raise
        return [], [f"patent_reconciliation has no totals of OECD: {error.found}"]
