"""Who supplies whom, as a flow (Sankey) diagram in Vega: bars of countries or goods, bands between them.

The script works out where bars and bands lie, in pixels of the page's width; here is how they are drawn.

Not here: data (see `sections`).
"""

from __future__ import annotations

from typing import Any

from dagster_project.brief.figures.common import Spec


def flow() -> Spec:
    """Data: nodes (x, y, width, height, colour, lines, side, said), links (x0, y0, x1, y1, thick, colour, said)."""
    return {
        "$schema": "https://vega.github.io/schema/vega/v6.json",
        "background": "transparent",
        "padding": 0,
        "autosize": "none",
        "config": {"font": "system-ui, sans-serif"},
        "data": [{"name": "nodes"}, {"name": "links", "transform": [_bands()]}],
        "marks": [
            {
                "type": "path",
                "from": {"data": "links"},
                "encode": {
                    "enter": {
                        "path": {"field": "path"},
                        "stroke": {"field": "colour"},
                        "strokeWidth": {"field": "thick"},
                        "strokeOpacity": {"value": 0.42},
                        "tooltip": {"field": "said"},
                    },
                    "update": {"strokeOpacity": {"value": 0.42}},
                    "hover": {"strokeOpacity": {"value": 0.8}},
                },
            },
            {
                "type": "rect",
                "from": {"data": "nodes"},
                "encode": {
                    "enter": {
                        **{name: {"field": name} for name in ("x", "y", "width", "height")},
                        "fill": {"field": "colour"},
                        "tooltip": {"field": "said"},
                    }
                },
            },
            {
                "type": "text",
                "from": {"data": "nodes"},
                "encode": {
                    "enter": {
                        "x": {"signal": "datum.side === 'left' ? datum.x - 6 : datum.x + datum.width + 6"},
                        "y": {"signal": "datum.y + datum.height / 2 - (length(datum.lines) - 1) * 6.5"},
                        "align": {"signal": "datum.side === 'left' ? 'right' : 'left'"},
                        "baseline": {"value": "middle"},
                        "fontSize": {"value": 11},
                        "lineHeight": {"value": 13},
                        "fill": {"value": "currentColor"},
                        "text": {"field": "lines"},
                        "tooltip": {"field": "said"},
                    }
                },
            },
        ],
    }


def _bands() -> dict[str, Any]:
    ends = {"sourceX": "x0", "sourceY": "y0", "targetX": "x1", "targetY": "y1"}
    return {"type": "linkpath", "orient": "horizontal", "shape": "diagonal", **ends}
