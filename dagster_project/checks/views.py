"""What a stage's checks look at: views in an in-memory database, limited to the years of the run.

Checks name tables plainly (`trade_flows`): within the years of the run. `all_years.<table>` has every year of the
warehouse, `previous.<mart>` the release before, `requested_years` and `run_years` the years that were asked for (empty:
all there are), `archive_files` the file that an archive entry holds. Not here: the checks.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dagster_project.checks.declarations import ARCHIVE_FILES
from dagster_project.errors import ReleaseError
from dagster_project.machine import CHECKS, Resources, default_resources
from dagster_project.publish.manifest import read_manifest
from dagster_project.publish.read import CURRENT, DATABASE, SCHEMA
from dagster_project.sql import identifier, literal, parquet

PREVIOUS_RELEASE = "previous_release"


@dataclass(frozen=True)
class Previous:
    """The release before, or the reason why there is none to compare with."""

    directory: Path | None = None
    reason: str = "there is no previous release"


@dataclass(frozen=True)
class CheckedData:
    """`setup` fills an open DuckDB connection with what the checks look at.

    `absent` names what is missing, with the reason; a check that requires it passes.
    """

    setup: Callable[[Any], None]
    absent: Mapping[str, str] = field(default_factory=dict)


def previous_release(published: Path, settings: Mapping[str, Any]) -> Previous:
    """The current release below `published`, where it was made under the same `settings`.

    `settings` are those on which totals and coverage depend (source, HS revision, scope …), under the names that the
    manifest uses: under other settings, years and totals may differ although no data were lost.
    """
    current = published / CURRENT
    if not current.exists():
        return Previous()
    directory = current.resolve()  # resolved once: another release may become current while checks run
    try:
        before = read_manifest(directory).get("settings", {})
    except ReleaseError as error:
        return Previous(reason=f"the previous release cannot be read: {error}")
    changed = [
        f"{name} was {before.get(name, 'not recorded')!r} and is {value!r}"
        for name, value in settings.items()
        if before.get(name) != value
    ]
    if changed:
        return Previous(reason=f"the previous release was made with other settings: {'; '.join(changed)}")
    return Previous(directory, "")


def over_landing(
    tables: Mapping[str, Path],
    years: Sequence[int] = (),
    previous: Previous = Previous(),
    *,
    files: Mapping[str, str] | None = None,
    resources: Resources | None = None,
) -> CheckedData:
    """Views over landing tables: table -> pattern of its files. `files` says which file each archive entry holds.

    Of a table with a folder per year, the folders of these years (none given: of all) and that of rows without a year
    are read. A table without any file gets no view, so that checks of it report it as missing.
    """

    def setup(connection: Any) -> None:
        _limit(connection, resources)
        _years(connection, "run_years", years)
        _landing_views(connection, tables, years)
        _archive_files(connection, files or {})
        _previous_views(connection, previous)

    return CheckedData(setup, _absent(previous))


def over_warehouse(
    warehouse: Path,
    years: Sequence[int] = (),
    previous: Previous = Previous(),
    *,
    requested_years: Sequence[int] = (),
    landing: Mapping[str, Path] | None = None,
    schemas: Sequence[str] = ("staging", "intermediate", "marts"),
    resources: Resources | None = None,
) -> CheckedData:
    """Views over the warehouse's schemas, opened read-only: tables with a `year` within `years` (none: all).

    `requested_years` are the years that a release is to hold (none: all that the source holds). The tables of `landing`
    (table -> pattern of its files) are there too, as `landed.<table>`.
    """

    def setup(connection: Any) -> None:
        _limit(connection, resources)
        _years(connection, "run_years", years)
        _years(connection, "requested_years", requested_years)
        # dbt writes views that name their database, which is named after the file.
        alias = warehouse.stem
        connection.execute(f"attach {literal(warehouse)} as {identifier(alias)} (read_only)")
        connection.execute("create schema all_years")
        for schema, table, has_year in _tables(connection, alias, schemas):
            source = f"{identifier(alias)}.{identifier(schema)}.{identifier(table)}"
            within = " where year in (select year from run_years)" if has_year and years else ""
            connection.execute(f"create view all_years.{identifier(table)} as select * from {source}")
            connection.execute(f"create view {identifier(table)} as select * from {source}{within}")
        _previous_views(connection, previous)
        if landing is not None:
            connection.execute("create schema landed")
            _landing_views(connection, landing, years, "landed.")

    return CheckedData(setup, _absent(previous))


def _absent(previous: Previous) -> dict[str, str]:
    return {} if previous.directory else {PREVIOUS_RELEASE: previous.reason}


def _limit(connection: Any, resources: Resources | None) -> None:
    """Limit DuckDB to the checks' share of these resources; of the machine's defaults, where there are none."""
    for name, value in (resources or default_resources()).share(CHECKS).duckdb_config().items():
        connection.execute(f"set {name} = '{value}'")
    connection.execute(f"set temp_directory = {literal(Path(tempfile.gettempdir()) / 'chokepoint-checks')}")


def _years(connection: Any, table: str, years: Sequence[int]) -> None:
    connection.execute(f"create table {table} as select unnest({[int(year) for year in years]}::integer[]) as year")


def _landing_views(connection: Any, tables: Mapping[str, Path], years: Sequence[int], schema: str = "") -> None:
    for table, pattern in tables.items():
        files = [path for each in _within(pattern, years) for path in sorted(each.parent.glob(each.name))]
        if files:
            connection.execute(f"create view {schema}{table} as {_placed(connection, parquet(files, numbered=True))}")


def _placed(connection: Any, rows: str) -> str:
    """A query for the rows of Parquet files. A `source_row` of 0 stands for the row's own place in its file."""
    columns = {row[0] for row in connection.execute(f"describe select * from {rows}").fetchall()}
    place = "case when source_row = 0 then file_row_number + 1 else source_row end as source_row"
    replaced = f" replace ({place})" if "source_row" in columns else ""
    return f"select * exclude (file_row_number){replaced} from {rows}"


