"""Sphinx's settings: `make docs-site` makes a site of these pages. It opens from disk and asks nothing of a network.

The pages stay as they are read on GitHub: the contents come from the links of README.md, in its order, and pages that
it does not name follow. Not here: what the pages say.
"""

from __future__ import annotations

import re
from pathlib import Path

from sphinx.application import Sphinx

HERE = Path(__file__).parent
ROOT = "README"

project = "Chokepoint"
extensions = ["myst_parser"]
root_doc = ROOT
include_patterns = ["*.md", "images/*"]
# Anchors as GitHub makes them from headings, on which links between pages rely.
myst_heading_anchors = 3
html_theme = "furo"
html_title = "Chokepoint"
html_show_sphinx = False
html_copy_source = False
# A code example may show output, or be of no language that is known.
suppress_warnings = ["misc.highlighting_failure"]


def _as_site(app: Sphinx, page: str, content: list[str]) -> None:
    """What a site needs otherwise than GitHub: files beside docs/ are no pages of it, and every page is in a table of
    contents.
    """
    content[0] = re.sub(r"\[([^]]+)\]\(\.\./([^)]+)\)", r"\1 (`\2`)", content[0])
    if page == ROOT:
        named = re.findall(r"\]\(([a-z-]+)\.md\)", content[0])
        others = sorted(path.stem for path in HERE.glob("*.md") if path.stem != ROOT)
        content[0] += "\n```{toctree}\n:hidden:\n\n" + "\n".join(dict.fromkeys([*named, *others])) + "\n```\n"


def setup(app: Sphinx) -> None:
    """Sphinx calls this."""
    app.connect("source-read", _as_site)
