"""UN General Assembly ideal points: which files of the drop folder hold them, and on what terms they are published.

Not here: their columns (see `landing`).
"""

from __future__ import annotations

from dagster_project.archive.payload import Provenance
from dagster_project.sources.files import FileKind

DOI = "doi:10.7910/DVN/LEJUQZ"
IDEAL_POINTS = Provenance(
    source="harvard_dataverse",
    publisher="Michael Bailey, Anton Strezhnev and Erik Voeten, Harvard Dataverse",
    citation="Bailey, M. A., Strezhnev, A. and Voeten, E. (2017). Estimating Dynamic State Preferences from United "
    f"Nations Voting Data. Journal of Conflict Resolution 61(2), 430-456; data: {DOI}",
    licence="CC0 1.0",
)

# The names of all releases: IdealpointestimatesAll_Jun2024.csv, and .tab as Dataverse gives a table it has read in.
_NAME = r"(.*/)?ideal.?point.?estimates.?all[^/]*\.(?P<format>csv|tab)"

FILE_KINDS = tuple(
    FileKind(
        "ideal_points",
        folder,
        _NAME,
        "IdealpointestimatesAll_<month><year>.csv (or .tab)",
        "politics",
        IDEAL_POINTS,
    )
    for folder in ("politics", "reference")
)
