"""Charts of the exclusions from additional duties.

Not here: data (see `sections`).
"""

from __future__ import annotations

import altair as alt

from dagster_project.brief.figures.common import BLUE, GREY, Spec, finished, label_axis


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
    return finished(chart, "Exclusion shares by list", step=16)


def exclusions_by_industry() -> Spec:
    """Approval shares by industry and list. Data: list_industries."""
    base = alt.Chart(alt.NamedData("list_industries")).encode(
        x=alt.X("list:N", title=None, axis=alt.Axis(orient="top", labelAngle=0)),
        y=alt.Y("label:N", sort=None, title=None, axis=label_axis()),
        tooltip=[
            alt.Tooltip("list:N", title="List"),
            alt.Tooltip("full:N", title="Industry (HS2)"),
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
    return finished(alt.layer(cells, text), "Exclusion shares by industry and list", step=20)
