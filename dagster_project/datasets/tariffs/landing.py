"""Tariff landing: exclusion requests, tariff lists, granted exclusions, chapter 99 headings, from archived to typed.

What belongs here: what spans rows and files: duplicates, the accounting, quarantine. No table holds a
submitter's personal name, not even quarantine. Not here: single rows (see `rows`), and how long an exclusion is in
force beyond what its own text says (dbt, from the terms of its tranche).
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa

from dagster_project.archive.store import Archive, Entry
from dagster_project.datasets.tariffs.documents import read_documents, read_notice, read_schedule
from dagster_project.datasets.tariffs.rows import IMPORT_YEARS, Context, Reader, Rejected, columns_looked_for, reader_of
from dagster_project.errors import SourceError
from dagster_project.landing.loads import Landed, Load
from dagster_project.landing.sheets import Row, Sheet, read_sheets
from dagster_project.landing.tables import QUARANTINE, RULE_COUNTS, RuleCounts, replaced_directory, write_parquet

_ORIGIN = [("archive_entry", pa.string()), ("source_row", pa.int64())]
REQUESTS = pa.schema(
    [
        ("request_id", pa.string()),
        ("list_id", pa.string()),
        ("requester", pa.string()),
        ("hts10", pa.string()),
        ("hts8", pa.string()),
        ("hs6", pa.string()),
        ("product", pa.string()),
        ("status_raw", pa.string()),
        ("status", pa.string()),
        ("date_posted", pa.date32()),
        ("response_close", pa.date32()),
        ("reply_close", pa.date32()),
        ("layout", pa.string()),
        *_ORIGIN,
    ]
)
LISTS = pa.schema(
    [
        ("hts8", pa.string()),
        ("list_id", pa.string()),
        ("ch99_code", pa.string()),
        ("vintage", pa.string()),
        ("source", pa.string()),
        *[(f"imports_{year}_usd", pa.float64()) for year in IMPORT_YEARS],
        *_ORIGIN,
    ]
)
EXCLUSIONS = pa.schema(
    [
        ("source", pa.string()),
        ("document", pa.string()),
        ("item", pa.string()),
        ("list_id", pa.string()),
        ("hts10", pa.string()),
        ("hs6", pa.string()),
        ("granted_date", pa.date32()),
        ("valid_from", pa.date32()),
        ("valid_to", pa.date32()),
        ("product", pa.string()),
        ("n_codes", pa.int32()),
        *_ORIGIN,
    ]
)
TRANCHES = pa.schema(
    [
        ("document", pa.string()),
        ("list_id", pa.string()),
        ("claim_heading", pa.string()),
        ("citations", pa.string()),
        ("marked_expired", pa.bool_()),
        *_ORIGIN,
    ]
)
HEADINGS = pa.schema(
    [
        ("heading", pa.string()),
        ("description", pa.string()),
        ("general_rate", pa.string()),
        ("additional_duty", pa.float64()),
        ("is_suspended", pa.bool_()),
        ("release", pa.string()),
        ("edition", pa.int32()),
        *_ORIGIN,
    ]
)
_ARROW = {"varchar": pa.string(), "integer": pa.int32(), "bigint": pa.int64()}
QUARANTINE_SCHEMA = pa.schema([(name, _ARROW[kind]) for name, kind in QUARANTINE.items()])

TABLES: Mapping[str, pa.Schema] = {
    "tariff_requests": REQUESTS,
    "tariff_lists": LISTS,
    "tariff_exclusions": EXCLUSIONS,
    "tariff_exclusion_tranches": TRANCHES,
    "tariff_headings": HEADINGS,
}
_TABLE_OF_KIND = {
    "requests": "tariff_requests",
    "final_lists": "tariff_lists",
    "annex_lists": "tariff_lists",
    "list_mapping": "tariff_lists",
    "note_items": "tariff_exclusions",
    "notice_items": "tariff_exclusions",
    "register_notice": "tariff_exclusions",
    "regulations_page": "tariff_requests",
    "note_tranches": "tariff_exclusion_tranches",
    "hts_export": "tariff_headings",
}
_KEYS: Mapping[str, tuple[str, ...]] = {
    "tariff_requests": ("request_id",),
    "tariff_lists": ("source", "hts8", "list_id"),
    "tariff_headings": ("release", "heading"),
}
# Words in the headers of columns that hold a person's name or contact.
_PERSONAL = ("firstname", "lastname", "first name", "last name", "submitter", "contact", "email", "e-mail", "phone")


@dataclass
class _Load:
    """What one archived table gave: landed rows, counts and quarantine.

    `notes` count repairs, not rows set aside; `warnings` name what was not read, and what is odd about the file.
    """

    entry: Entry
    table: str
    rows: list[dict[str, Any]] = field(default_factory=list)
    rows_read: int = 0
    rows_landed: int = 0
    rules: Counter[str] = field(default_factory=Counter)
    notes: Counter[str] = field(default_factory=Counter)
    warnings: list[str] = field(default_factory=list)
    quarantine: list[dict[str, Any]] = field(default_factory=list)

    @property
    def source(self) -> str:
        return f"{self.entry.source} {self.table.removeprefix('tariff_')}"

    def land(self, row: Row, values: Iterable[Mapping[str, Any]]) -> None:
        origin = {"archive_entry": self.entry.id, "source_row": row.number}
        self.rows += [{**value, **origin} for value in values]
        self.rows_landed += 1

    def reject(self, row: Row, why: Rejected) -> None:
        self.quarantine.append(
            {
                "dataset": "tariffs",
                "source": self.source,
                "year": None,
                "reason": why.reason,
                "detail": why.detail,
                "archive_entry": self.entry.id,
                "source_row": row.number,
                "raw": json.dumps(_impersonal(row), ensure_ascii=False),
            }
        )

    def counts(self) -> RuleCounts:
        reasons = Counter(row["reason"] for row in self.quarantine)
        return RuleCounts(self.rows_read, self.rows_landed, dict(self.rules), dict(reasons))


def land(load: Load) -> Landed:
    """Write every tariff table, its quarantine and its rule counts from the archived payloads.

    A table without a payload is written empty. SourceError for a table that cannot be read or lacks a column;
    AccountingError when a row is unaccounted for.
    """
    # Latest first: where two files hold the same request, the one retrieved last (then last by name) counts.
    ordered = sorted(load.entries, key=lambda entry: (entry.retrieved_at, entry.address), reverse=True)
    loads = [_load(load.archive, entry) for entry in ordered]
    for table, key in _KEYS.items():
        _set_aside_duplicates([each for each in loads if each.table == table], key)
    counts = _by_source(loads)
    for source, count in counts.items():
        count.check(f"tariff landing, {source}")
    notes = {source: dict(sum((x.notes for x in loads if x.source == source), Counter())) for source in counts}
    tables = {name: _table(loads, name) for name in TABLES}
    _write(load.landing, tables, loads, counts, notes)
    return Landed(counts, notes, _warnings(tables, loads), {name: table.num_rows for name, table in tables.items()})


def _load(archive: Archive, entry: Entry) -> _Load:
    kind = entry.parameters["kind"]
    load = _Load(entry, _TABLE_OF_KIND[kind])
    sheets, load.warnings = _sheets(archive.open_path(entry), entry, kind)
    readers: list[tuple[Sheet, Reader]] = []
    failures: list[SourceError] = []
    for sheet in sheets:
        try:
            readers.append((sheet, reader_of("requests" if kind == "regulations_page" else kind, sheet)))
        except SourceError as error:
            failures.append(error)
    if not readers:
        raise failures[0]
    load.warnings += [f"{error.where}: not read, {error.found}; expected {error.expected}" for error in failures]
    for sheet, read in readers:
        load.warnings += [f"{sheet.shown_as}: {sheet.note}"] if sheet.note else []
        _read_rows(load, sheet, read)
    return load


def _read_rows(load: _Load, sheet: Sheet, read: Reader) -> None:
    context = Context(load.entry.parameters["kind"], sheet.shown_as, load.notes)
    for row in sheet.rows:
        load.rows_read += 1
        outcome = (
            read(row, context)
            if row.complete
            else Rejected("malformed_row", f"{len(row.surplus)} fields too many" if row.surplus else "too few fields")
        )
        if isinstance(outcome, Rejected):
            load.reject(row, outcome)
        elif isinstance(outcome, str):
            load.rules[outcome] += 1
        else:
            load.land(row, outcome)


def _sheets(path: Path, entry: Entry, kind: str) -> tuple[list[Sheet], list[str]]:
    """The tables of a payload, and what of it is no table."""
    if kind == "register_notice":
        return [read_notice(path, entry.address, entry.parameters)], []
    if kind == "hts_export":
        return [read_schedule(path, entry.address, entry.parameters)], []
    if kind == "regulations_page":
        return [read_documents(path, entry.address)], []
    return read_sheets(path, entry.address, columns_looked_for(kind))


def _impersonal(row: Row) -> dict[str, str | None]:
    """The cells without those of personal columns; no cell at all of a shifted row, where a name may be anywhere."""
    kept = {name: value for name, value in row.cells.items() if not any(word in name for word in _PERSONAL)}
    return kept if row.complete or len(kept) == len(row.cells) else {}


def _set_aside_duplicates(loads: Sequence[_Load], key: Sequence[str]) -> None:
    """Keep one row per key: of several files the one first in `loads`, within a file the last row."""
    kept: dict[Any, Mapping[str, Any]] = {}
    for load in loads:
        staying = []
        for row in reversed(load.rows):
            first = kept.setdefault(tuple(row[name] for name in key), row)
            if first is row:
                staying.append(row)
                continue
            load.rules["duplicate_equal" if _content(first) == _content(row) else "duplicate_superseded"] += 1
            load.rows_landed -= 1
        load.rows = staying[::-1]


def _content(row: Mapping[str, Any]) -> dict[str, Any]:
    """What a row says, without where it stood."""
    return {name: value for name, value in row.items() if name not in ("archive_entry", "source_row", "layout")}


def _by_source(loads: Sequence[_Load]) -> dict[str, RuleCounts]:
    """The accounting of each source and table; several files of one are added up."""
    summed: dict[str, RuleCounts] = {}
    for load in sorted(loads, key=lambda load: load.source):
        summed[load.source] = summed.get(load.source, RuleCounts(0, 0)) + load.counts()
    return summed


def _table(loads: Sequence[_Load], name: str) -> pa.Table:
    rows = [row for load in reversed(loads) if load.table == name for row in load.rows]
    return pa.Table.from_pylist(rows, TABLES[name])


def _write(
    landing: Path,
    tables: Mapping[str, pa.Table],
    loads: Sequence[_Load],
    counts: Mapping[str, RuleCounts],
    notes: Mapping[str, Mapping[str, int]],
) -> None:
    landing.mkdir(parents=True, exist_ok=True)
    quarantine = [row for load in reversed(loads) for row in load.quarantine]
    rule_counts = [
        {"source": source, "rule": rule, "n": n}
        for source, count in counts.items()
        for rule, n in [*count.as_rows(), *sorted(item for item in notes[source].items() if item[1])]
    ]
    for name, table in tables.items():
        write_parquet(table, landing / f"{name}.parquet")
    write_parquet(pa.Table.from_pylist(rule_counts, RULE_COUNTS), landing / "tariffs_rule_counts.parquet")
    with replaced_directory(landing / "quarantine" / "tariffs") as building:
        write_parquet(pa.Table.from_pylist(quarantine, QUARANTINE_SCHEMA), building / "part-0.parquet")


def _warnings(tables: Mapping[str, pa.Table], loads: Sequence[_Load]) -> list[str]:
    """What a user should know although nothing stopped: unknown words, missing tables, exclusions of unknown notes."""
    warnings = [warning for load in reversed(loads) for warning in load.warnings]
    unknown = Counter(
        row["status_raw"]
        for load in loads
        if load.table == "tariff_requests"
        for row in load.rows
        if row["status"] == "unknown"
    )
    if unknown:
        words = ", ".join(f"{word!r} ({n:,})" for word, n in unknown.most_common(10))
        warnings.append(f"tariff_requests: {unknown.total():,} requests have a status word not known here: {words}")
    warnings += [f"{name}: no file holds it, so it is empty" for name, table in tables.items() if not table.num_rows]
    return warnings
