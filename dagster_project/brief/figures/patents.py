"""Charts of core patents.

Not here: data (see `sections`).
"""

from __future__ import annotations

from typing import Any

import altair as alt

from dagster_project.brief.figures.common import BLUE, GREEN, ORANGE, RED, SHAPES, VIOLET, Spec, finished, label_axis

COUNTRIES = {"CN": "China", "US": "United States", "JP": "Japan", "DE": "Germany", "KR": "Korea"}
COUNTRY_COLOURS = [RED, BLUE, ORANGE, GREEN, VIOLET]


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
            y=alt.Y("label:N", sort=None, title=None, axis=label_axis(grid=True)),
            **_country(),
            tooltip=[
                alt.Tooltip("field:N", title="Field"),
                alt.Tooltip("country_name:N", title="Country"),
                alt.Tooltip("share:Q", title="Core share", format=".1%"),
                alt.Tooltip("applications:Q", title="Applications (fractional)", format=",.1f"),
            ],
        )
    )
    return finished(chart, "Core-patent share by field", step=18)


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
    return finished(alt.layer(lines, points), "Trend of the core-patent share", height=300)
