"""What a release was made from, what its checks warned of, and what it leaves out, in words.

Not here: the banner of a synthetic release (see `shell`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from dagster_project.brief.markup import folded, paragraph, table

SHOWN_NOTES = 5
RULE = " Rule: "


def scope(manifest: Mapping[str, Any]) -> str:
    """Which goods the numbers are taken over."""
    goods, settings = manifest.get("goods", {}), manifest["settings"]
    if not goods:
        return ""
    return escape(
        f"This release covers {goods['loaded']:,} goods, {goods['in_scope']:,} of them in scope "
        f"({settings.get('product_scope', '')}, HS revision {settings.get('hs_revision', '')}). "
        "Quartiles and percentiles are taken over these goods, so a release with few goods has other quartiles than "
        "one with all."
    )


def shown(manifest: Mapping[str, Any]) -> str:
    """Warnings first, then what was left out, then the sources with citations and terms."""
    return _warnings(manifest["checks"]) + _left_out(manifest) + _sources(manifest["archive_entries"])


def _warnings(checks: Sequence[Mapping[str, Any]]) -> str:
    if not checks:
        return ""
    warned = [check for check in checks if not check["passed"]]
    said = f"{len(checks) - len(warned)} of {len(checks)} checks passed when this release was made."
    if not warned:
        return paragraph(said, "said")
    lines = "".join(f"<li>{escape(warning(check))}</li>" for check in warned)
    count = f"{len(warned)} warning{'s' if len(warned) > 1 else ''}: none of them stopped the release"
    return paragraph(said, "said") + folded(count, f"<ul>{lines}</ul>")


def warning(check: Mapping[str, Any]) -> str:
    """One warning as a sentence about the data: what was expected of which table, and what was found."""
    found, _, rule = str(check.get("description") or "").partition(RULE)
    if not rule:
        return f"{_words(check['asset'])}: {_words(check['check'])} did not hold."
    return f"{_words(check['asset'])}: expected was “{rule.strip()}” Found: {found.strip().rstrip('.')}."


def _words(name: str) -> str:
    return name.split("/")[-1].replace("_", " ").strip().capitalize()


def _left_out(manifest: Mapping[str, Any]) -> str:
    reasons: dict[str, list[str]] = {}
    for mart, why in sorted(manifest["marts_left_out"].items()):
        reasons.setdefault(str(why), []).append(mart)
    lines = [f"Left out, because {why}: {', '.join(marts)}." for why, marts in reasons.items()]
    for dataset, notes in manifest.get("passed_over", {}).items():
        more = f"; and {len(notes) - SHOWN_NOTES} more (manifest.json)" if len(notes) > SHOWN_NOTES else ""
        lines.append(f"Not used, {dataset}: " + "; ".join(notes[:SHOWN_NOTES]) + more + ".")
    lines.append(f"Code {manifest['code_version']}. Release {manifest['release_id']}.")
    return "<ul>" + "".join(f"<li>{escape(line)}</li>" for line in lines) + "</ul>"


def _sources(entries: Sequence[Mapping[str, Any]]) -> str:
    sources: dict[tuple[str, ...], list[Mapping[str, Any]]] = {}
    for entry in entries:
        sources.setdefault((entry["dataset"], entry["publisher"], entry["citation"], entry["licence"]), []).append(
            entry
        )
    return table(
        "Where the data come from",
        [
            {
                "Data set": dataset,
                "Publisher": publisher,
                "Citation": citation,
                "Terms": licence,
                "Files": len(files),
                "Retrieved": _span([str(entry["retrieved_at"])[:10] for entry in files]),
            }
            for (dataset, publisher, citation, licence), files in sorted(sources.items())
        ],
    )


def _span(days: Sequence[str]) -> str:
    first, last = (day.replace("-", "\N{NON-BREAKING HYPHEN}") for day in (min(days), max(days)))
    return first if first == last else f"{first} to {last}"
