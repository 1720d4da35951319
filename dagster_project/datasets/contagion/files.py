"""Market returns around events: which files of the drop folder hold them. They are the user's own.

Not here: their columns (see `landing`).
"""

from __future__ import annotations

from dagster_project.archive.payload import Provenance
from dagster_project.sources.files import FileKind

FOLDER = "contagion"
RETURNS = Provenance(
    source="user_returns",
    publisher="the user, from a provider that the user has chosen",
    citation="Market returns and events placed by the user; Chokepoint fetches no prices and knows no provider",
    licence="The user's own agreement with the provider; such agreements seldom allow returns to be passed on",
)

# kind -> the file's name as a pattern, and in a user's words
_NAMES = {
    "contagion_events": (r"events\.csv", "events.csv"),
    "contagion_securities": (r"securities\.csv", "securities.csv"),
    "contagion_roles": (r"roles\.csv", "roles.csv"),
    "contagion_returns": (r"returns\.csv(\.gz)?", "returns.csv (or returns.csv.gz)"),
}
FILE_KINDS = tuple(
    FileKind(kind, FOLDER, pattern, looked_for, "contagion", RETURNS) for kind, (pattern, looked_for) in _NAMES.items()
)
