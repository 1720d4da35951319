"""Charts of an importer's goods, industries and suppliers.

What belongs here: marks, scales and words of a chart. Not here: data (see `sections`), page (see `page`).
"""

from __future__ import annotations

import altair as alt

from dagster_project.brief.figures.common import (
    BLUE,
    GREEN,
    GREY,
    ORANGE,
    RED,
    SHAPES,
    VIOLET,
    Spec,
    finished,
    label_axis,
)

CATEGORIES = {
    1: "Doubly exposed: central, and bought from few",
    2: "Central in world exports only",
    3: "Bought from few only",
    4: "Neither",
}
CATEGORY_COLOURS = [RED, ORANGE, BLUE, GREY]


def map_of_goods() -> Spec:
    """Goods by import concentration and export centrality, with both quartile lines. Data: goods, lines."""
    names = list(CATEGORIES.values())
    points = (
        alt.Chart(alt.NamedData("goods"))
        .mark_point(filled=True, opacity=0.75, strokeWidth=0)
        .encode(
            x=alt.X("hhi:Q", title="Import concentration (HHI over suppliers)", scale=alt.Scale(domain=[0, 1])),
            y=alt.Y(
                "centrality:Q",
                title="Export centrality of the good",
                scale=alt.Scale(type="sqrt", zero=False, nice=True),
            ),
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
                alt.Tooltip("usd:N", title="Imports, USD"),
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
        line.mark_text(**label, lineBreak="\n", align="left", dx=4, baseline="top").encode(
            x="hhi:Q", y=alt.value(2), text=alt.value("upper quartile\nof concentration")
        ),
        line.mark_text(**label, align="right", dy=-4, baseline="bottom").encode(
            x=alt.value("width"), y="centrality:Q", text=alt.value("upper quartile of centrality")
        ),
    )
    return finished(layers, "Goods by import concentration and export centrality", height=420)


def industry_ranking() -> Spec:
    """The most exposed industries, on a scale of roots: the smallest bar is seen too. Data: industries."""
    base = alt.Chart(alt.NamedData("industries")).encode(
        x=alt.X(
            "vulnerability:Q",
            title="Vulnerability (import share × index, summed over goods; square-root scale)",
            scale=alt.Scale(type="sqrt", zero=True, nice=True),
            axis=alt.Axis(tickCount=6),
        ),
        y=alt.Y("label:N", sort=None, title=None, axis=label_axis()),
        tooltip=[
            alt.Tooltip("full:N", title="Industry (HS2)"),
            alt.Tooltip("vulnerability:Q", title="Vulnerability", format=".4f"),
            alt.Tooltip("mean:Q", title="Mean index of its goods", format=".3f"),
            alt.Tooltip("n_goods:Q", title="Goods"),
            alt.Tooltip("n_category1:Q", title="Goods doubly exposed"),
            alt.Tooltip("usd:N", title="Imports, USD"),
        ],
    )
    bars = base.mark_bar(color=BLUE)
    values = base.mark_text(align="left", dx=4, fontSize=11, color="currentColor").encode(
        text=alt.Text("vulnerability:Q", format=".2~r")
    )
    return finished(alt.layer(bars, values), "Most exposed industries", step=20)


def exporter_positions() -> Spec:
    """High-centrality goods in which an exporter is first, or among the first three. Data: positions (long form)."""
    kinds = ["first", "second or third"]
    chart = (
        alt.Chart(alt.NamedData("positions"))
        .mark_bar()
        .encode(
            x=alt.X("goods:Q", title="High-centrality goods", axis=alt.Axis(tickMinStep=1, format="d")),
            y=alt.Y("name:N", sort=None, title=None, axis=label_axis()),
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
    return finished(chart, "Who holds the high-centrality goods", step=20)


def trend_of_good() -> Spec:
    """A good's concentration and index over the years. Data: trend_of_good (long form)."""
    return measures_over_years(
        "trend_of_good", ["Import concentration (HHI)", "Share of the largest supplier", "Vulnerability index"]
    )


def trend_of_exports() -> Spec:
    """Concentration of a good's exports over the years. Data: over_years (long form)."""
    return measures_over_years(
        "over_years", ["Concentration of exports (HHI)", "Share of the largest exporter", "Rank by centrality"]
    )


def measures_over_years(name: str, kinds: list[str]) -> Spec:
    """Three measures from 0 to 1, year by year."""
    base = alt.Chart(alt.NamedData(name)).encode(
        x=alt.X("year:O", title=None, axis=alt.Axis(labelAngle=0, labelOverlap=True)),
        y=alt.Y("value:Q", title="0 to 1", scale=alt.Scale(domain=[0, 1])),
        color=alt.Color(
            "kind:N",
            title=None,
            scale=alt.Scale(domain=kinds, range=[BLUE, ORANGE, RED]),
            legend=alt.Legend(orient="top", columns=2, labelLimit=240),
        ),
    )
    points = base.mark_point(filled=True, size=60, opacity=1).encode(
        shape=alt.Shape("kind:N", title=None, scale=alt.Scale(domain=kinds, range=SHAPES[:3])),
        tooltip=[
            alt.Tooltip("kind:N", title="Measure"),
            alt.Tooltip("year:O", title="Year"),
            alt.Tooltip("value:Q", title="Value", format=".3f"),
        ],
    )
    return finished(alt.layer(base.mark_line(strokeWidth=1.6), points), "A good over the years", height=260)


def suppliers_by_year(name: str = "supplier_shares", of: str = "imports") -> Spec:
    """Shares of the suppliers of a good, year by year. Data: as named (in the order of their places)."""
    chart = (
        alt.Chart(alt.NamedData(name))
        .mark_bar(stroke="var(--paper)", strokeWidth=1)
        .encode(
            x=alt.X("year:O", title=None, axis=alt.Axis(labelAngle=0, labelOverlap=True)),
            y=alt.Y("share:Q", title=f"Share of {of}", axis=alt.Axis(format=".0%"), scale=alt.Scale(domain=[0, 1])),
            color=alt.Color(
                "supplier:N",
                title=None,
                sort=None,
                scale=alt.Scale(range=[RED, BLUE, ORANGE, GREEN, VIOLET, GREY]),
                legend=alt.Legend(orient="top", columns=2, labelLimit=160),
            ),
            order=alt.Order("place:Q"),
            tooltip=[
                alt.Tooltip("supplier:N", title="Supplier"),
                alt.Tooltip("year:O", title="Year"),
                alt.Tooltip("share:Q", title="Share", format=".1%"),
            ],
        )
    )
    return finished(chart, "Suppliers by year", height=260)


def prices_by_year() -> Spec:
    """Chained export prices of a good by exporter; poor ones are hollow. Data: good_prices."""
    base = alt.Chart(alt.NamedData("good_prices")).encode(
        x=alt.X("year:O", title=None, axis=alt.Axis(labelAngle=0, labelOverlap=True)),
        y=alt.Y("price:Q", title="Price, first year = 1", scale=alt.Scale(zero=False, nice=True)),
        color=alt.Color(
            "exporter:N",
            title=None,
            sort=None,
            scale=alt.Scale(range=[RED, BLUE, ORANGE, GREEN, VIOLET, GREY]),
            legend=alt.Legend(orient="top", columns=2, labelLimit=160),
        ),
        detail="exporter:N",
    )
    tips = [
        alt.Tooltip("exporter:N", title="Exporter"),
        alt.Tooltip("year:O", title="Year"),
        alt.Tooltip("price:Q", title="Price index", format=".3f"),
        alt.Tooltip("quality:N", title="Quality"),
    ]
    sound = base.mark_point(filled=True, size=60, opacity=1).transform_filter("datum.sound").encode(tooltip=tips)
    poor = base.mark_point(size=55, strokeWidth=1.6).transform_filter("!datum.sound").encode(tooltip=tips)
    return finished(alt.layer(base.mark_line(strokeWidth=1.6), poor, sound), "Export prices", height=240)
