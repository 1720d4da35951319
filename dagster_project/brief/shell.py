"""The frame that every page shares: style, scripts, the plotting library and the data, all in one file.

What belongs here: how a page is put together so that it opens from disk and asks nothing of a network. Not here:
what it says (see `page`, `good` and `sections`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache
from html import escape
from pathlib import Path
from string import Template
from typing import Any

from dagster_project.brief.markup import packed, squeezed
from dagster_project.publish.read import Release

WEB = Path(__file__).parent / "web"


def page(
    release: Release, kind: str, title: str, content: Mapping[str, Any], nav: Mapping[str, str], **parts: str
) -> str:
    """A whole page: the template `kind` with its parts, and its script with the content."""
    manifest = release.manifest
    return _template("shell.html").substitute(
        title=escape(title),
        style=_text("page.css"),
        banner=_banner(manifest),
        release=escape(release.release_id),
        created=escape(str(manifest["created_at"])[:16].replace("T", " ")),
        main=_template(f"{kind}.html").substitute(parts, nav=_links(nav)),
        library=_library(),
        data=packed(content),
        script=_text("page.js"),
        kind=_text(f"{kind}.js"),
    )


def _links(nav: Mapping[str, str]) -> str:
    return " ".join(f'<a href="#{place}">{escape(words)}</a>' for place, words in nav.items())


def choices(values: Iterable[tuple[Any, Any]]) -> str:
    """The options of a choice: value and text."""
    return "".join(f'<option value="{escape(str(value))}">{escape(str(text))}</option>' for value, text in values)


def _text(name: str) -> str:
    return (WEB / name).read_text(encoding="utf-8")


def _template(name: str) -> Template:
    return Template(_text(name))


@cache
def _library() -> str:
    """Vega, Vega-Lite and Vega-Embed as one script, from the package that carries them: no network."""
    import vl_convert

    return squeezed(vl_convert.javascript_bundle())  # type: ignore[call-arg]  # the snippet is optional


def _banner(manifest: Mapping[str, Any]) -> str:
    """What is synthetic, on top of the page: all of it, or the datasets named."""
    if not manifest["synthetic"]:
        return ""
    entries = manifest["archive_entries"]
    made = sorted({each["dataset"] for each in entries if each.get("synthetic", True)})
    real = sorted({each["dataset"] for each in entries} - set(made))
    if real:
        text = (
            f"<strong>Partly synthetic.</strong> Made by code, silent about the real world: {escape(', '.join(made))}. "
            f"As publishers give it: {escape(', '.join(real))}."
        )
    else:
        text = (
            "<strong>Synthetic sample.</strong> Every number on this page was made by code. It shows what a brief "
            "looks like and says nothing about the real world."
        )
    return f'<p class="banner" role="note">{text}</p>'
