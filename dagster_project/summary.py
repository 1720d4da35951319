"""What came out of a command, in a few lines: the release, its checks, the published figures, the most exposed goods.

Each line says where the whole of it stands. And whether a rebuilt release is the same as before.

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

import duckdb
from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from dagster_project.brief.page import NAME as BRIEF
from dagster_project.places import command
from dagster_project.publish.read import CURRENT, Release, open_release
from dagster_project.settings import Settings

if TYPE_CHECKING:
    import dagster as dg

WIDTH = 116
MOST_EXPOSED = """
    with newest as (select * from marts.import_vulnerability
                    where in_scope and economy_kind = 'country'
                        and year = (select max(year) from marts.import_vulnerability)),
         largest as (select importer_code from newest
                     group by importer_code order by round(sum(import_value_usd), 2) desc, importer_code limit 1)
    select coalesce(importer_name, importer_iso3, importer_code::varchar), year, hs6, hs6_name, n_suppliers,
           top_supplier_iso3, top_supplier_share, vulnerability_index
    from newest
    where category = 1 and importer_code = (select importer_code from largest)
    order by vulnerability_index desc nulls last, hs6 limit 5"""


def print_summary(
    settings: Settings, result: dg.ExecuteInProcessResult | None = None, seconds: float | None = None
) -> None:
    """What the current release holds, how the run's checks went, where the files are, how to open the UI."""
    release = open_release(settings.published_dir, resources=settings.resources)
    _print_marts(release)
    _print_passed_over(release.manifest.get("passed_over", {}))  # releases of older versions have none
    if result is not None:
        _print_checks(result.get_asset_check_evaluations())
    with release.connect() as connection:
        _print_published_figures(connection)
        _print_most_exposed(connection)
    print(f"\nFiles: {release.path}")
    print(f"Open the UI: {command('ui')}, then http://127.0.0.1:3000")
    if seconds is not None:
        print(f"Took {seconds:.0f} s.")
    if (release.path / BRIEF).exists():
        print(f"Open: {(settings.published_dir / CURRENT).absolute().joinpath(BRIEF).as_uri()}")


def _print_marts(release: Release) -> None:
    manifest = release.manifest
    marts = manifest["marts"].values()
    years = sorted({year for mart in marts for year in mart.get("years", {})})
    print(f"\nRelease {release.release_id}" + (" (SYNTHETIC sample)" if manifest["synthetic"] else ""))
    rows = sum(mart["rows"] for mart in marts)
    _print(f"Marts: {len(marts)} with {rows:,} rows, years {listed(years)}: docs/marts.md, manifest.json.")
    for reason, n in Counter(manifest["marts_left_out"].values()).items():
        _print(f"Left out: {n}, because {reason}.")


def _print_passed_over(passed_over: Mapping[str, Sequence[str]]) -> None:
    """What the sources could not give or were not asked for, and files that are no table."""
    for dataset, notes in passed_over.items():
        more = f" (and {len(notes) - 1} more: manifest.json, passed_over)" if len(notes) > 1 else ""
        _print(f"Not used, {dataset}: {notes[0]}{more}")


def _print_checks(checks: Sequence[dg.AssetCheckEvaluation]) -> None:
    warned = Counter(check.check_name for check in checks if not check.passed)
    names = listed(name if n == 1 else f"{name} ({n})" for name, n in sorted(warned.items()))
    said = f": {names}. Why: manifest.json, checks." if warned else "."
    _print(f"Checks: {len(checks) - warned.total()} passed, {warned.total()} warned{said}")


def _print_published_figures(connection: duckdb.DuckDBPyConnection) -> None:
    """The verdicts counted, then the figures with a value."""
    figures = connection.execute(
        "select benchmark_id, published_value, computed_value, verdict, computed_text, note "
        "from marts.published_benchmarks order by place"
    ).fetchall()
    verdicts = Counter(verdict for _, _, _, verdict, _, _ in figures)
    counted = listed(f"{n} {verdict}" for verdict, n in sorted(verdicts.items()))
    _print(f"Published figures: {counted}. Why: mart published_benchmarks, column inputs.")
    computed = [row for row in figures if row[2] is not None]
    if computed:
        print(f"  {'figure':32} {'published':>12} {'computed':>12}  verdict")
    for name, published, value, verdict, text, note in computed:
        print(f"  {name:32} {published:>12,.6g} {value:>12,.6g}  {verdict}")
        if note:
            beside = f"{text}. {note}" if text else note
            print(textwrap.fill(beside, WIDTH, initial_indent="    ", subsequent_indent="    "))


def _print_most_exposed(connection: duckdb.DuckDBPyConnection) -> None:
    """A table of the goods in category 1 of the largest country, newest year; nothing where there is none."""
    found = connection.execute(MOST_EXPOSED).fetchall()
    if not found:
        return
    importer, year = found[0][:2]
    print(f"\nWhat {importer} could least do without in {year}: central in world exports, and bought from few")
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for name in ("good", "", "suppliers", "most from", "its share", "index"):
        table.add_column(name, justify="right" if name in ("suppliers", "its share", "index") else "left")
    for _, _, hs6, name, suppliers, top, share, index in found:
        table.add_row(hs6, escape(name or ""), str(suppliers), top or "?", f"{share:.0%}", f"{index:.3f}")
    Console(file=sys.stdout, width=None if sys.stdout.isatty() else WIDTH, highlight=False).print(table)


def _print(text: str) -> None:
    print(textwrap.fill(text, WIDTH, subsequent_indent="  ", break_long_words=False, break_on_hyphens=False))


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
