"""The data dictionary, docs/data-dictionary.md: every mart's grain, question, key and columns, from dbt's manifest.

`make docs` writes it; a test holds it to the manifest.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from dagster_project.dbt_project import mart_specs, model_meta, plain_manifest
from dagster_project.settings import PROJECT_ROOT

PAGE = PROJECT_ROOT / "docs" / "data-dictionary.md"
HEAD = """# Data dictionary

Made from dbt's column descriptions by `make docs`; do not edit. Money is in USD, shares are 0..1, codes are text with
leading zeros. [CH], [LIT] and [OURS] say whether a definition is the chapter's, the literature's or our choice.
"""


def dictionary(manifest: Mapping[str, Any]) -> str:
    """The page as Markdown."""
    meta = model_meta(manifest)
    types = {
        node["name"]: {column["name"]: column["data_type"] for column in node["columns"].values()}
        for node in manifest["nodes"].values()
        if node["resource_type"] == "model"
    }
    parts = [HEAD]
    for spec in mart_specs(manifest):
        lines = [f"## {spec.name}", "", " ".join(spec.description.split()), ""]
        if question := meta[spec.name].get("question"):
            lines += [f"Answers: {question}", ""]
        lines += [f"Key: {', '.join(f'`{column}`' for column in spec.key)}", "", "| column | type | meaning |"]
        lines += ["|---|---|---|"]
        lines += [
            f"| `{name}` | {types[spec.name][name] or ''} | {_cell(text)} |" for name, text in spec.columns.items()
        ]
        parts.append("\n".join(lines) + "\n")
    return "\n".join(parts)


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def main(page: Path = PAGE) -> None:
    """Write the page."""
    page.write_text(dictionary(plain_manifest()), encoding="utf-8")


if __name__ == "__main__":
    main()
