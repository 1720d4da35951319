"""The brief's charts, as Vega-Lite specifications made with Altair; the page hands them their data by name.

What belongs here: marks, scales and words of a chart. Not here: data (see `data`), page (see `page`).
Text and axes are drawn in `currentColor`, so that the style sheet alone decides on light, dark and print.
Colours keep a contrast of 3:1 or more on white and on the dark background, and never carry a meaning alone:
categories also differ in shape, countries in shape or dash.
"""

from __future__ import annotations

from typing import Any

import altair as alt

CATEGORIES = {
    1: "1 · high centrality and high concentration",
    2: "2 · high centrality only",
    3: "3 · high concentration only",
    4: "4 · neither",
}
RED, ORANGE, BLUE, GREY, GREEN, VIOLET = "#d1495b", "#c77700", "#3a7ca5", "#868c96", "#4f8a3a", "#8e6bbf"
CATEGORY_COLOURS = [RED, ORANGE, BLUE, GREY]
COUNTRIES = {"CN": "China", "US": "United States", "JP": "Japan", "DE": "Germany", "KR": "Korea"}
COUNTRY_COLOURS = [RED, BLUE, ORANGE, GREEN, VIOLET]
SHAPES = ["circle", "triangle-up", "square", "cross", "diamond"]

Spec = dict[str, Any]


def map_of_goods() -> Spec:
    """Goods by import concentration and export centrality, with both quartile lines. Data: goods, lines."""
    names = list(CATEGORIES.values())
    points = (
        alt.Chart(alt.NamedData("goods"))
        .mark_point(filled=True, opacity=0.75, strokeWidth=0)
        .encode(
            x=alt.X("hhi:Q", title="Import concentration (HHI over suppliers)", scale=alt.Scale(domain=[0, 1])),
            y=alt.Y("centrality:Q", title="Export centrality of the good", scale=alt.Scale(type="sqrt", nice=True)),
            color=alt.Color(
                "category_name:N",
                title="Category",
                scale=alt.Scale(domain=names, range=CATEGORY_COLOURS),
                legend=alt.Legend(orient="top", columns=2, labelLimit=330, symbolOpacity=1),
            ),
            shape=alt.Shape("category_name:N", title="Category", scale=alt.Scale(domain=names, range=SHAPES[:4])),
            size=alt.Size("value:Q", scale=alt.Scale(type="sqrt", range=[18, 420], zero=True), legend=None),
            tooltip=[
                alt.Tooltip("hs6:N", title="HS6"),
                alt.Tooltip("name:N", title="Good"),
                alt.Tooltip("category_name:N", title="Category"),
                alt.Tooltip("value:Q", title="Imports, USD", format=",.4~s"),
                alt.Tooltip("hhi:Q", title="HHI", format=".3f"),
                alt.Tooltip("centrality:Q", title="Centrality", format=".4f"),
                alt.Tooltip("supplier:N", title="Largest supplier"),
                alt.Tooltip("index:Q", title="Vulnerability index", format=".3f"),
            ],
        )
    )
    line = alt.Chart(alt.NamedData("lines"))
    rule: Spec = {"strokeDash": [5, 4], "color": "currentColor", "opacity": 0.7}
    label: Spec = {"color": "currentColor", "fontSize": 11}
    layers = alt.layer(
        points,
        line.mark_rule(**rule).encode(x="hhi:Q"),
        line.mark_rule(**rule).encode(y="centrality:Q"),
        line.mark_text(**label, align="left", dx=4, baseline="top").encode(
            x="hhi:Q", y=alt.value(2), text=alt.value("upper quartile of concentration")
        ),
        line.mark_text(**label, align="right", dy=-4, baseline="bottom").encode(
            x=alt.value("width"), y="centrality:Q", text=alt.value("upper quartile of centrality")
        ),
    )
    return _finished(layers, "Goods by import concentration and export centrality", height=420)


