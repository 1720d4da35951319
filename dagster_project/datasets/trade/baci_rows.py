"""BACI's rows as typed rows in the shape of `comtrade_rows`, with a reason where a row cannot be used.

BACI is reconciled: each flow appears once, valued once. It lands as the importer's report (flow M), so that nothing
downstream mirrors it. Not here: rules that need other rows or reference tables (see `landing`).
"""

from __future__ import annotations

import re
import shutil
import tempfile
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import duckdb

from dagster_project.archive.store import Archive, Entry
from dagster_project.errors import SourceError
from dagster_project.hs import REVISION_OF_TWO_DIGITS
from dagster_project.landing.delimited import (
    Dialect,
    TextTable,
    decimal_number,
    open_delimited,
    require_columns,
    whole_number,
)
from dagster_project.sources.integrity import open_zip
from dagster_project.sql import identifier

REQUIRED = ("t", "i", "j", "k", "v", "q")
# How the publisher names the table of a year: its HS edition, year and release.
YEAR_TABLE = r"(.*/)?BACI_HS(?P<hs>\d\d)_Y(?P<year>\d{4})_V(?P<release>\d{6}[a-z]?)\.csv(\.gz)?"


@contextmanager
def year_files(archive: Archive, entry: Entry, scratch: Path) -> Iterator[dict[str, Callable[[], Path]]]:
    """The yearly tables of one payload by member name, each a call that gives the file: the payload itself, or a member
    of the publisher's zip. What is not called is neither unpacked nor read.
    """
    if entry.parameters["kind"] != "baci_zip":
        yield {entry.part: lambda: archive.open_path(entry)}
        return
    with open_zip(archive.located(entry), entry.address) as listed:
        names = listed.namelist()
    members = sorted(name for name in names if Path(name).name.upper().startswith("BACI_HS"))
    _require_same_edition(entry, members)
    if not members:
        raise SourceError(
            entry.address,
            found=f"a zip with the members {', '.join(names[:5]) or '(none)'}",
            expected="members named BACI_HS<nn>_Y<year>_V<release>.csv",
            remedy="Fetch the publisher's zip again.",
        )
    with tempfile.TemporaryDirectory(dir=scratch, prefix=".unzip-") as folder:
        # A member chooses neither its folder nor another's name.
        targets = {member: Path(folder) / f"{number}.csv" for number, member in enumerate(members)}

        def unpacked(member: str) -> Path:
            with (
                open_zip(archive.open_path(entry), entry.address) as held,
                held.open(member) as source,
                targets[member].open("wb") as file,
            ):
                shutil.copyfileobj(source, file, 1 << 20)
            return targets[member]

        yield {member: partial(unpacked, member) for member in members}


def _require_same_edition(entry: Entry, members: Sequence[str]) -> None:
    """SourceError unless the zip's tables are of the edition and release that its name says, one for each year."""
    years: dict[str, str] = {}
    for member in members:
        named = re.fullmatch(YEAR_TABLE, member, re.IGNORECASE)
        stated = {name: named[name].lower() for name in ("hs", "release")} if named else None
        if named is None or stated != {name: entry.parameters[name].lower() for name in ("hs", "release")}:
            found = f"the member {member}"
        elif named["year"] in years:
            found = f"two members of the year {named['year']}: {years[named['year']]} and {member}"
        else:
            years[named["year"]] = member
            continue
        raise SourceError(
            entry.address,
            found=found,
            expected=f"one BACI_HS{entry.parameters['hs']}_Y<year>_V{entry.parameters['release']}.csv for each year, "
            "as the zip's name says",
            remedy="Give the zip its publisher's name, or fetch it again: its goods would be taken for other goods.",
        )


