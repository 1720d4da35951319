"""Charts of political distance and of scenarios.

Not here: data (see `sections`).
"""

from __future__ import annotations

import altair as alt

from dagster_project.brief.figures.common import BLUE, GREY, ORANGE, RED, SHAPES, Spec, finished, label_axis

CLOSENESS = ["close", "middle", "distant"]


def distances() -> Spec:
    """The largest suppliers by distance and share of imports. Data: distances."""
    base = alt.Chart(alt.NamedData("distances")).encode(
        x=alt.X("distance:Q", title="Political distance from the importer", scale=alt.Scale(zero=True, nice=True)),
        y=alt.Y("share:Q", title="Share of imports in scope", axis=alt.Axis(format=".0%"), scale=alt.Scale(nice=True)),
    )
    points = base.mark_point(filled=True, size=110, opacity=0.9).encode(
        color=alt.Color(
            "closeness:N",
            title=None,
            scale=alt.Scale(domain=CLOSENESS, range=[BLUE, ORANGE, RED]),
            legend=alt.Legend(orient="top"),
        ),
        shape=alt.Shape("closeness:N", title=None, scale=alt.Scale(domain=CLOSENESS, range=SHAPES[:3])),
        tooltip=[
            alt.Tooltip("name:N", title="Supplier"),
            alt.Tooltip("share:Q", title="Share of imports", format=".1%"),
            alt.Tooltip("distance:Q", title="Distance", format=".2f"),
        ],
    )
    names = base.mark_text(dx=9, align="left", fontSize=11, color="currentColor").encode(text="supplier:N")
    return finished(alt.layer(points, names), "Suppliers by political distance", height=300)


def scenarios() -> Spec:
    """What does not come at first, and after others have delivered what they can. Data: scenarios (long form)."""
    kinds = ["at first", "after others deliver"]
    base = alt.Chart(alt.NamedData("scenarios")).encode(
        x=alt.X("usd:Q", title="USD (logarithmic scale)", scale=alt.Scale(type="log", nice=True), axis=_money()),
        y=alt.Y("label:N", sort=None, title=None, axis=label_axis(grid=True)),
    )
    marks = base.mark_point(size=110, strokeWidth=2).encode(
        color=alt.Color(
            "kind:N", title=None, scale=alt.Scale(domain=kinds, range=[GREY, RED]), legend=alt.Legend(orient="top")
        ),
        fill=alt.Fill("kind:N", title=None, scale=alt.Scale(domain=kinds, range=["transparent", RED]), legend=None),
        tooltip=[
            alt.Tooltip("full:N", title="Scenario"),
            alt.Tooltip("kind:N", title="Counted"),
            alt.Tooltip("said:N", title="USD"),
        ],
    )
    lines = base.mark_line(color=GREY, strokeWidth=1.5).encode(detail="label:N")
    return finished(alt.layer(lines, marks), "Scenarios", step=38)


def _money() -> alt.Axis:
    words = (
        "replace(replace(replace(replace(format(datum.value, '~s'), 'k', ' k'), 'M', ' m'), 'G', ' bn'), 'T', ' trn')"
    )
    return alt.Axis(labelExpr=words, labelOverlap=True)
