"""A small picture for each mart, which answers the mart's question in the UI at a glance.

What belongs here: drawing, by vl-convert, which needs no browser and no network. Not here: what a picture shows (the
mart's `config.meta.picture` in dbt says it), and the interactive figures of the brief (see `brief.figures`).
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import dagster as dg
import duckdb

from dagster_project.markdown import escaped, without_html

COLOUR = "#3a7ca5"


@dataclass(frozen=True)
class Picture:
    """What is drawn: `title` says it in words; `query`, in which {mart} stands for the mart, gives label and value.

    `form` is bars, stacked (with a column series), lines (with year) or intervals (with low and high).
    """

    title: str
    query: str
    form: str = "bars"
    percent: bool = False


def picture(
    connection: duckdb.DuckDBPyConnection, relation: str, meta: Mapping[str, Any]
) -> dg.MarkdownMetadataValue | None:
    """The mart's question and the plot that answers it, as Markdown with the PNG inside; a note where it is empty.

    `meta` is the mart's in dbt, `relation` its name in the warehouse of the connection; names of goods and countries
    come from staging. None for a mart whose meta has no picture.
    """
    if "picture" not in meta:
        return None
    chosen = Picture(**meta["picture"])
    question = without_html(meta.get("question", chosen.title))
    result = connection.execute(chosen.query.replace("{mart}", relation))
    names = [column[0] for column in result.description or ()]
    rows = [dict(zip(names, row, strict=True)) for row in result.fetchall()]
    # DuckDB's sum of BIGINT is wider than JSON's numbers.
    rows = [{**row, "value": float(row["value"])} for row in rows if row["value"] is not None]
    if not rows:
        return dg.MetadataValue.md(f"{question}\n\n(no rows to draw)")
    import vl_convert

    image = base64.b64encode(vl_convert.vegalite_to_png(_spec(chosen, rows))).decode()
    return dg.MetadataValue.md(f"**{question}**\n\n![{escaped(chosen.title)}](data:image/png;base64,{image})")


def _spec(chosen: Picture, rows: list[dict[str, Any]]) -> dict[str, Any]:
    # SI prefixes suit millions; a share of 0.5 would read "500m".
    plain = max(row["value"] for row in rows) < 1e6
    axis = {"format": ".0%" if chosen.percent else ",~r" if plain else "~s", "tickCount": 5}
    value = {"field": "value", "type": "quantitative", "title": None, "axis": axis}
    label = {"field": "label", "type": "nominal", "title": None}
    places = {**label, "sort": None, "axis": {"labelLimit": 220}}
    forms: dict[str, dict[str, Any]] = {
        "bars": {
            "mark": {"type": "bar", "color": COLOUR},
            "encoding": {"x": value, "y": places},
            "height": {"step": 18},
        },
        "stacked": {
            "mark": "bar",
            "encoding": {"x": value, "y": places, "color": {"field": "series", "type": "nominal", "title": None}},
            "height": {"step": 18},
        },
        "lines": {
            "mark": {"type": "line", "point": True},
            "encoding": {
                "x": {
                    "field": "year",
                    "type": "ordinal",
                    "title": None,
                    "axis": {"labelAngle": 0, "labelOverlap": True},
                },
                "y": value,
                "color": label,
            },
            "height": 180,
        },
        # Factors: a logarithmic axis on which 1, no difference, is marked.
        "intervals": {
            "encoding": {"y": places},
            "layer": [
                {"mark": {"type": "rule", "strokeDash": [4, 4]}, "encoding": {"x": {"datum": 1}, "y": None}},
                {
                    "mark": {"type": "rule", "color": COLOUR},
                    "encoding": {"x": {**value, "field": "low", "scale": {"type": "log"}}, "x2": {"field": "high"}},
                },
                {"mark": {"type": "point", "filled": True, "size": 60, "color": COLOUR}, "encoding": {"x": value}},
            ],
            "height": {"step": 22},
        },
    }
    return {
        "$schema": "https://vega.github.io/schema/vega-lite/v5.json",
        "data": {"values": rows},
        "title": {"text": chosen.title, "anchor": "start", "fontSize": 12},
        "width": 380,
        "background": "white",
        **forms[chosen.form],
    }
