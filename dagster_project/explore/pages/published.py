"""Published figures beside ours.

Not here: how a figure is computed (its mart says so).
"""

from __future__ import annotations

from collections import Counter

from dagster_project.explore.choice import Choice
from dagster_project.explore.content import Column, Control, Item, Page, Table, Tile, Tiles
from dagster_project.explore.pages import parts
from dagster_project.explore.reader import Reader

MEANING = {
    "reproduced": "within the stated tolerance",
    "differs": "outside of it",
    "not computable from these inputs": "what it needs was not loaded",
}


def page(reader: Reader, choice: Choice) -> Page:
    """All published figures, or those with one verdict or of one source."""
    parts.require(reader, "published_benchmarks")
    order = "place" if reader.has("published_benchmarks", "place") else "benchmark_id"
    found = reader.rows(f"select * from marts.published_benchmarks order by {order}, benchmark_id")
    verdicts = Counter(row["verdict"] for row in found)
    sources = sorted({row["source"] for row in found})
    verdict, source = choice.one_of("verdict", list(verdicts)), choice.one_of("source", sources)
    shown = [row for row in found if verdict in ("", row["verdict"]) and source in ("", row["source"])]
    for row in shown:
        row["published"] = row.get("published_text") or row["published_value"]
        row["computed"] = row.get("computed_text") or row["computed_value"]
    tiles = [
        Tile(name, str(number), MEANING.get(name, ""), choice.link(verdict=name))
        for name, number in sorted(verdicts.items())
    ]
    columns = [
        Column("source", "Source"),
        Column("statement", "Statement"),
        Column("published", "Published", "value"),
        Column("computed", "Ours", "value"),
        Column("difference", "Difference", "number"),
        Column("verdict", "Verdict", "verdict"),
        *([Column("note", "Note")] if reader.has("published_benchmarks", "note") else []),
        Column("inputs", "Inputs"),
    ]
    items: list[Item] = [Tiles(tiles), Table("figures", "Published figures and ours", columns, shown)]
    return Page(
        "Published figures beside ours",
        [parts.section(reader, "Figures", [], lambda: items)],
        lead="A verdict follows by rule from the inputs of this release; none is written down by hand.",
        controls=[
            Control(
                "verdict", "Verdict", "select", verdict, [("", "all"), *((each, each) for each in sorted(verdicts))]
            ),
            Control("source", "Source", "select", source, [("", "all"), *((each, each) for each in sources)]),
        ],
    )
