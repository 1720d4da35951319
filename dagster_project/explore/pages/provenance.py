"""The release itself: where its data come from, with which settings it was made, and how its checks came out.

Not here: the marts' contents (see `mart`).
"""

from __future__ import annotations

from typing import Any

from dagster_project.explore.choice import Choice
from dagster_project.explore.content import Column, Control, Note, Page, Section, Table, Tile, Tiles, day
from dagster_project.explore.pages import parts
from dagster_project.explore.reader import Reader, Row


def page(reader: Reader, choice: Choice) -> Page:
    """What the manifest says, as tables."""
    manifest = reader.manifest
    failed = [check for check in manifest["checks"] if not check["passed"]]
    only = choice.one_of("checks", ("all", "failed"), "all")
    return Page(
        f"Release {reader.release_id}",
        [
            Section("What it is", [_tiles(manifest, failed), *_notes(manifest)]),
            Section("Sources", [_sources(manifest)]),
            Section("Settings", [_pairs("settings", "Settings, without secrets", manifest["settings"])]),
            Section("Marts", [_marts(reader, choice)]),
            Section("Checks", [_checks(manifest["checks"] if only == "all" else failed)]),
            Section("What became of every row", [_rules(manifest)]),
            Section("Programs", [_pairs("packages", "Versions it was made with", manifest["packages"])]),
        ],
        lead=(
            f"Made {manifest['created_at'][:16].replace('T', ' ')} UTC by code {manifest['code_version']} from "
            f"{len(manifest['archive_entries']):,} archived files. {len(manifest['checks']) - len(failed):,} of "
            f"{len(manifest['checks']):,} checks passed."
        ),
        controls=[Control("checks", "Checks", "select", only, [("all", "all"), ("failed", "those that did not pass")])],
    )


def _tiles(manifest: Any, failed: list[Row]) -> Tiles:
    goods = manifest.get("goods") or {}
    warned = f"{len(failed)} did not pass" if failed else "all passed"
    return Tiles(
        [
            Tile(
                "Data",
                "synthetic" if manifest["synthetic"] else "real",
                "made by code" if manifest["synthetic"] else "",
            ),
            Tile(
                "Marts",
                f"{len(manifest['marts'])}",
                f"{sum(each['rows'] for each in manifest['marts'].values()):,} rows",
            ),
            Tile("Goods", f"{goods.get('loaded', 0):,}", f"{goods.get('in_scope', 0):,} in scope"),
            Tile("Checks", f"{len(manifest['checks'])}", warned),
        ]
    )


def _notes(manifest: Any) -> list[Note]:
    notes = [
        Note(f"Manifest {manifest['manifest_sha256']}."),
        Note(f"The release before it: {manifest.get('previous_release') or 'none'}."),
    ]
    for name, why in sorted(manifest.get("marts_left_out", {}).items()):
        notes.append(Note(f"Left out: {name} ({why}).", "absent"))
    for name, files in sorted(manifest.get("passed_over", {}).items()):
        notes.append(Note(f"Passed over, {name}: {', '.join(files)}.", "absent"))
    if replaced := manifest.get("replaced_entries"):
        notes.append(Note(f"Archived files that a newer one replaced: {len(replaced)}.", "absent"))
    return notes


def _sources(manifest: Any) -> Table:
    found: dict[tuple[str, ...], Row] = {}
    for entry in manifest["archive_entries"]:
        key = (entry["dataset"], entry["source"], entry["publisher"], entry["citation"], entry["licence"])
        row = found.setdefault(
            key,
            {**dict(zip(("dataset", "source", "publisher", "citation", "licence"), key, strict=True)), "files": 0,
             "rows": 0, "bytes": 0, "first": entry["retrieved_at"], "last": entry["retrieved_at"]},
        )  # fmt: skip
        row["files"] += 1
        row["rows"] += entry.get("rows") or 0
        row["bytes"] += entry["bytes"]
        row["first"], row["last"] = min(row["first"], entry["retrieved_at"]), max(row["last"], entry["retrieved_at"])
    for row in found.values():
        row["retrieved"] = " to ".join(dict.fromkeys((day(row["first"]), day(row["last"]))))
    columns = [
        Column("dataset", "Data set"),
        Column("source", "Source"),
        Column("publisher", "Publisher"),
        Column("citation", "Citation"),
        Column("licence", "Terms"),
        Column("files", "Files", "count"),
        Column("rows", "Rows", "count"),
        Column("bytes", "Bytes", "count"),
        Column("retrieved", "Vintage"),
    ]
    return Table("sources", "Where the data come from", columns, [found[key] for key in sorted(found)])


def _pairs(name: str, caption: str, pairs: Any) -> Table:
    rows = [{"name": key, "value": value} for key, value in sorted(pairs.items())]
    return Table(name, caption, [Column("name", "Name"), Column("value", "Value")], rows)


def _marts(reader: Reader, choice: Choice) -> Table:
    rows = [
        {
            "mart": name,
            "description": parts.grain(facts["description"]),
            "rows": facts["rows"],
            "years": f"{min(facts['years'])}–{max(facts['years'])}" if facts.get("years") else "",
            "content_hash": facts["content_hash"],
        }
        for name, facts in sorted(reader.manifest["marts"].items())
    ]
    columns = [
        Column("mart", "Mart", link=lambda row: choice.link("/mart", name=row["mart"])),
        Column("description", "What a row is"),
        Column("rows", "Rows", "count"),
        Column("years", "Years"),
        Column("content_hash", "Content hash"),
    ]
    return Table("marts", "What the release holds", columns, rows)


def _checks(checks: list[Row]) -> Table:
    rows = sorted(
        ({**check, "result": "passed" if check["passed"] else "not passed"} for check in checks),
        key=lambda check: (check["passed"], check["severity"], check["asset"], check["check"]),
    )
    columns = [
        Column("result", "Result"),
        Column("severity", "If not"),
        Column("asset", "Table"),
        Column("check", "Check"),
        Column("description", "What it says"),
    ]
    shown = [{column.key: row.get(column.key) for column in columns} for row in rows]
    return Table("checks", "Checks, those that did not pass first", columns, shown)


def _rules(manifest: Any) -> Table:
    rows = [
        {"table": table, "year": year, "rule": rule, "rows": number}
        for table, by_year in sorted(manifest["rule_counts"].items())
        for year, rules in sorted(by_year.items())
        for rule, number in sorted(rules.items())
    ]
    columns = [
        Column("table", "Source and table"),
        Column("year", "Year"),
        Column("rule", "Rule"),
        Column("rows", "Rows", "count"),
    ]
    return Table("rules", "Rows read, landed, and set aside by each rule", columns, rows)
