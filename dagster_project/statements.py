"""Every statement of others that is held against the data: what it is, which mart speaks to it, by which rule.

What belongs here: the rows of docs/statements.md, and the same page of a release, with what its data say. Not here: how
a value is computed (dbt, `published_benchmarks`).
"""

from __future__ import annotations

import csv
from collections.abc import Mapping
from typing import Any

from dagster_project.markdown import table
from dagster_project.places import DBT_PROJECT
from dagster_project.publish.read import Release

SEED = DBT_PROJECT / "seeds" / "benchmarks" / "published_figures.csv"
HEAD = ("statement", "source", "as printed", "mart", "reproduced where ours is")


def published_figures() -> list[dict[str, str]]:
    """The rows of the seed, in their order."""
    with SEED.open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


def rule(figure: Mapping[str, Any]) -> str:
    """The rule of the verdict, in words."""
    kind, tolerance, value = figure["tolerance_kind"], float(figure["tolerance"]), float(figure["published_value"])
    if kind == "lower_bound":
        return f"above {value:g}"
    if kind == "exact" or not tolerance:
        return f"{value:g}"
    return f"within {tolerance:.0%} of {value:g}" if kind == "relative" else f"within {tolerance:g} of {value:g}"


def release_page(release: Release) -> str:
    """The statements as Markdown, with the verdict that the release's data give."""
    with release.connect() as connection:
        found = connection.execute("select * from marts.published_benchmarks order by place")
        names = [column[0] for column in found.description]
        rows = [dict(zip(names, row, strict=True)) for row in found.fetchall()]
    head = (*HEAD, "ours", "verdict", "inputs and notes")
    synthetic = " It holds SYNTHETIC data, of which no figure is computed." if release.manifest["synthetic"] else ""
    return (
        f"# Statements, and what release {release.release_id} says of them\n\n"
        f"From its mart `published_benchmarks`.{synthetic}\n\n"
        + table(
            head,
            (
                (
                    *(row["statement"], row["source"], row["published_text"], row["mart"], rule(row)),
                    row["computed_text"] or ("" if row["computed_value"] is None else f"{row['computed_value']:.6g}"),
                    row["verdict"] + (f" ({row['years']})" if row["years"] else ""),
                    " ".join(filter(None, (row["inputs"], row["note"]))),
                )
                for row in rows
            ),
        )
        + "\n"
    )
