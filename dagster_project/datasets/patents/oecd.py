"""OECD's counts of PCT applications by economy and year (SDMX, no key): what our patent shares are reconciled with.

What belongs here: which series is asked for. Not here: its columns (see `totals`).
"""

from __future__ import annotations

import csv
import io

from dagster_project.archive.payload import Payload
from dagster_project.datasets.patents.files import FILE_KINDS, OECD_KIND
from dagster_project.errors import SourceError
from dagster_project.sources.http import Service, of_known_shape
from dagster_project.sources.live import Live
from dagster_project.sources.probe import Seen

SERVICE = Service("oecd", interval=1.0, hosts=("oecd.org",))
NAME = "oecd_pct_applications.csv"
FLOW = "OECD.STI.PIE,DSD_PATENTS@DF_PATENTS_WIPO,1.0"
# Eleven dimensions: PCT applications a year, their number, by the year of application, all areas, by applicant. A
# dimension that stands under _T in some series and under _Z in others is left open.
KEY = "9P50_1.A.AP.PATN.APPLICATION...APPLICANT..."
FIRST_YEAR = 1999
COLUMNS = ("REF_AREA", "TIME_PERIOD", "OBS_VALUE")


def see(live: Live) -> Seen:
    """What a probe sees: the last observation of each series, in columns that landing reads."""
    where = "OECD, PCT applications by economy"
    try:
        answer = live.http.get_bytes(SERVICE, f"{_address(live)}&lastNObservations=1", where=where)
    except SourceError as error:
        if "HTTP 404" not in error.found:
            raise
        return Seen("", [f"no such records: {error.found}"])
    with of_known_shape(where, f"labelled CSV with {', '.join(COLUMNS)}, which ends with a whole line"):
        text = answer.body.decode("utf-8-sig")
        rows = list(csv.DictReader(io.StringIO(text)))
        years = [row["TIME_PERIOD"] for row in rows if all(row[name] for name in COLUMNS)]
        if not text.endswith("\n") or len(years) < len(rows):
            raise ValueError("a line that breaks off")
        return Seen(max(years))


def _address(live: Live) -> str:
    return (
        f"{live.settings.oecd_url}/data/{FLOW}/{KEY}?startPeriod={FIRST_YEAR}"
        "&dimensionAtObservation=AllDimensions&format=csvfilewithlabels"
    )


def totals(live: Live) -> tuple[list[Payload], list[str]]:
    """The table, asked for only when it changed, and notes: OECD answers 404 when it has no such records."""
    address = _address(live)
    kind = next(kind for kind in FILE_KINDS if kind.kind == OECD_KIND)
    try:
        return [live.conditional(SERVICE, address, kind, NAME, where="OECD, PCT applications by economy")], []
    except SourceError as error:
        if "HTTP 404" not in error.found:
            raise
        return [], [f"patent_reconciliation has no totals of OECD: {error.found}"]
