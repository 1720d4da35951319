"""What every source has in common: the payload it yields and the provenance it must state.

Not here: reading or parsing of any particular source.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class Provenance:
    """Who published the data, how to cite it and on what terms it may be used.

    `synthetic` is true only for data that this project makes up itself.
    """

    source: str
    publisher: str
    citation: str
    licence: str
    synthetic: bool = False


@dataclass(frozen=True)
class Payload:
    """One body as received, with all that the archive's manifest says of it.

    dataset     what the body holds: "trade", "reference", "tariffs", "patents"
    part        which part of it, in the source's own terms: "2017", "Reporters", "HS17 2017"
    address     where it came from, without any secret: a drop-folder path or a URL without key
    parameters  what was asked for, without any secret; values are text
    body        the bytes, or the path of a file that holds them
    rows        number of records where the source states it
    """

    provenance: Provenance
    dataset: str
    part: str
    address: str
    body: Path | bytes
    parameters: Mapping[str, str] = field(default_factory=dict)
    rows: int | None = None
