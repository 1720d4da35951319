"""The explorer's charts, as Vega-Lite specifications made with Altair, with their data inside.

What belongs here: marks, scales and sizes. Not here: what a chart is about (see `pages`). Text and axes are drawn in
`currentColor`, so that the style sheet alone decides on light, dark and print; no colour carries a meaning alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import altair as alt

from dagster_project.brief.figures.common import BLUE, GREEN, GREY, ORANGE, RED, VIOLET, dressed
from dagster_project.explore.content import written
from dagster_project.explore.reader import Row

COLOURS = [RED, BLUE, ORANGE, GREEN, VIOLET, GREY]
CATEGORY_COLOURS = [RED, ORANGE, BLUE, GREY]
SHAPES = ["circle", "triangle-up", "square", "cross", "diamond", "triangle-down"]
CATEGORIES = ["1 · both", "2 · central", "3 · concentrated", "4 · neither"]
FORMATS = {"share": ".0%", "usd": ".3~s", "number": ".3~g", "count": ",d", "index": ".2f"}

ROWS = alt.NamedData("rows")

Spec = Mapping[str, Any]


def bars(
    rows: Sequence[Row],
    label: str,
    value: str,
    title: str,
    kind: str = "number",
    link: str = "",
    *,
    uneven: bool = False,
) -> Spec:
    """One bar per row, in the order of the rows. `link` is the column with the address a bar leads to.

    `uneven`: the largest is so much larger than the others that only a square-root scale shows them all.
    """
    encoding: dict[str, Any] = {
        "x": alt.X(
            f"{value}:Q",
            title=f"{title}; square-root scale" if uneven else title,
            scale=alt.Scale(type="sqrt" if uneven else "linear"),
            axis=_axis(kind, tickCount=6),
        ),
        "y": alt.Y(f"{label}:N", sort=None, title=None, axis=alt.Axis(labelLimit=260)),
        "tooltip": [
            alt.Tooltip(f"{label}:N", title=" "),
            alt.Tooltip("shown:N", title=title),
        ],
    }
    if link:
        encoding["href"] = alt.Href(f"{link}:N")
    kept = _kept(rows, [name for name in (label, value, link) if name], value, kind)
    return _finished(alt.Chart(ROWS).mark_bar(color=BLUE).encode(**encoding), kept, step=20)


def stacked(
    rows: Sequence[Row], label: str, value: str, part: str, title: str, parts: Sequence[str], kind: str = "count"
) -> Spec:
    """One bar per label, in the order of the rows, made of parts."""
    whole: dict[str, Any] = {"tickMinStep": 1} if kind == "count" else {}
    chart = (
        alt.Chart(ROWS)
        .mark_bar()
        .encode(
            x=alt.X(f"{value}:Q", title=title, axis=_axis(kind, tickCount=6, **whole)),
            y=alt.Y(f"{label}:N", sort=None, title=None, axis=alt.Axis(labelLimit=260)),
            color=_coloured(part, parts),
            order=alt.Order(f"{part}_place:Q"),
            tooltip=[alt.Tooltip(f"{name}:N", title=" ") for name in (label, part)]
            + [alt.Tooltip("shown:N", title=title)],
        )
        .transform_calculate(**{f"{part}_place": f"indexof({list(parts)!r}, datum['{part}'])"})
    )
    return _finished(chart, _kept(rows, [label, value, part], value, kind), step=20)


def lines(
    rows: Sequence[Row], value: str, title: str, series: str, kind: str = "number", colours: Sequence[str] = COLOURS
) -> Spec:
    """One line with points per series over the years; series differ in colour and shape."""
    names, year = list(dict.fromkeys(row[series] for row in rows)), "year"
    base = alt.Chart(ROWS).encode(
        x=alt.X(f"{year}:O", title=None, axis=alt.Axis(labelAngle=0, labelOverlap=True)),
        y=alt.Y(f"{value}:Q", title=title, scale=_height(rows, value, kind), axis=_axis(kind)),
        color=_coloured(series, names, _repeated(colours, names)),
    )
    points = base.mark_point(filled=True, size=55).encode(
        shape=alt.Shape(f"{series}:N", title=None, scale=alt.Scale(domain=names, range=_repeated(SHAPES, names))),
        tooltip=[
            alt.Tooltip(f"{series}:N", title=" "),
            alt.Tooltip(f"{year}:O", title="Year"),
            alt.Tooltip("shown:N", title=title),
        ],
    )
    return _finished(
        alt.layer(base.mark_line(strokeWidth=1.6), points), _kept(rows, [year, value, series], value, kind), height=260
    )


def map_of_goods(rows: Sequence[Row]) -> Spec:
    """Goods by concentration and centrality. Rows: hs6, name, hhi, centrality, value, category, supplier, link."""
    chart = (
        alt.Chart(ROWS)
        .mark_point(filled=True, opacity=0.75, strokeWidth=0)
        .encode(
            x=alt.X("hhi:Q", title="Import concentration (HHI over suppliers)", scale=alt.Scale(domain=[0, 1])),
            y=alt.Y("centrality:Q", title="Export centrality of the good", scale=alt.Scale(type="sqrt", nice=True)),
            color=_coloured("category", CATEGORIES, CATEGORY_COLOURS),
            shape=alt.Shape("category:N", title=None, scale=alt.Scale(domain=CATEGORIES, range=SHAPES[:4])),
            size=alt.Size("value:Q", scale=alt.Scale(type="sqrt", range=[18, 380], zero=True), legend=None),
            href=alt.Href("link:N"),
            tooltip=[
                alt.Tooltip("hs6:N", title="HS6"),
                alt.Tooltip("name:N", title="Good"),
                alt.Tooltip("category:N", title="Category"),
                alt.Tooltip("shown:N", title="Imports, USD"),
                alt.Tooltip("hhi:Q", title="HHI", format=".3f"),
                alt.Tooltip("supplier:N", title="Largest supplier"),
            ],
        )
    )
    return _finished(chart, [{**row, "shown": written(row["value"], "usd")} for row in rows], height=400)


def cells(rows: Sequence[Row], across: str, down: str, value: str, title: str) -> Spec:
    """Shares as coloured cells with their number."""
    most = max((row[value] for row in rows), default=0)
    # A number must be legible on its cell, not on the page: white on deep colours, dark on pale ones.
    inked = [{**row, "ink": "#ffffff" if row[value] > 0.55 * most else "#14263a"} for row in rows]
    base = alt.Chart(ROWS).encode(
        x=alt.X(f"{across}:N", title=None, axis=alt.Axis(orient="top", labelAngle=0)),
        y=alt.Y(f"{down}:N", sort=None, title=None, axis=alt.Axis(labelLimit=260)),
    )
    colour = alt.Color(
        f"{value}:Q", title=title, scale=alt.Scale(scheme="blues", domainMin=0), legend=alt.Legend(format=".0%")
    )
    text = base.mark_text(fontSize=11).encode(
        text=alt.Text(f"{value}:Q", format=".0%"),
        color=alt.Color("ink:N", scale=None),
    )
    layers = alt.layer(base.mark_rect(cornerRadius=2).encode(color=colour), text)
    return _finished(layers.resolve_scale(color="independent"), inked, step=20)


def _height(rows: Sequence[Row], value: str, kind: str) -> alt.Scale:
    """From 0; a measure without a natural 0 has a tenth of room around its values, so that noise looks like noise."""
    if kind != "number" or not rows:
        return alt.Scale(zero=True)
    values = [row[value] for row in rows]
    room = 0.1 * max(map(abs, values))
    return alt.Scale(zero=False, domain=[min(values) - room, max(values) + room])


def _axis(kind: str, **options: Any) -> alt.Axis:
    """An axis whose labels have the units of the tables: Vega writes G where they have bn."""
    if kind == "usd":
        text = f"format(datum.value, '{FORMATS[kind]}')"
        for letter, unit in (("k", " k"), ("M", " m"), ("G", " bn"), ("T", " trn")):
            text = f"replace({text}, '{letter}', '{unit}')"
        return alt.Axis(labelExpr=text, **options)
    return alt.Axis(format=FORMATS[kind], **options)


def _kept(rows: Sequence[Row], names: Sequence[str], value: str, kind: str) -> list[Row]:
    """The columns that a chart needs, and `shown`, the value as the tables write it."""
    return [{**{name: row[name] for name in names}, "shown": written(row[value], kind)} for row in rows]


def _coloured(field: str, names: Sequence[str], colours: Sequence[str] = ()) -> alt.Color:
    scale = alt.Scale(domain=list(names), range=list(colours) or _repeated(COLOURS, names))
    return alt.Color(f"{field}:N", title=None, scale=scale, legend=alt.Legend(orient="top", columns=4, labelLimit=200))


def _repeated(values: Sequence[str], names: Sequence[str]) -> list[str]:
    return [values[place % len(values)] for place in range(len(names))]


def _finished(
    chart: alt.Chart | alt.LayerChart | alt.FacetChart,
    rows: Sequence[Row],
    *,
    height: int | None = None,
    step: int | None = None,
) -> Spec:
    """Size and looks that all charts share, and their rows: these need not pass through Altair."""
    # Altair's own check of a specification takes longer than the questions of a page; the tests let it run.
    return {**dressed(chart, height=height, step=step).to_dict(validate=False), "datasets": {ROWS.name: list(rows)}}
