"""The brief as one HTML page that opens from disk: data, charts and the plotting library are all inside it.

What belongs here: the order of the page, its words, its tables. Not here: queries (see `data`), charts (see
`figures`).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from html import escape
from pathlib import Path
from string import Template
from typing import Any

from dagster_project.brief import data
from dagster_project.publish.read import Release

NAME = "brief.html"
HERE = Path(__file__).parent
SHOWN_NOTES = 5
_NUMBER = ' class="number"'


@dataclass(frozen=True)
class BriefOptions:
    """What a page covers: an ISO 3166-1 alpha-3 code or `auto`, and years (None: all that the release holds)."""

    importer: str = data.AUTO
    years: tuple[int, ...] | None = None


def write_brief(release: Release, target: Path, options: BriefOptions = BriefOptions()) -> Path:
    """Write the page of a release to `target`; raises as `render_brief` does."""
    target.write_text(render_brief(release, options), encoding="utf-8")
    return target


def render_brief(release: Release, options: BriefOptions = BriefOptions()) -> str:
    """The page of a release as HTML text.

    SettingError for an importer or years that the release does not hold, ReleaseError when it holds no trade marts.
    Marts that were left out leave a sentence in their place that says why.
    """
    with release.connect() as connection:
        selection = data.select(connection, release, options.importer, options.years)
        answers = {
            "goods": data.goods(connection, selection),
            "thresholds": data.thresholds(connection, selection),
            "summary": data.summary(connection, release, selection),
            "industries": data.industries(connection, release, selection),
            "exporters": data.exporters(connection, release, selection),
            "exclusions": data.exclusions(connection, release),
            "patents": data.patents(connection, release),
        }
        published = data.benchmarks(connection, release)
    from dagster_project.brief.figures import CATEGORIES, COUNTRIES, FIGURES

    content = {
        **answers,
        "selection": {"importers": selection.importers, "years": selection.years},
        "categories": CATEGORIES,
        "countries": COUNTRIES,
        "specs": {name: figure() for name, figure in FIGURES.items()},
    }
    manifest = release.manifest
    return Template((HERE / "page.html").read_text(encoding="utf-8")).substitute(
        title=f"Supply vulnerability of {escape(selection.importers[0]['name'])}",
        style=(HERE / "page.css").read_text(encoding="utf-8"),
        script=(HERE / "page.js").read_text(encoding="utf-8"),
        library=_library().replace("</script", "<\\/script"),
        data=_json(content),
        banner=_banner(manifest),
        release=escape(release.release_id),
        created=escape(str(manifest["created_at"])[:16].replace("T", " ")),
        importers=_choices((each["iso3"], each["name"]) for each in selection.importers),
        years=_choices((year, year) for year in reversed(selection.years)),
        scope=_scope(manifest),
        benchmarks=_benchmarks(published, manifest),
        exclusions=_section(answers["exclusions"], manifest, "exclusion_rates", _exclusion_figures),
        patents=_section(answers["patents"], manifest, "patent_core_share", _patent_figures),
        vintage=_vintage(manifest),
    )


@cache
def _library() -> str:
    """Vega, Vega-Lite and Vega-Embed as one script, from the package that carries them: no network."""
    import vl_convert

    return str(vl_convert.javascript_bundle())  # type: ignore[call-arg]  # the snippet is optional


def _json(content: Any) -> str:
    """JSON that can stand inside a script element."""
    text = json.dumps(content, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return text.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")


def _choices(values: Any) -> str:
    return "".join(f'<option value="{escape(str(value))}">{escape(str(text))}</option>' for value, text in values)


def _banner(manifest: Mapping[str, Any]) -> str:
    if not manifest["synthetic"]:
        return ""
    return (
        '<p class="banner" role="note"><strong>Synthetic sample.</strong> Every number on this page was made by code. '
        "It shows what a brief looks like and says nothing about the real world.</p>"
    )


def _scope(manifest: Mapping[str, Any]) -> str:
    goods, settings = manifest.get("goods", {}), manifest["settings"]
    if not goods:
        return ""
    return (
        f"This release covers {goods['loaded']:,} goods, {goods['in_scope']:,} of them in scope "
        f"({escape(str(settings.get('product_scope', '')))}, "
        f"HS revision {escape(str(settings.get('hs_revision', '')))}). "
        "Quartiles and percentiles are taken over these goods, so a release with few goods has other quartiles than "
        "one with all."
    )


def _section(answer: Any, manifest: Mapping[str, Any], mart: str, figures: Callable[[Any], str]) -> str:
    if answer is not None:
        return figures(answer)
    reason = manifest.get("marts_left_out", {}).get(mart, "its mart is not in this release")
    return f'<p class="absent">Not in this release: {escape(str(reason))}.</p>'


def _figure(name: str, alternative: str, caption: str) -> str:
    return (
        f'<figure><div id="{name}" class="chart" role="img" aria-label="{escape(alternative)}"></div>'
        f"<figcaption>{caption}</figcaption></figure>"
    )


def _exclusion_figures(answer: Mapping[str, data.Rows]) -> str:
    summary = "; ".join(
        f"list {row['list_id']}: {_share(row['approval_share'])} of {row['requests']:,} requests granted"
        for row in answer["lists"]
    )
    table = _table(
        "Exclusion requests by list",
        [
            {
                "List": f"List {row['list_id']}",
                "Requests": row["requests"],
                "Granted": row["granted"],
                "Denied": row["denied"],
                "Pending": row["pending"],
                "Share granted": _share(row["approval_share"]),
                "Without the largest filer": _share(row["without_top"]),
                "Largest filer": row["top_requester"],
                "Additional duty": _share(row["duty"]),
            }
            for row in answer["lists"]
        ],
    )
    return (
        _figure("lists", f"Bar chart. {summary}.", "Granted requests among decided ones, by tariff list.")
        + table
        + _figure(
            "list_industries",
            "Table of coloured cells: share of requests granted by HS chapter and list. The table above gives the "
            "totals by list.",
            "The same by industry (HS chapter), for the chapters with the most requests; empty where none was decided.",
        )
    )


def _patent_figures(answer: Mapping[str, Any]) -> str:
    fields = answer["fields"]
    if not fields:
        return '<p class="absent">None of the compared countries has applications in this release.</p>'
    first, last = min(row["first_year"] for row in fields), max(row["last_year"] for row in fields)
    totals: dict[str, list[float]] = {}
    for row in fields:
        counted = totals.setdefault(row["name"], [0.0, 0.0])
        counted[0] += row["applications"]
        counted[1] += row["core"]
    summary = "; ".join(f"{name}: {_share(core / n if n else None)}" for name, (n, core) in totals.items())
    table = _table(
        "Core patents of the compared countries, all fields",
        [
            {
                "Country": name,
                "Applications": round(n, 1),
                "Core": round(core, 1),
                "Core share": _share(core / n if n else None),
            }
            for name, (n, core) in totals.items()
        ],
    )
    return (
        _figure(
            "fields",
            f"Dot chart of core-patent shares by technology field. Over all fields: {summary}.",
            f"Core patents among a country's own PCT applications, filing years {first} to {last}. Core: in the top "
            "tenth of its field and year by citations within five years.",
        )
        + table
        + _figure(
            "trend",
            "Line chart of the core-patent share by filing year: China, United States, Japan, Germany and Korea.",
            "By filing year. Hollow points: the five years of citations are not over, the share may still change.",
        )
    )


def _benchmarks(published: data.Rows | None, manifest: Mapping[str, Any]) -> str:
    def table(found: data.Rows) -> str:
        return _table(
            "Published figures and ours",
            [
                {
                    "Source": row["source"],
                    "Statement": row["statement"],
                    "Published": row.get("published_text") or _number(row["published_value"]),
                    "Ours": row.get("computed_text") or _number(row["computed_value"]),
                    "Difference": _number(row["difference"]),
                    "Verdict": row["verdict"],
                    "Note": row.get("note") or "",
                    "Inputs": row["inputs"],
                }
                for row in found
            ],
        )

    return _section(published, manifest, "published_benchmarks", table)


def _vintage(manifest: Mapping[str, Any]) -> str:
    sources: dict[tuple[str, ...], list[Mapping[str, Any]]] = {}
    for entry in manifest["archive_entries"]:
        sources.setdefault((entry["dataset"], entry["publisher"], entry["citation"], entry["licence"]), []).append(
            entry
        )
    table = _table(
        "Where the data come from",
        [
            {
                "Data set": dataset,
                "Publisher": publisher,
                "Citation": citation,
                "Terms": licence,
                "Files": len(entries),
                "Retrieved": _span([str(entry["retrieved_at"])[:10] for entry in entries]),
            }
            for (dataset, publisher, citation, licence), entries in sorted(sources.items())
        ],
    )
    checks = manifest["checks"]
    warned = [check for check in checks if not check["passed"]]
    lines = (
        [f"{len(checks) - len(warned)} of {len(checks)} checks passed when this release was made."] if checks else []
    )
    lines += [f"Warning: {check['check']} of {check['asset']}." for check in warned]
    if manifest["marts_left_out"]:
        lines.append(
            "Left out: " + "; ".join(f"{k} ({why})" for k, why in sorted(manifest["marts_left_out"].items())) + "."
        )
    for dataset, notes in manifest.get("passed_over", {}).items():
        more = f"; and {len(notes) - SHOWN_NOTES} more (manifest.json)" if len(notes) > SHOWN_NOTES else ""
        lines.append(f"Not used, {dataset}: " + "; ".join(notes[:SHOWN_NOTES]) + more + ".")
    lines.append(f"Code {manifest['code_version']}. Release {manifest['release_id']}.")
    return table + "<ul>" + "".join(f"<li>{escape(line)}</li>" for line in lines) + "</ul>"


def _span(days: Sequence[str]) -> str:
    first, last = min(days), max(days)
    return first if first == last else f"{first} to {last}"


def _table(caption: str, found: Sequence[Mapping[str, Any]]) -> str:
    """A table in a region of its own, which scrolls, also by keyboard, where the page is narrow."""
    if not found:
        return f'<p class="absent">{escape(caption)}: none.</p>'
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
        value = _number(value)
    text = "–" if value is None else str(value)
    verdict = {"reproduced": ' class="verdict good"', "differs": ' class="verdict bad"'}.get(text, "")
    return f"<td{_NUMBER if numeric else verdict}>{escape(text)}</td>"


def _is_number(value: Any) -> bool:
    """Numbers, and texts that show one."""
    return isinstance(value, int | float) or (
        isinstance(value, str) and value.strip("%–- ").replace(".", "").replace(",", "").isdigit()
    )


def _number(value: float | None) -> str:
    if value is None:
        return "–"
    if isinstance(value, int) or (float(value).is_integer() and abs(value) < 1e15):
        return f"{int(value):,}"
    return f"{value:,.4g}" if abs(value) < 1e4 else f"{value:,.0f}"


def _share(value: float | None) -> str:
    return "–" if value is None else f"{value * 100:.1f} %"
