"""Pieces of a page that its parts share: tables, figures, numbers in words, data for scripts, why a part is missing.

What belongs here: markup without a subject. Not here: what a part says (see `sections`). Every text is escaped here.
"""

from __future__ import annotations

import base64
import gzip
import json
from collections.abc import Callable, Mapping, Sequence
from html import escape
from typing import Any

_NUMBER = ' class="number"'


def figure(name: str, alternative: str, caption: str) -> str:
    """The place of a chart, which the script draws; `alternative` is what a screen reader reads out."""
    return (
        f'<figure><div id="{name}" class="chart" role="img" aria-label="{escape(alternative)}"></div>'
        f"<figcaption>{escape(caption)}</figcaption></figure>"
    )


def paragraph(text: str, kind: str = "note") -> str:
    """A paragraph of plain text."""
    return f'<p class="{kind}">{escape(text)}</p>'


def absent(reason: str) -> str:
    """The line that stands where a part of the page is missing."""
    return paragraph(f"Not in this release: {reason}.", "absent")


def section(answer: Any, manifest: Mapping[str, Any], mart: str, shown: Callable[[Any], str]) -> str:
    """What `shown` makes of the answer, or one line that says why there is none."""
    if answer is not None:
        return shown(answer)
    return absent(str(manifest.get("marts_left_out", {}).get(mart, "its mart is not in this release")))


def folded(summary: str, content: str, *, long: bool = False) -> str:
    """Content that a reader opens; in print it stands open, unless it is long."""
    kind = ' class="long"' if long else ""
    return f"<details{kind}><summary>{escape(summary)}</summary>{content}</details>"


def table(caption: str, found: Sequence[Mapping[str, Any]]) -> str:
    """A table in a region of its own, which scrolls, also by keyboard, where the page is narrow."""
    if not found:
        return paragraph(f"{caption}: none.", "absent")
    # A column stands right-aligned when each of its values shows a number or is missing.
    numeric = {
        name: any(_is_number(row[name]) for row in found)
        and all(row[name] in (None, "–") or _is_number(row[name]) for row in found)
        for name in found[0]
    }
    head = "".join(f'<th scope="col"{_NUMBER if numeric[name] else ""}>{escape(name)}</th>' for name in found[0])
    body = "".join(
        "<tr>" + "".join(_cell(value, numeric[name]) for name, value in row.items()) + "</tr>" for row in found
    )
    return (
        f'<div class="scroll" tabindex="0" role="region" aria-label="{escape(caption)}"><table>'
        f"<caption>{escape(caption)}</caption><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"
    )


def _cell(value: Any, numeric: bool) -> str:
    if isinstance(value, int | float):
        value = number(value)
    text = "–" if value is None else str(value)
    verdict = {"reproduced": ' class="verdict good"', "differs": ' class="verdict bad"'}.get(text, "")
    return f"<td{_NUMBER if numeric else verdict}>{escape(text)}</td>"


def _is_number(value: Any) -> bool:
    """Numbers, and texts that show one."""
    return isinstance(value, int | float) or (
        isinstance(value, str) and value.strip("%–- trnbmk").replace(".", "").replace(",", "").isdigit()
    )


def number(value: float | None) -> str:
    """A number as a reader takes it in: whole, or with four digits."""
    if value is None:
        return "–"
    if isinstance(value, int) or (float(value).is_integer() and abs(value) < 1e15):
        return f"{int(value):,}"
    return f"{value:,.4g}" if abs(value) < 1e4 else f"{value:,.0f}"


def share(value: float | None) -> str:
    """A share as per cent."""
    return "–" if value is None else f"{value * 100:.1f} %"


def money(value: float | None) -> str:
    """USD in thousands, millions, billions: three digits."""
    if value is None:
        return "–"
    for size, unit in ((1e12, "trn"), (1e9, "bn"), (1e6, "m"), (1e3, "k")):
        if abs(value) >= size:
            return f"{value / size:.{2 if abs(value) < 10 * size else 1}f} {unit}"
    return f"{value:.0f}"


def packed(content: Any) -> str:
    """JSON, compressed and as letters: a third of the size, and nothing in it can end a script element."""
    text = json.dumps(content, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return squeezed(text)


def squeezed(text: str) -> str:
    """A text compressed and as letters, which the scripts undo."""
    return base64.b64encode(gzip.compress(text.encode(), 9, mtime=0)).decode("ascii")
