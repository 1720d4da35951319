"""Emission intensities that the user places beside an input-output table: from a file to typed rows.

What belongs here: the file's columns, and which of its rows are set aside or quarantined. Not here: which file belongs
to which table (see `files`), and what is computed of them (see `measures`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import duckdb
import pyarrow as pa

from dagster_project.archive.store import Entry
from dagster_project.datasets.chains.table import PARTS, Label
from dagster_project.errors import SourceError
from dagster_project.landing.delimited import (
    Dialect,
    decimal_number,
    open_delimited,
    rejected_lines,
    require_columns,
    require_every_row,
    unreadable,
)
from dagster_project.landing.tables import RuleCounts
from dagster_project.sql import literal

INTENSITY = "kg_co2_per_usd"
COLUMNS = ("country_iso3", "sector", INTENSITY)
_REJECTS = "rejected_lines"
_NONE = ("", "NA", "NaN", "null")
_DETAILS = {
    "unknown_label": "a country and sector that the table does not have",
    "part_of_economy": "the table holds the whole economy: CHN for CN1 and CN2, MEX for MX1 and MX2",
    "bad_intensity": "an intensity that is no number of 0 or more",
    "conflicting_duplicate": "another row says otherwise of the same country and sector",
}


@dataclass(frozen=True)
class Intensities:
    """What a file gave. `rows` and `quarantine` are (line, …) tuples; the header's line is 1.

    rows        (country, sector, kg of CO2 per USD of output, line)
    quarantine  (reason, detail, line, raw)
    """

    rows: Sequence[tuple[str, str, float, int]]
    quarantine: Sequence[tuple[str, str, int, str]]
    counts: RuleCounts
    notes: Sequence[str] = field(default_factory=tuple)


def read_intensities(
    connection: duckdb.DuckDBPyConnection, path: Path, entry: Entry, labels: Sequence[Label]
) -> Intensities:
    """The intensities in a file for a table of these labels. SourceError where a column is missing, or no text is."""
    opened = open_delimited(
        connection, path, entry.address, Dialect(gzipped=entry.part.lower().endswith(".gz")), rejects=_REJECTS
    )
    require_columns(opened, COLUMNS, entry.address)
    texts = ", ".join(f'{opened.column(name)} as "{name}"' for name in COLUMNS)
    try:
        connection.execute(
            f"create temp table arrived as select row_number() over () as place, {texts} from {opened.expression}"
        )
    except (duckdb.InvalidInputException, duckdb.IOException) as error:
        raise unreadable(entry.address, error) from error
    malformed = connection.execute(
        f"select 'malformed_row', error, line, text from ({rejected_lines(connection, _REJECTS)}) order by line"
    ).fetchall()
    read = len(connection.table("arrived")) + len(malformed)
    require_every_row(opened, read)
    if not read:
        raise SourceError(
            entry.address,
            found="a header and no row",
            expected=f"a row for each country and sector: {', '.join(COLUMNS)}",
            remedy="Put the table's intensities into the file, or take it out of the drop folder.",
        )
    assert opened.written is not None
    _judge(connection, labels, [line for _, _, line, _ in malformed], read)
    quarantine = (
        malformed
        + connection.execute(
            "select reason, detail, line, raw from judged where reason is not null order by line"
        ).fetchall()
    )
    rows = connection.execute(
        "select country_iso3, sector, intensity, line from judged where outcome = 'landed' order by line"
    ).fetchall()
    rules = dict(
        connection.execute(
            "select outcome, count(*) from judged where reason is null and outcome <> 'landed' group by 1 order by 1"
        ).fetchall()
    )
    reasons = [reason for reason, *_ in quarantine]
    counts = RuleCounts(read, len(rows), rules, {reason: reasons.count(reason) for reason in sorted(set(reasons))})
    return Intensities(rows, quarantine, counts, [f"{entry.address}: {note}" for note in opened.written.notes])


def _judge(connection: duckdb.DuckDBPyConnection, labels: Sequence[Label], malformed: Sequence[int], read: int) -> None:
    """Make `judged`: the outcome of every row, and the reason where it is quarantined."""
    countries, sectors = zip(*labels, strict=True)
    known = pa.table({"country_iso3": countries, "sector": sectors})
    none, parts = (", ".join(map(literal, each)) for each in (_NONE, PARTS))
    details = " ".join(f"when {literal(reason)} then {literal(text)}" for reason, text in _DETAILS.items())
    lines = ", ".join(map(str, malformed)) or "0"
    connection.register("known_labels", known)
    connection.execute(f"""
        create temp table judged as
        with lines as (
            select line, row_number() over (order by line) as place from range(2, {read + 2}) as numbers (line)
            where line not in ({lines})
        ),
        parsed as (
            select line, a.country_iso3, a.sector, coalesce({INTENSITY}, '') in ({none}) as is_missing,
                {decimal_number(INTENSITY)} as intensity, k.sector is not null as is_known,
                concat_ws(',', a.country_iso3, a.sector, {INTENSITY}) as raw
            from arrived as a inner join lines using (place)
            left join known_labels as k on k.country_iso3 = a.country_iso3 and k.sector = a.sector
        ),
        verdicts as (
            select *, case
                    when not is_known and country_iso3 in ({parts}) then 'part_of_economy'
                    when not is_known then 'unknown_label'
                    when is_missing then null
                    when not coalesce(isfinite(intensity) and intensity >= 0, false) then 'bad_intensity'
                end as reason
            from parsed
        ),
        compared as (
            select *, count(distinct intensity) over same as n_values, min(line) over same as first_line
            from verdicts
            window same as (partition by country_iso3, sector, reason is null and not is_missing)
        ),
        decided as (
            select * replace (coalesce(
                    reason, case when not is_missing and n_values > 1 then 'conflicting_duplicate' end
                ) as reason)
            from compared
        )
        select line, country_iso3, sector, intensity, reason, case reason {details} end as detail, raw,
            case when reason is not null then 'quarantined' when is_missing then 'no_intensity'
                when line > first_line then 'duplicate_equal' else 'landed' end as outcome
        from decided
    """)
