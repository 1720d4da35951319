"""What came out of a command: the release's marts, its checks, the published figures, and a rebuilt release compared.

Not here: what is shown while it works (see `progress`), and the commands (see `cli`).
"""

from __future__ import annotations

import json
import sys
import textwrap
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from dagster_project.markdown import plain
from dagster_project.places import command
from dagster_project.progress import SHOWN_ROWS
from dagster_project.publish.read import Release, open_release
from dagster_project.settings import Settings

if TYPE_CHECKING:
    import dagster as dg

WIDTH = 116


def print_summary(
    settings: Settings, result: dg.ExecuteInProcessResult | None = None, seconds: float | None = None
) -> None:
    """What the current release holds, how the run's checks went, where the files are, how to open the UI."""
    release = open_release(settings.published_dir, resources=settings.resources)
    _print_marts(release)
    _print_passed_over(release.manifest.get("passed_over", {}))  # releases of older versions have none
    if result is not None:
        _print_checks(result.get_asset_check_evaluations())
    _print_benchmarks(release)
    print(f"\nFiles: {release.path}")
    print(f"Open the UI: {command('ui')}, then http://127.0.0.1:3000")
    if seconds is not None:
        print(f"Took {seconds:.0f} s.")


def _print_marts(release: Release) -> None:
    manifest = release.manifest
    print(f"\nRelease {release.release_id}" + (" (SYNTHETIC sample)" if manifest["synthetic"] else ""))
    print(f"  {'mart':32} {'rows':>10}  years")
    for name, mart in sorted(manifest["marts"].items()):
        print(f"  {name:32} {mart['rows']:>10,}  {listed(sorted(mart.get('years', {})))}")
    for name, reason in sorted(manifest["marts_left_out"].items()):
        print(f"  {name:32} {'left out':>10}  {reason}")


def _print_checks(checks: Sequence[dg.AssetCheckEvaluation]) -> None:
    failed = [check for check in checks if not check.passed]
    print(f"\nChecks: {len(checks) - len(failed)} passed, {len(failed)} warned.")
    for check in failed:
        print(f"  warning: {check.check_name} of {check.asset_key.to_user_string()}: {plain(check.description or '')}")


def _print_passed_over(passed_over: Mapping[str, Sequence[str]]) -> None:
    """What the sources could not give or were not asked for, and files that are no table; the first few of each."""
    for dataset, notes in passed_over.items():
        print(f"\nNot used, {dataset}:")
        for note in notes[:SHOWN_ROWS]:
            print(textwrap.fill(note, WIDTH, initial_indent="  - ", subsequent_indent="    ", break_long_words=False))
        if len(notes) > SHOWN_ROWS:
            print(f"  … and {len(notes) - SHOWN_ROWS} more (manifest.json, passed_over)")


def _print_benchmarks(release: Release) -> None:
    """The verdicts on the published figures: counted, then the figures with a value, then the names of the others."""
    with release.connect() as connection:
        figures = connection.execute(
            "select dataset, benchmark_id, published_value, computed_value, verdict, computed_text, note "
            "from marts.published_benchmarks order by place"
        ).fetchall()
    verdicts = Counter(verdict for *_, verdict, _, _ in figures)
    print("\nPublished figures: " + ", ".join(f"{n} {verdict}" for verdict, n in sorted(verdicts.items())) + ".")
    computed = [row for row in figures if row[3] is not None]
    if computed:
        print(f"  {'figure':32} {'published':>12} {'computed':>12}  verdict")
    for _, name, published, value, verdict, text, note in computed:
        print(f"  {name:32} {published:>12,.6g} {value:>12,.6g}  {verdict}")
        if note:
            beside = f"{text}. {note}" if text else note
            print(textwrap.fill(beside, WIDTH, initial_indent="    ", subsequent_indent="    "))
    _print_not_computable([(dataset, name) for dataset, name, _, value, *_ in figures if value is None])


def _print_not_computable(figures: Iterable[tuple[str, str]]) -> None:
    names_by_dataset: dict[str, list[str]] = {}
    for dataset, name in figures:
        names_by_dataset.setdefault(dataset, []).append(name)
    for dataset, names in names_by_dataset.items():
        text = f"not computable from the {dataset} loaded (column inputs says why): {', '.join(names)}"
        print(textwrap.fill(text, WIDTH, initial_indent="  ", subsequent_indent="    ", break_long_words=False))


def print_comparison(settings: Settings, manifest: Path) -> bool:
    """Compare a rebuilt release, mart by mart, with the manifest beside its lock; whether it has the same content."""
    if not manifest.exists():
        return True
    before, after = json.loads(manifest.read_text())["marts"], open_release(settings.published_dir).manifest["marts"]
    different = [
        name for name in sorted(before) if before[name]["content_hash"] != after.get(name, {}).get("content_hash")
    ]
    if different:
        print(f"\nNot the same content: {listed(different)}", file=sys.stderr)
        return False
    print(f"\nRebuilt from the archive alone: all {len(before)} marts have the same content hash.")
    return True


def listed(values: Iterable[object]) -> str:
    """Values in one line; a dash where there are none."""
    return ", ".join(str(value) for value in values) or "-"