def industry_ranking() -> Spec:
    """The most exposed industries. Data: industries (label, vulnerability, …)."""
    chart = (
        alt.Chart(alt.NamedData("industries"))
        .mark_bar(color=BLUE)
        .encode(
            x=alt.X("vulnerability:Q", title="Vulnerability (import share × index, summed over goods)"),
            y=alt.Y("label:N", sort=None, title=None, axis=alt.Axis(labelLimit=280)),
            tooltip=[
                alt.Tooltip("label:N", title="Industry (HS2)"),
                alt.Tooltip("vulnerability:Q", title="Vulnerability", format=".4f"),
                alt.Tooltip("mean:Q", title="Mean index of its goods", format=".3f"),
                alt.Tooltip("n_goods:Q", title="Goods"),
                alt.Tooltip("n_category1:Q", title="Goods of category 1"),
                alt.Tooltip("value:Q", title="Imports, USD", format=",.4~s"),
            ],
        )
    )
    return _finished(chart, "Most exposed industries", step=20)


def exporter_positions() -> Spec:
    """High-centrality goods in which an exporter is first, or among the first three. Data: positions (long form)."""
    kinds = ["first", "second or third"]
    chart = (
        alt.Chart(alt.NamedData("positions"))
        .mark_bar()
        .encode(
            x=alt.X("goods:Q", title="High-centrality goods", axis=alt.Axis(tickMinStep=1, format="d")),
            y=alt.Y("name:N", sort=None, title=None, axis=alt.Axis(labelLimit=220)),
            color=alt.Color(
                "place:N",
                title="Place among the world's exporters",
                scale=alt.Scale(domain=kinds, range=[RED, ORANGE]),
                legend=alt.Legend(orient="top", titleLimit=400),
            ),
            order=alt.Order("place:O"),
            tooltip=[
                alt.Tooltip("name:N", title="Exporter"),
                alt.Tooltip("place:N", title="Place"),
                alt.Tooltip("goods:Q", title="Goods"),
                alt.Tooltip("exported:Q", title="High-centrality goods it exports"),
            ],
        )
    )
    return _finished(chart, "Who holds the high-centrality goods", step=20)


def exclusions_by_list() -> Spec:
    """Approval shares by list, with and without the largest filer. Data: lists (long form)."""
    kinds = ["all requests", "without the largest filer"]
    chart = (
        alt.Chart(alt.NamedData("lists"))
        .mark_bar()
        .encode(
            x=alt.X("share:Q", title="Granted of decided requests", axis=alt.Axis(format=".0%")),
            y=alt.Y("list:N", title=None),
            yOffset=alt.YOffset("kind:N", sort=kinds),
            color=alt.Color(
                "kind:N",
                title=None,
                scale=alt.Scale(domain=kinds, range=[BLUE, GREY]),
                legend=alt.Legend(orient="top"),
            ),
            tooltip=[
                alt.Tooltip("list:N", title="List"),
                alt.Tooltip("kind:N", title="Counted"),
                alt.Tooltip("share:Q", title="Granted", format=".1%"),
                alt.Tooltip("requests:Q", title="Requests", format=","),
            ],
        )
    )
    return _finished(chart, "Exclusion shares by list", step=16)


def exclusions_by_industry() -> Spec:
    """Approval shares by industry and list. Data: list_industries."""
    base = alt.Chart(alt.NamedData("list_industries")).encode(
        x=alt.X("list:N", title=None, axis=alt.Axis(orient="top", labelAngle=0)),
        y=alt.Y("label:N", sort=None, title=None, axis=alt.Axis(labelLimit=280)),
        tooltip=[
            alt.Tooltip("list:N", title="List"),
            alt.Tooltip("label:N", title="Industry (HS2)"),
            alt.Tooltip("approval_share:Q", title="Granted", format=".1%"),
            alt.Tooltip("requests:Q", title="Requests", format=","),
        ],
    )
    cells = base.mark_rect(cornerRadius=2).encode(
        color=alt.Color(
            "approval_share:Q",
            title="Granted",
            scale=alt.Scale(scheme="blues", domainMin=0),
            legend=alt.Legend(format=".0%", orient="right"),
        )
    )
    # A label must be legible on its cell, not on the page: dark on pale cells, white on deep ones.
    text = base.mark_text(fontSize=11).encode(
        text=alt.Text("approval_share:Q", format=".0%"),
        color=alt.condition("datum.deep", alt.value("#ffffff"), alt.value("#14263a")),
    )
    return _finished(alt.layer(cells, text), "Exclusion shares by industry and list", step=20)


