"""What all charts share: colours, shapes, and the looks of axes and legends.

Text and axes are drawn in `currentColor`, so that the style sheet alone decides on light, dark and print.
Colours keep a contrast of 3:1 or more on white and on the dark background, and never carry a meaning alone:
categories also differ in shape, countries in shape or dash.

Not here: what a chart shows.
"""

from __future__ import annotations

from typing import Any

import altair as alt

RED, ORANGE, BLUE, GREY, GREEN, VIOLET = "#d1495b", "#c77700", "#3a7ca5", "#868c96", "#4f8a3a", "#8e6bbf"
SHAPES = ["circle", "triangle-up", "square", "cross", "diamond"]

Spec = dict[str, Any]


def label_axis(**more: Any) -> alt.Axis:
    """An axis of names, which the script has broken into lines that fit the page."""
    return alt.Axis(labelExpr="split(datum.value, '\\n')", labelLimit=400, **more)


def dressed(
    chart: alt.Chart | alt.LayerChart | alt.FacetChart, *, height: int | None = None, step: int | None = None
) -> Any:
    """The chart with the size and looks that all charts share, those of the explorer too."""
    size: Any = alt.Step(step) if step is not None else height
    # A fixed height is fitted too. Where the height follows from the number of rows, only the width is.
    fit: Any = alt.AutoSizeParams(type="fit-x" if step is not None else "fit", contains="padding")
    looks = {"labelColor": "currentColor", "titleColor": "currentColor", "titleFontWeight": 500}
    return (
        chart.properties(width="container", height=size, background="transparent", autosize=fit)
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


def finished(
    chart: alt.Chart | alt.LayerChart | alt.FacetChart,
    title: str,
    *,
    height: int | None = None,
    step: int | None = None,
) -> Spec:
    """The chart as a specification. `title` is what a screen reader reads out for the figure."""
    # Charts name their data, which the page holds: there is none for Altair to check.
    spec: Spec = dressed(chart, height=height, step=step).properties(description=title).to_dict(validate=True)
    return spec
