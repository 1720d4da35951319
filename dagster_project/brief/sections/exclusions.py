"""How often goods were let off the United States' additional duties.

Not here: the charts (see `figures`).
"""

from __future__ import annotations

import duckdb

from dagster_project.brief.data import Rows, rows
from dagster_project.brief.markup import figure, share, table
from dagster_project.publish.read import Release

TOP = 20


def ask(connection: duckdb.DuckDBPyConnection, release: Release) -> dict[str, Rows] | None:
    """Exclusion shares by list, and by list and industry (the industries with the most requests)."""
    if not {"exclusion_rates", "exclusion_rates_by_industry"} <= set(release.marts):
        return None
    return {
        "lists": rows(
            connection,
            """select list_id, requests, granted, denied, pending, approval_share,
                      approval_share_without_top_requester as without_top, top_requester, additional_duty as duty
               from marts.exclusion_rates order by list_id""",
        ),
        "industries": rows(
            connection,
            """select list_id, hs2, hs2_name as name, requests, granted, denied, approval_share
               from marts.exclusion_rates_by_industry
               where approval_share is not null and hs2 in (
                   select hs2 from marts.exclusion_rates_by_industry
                   group by hs2 order by sum(requests) desc, hs2 limit ?)
               order by hs2, list_id""",
            [TOP],
        ),
    }


def of_good(connection: duckdb.DuckDBPyConnection, release: Release, good: str) -> Rows | None:
    """Requests for one good, by list."""
    if "exclusion_determinants" not in release.marts:
        return None
    return rows(
        connection,
        """select list_id, requests, granted, denied, approval_share, china_import_share
           from marts.exclusion_determinants where hs6 = ? order by list_id""",
        [good],
    )


def shown(answer: dict[str, Rows]) -> str:
    """Two charts and the table of lists."""
    summary = "; ".join(
        f"list {row['list_id']}: {share(row['approval_share'])} of {row['requests']:,} requests granted"
        for row in answer["lists"]
    )
    lists = table(
        "Exclusion requests by list",
        [
            {
                "List": f"List {row['list_id']}",
                "Requests": row["requests"],
                "Granted": row["granted"],
                "Denied": row["denied"],
                "Pending": row["pending"],
                "Share granted": share(row["approval_share"]),
                "Without the largest filer": share(row["without_top"]),
                "Largest filer": row["top_requester"],
                "Additional duty": share(row["duty"]),
            }
            for row in answer["lists"]
        ],
    )
    return (
        figure("lists", f"Bar chart. {summary}.", "Granted requests among decided ones, by tariff list.")
        + lists
        + figure(
            "list_industries",
            "Table of coloured cells: share of requests granted by HS chapter and list. The table above gives the "
            "totals by list.",
            "The same by industry (HS chapter), for the chapters with the most requests; empty where none was decided.",
        )
    )


def good_shown(answer: Rows) -> str:
    """The requests for one good."""
    return table(
        "Requests for exclusion of this good",
        [
            {
                "List": f"List {row['list_id']}",
                "Requests": row["requests"],
                "Granted": row["granted"],
                "Denied": row["denied"],
                "Share granted": share(row["approval_share"]),
                "China's share in US imports": share(row["china_import_share"]),
            }
            for row in answer
        ],
    )
