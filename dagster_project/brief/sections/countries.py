"""Names of countries by their ISO codes, for everything that the scripts show.

Not here: which countries a page is about (see `data`).
"""

from __future__ import annotations

from typing import Any

import duckdb

from dagster_project.publish.read import Release

# Who stands in which mart: the first of these marts that a release holds names all countries.
NAMED = (("bilateral_totals", ("importer", "exporter")), ("import_vulnerability", ("importer", "top_supplier")))


def ask(connection: duckdb.DuckDBPyConnection, release: Release) -> dict[str, Any]:
    """{alpha-3 code: name} of every country that imports or exports."""
    mart, sides = next((mart, sides) for mart, sides in NAMED if mart in release.marts)
    names: dict[str, Any] = {}
    for who in sides:
        found = connection.execute(
            f"""select {who}_iso3, any_value({who}_name) from marts.{mart}
                where {who}_iso3 is not null and {who}_name is not null group by 1 order by 1"""
        )
        names |= dict(found.fetchall())
    return names


def members(connection: duckdb.DuckDBPyConnection, release: Release) -> list[str]:
    """The alpha-3 codes of the European Union's members: what they sell is no supply of its own from elsewhere."""
    if "countries" not in release.marts:
        return []
    query = "select iso3 from marts.countries where is_eu27 and iso3 is not null order by iso3"
    return [iso3 for (iso3,) in connection.execute(query).fetchall()]