def require_year(named: str, years: Collection[int], shown_as: str) -> None:
    """SourceError when a yearly table holds rows of another year than its name says."""
    match = re.fullmatch(YEAR_TABLE, named, re.IGNORECASE)
    others = sorted(set(years) - {int(match["year"])}) if match else []
    if others:
        raise SourceError(
            shown_as,
            found=f"rows of the year {', '.join(map(str, others))}",
            expected=f"rows of {match['year']} only, as its name says" if match else "",
            remedy="Give the file its publisher's name, or fetch it again.",
        )


def typed_rows(
    connection: duckdb.DuckDBPyConnection, path: Path, entry: Entry, shown_as: str, rejects: str
) -> tuple[str, TextTable]:
    """A query for the typed rows of one yearly file, in the file's order (columns: `parsing.PARSED_COLUMNS`), and its
    text.

    Values: thousand USD become USD. Quantities: metric tons, and kilograms beside them; pieces are not stated, nor is a
    weight as customs weighed it. SourceError when a column is missing.
    """
    gzipped = entry.address.lower().endswith(".gz")
    table = open_delimited(connection, path, shown_as, Dialect(gzipped=gzipped), rejects=rejects)
    require_columns(table, REQUIRED, shown_as)
    t, i, j, k, v, q = (f"received.{identifier(table.columns[name])}" for name in REQUIRED)
    revision = REVISION_OF_TWO_DIGITS[entry.parameters["hs"]]
    # Casts allow blanks around a number, so text is trimmed only where it is looked at as text: a trim per field and
    # row costs as much as reading the file. Constants are enums: Parquet stores those without looking at every row.
    query = f"""
        with text_rows as (
            select
                {whole_number(t)} as year,
                {whole_number(j)} as reporter_code,
                {whole_number(i)} as partner_code,
                -- BACI holds six-digit codes only: one of five was written as a number and lost its zero.
                case when length({k}) = 6 and not contains({k}, ' ') then {k}
                    when regexp_full_match(trim({k}), '[0-9]{{5}}') then '0' || trim({k})
                    else trim({k}) end as cmd_code,
                {decimal_number(v)} * 1000 as value_usd,
                {decimal_number(q)} as qty,
                received
            from {table.expression} as received
        ),
        judged as (
            select *, case
                when year is null or year not between 1900 and 2100 then 'bad_year'
                when reporter_code is null or partner_code is null then 'bad_country_code'
                when coalesce(cmd_code, '') = '' then 'missing_hs_code'
                when not regexp_full_match(cmd_code, '[0-9]+') then 'bad_hs_code'
                when length(cmd_code) <> 6 then 'hs_code_length'
                when value_usd is null and coalesce(trim({v}), '') = '' then 'missing_value'
                when value_usd is null then 'value_not_a_number'
                when isnan(value_usd) or isinf(value_usd) then 'value_not_finite'
                when value_usd < 0 then 'negative_value'
                when qty is null and coalesce(trim({q}), '') not in ('', 'NA') then 'bad_quantity'
                when isnan(qty) or isinf(qty) or qty < 0 then 'bad_quantity'
            end as reason
            from text_rows
        )
        select
            year, reporter_code, 'M'::enum ('M') as flow, partner_code,
            '{revision}'::enum ('{revision}') as stated_revision, cmd_code, value_usd, nullif(qty, 0) as quantity,
            case when qty <> 0 then 't'::enum ('t') end as quantity_unit, cast(null as double) as net_weight_kg,
            cast(null as boolean) as net_weight_estimated, nullif(qty, 0) * 1000 as quantity_kg,
            cast(null as double) as quantity_units, cast(null as varchar) as breakdown, false as is_converted,
            cast(null as varchar) as unreadable_quantity, reason,
            case when reason is not null then cast(to_json(received) as varchar) end as raw
        from judged
    """
    return query, table


def remarks(table: TextTable) -> list[str]:
    """What is odd about how the table is written, without harm to any row."""
    extra = [written for name, written in table.columns.items() if name not in REQUIRED]
    return [
        *(table.written.notes if table.written else []),
        *([f"columns that nothing reads: {', '.join(extra)}"] if extra else []),
    ]
