"""The figures of the literature beside ours; those that these inputs cannot compute are folded.

Not here: the verdicts, which the mart holds.
"""

from __future__ import annotations

import duckdb

from dagster_project.brief.data import Rows, rows
from dagster_project.brief.markup import folded, number, paragraph, table
from dagster_project.publish.read import Release

NOT_COMPUTABLE = "not computable"


def ask(connection: duckdb.DuckDBPyConnection, release: Release) -> Rows | None:
    """The published figures beside ours."""
    if "published_benchmarks" not in release.marts:
        return None
    columns = release.manifest["marts"]["published_benchmarks"]["columns"]
    order = "place" if "place" in columns else "benchmark_id"
    return rows(connection, f"select * from marts.published_benchmarks order by {order}")


def shown(found: Rows) -> str:
    """A sentence, the figures that were computed, and the others folded."""
    computed = [row for row in found if not row["verdict"].startswith(NOT_COMPUTABLE)]
    others = [row for row in found if row["verdict"].startswith(NOT_COMPUTABLE)]
    reproduced = sum(row["verdict"] == "reproduced" for row in computed)
    said = (
        f"Of {len(found)} published figures, {len(computed)} can be computed from what was loaded: {reproduced} "
        f"{'is' if reproduced == 1 else 'are'} reproduced, {len(computed) - reproduced} "
        f"{'differs' if len(computed) - reproduced == 1 else 'differ'}."
        if computed
        else f"Not one of the {len(found)} published figures can be computed from what was loaded: they need other "
        "countries, goods or years."
    )
    parts = [paragraph(said, "said")]
    if computed:
        parts.append(table("Published figures and ours", [_line(row) for row in computed]))
    if others:
        lines = [{"Source": row["source"], "Statement": row["statement"], "Needs": _needs(row)} for row in others]
        summary = f"{len(others)} figures that these inputs cannot compute"
        parts.append(folded(summary, table("Not computable from these inputs", lines), long=True))
    return "".join(parts)


def _line(row: dict[str, object]) -> dict[str, object]:
    return {
        "Source": row["source"],
        "Statement": row["statement"],
        "Published": row.get("published_text") or number(row["published_value"]),  # type: ignore[arg-type]
        "Ours": row.get("computed_text") or number(row["computed_value"]),  # type: ignore[arg-type]
        "Difference": number(row["difference"]),  # type: ignore[arg-type]
        "Verdict": row["verdict"],
        "Note": row.get("note") or "",
        "Inputs": row["inputs"],
    }


def _needs(row: dict[str, object]) -> object:
    return row.get("note") or row["inputs"] or "–"