def _archive_files(connection: Any, files: Mapping[str, str]) -> None:
    connection.execute(f"create table {ARCHIVE_FILES} (archive_entry varchar, file varchar)")
    if files:
        connection.executemany(f"insert into {ARCHIVE_FILES} values (?, ?)", sorted(files.items()))


def _within(pattern: Path, years: Sequence[int]) -> list[Path]:
    """The pattern in each folder of these years and of rows without a year; itself for a table without years."""
    folder, name = pattern.parent, pattern.name
    if folder.name != "year=*":
        return [pattern]
    wanted = [f"year={year}" for year in sorted(years)] + ["year=unknown"] if years else ["year=*"]
    return [found / name for each in wanted for found in sorted(folder.parent.glob(each))]


def _previous_views(connection: Any, previous: Previous) -> None:
    if previous.directory is None:
        return
    connection.execute(f"attach {literal(previous.directory / DATABASE)} as {PREVIOUS_RELEASE} (read_only)")
    connection.execute("create schema previous")
    for schema, table, _ in _tables(connection, PREVIOUS_RELEASE, (SCHEMA,)):
        connection.execute(
            f"create view previous.{identifier(table)} as select * from {PREVIOUS_RELEASE}.{schema}.{identifier(table)}"
        )


def _tables(connection: Any, database: str, schemas: Sequence[str]) -> Iterator[tuple[str, str, bool]]:
    """(schema, table or view, has a column `year`) of an attached database."""
    rows = connection.execute(
        "select schema_name, table_name, bool_or(column_name = 'year') from duckdb_columns() "
        "where database_name = ? and schema_name in (select unnest(?)) group by all order by all",
        [database, list(schemas)],
    ).fetchall()
    yield from rows
