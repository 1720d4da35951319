"""Charts of the page of one good.

Not here: data (see `sections`), charts that both pages share (see `goods`).
"""

from __future__ import annotations

import altair as alt

from dagster_project.brief.figures.common import BLUE, GREY, Spec, finished, label_axis
from dagster_project.brief.figures.goods import suppliers_by_year


def exporters_by_year() -> Spec:
    """Shares of the exporters of a good, year by year. Data: exporter_shares."""
    return suppliers_by_year("exporter_shares", "world exports")


def shares_moved() -> Spec:
    """Who won and who lost shares of world exports between two years. Data: moved."""
    base = alt.Chart(alt.NamedData("moved")).encode(
        x=alt.X("change:Q", title="Change of the share of world exports", axis=alt.Axis(format="+.1%", tickCount=5)),
        y=alt.Y("label:N", sort=None, title=None, axis=label_axis()),
        tooltip=[
            alt.Tooltip("name:N", title="Exporter"),
            alt.Tooltip("before:Q", title="Share before", format=".1%"),
            alt.Tooltip("after:Q", title="Share after", format=".1%"),
        ],
    )
    bars = base.mark_bar().encode(color=alt.condition("datum.change < 0", alt.value(GREY), alt.value(BLUE)))
    return finished(bars, "Shares won and lost", step=20)


def learning_rates() -> Spec:
    """Learning rates with their intervals. Data: rates."""
    base = alt.Chart(alt.NamedData("rates")).encode(y=alt.Y("label:N", sort=None, title=None, axis=label_axis()))
    spans = base.mark_rule(strokeWidth=2, color=GREY).encode(x="low:Q", x2="high:Q")
    points = base.mark_point(filled=True, size=80, color=BLUE, opacity=1).encode(
        x=alt.X("rate:Q", title="Fall of the price with every doubling", axis=alt.Axis(format=".0%")),
        tooltip=[
            alt.Tooltip("name:N", title="Exporter"),
            alt.Tooltip("rate:Q", title="Learning rate", format=".1%"),
            alt.Tooltip("low:Q", title="95 % from", format=".1%"),
            alt.Tooltip("high:Q", title="95 % to", format=".1%"),
            alt.Tooltip("quality:N", title="Quality"),
        ],
    )
    return finished(alt.layer(spans, points), "Learning rates", step=22)
