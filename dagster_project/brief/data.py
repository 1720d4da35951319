"""Which importers and years a page covers, and how questions are put to an open release.

What belongs here: the choice, its limits, and the errors of a mistaken one. Not here: the questions themselves (see
`sections`), charts (see `figures`), pages (see `page` and `good`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import duckdb

from dagster_project.errors import ReleaseError, SettingError
from dagster_project.places import command
from dagster_project.publish.read import Release

Rows = list[dict[str, Any]]

AUTO = "auto"
# Other importers are in a page too, as long as there are few rows of goods.
GOODS_BUDGET = 40_000
MAX_IMPORTERS = 12


@dataclass(frozen=True)
class Selection:
    """What a page covers: importers (the first is shown first), years (the last is shown first).

    `left_out` are years asked for that the page has no room for (see `sections.goods`).
    """

    importers: tuple[Mapping[str, Any], ...]
    years: tuple[int, ...]
    left_out: tuple[int, ...] = ()

    @property
    def parameters(self) -> list[Any]:
        """Years and importers as the sections' questions take them."""
        return [list(self.years), [importer["iso3"] for importer in self.importers]]


def rows(connection: duckdb.DuckDBPyConnection, query: str, parameters: Sequence[Any] | Mapping[str, Any] = ()) -> Rows:
    """The rows of a query, one mapping each."""
    result = connection.execute(query, parameters if isinstance(parameters, Mapping) else list(parameters))
    names = [column[0] for column in result.description or ()]
    return [dict(zip(names, row, strict=True)) for row in result.fetchall()]


def held_years(
    connection: duckdb.DuckDBPyConnection, release: Release, asked: tuple[int, ...] | None
) -> tuple[int, ...]:
    """The years asked for, or all; ReleaseError without trade marts, SettingError for years without rows."""
    if "import_vulnerability" not in release.marts:
        raise ReleaseError(
            f"release {release.release_id}",
            found="no mart import_vulnerability",
            expected="a release with trade marts",
            remedy=f"Publish one with {command('run')} or {command('demo')}.",
        )
    held = [row["year"] for row in rows(connection, "select distinct year from marts.import_vulnerability order by 1")]
    missing = sorted(set(asked or ()) - set(held))
    if missing or not held:
        raise SettingError(
            f"CHOKEPOINT_BRIEF_YEARS, release {release.release_id}",
            found=f"no rows for {', '.join(map(str, missing)) or 'any year'}",
            expected="years among " + (", ".join(map(str, held)) or "those of a release that holds imports"),
            remedy="Choose among these years, or `all`.",
        )
    return tuple(sorted(asked or held))


def select(
    connection: duckdb.DuckDBPyConnection, release: Release, importer: str, years: tuple[int, ...] | None
) -> Selection:
    """Choose importers and years; `auto` is the largest importer of goods in scope, None all years.

    SettingError for an importer that the release does not hold (lists those it does) and for years without rows.
    """
    chosen = held_years(connection, release, years)
    known = _importers(connection, release, chosen)
    wanted = known if importer == AUTO else [row for row in known if row["iso3"] == importer]
    if not wanted:
        raise _unknown_importer(connection, release, importer, chosen, known)
    return Selection(_within_budget(wanted[0], known), chosen)


def _importers(connection: duckdb.DuckDBPyConnection, release: Release, years: tuple[int, ...]) -> Rows:
    """Importers with goods in scope in these years, countries first, by value; `n` is their number of rows."""
    return rows(
        connection,
        f"""select importer_iso3 as iso3, any_value(importer_name) as name, any_value(importer_code) as code,
                  count(*) as n
           from marts.import_vulnerability
           where in_scope and importer_iso3 is not null and list_contains(?, year)
           group by importer_iso3
           order by bool_and({release.of_countries("import_vulnerability")}) desc,
               round(sum(import_value_usd), 2) desc, importer_iso3""",
        [list(years)],
    )


def _unknown_importer(
    connection: duckdb.DuckDBPyConnection, release: Release, importer: str, years: tuple[int, ...], known: Rows
) -> SettingError:
    elsewhere = rows(
        connection,
        "select distinct year from marts.import_vulnerability where importer_iso3 = ? and in_scope order by 1",
        [importer],
    )
    if elsewhere:
        return SettingError(
            f"CHOKEPOINT_BRIEF_YEARS, release {release.release_id}",
            found=f"no rows of importer {importer} in {', '.join(map(str, years))}",
            expected="years among " + ", ".join(str(row["year"]) for row in elsewhere),
            remedy="Choose one of these years, or another importer.",
        )
    return SettingError(
        f"CHOKEPOINT_BRIEF_IMPORTER, release {release.release_id}",
        found=repr(importer),
        expected="auto or one of " + ", ".join(sorted(row["iso3"] for row in known)),
        remedy="Choose one of these ISO 3166-1 alpha-3 codes, for example make brief IMPORTER=DEU.",
    )


def _within_budget(first: Mapping[str, Any], known: Rows) -> tuple[Mapping[str, Any], ...]:
    """The first importer, and the largest others as long as there is room for their goods."""
    kept, left = [first], GOODS_BUDGET - first["n"]
    for row in known:
        if row["iso3"] != first["iso3"] and row["n"] <= left and len(kept) < MAX_IMPORTERS:
            kept.append(row)
            left -= row["n"]
    return tuple({"iso3": row["iso3"], "name": row["name"] or row["iso3"], "code": row["code"]} for row in kept)
