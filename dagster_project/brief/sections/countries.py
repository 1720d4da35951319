"""Names of countries by their ISO codes, for everything that the scripts show.

Not here: which countries a page is about (see `data`).
"""

from __future__ import annotations

from typing import Any

import duckdb

from dagster_project.publish.read import Release

# Marts that hold a code and a name, the fullest last.
NAMED = (
    ("import_vulnerability", "importer"),
    ("import_vulnerability", "top_supplier"),
    ("exporter_position", "exporter"),
)


def ask(connection: duckdb.DuckDBPyConnection, release: Release) -> dict[str, Any]:
    """{alpha-3 code: name} of every country that imports or exports."""
    names: dict[str, Any] = {}
    for mart, who in NAMED:
        if mart in release.marts:
            names |= dict(
                connection.execute(
                    f"""select {who}_iso3, any_value({who}_name) from marts.{mart}
                        where {who}_iso3 is not null and {who}_name is not null group by 1 order by 1"""
                ).fetchall()
            )
    return names