def _country(field: str = "country_name") -> dict[str, Any]:
    names = list(COUNTRIES.values())
    return {
        "color": alt.Color(
            f"{field}:N",
            title=None,
            scale=alt.Scale(domain=names, range=COUNTRY_COLOURS),
            legend=alt.Legend(orient="top"),
        ),
        "shape": alt.Shape(f"{field}:N", title=None, scale=alt.Scale(domain=names, range=SHAPES)),
    }


def patents_by_field() -> Spec:
    """Core share by technology field, countries side by side. Data: fields."""
    chart = (
        alt.Chart(alt.NamedData("fields"))
        .mark_point(filled=True, size=70, opacity=0.9)
        .encode(
            x=alt.X("share:Q", title="Core patents in own PCT applications", axis=alt.Axis(format=".0%")),
            y=alt.Y("field:N", sort=None, title=None, axis=alt.Axis(labelLimit=280, grid=True)),
            **_country(),
            tooltip=[
                alt.Tooltip("field:N", title="Field"),
                alt.Tooltip("country_name:N", title="Country"),
                alt.Tooltip("share:Q", title="Core share", format=".1%"),
                alt.Tooltip("applications:Q", title="Applications (fractional)", format=",.1f"),
            ],
        )
    )
    return _finished(chart, "Core-patent share by field", step=18)


def patents_by_year() -> Spec:
    """Core share by filing year; years whose citation window is open are hollow points. Data: trend."""
    base = alt.Chart(alt.NamedData("trend")).encode(
        x=alt.X("year:O", title="Filing year", axis=alt.Axis(labelAngle=0, labelOverlap=True)),
        y=alt.Y("share:Q", title="Core patents in own PCT applications", axis=alt.Axis(format=".0%")),
    )
    points = base.mark_point(size=55, strokeWidth=1.6).encode(
        **_country(),
        fill=alt.condition(
            "datum.complete",
            alt.Fill(
                "country_name:N", scale=alt.Scale(domain=list(COUNTRIES.values()), range=COUNTRY_COLOURS), legend=None
            ),
            alt.value("transparent"),
        ),
        tooltip=[
            alt.Tooltip("country_name:N", title="Country"),
            alt.Tooltip("year:O", title="Filing year"),
            alt.Tooltip("share:Q", title="Core share", format=".1%"),
            alt.Tooltip("applications:Q", title="Applications (fractional)", format=",.1f"),
            alt.Tooltip("complete:N", title="Citation window closed"),
        ],
    )
    lines = base.mark_line(opacity=0.6, strokeWidth=1.5).encode(color=_country()["color"])
    return _finished(alt.layer(lines, points), "Trend of the core-patent share", height=300)


def _finished(
    chart: alt.Chart | alt.LayerChart | alt.FacetChart,
    title: str,
    *,
    height: int | None = None,
    step: int | None = None,
) -> Spec:
    """Size and looks that all charts share. `title` is what a screen reader reads out for the figure."""
    size: Any = alt.Step(step) if step is not None else height
    # A fixed height is fitted too. Where the height follows from the number of rows, only the width is.
    fit: Any = alt.AutoSizeParams(type="fit-x" if step is not None else "fit", contains="padding")
    looks = {"labelColor": "currentColor", "titleColor": "currentColor", "titleFontWeight": 500}
    finished = (
        chart.properties(width="container", height=size, description=title, background="transparent", autosize=fit)
        .configure(font="system-ui, sans-serif")
        .configure_view(stroke=None)
        .configure_axis(
            **looks,
            domainColor="currentColor",
            tickColor="currentColor",
            gridColor="currentColor",
            gridOpacity=0.12,
            domainOpacity=0.5,
            tickOpacity=0.5,
            labelFontSize=11,
            titleFontSize=12,
        )
        .configure_legend(**looks, labelFontSize=12, titleFontSize=12)
    )
    # Charts name their data, which the page holds: there is none for Altair to check.
    spec: Spec = finished.to_dict(validate=True)
    return spec


FIGURES = {
    "map": map_of_goods,
    "industries": industry_ranking,
    "exporters": exporter_positions,
    "lists": exclusions_by_list,
    "list_industries": exclusions_by_industry,
    "fields": patents_by_field,
    "trend": patents_by_year,
}
