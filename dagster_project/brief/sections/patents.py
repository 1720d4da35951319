"""Which countries own the core patents of each technology field.

Not here: the charts (see `figures`).
"""

from __future__ import annotations

from typing import Any

import duckdb

from dagster_project.brief.data import rows
from dagster_project.brief.markup import figure, paragraph, share, table
from dagster_project.publish.read import Release

COMPARED = ("CN", "US", "JP", "DE", "KR")


def ask(connection: duckdb.DuckDBPyConnection, release: Release) -> dict[str, Any] | None:
    """Core shares by field, pooled over closed citation windows (over all years where none is), and by year."""
    if not {"patent_core_share", "patent_country_summary"} <= set(release.marts):
        return None
    fields = rows(
        connection,
        """with found as (from marts.patent_core_share where list_contains(?, country_iso2)),
           compared as (
               from found where window_complete or not exists (from found where window_complete)
           )
           select country_iso2 as country, any_value(country_name) as name, field_id, any_value(field_name) as field,
                  any_value(sector_name) as sector, sum(applications) as applications,
                  sum(core_applications) as core, sum(core_applications) / nullif(sum(applications), 0) as share,
                  min(filing_year) as first_year, max(filing_year) as last_year
           from compared group by country_iso2, field_id order by field_id, country_iso2""",
        [list(COMPARED)],
    )
    trend = rows(
        connection,
        """select filing_year as year, country_iso2 as country, any_value(country_name) as name,
                  sum(applications) as applications, sum(core_applications) as core, any_value(core_share) as share,
                  bool_and(window_complete) as complete
           from marts.patent_country_summary where list_contains(?, country_iso2)
           group by filing_year, country_iso2 order by country_iso2, filing_year""",
        [list(COMPARED)],
    )
    # In a year with very few filings the share is 0 or 1 by chance: such years are left out of the trend.
    busy = max((row["applications"] for row in trend), default=0) / 20
    return {"fields": fields, "trend": [row for row in trend if row["applications"] >= min(busy, 10)]}


def shown(answer: dict[str, Any]) -> str:
    """Two charts and the totals of the compared countries."""
    fields = answer["fields"]
    if not fields:
        return paragraph("None of the compared countries has applications in this release.", "absent")
    first, last = min(row["first_year"] for row in fields), max(row["last_year"] for row in fields)
    totals: dict[str, list[float]] = {}
    for row in fields:
        counted = totals.setdefault(row["name"], [0.0, 0.0])
        counted[0] += row["applications"]
        counted[1] += row["core"]
    summary = "; ".join(f"{name}: {share(core / n if n else None)}" for name, (n, core) in totals.items())
    compared = table(
        "Core patents of the compared countries, all fields",
        [
            {
                "Country": name,
                "Applications": round(n, 1),
                "Core": round(core, 1),
                "Core share": share(core / n if n else None),
            }
            for name, (n, core) in totals.items()
        ],
    )
    return (
        figure(
            "fields",
            f"Dot chart of core-patent shares by technology field. Over all fields: {summary}.",
            f"Core patents among a country's own PCT applications, filing years {first} to {last}. Core: in the top "
            "tenth of its field and year by citations within five years.",
        )
        + compared
        + figure(
            "trend",
            "Line chart of the core-patent share by filing year: China, United States, Japan, Germany and Korea.",
            "By filing year. Hollow points: the five years of citations are not over, the share may still change.",
        )
    )
