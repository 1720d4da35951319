"""Input-output tables: which files hold them, of which edition and year each is, and on what terms they are published.

A table is found by names alone: planning asks which years there are and must not read gigabytes for it. Not here: what
is in a table (see `icio`, `compact`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import PurePosixPath

from dagster_project.archive.payload import Provenance
from dagster_project.archive.store import Archive, Entry
from dagster_project.errors import SourceError
from dagster_project.sources.files import FileKind
from dagster_project.sources.integrity import open_zip

FOLDER = "gvc"

ICIO = Provenance(
    source="oecd_icio",
    publisher="OECD, Inter-Country Input-Output tables",
    citation="OECD (2025). Inter-Country Input-Output tables, 2025 edition, https://oe.cd/icio; Yamano, N. and others "
    "(2023). Development of the OECD Inter Country Input-Output Database 2023. OECD STI Working Papers 2023/08",
    licence="OECD terms and conditions (https://www.oecd.org/termsandconditions/): attribution",
)
COMPACT = Provenance(
    source="io_tables",
    publisher="as the name of the edition says: the OECD (ICIO), the World Input-Output Database (WIOD), or another",
    citation="OECD (2025). Inter-Country Input-Output tables, https://oe.cd/icio; Timmer, M. P., Dietzenbacher, E., "
    "Los, B., Stehrer, R. and de Vries, G. J. (2015). An Illustrated User Guide to the World Input-Output Database. "
    "Review of International Economics 23(3), 575-605",
    licence="the publisher's terms; files that others derived carry their terms besides",
)
MEASURES = Provenance(
    source="published_io_measures",
    publisher="the authors of the measures, as the file's name says",
    citation="Antràs, P. and Chor, D. (2018). On the Measurement of Upstreamness and Downstreamness in Global Value "
    "Chains. In World Trade Evolution, Routledge; Wang, Z., Wei, S.-J., Yu, X. and Zhu, K. (2017). Measures of "
    "Participation in Global Value Chains and Global Business Cycles. NBER Working Paper 23222",
    licence="the authors' terms",
)

EMISSIONS_OF = Provenance(
    source="io_emissions",
    publisher="as the user says who placed the file: emission intensities are no part of the tables",
    citation="of the source that the intensities were taken from; for example Yamano, N. and Guilhoto, J. (2020). CO2 "
    "emissions embodied in international trade and domestic final demand. OECD STI Working Papers 2020/11",
    licence="the terms of that source",
)

# A member's name: 2018_SML.csv, 2018_EXT.csv, 2018.csv, ICIO2021_2018.csv, ICIO2018_2015.CSV.
MEMBER = r"(ICIO(?P<of>\d{4})_)?(?P<year>(19|20)\d{2})(_(?P<form>SML|EXT))?\.csv"
_TABLES = ("intermediate_flows", "output", "final_flows")
CSV, ZIP, PARQUET, PUBLISHED = "icio_csv", "icio_zip", "io_parquet", "io_published"
EMISSIONS = "io_emissions"
FILE_KINDS = (
    FileKind(
        CSV, FOLDER, rf"(.*/)?{MEMBER}", "YYYY_SML.csv, YYYY_EXT.csv, YYYY.csv, ICIO2021_YYYY.csv", "chains", ICIO
    ),
    FileKind(
        PARQUET,
        FOLDER,
        rf"(.*/)?(?P<edition>[^/]+)_(?P<year>(19|20)\d{{2}})_(?P<table>{'|'.join(_TABLES)})\.parquet",
        "<edition>_<year>_intermediate_flows.parquet with <edition>_<year>_output.parquet, where there is one with "
        "<edition>_<year>_final_flows.parquet",
        "chains",
        COMPACT,
    ),
    FileKind(
        PUBLISHED,
        FOLDER,
        r"(.*/)?(leather_published_values|published_antras_chor_(?P<edition>[^/]+)_measures)\.csv(\.gz)?",
        "published_antras_chor_<edition>_measures.csv.gz, leather_published_values.csv: others' measures to hold "
        "ours against",
        "chains",
        MEASURES,
    ),
    FileKind(
        EMISSIONS,
        FOLDER,
        r"(.*/)?emissions_(?P<edition>[^/]+)_(?P<year>(19|20)\d{2})\.csv(\.gz)?",
        "emissions_<edition>_<year>.csv: emission intensities for the table of that edition and year",
        "chains",
        EMISSIONS_OF,
    ),
    FileKind(ZIP, FOLDER, r".*\.zip", "the OECD's zips of these CSV files", "chains", ICIO),
)


@dataclass(frozen=True)
class TableFiles:
    """The files of one table: a CSV (inside a zip, where `member` names it), or the Parquet files by what they hold.

    `emissions` are the intensities that belong to it.
    """

    edition: str
    year: int
    entries: Mapping[str, Entry]
    member: str = ""
    superseded: Sequence[str] = field(default_factory=tuple)
    emissions: Entry | None = None

    @property
    def address(self) -> str:
        """The file that the table is in, or the first of its files, for people."""
        address = next(iter(self.entries.values())).address
        return f"{address}!{self.member}" if self.member else address

    @property
    def source(self) -> str:
        """Publisher and edition, for the accounting."""
        return f"{next(iter(self.entries.values())).source}/{self.edition}"

    @property
    def retrieved_at(self) -> str:
        """When the last of its files was retrieved."""
        return max(entry.retrieved_at for entry in self.entries.values())

    @property
    def bytes(self) -> list[str]:
        """Names its content."""
        others = [f"{EMISSIONS} {self.emissions.sha256}"] if self.emissions else []
        return [self.member, *(f"{table} {entry.sha256}" for table, entry in sorted(self.entries.items())), *others]


def tables(entries: Sequence[Entry], archive: Archive) -> list[TableFiles]:
    """Every table among the payloads, by edition and year; of several, the one retrieved last.

    SourceError for a zip without a table, for one half of a pair of Parquet files, and for intensities without a table.
    """
    found: dict[tuple[str, int], list[TableFiles]] = {}
    for table in (*_csv_tables(entries, archive), *_pairs(entries)):
        found.setdefault((table.edition, table.year), []).append(table)
    return _with_emissions([_newest(found[key]) for key in sorted(found)], entries)


def published(entries: Sequence[Entry]) -> list[Entry]:
    """The payloads that hold published measures."""
    return [entry for entry in entries if entry.parameters["kind"] == PUBLISHED]


def edition_of(place: str, name: re.Match[str]) -> str:
    """The edition of a CSV file: that in its name; else the year that a folder above it is named for; and its form.

    2018_SML.csv is icio_sml, in a folder 2025 icio_2025_sml; ICIO2021_2018.csv is icio_2021.
    """
    folders = [part for part in PurePosixPath(place).parts[:-1] if re.fullmatch(r"20\d\d", part)]
    of = name["of"] or (folders[-1] if folders else None)
    return "_".join(part.lower() for part in ("icio", of, name["form"]) if part)


def _csv_tables(entries: Iterable[Entry], archive: Archive) -> list[TableFiles]:
    found: list[TableFiles] = []
    for entry in entries:
        kind = entry.parameters["kind"]
        if kind == CSV:
            name = _member(PurePosixPath(entry.part).name)
            assert name is not None, entry.part
            found.append(TableFiles(edition_of(entry.part, name), int(name["year"]), {CSV: entry}))
        elif kind == ZIP:
            found += _zipped(entry, archive)
    return found


def _zipped(entry: Entry, archive: Archive) -> list[TableFiles]:
    with open_zip(archive.open_path(entry), entry.address) as held:
        members = sorted(member for member in held.namelist() if not member.startswith("__MACOSX/"))
    named = [(member, _member(PurePosixPath(member).name)) for member in members]
    found = [
        TableFiles(edition_of(entry.part, name), int(name["year"]), {CSV: entry}, member)
        for member, name in named
        if name is not None
    ]
    if not found:
        raise SourceError(
            entry.address,
            found=f"a zip without a table: {', '.join(members[:5]) or 'it is empty'}",
            expected="members named like a year: YYYY_SML.csv, YYYY_EXT.csv, YYYY.csv, ICIO2021_YYYY.csv",
            remedy="Fetch the publisher's zip again, or take it out of the drop folder.",
        )
    return found


def _member(name: str) -> re.Match[str] | None:
    return re.fullmatch(MEMBER, name, re.IGNORECASE)


def _pairs(entries: Iterable[Entry]) -> list[TableFiles]:
    sets: dict[tuple[str, str, int], dict[str, Entry]] = {}
    for entry in entries:
        if entry.parameters["kind"] == PARQUET:
            of = entry.parameters
            key = (str(PurePosixPath(entry.part).parent), of["edition"].lower(), int(of["year"]))
            sets.setdefault(key, {})[of["table"].lower()] = entry
    for (folder, edition, year), files in sets.items():
        if missing := [table for table in _TABLES[:2] if table not in files]:
            there = next(iter(files.values()))
            raise SourceError(
                there.address,
                found=f"no {edition}_{year}_{missing[0]}.parquet beside it",
                expected="both files of the pair, _intermediate_flows and _output",
                remedy=f"Place the other one in {FOLDER}/{'' if folder == '.' else folder}, or take this one out.",
            )
    return [TableFiles(edition, year, files) for (_, edition, year), files in sorted(sets.items())]


def _with_emissions(tables: Sequence[TableFiles], entries: Iterable[Entry]) -> list[TableFiles]:
    """The tables with the intensities that were retrieved last for each."""
    placed: dict[tuple[str, int], list[Entry]] = {}
    for entry in entries:
        if entry.parameters["kind"] == EMISSIONS:
            placed.setdefault((entry.parameters["edition"].lower(), int(entry.parameters["year"])), []).append(entry)
    if alone := sorted(placed.keys() - {(table.edition, table.year) for table in tables}):
        raise SourceError(
            placed[alone[0]][0].address,
            found="no table of that edition and year",
            expected=f"intensities for one of {', '.join(f'{each.edition}_{each.year}' for each in tables) or 'none'}",
            remedy="Name the file emissions_<edition>_<year>.csv after a table, place that table too, or take it out.",
        )

    def with_own(table: TableFiles) -> TableFiles:
        same = sorted(placed.get((table.edition, table.year), ()), key=lambda one: (one.retrieved_at, one.address))
        if not same:
            return table
        *others, newest = same
        return replace(table, emissions=newest, superseded=(*table.superseded, *(other.address for other in others)))

    return [with_own(table) for table in tables]


def _newest(same: Sequence[TableFiles]) -> TableFiles:
    *others, newest = sorted(same, key=lambda table: (table.retrieved_at, table.address))
    return TableFiles(
        newest.edition, newest.year, newest.entries, newest.member, tuple(other.address for other in others)
    )
