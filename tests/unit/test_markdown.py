"""Texts of other people in Markdown: rendered, they show as they are and do nothing."""

from __future__ import annotations

from html import unescape
from re import sub

import pytest
from markdown_it import MarkdownIt

from dagster_project import markdown

TEXTS = (
    "<script>alert(1)</script>", "<img src=x onerror=alert(1)>", "A & B &lt; Co.", "a <b@c.de>", "<https://x.y>",
    "![pixel](https://x.y/z.png)", "[here](javascript:alert(1))", "a | b", "back\\slash\\", "`code`", "*bold* _it_",
    "~~x~~", "\\`<i>x</i>`", "in_scope and _x", "\\<b>", "\\\\<b>", "a\r\nb\nc", "<!-- x -->", "</td></tr></table>",
    "&#60;b&#62;", "https://x.y",
)  # fmt: skip


def rendered(text: str) -> str:
    return MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"]).render(text)


def shown(html: str) -> str:
    return unescape(sub(r"<[^>]*>", "", html)).strip()


@pytest.mark.parametrize("text", TEXTS)
def test_a_cell_shows_the_text_and_no_more(text: str) -> None:
    html = rendered(markdown.table(["name"], [[text]]))
    cell = html.split("<td>")[1].split("</td>")[0]
    assert "<" not in cell and html.count("<td>") == 1
    assert unescape(cell) == " ".join(text.splitlines())


@pytest.mark.parametrize("text", TEXTS)
def test_a_message_holds_no_html_link_or_image(text: str) -> None:
    html = rendered(markdown.message(text))
    tags = {tag.split(">")[0].strip("/").split(" ")[0] for tag in html.split("<")[1:]}
    assert tags <= {"p", "em", "strong", "code", "s"}
    if "\\" not in text:
        assert markdown.plain(markdown.message(text)) == text


def test_code_in_a_description_stays_code() -> None:
    text = "Under <data dir>/published, with `a < b`:\n\n```sql\nselect 1 where 1 <> 2\n```\n"
    html = rendered(markdown.without_html(text))
    assert "a &lt; b</code>" in html and "1 &lt;&gt; 2" in html and "&lt;data dir&gt;" in html
    assert markdown.without_html(markdown.without_html(text)) == markdown.without_html(text)
    assert markdown.plain(markdown.without_html(text)) == text
