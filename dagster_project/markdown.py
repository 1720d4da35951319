"""Text that comes from data, files or services, put into Markdown so that it shows as it is.

Dagster's UI renders descriptions and Markdown metadata, HTML inside included. What belongs here: the escaping, by
backslashes, which a reader of the plain text understands too. Not here: what is shown.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

# An underscore within a word is none of emphasis, and names are full of them.
_SPECIAL = re.compile(r"[\\<&\[\]`|*~]|(?<!\w)_|_(?!\w)")
# Behind an even number of backslashes: the last one of an odd number escapes what follows.
_UNESCAPED = r"(?<!\\)((?:\\\\)*)"
_CODE = re.compile(r"(```.*?```|`[^`\n]*`)", re.DOTALL)


def escaped(text: str) -> str:
    """A text in one line that is neither markup nor HTML, link nor image, and ends no table cell."""
    return _SPECIAL.sub(r"\\\g<0>", " ".join(text.splitlines()))


def message(text: str) -> str:
    """A message with words of other people in it, as a description: no HTML, no link or image. `plain` undoes it."""
    return re.sub(_UNESCAPED + r"([<\[])", r"\1\\\2", text)


def without_html(markdown: str) -> str:
    """The project's own Markdown, in which whatever looks like HTML shows as it is written; code is left alone."""
    parts = _CODE.split(markdown)
    return "".join(
        part if place % 2 else re.sub(_UNESCAPED + "(<)", r"\1\\\2", part) for place, part in enumerate(parts)
    )


def plain(described: str) -> str:
    """What `message` or `without_html` was given, for terminals and files."""
    return described.replace("\\<", "<").replace("\\[", "[")


def table(names: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table; names and cells are texts of any kind."""
    lines = [[escaped(name) for name in names], ["---"] * len(names)]
    lines += [[escaped(cell) for cell in row] for row in rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
