"""The commands behind `make demo`, `run` and `rebuild`: start the Dagster job, show progress, say what came out.

What belongs here: the conversation with the user. Not here: the work; a run from the Dagster UI does the same.
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import shutil
import sys
import textwrap
import time
import uuid
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, redirect_stderr, redirect_stdout, suppress
from dataclasses import dataclass, replace
from importlib import import_module
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING, TextIO

from filelock import FileLock, Timeout

from dagster_project.archive.lock import Lock, load_lock
from dagster_project.datasets.declaration import LiveService
from dagster_project.datasets.registry import datasets_on
from dagster_project.errors import Deferred, SettingError, SourceError, UserError
from dagster_project.planning.state import make_plan
from dagster_project.publish.read import Release, open_release, verify
from dagster_project.settings import PROJECT_ROOT, Settings, load_settings
from dagster_project.sources.live import live_session

if TYPE_CHECKING:  # Dagster takes a second to import: not before it is needed
    import dagster as dg


SHOWN_ROWS = 10
SECONDS_BETWEEN_LINES = 5.0


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; the exit status is 0, or 1 after a message that says what to do."""
    options = _parser().parse_args(arguments)
    try:
        return int(options.command(options))
    except UserError as error:
        print(f"\nStopped: {error}", file=sys.stderr)
        if isinstance(error, SourceError | Deferred):
            print("The release published before, if any, stays as it is.", file=sys.stderr)
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="chokepoint", description="From public trade data to a published release.")
    commands = parser.add_subparsers(required=True, metavar="command")
    commands.add_parser("demo", help="the embedded synthetic sample, in a data directory of its own").set_defaults(
        command=_demo
    )
    commands.add_parser("run", help="the sources that the settings choose").set_defaults(command=_run)
    commands.add_parser("pin", help="accept the reference files as they are now: writes their hashes").set_defaults(
        command=_pin
    )
    rebuild = commands.add_parser("rebuild", help="the release of a lock file again, from the archive alone")
    rebuild.add_argument("lock", type=Path, help="an inputs.lock.json")
    rebuild.set_defaults(command=_rebuild)
    brief = commands.add_parser("brief", help="brief.html for another importer or other years, from a release")
    brief.add_argument("--importer", default="", help="ISO 3166-1 alpha-3 code; default: the setting")
    brief.add_argument("--years", default="", help="2017-2019 or 2017,2019; default: the setting")
    brief.add_argument("--release", default=None, help="a release id; default: the current release")
    brief.add_argument("--output", type=Path, default=None, help="default: brief-<importer>.html in the data directory")
    brief.set_defaults(command=_brief)
    commands.add_parser(
        "dbt-docs", help="dbt's documentation of every model, its SQL and lineage, as one page"
    ).set_defaults(command=_dbt_docs)
    return parser


def _demo(options: argparse.Namespace) -> int:
    """The sample with default settings; of the environment only the data directory counts."""
    environ = {name: value for name, value in os.environ.items() if name == "CHOKEPOINT_DATA_DIR"}
    settings = load_settings({"CHOKEPOINT_DATA_DIR": "demo", **environ}, dotenv=None)
    print("Chokepoint demo: a SYNTHETIC sample, made by code. Its numbers say nothing about the real world.")
    return _refresh(settings)


def _run(options: argparse.Namespace) -> int:
    return _refresh(load_settings())


def _pin(options: argparse.Namespace) -> int:
    """Pin the files of live sources that have pinned hashes at what their addresses give now."""
    settings = load_settings()
    services = [(each, each.source(settings)) for each in datasets_on(settings)]
    pinned = [service for _, service in services if isinstance(service, LiveService) and service.pin]
    changed: list[str] = []
    with live_session(settings) as session:
        for service in pinned:
            assert service.pin is not None
            changed += service.pin(session)
    print(f"{_list(changed)} changed; the new hashes are pinned." if changed else "Every pinned hash still holds.")
    return 0


def _rebuild(options: argparse.Namespace) -> int:
    """Build the lock's release aside, from the archive alone, and compare it with the release beside the lock."""
    here, lock = load_settings(), load_lock(options.lock)
    if not lock.settings:
        raise SettingError(
            f"lock file {options.lock}",
            found="a lock without settings",
            expected="the inputs.lock.json of a published release",
            remedy="Take the copy that lies in the release to be rebuilt.",
        )
    shaping = {name: value for name, value in lock.settings.items() if name != "years"}
    settings = replace(here, **shaping, years=tuple(lock.settings["years"]), data_dir=here.data_dir / "rebuild")
    with _only_run(here):
        shutil.rmtree(settings.data_dir, ignore_errors=True)
        settings.data_dir.mkdir(parents=True)
        settings.archive_dir.symlink_to(here.archive_dir)
        lock.save(settings.lock_path)
        if status := _execute(settings, list(settings.years or ()), lock):
            return status
        return _compare(settings, options.lock.with_name("manifest.json"))


def _refresh(settings: Settings) -> int:
    """Compute what has changed and publish; nothing at all when nothing has."""
    sources = ", ".join(f"{each.name}: {each.source_name(settings)}" for each in datasets_on(settings))
    with _only_run(settings):
        print(
            f"Looking at the sources ({sources}; data directory: {settings.data_dir}) …",
            flush=True,
        )
        with _sources_heard():
            plan = make_plan(settings, on_news=_start_imports)
        if plan.nothing_to_do and (settings.published_dir / "current").exists():
            print("Nothing has changed since the last release; nothing was computed.")
            if settings.postgres_url:  # which may lack the release: the address is new, or the server was away
                return _execute(settings, [], load_lock(settings.lock_path), ("postgres",))
            return _summary(settings, None)
        # A change of a dataset without years is computed by a run of the newest year alone.
        years = plan.years or plan.held[-1:]
        print(f"Years held: {_list(plan.held)}; to compute: {_list(years)}.", flush=True)
        return _execute(settings, list(years), load_lock(settings.lock_path))


def _brief(options: argparse.Namespace) -> int:
    """Render a page from a published release, after checking every file of it against its manifest."""
    from dagster_project.brief.page import BriefOptions, write_brief

    given = {"CHOKEPOINT_BRIEF_IMPORTER": options.importer, "CHOKEPOINT_BRIEF_YEARS": options.years}
    settings = load_settings({**os.environ, **{name: value for name, value in given.items() if value}})
    with open_release(settings.published_dir, options.release) as release:
        verify(release)
        target = options.output or settings.data_dir / f"brief-{settings.brief_importer}.html"
        write_brief(release, target, BriefOptions(settings.brief_importer, settings.brief_years))
    print(f"{target} ({target.stat().st_size:,} bytes), from release {release.release_id}")
    return 0


def _dbt_docs(options: argparse.Namespace) -> int:
    """Write `dbt-docs.html` in the data directory: it opens from disk, and shows columns as the warehouse has them."""
    from dagster_project.dbt_project import write_docs

    settings = load_settings()
    if not settings.warehouse.exists():
        raise SettingError(
            f"data directory {settings.data_dir}",
            found="no warehouse",
            expected="the warehouse of a run, whose tables the page describes",
            remedy="Start `make run` first, or set CHOKEPOINT_DATA_DIR (`demo` after `make demo`).",
        )
    with _only_run(settings):
        page = write_docs(settings)
    print(f"{page} ({page.stat().st_size:,} bytes)")
    return 0


class _Said(logging.Handler):
    """Prints what the sources log, a line every few seconds at the most."""

    next_at = 0.0

    def emit(self, record: logging.LogRecord) -> None:
        if record.created >= self.next_at:
            self.next_at = record.created + SECONDS_BETWEEN_LINES
            print(f"  {record.getMessage()}", flush=True)


@contextmanager
def _sources_heard() -> Iterator[None]:
    """Show how far a live source came: a year of Comtrade takes twenty minutes."""
    log, handler = logging.getLogger("dagster_project.sources"), _Said()
    log.setLevel(logging.INFO)
    log.addHandler(handler)
    try:
        yield
    finally:
        log.removeHandler(handler)


def _start_imports() -> None:
    """Import in the background what the run needs: seconds of one core, while DuckDB parses and the disk writes."""

    def load() -> None:
        for module in ("dagster_dbt", "dbt.cli.main", "great_expectations"):
            with suppress(Exception):  # whoever needs it imports it again, and says what is wrong
                import_module(module)

    Thread(target=load, name="imports", daemon=True).start()


@contextmanager
def _only_run(settings: Settings) -> Iterator[None]:
    """One run per data directory at a time."""
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    lock = FileLock(settings.data_dir / "run.lock", timeout=0)
    try:
        with lock:
            yield
    except Timeout as error:
        raise SettingError(
            f"data directory {settings.data_dir}",
            found="another run at work in it",
            expected="one run at a time",
            remedy="Wait until it has ended, or set CHOKEPOINT_DATA_DIR to another directory.",
        ) from error


def _execute(settings: Settings, years: list[int], lock: Lock, only: Sequence[str] = ()) -> int:
    """Run the refresh job, or only some assets of it, on what the lock names; report; 1 when it failed."""
    started = time.monotonic()
    print("Loading Dagster and the dbt project …", flush=True)
    home = ensure_dagster_home()
    import dagster as dg

    from dagster_project.build import build_definitions
    from dagster_project.jobs import REFRESH
    from dagster_project.partitions import partition_range_tags

    job = build_definitions(settings=settings, lock=lock).resolve_job_def(REFRESH)
    run_id = str(uuid.uuid4())
    with dg.DagsterInstance.from_config(str(home)) as instance, _logged(settings) as say:
        instance.add_event_listener(run_id, _Progress(say, started))
        result = job.execute_in_process(
            instance=instance,
            run_id=run_id,
            tags=partition_range_tags(years) if years else {},
            asset_selection=[dg.AssetKey(name) for name in only] or None,
            raise_on_error=False,
        )
    if not result.success:
        _report_failure(result)
        return 1
    return _summary(settings, result, time.monotonic() - started)


def ensure_dagster_home() -> Path:
    """DAGSTER_HOME, by default .dagster in the checkout, with the project's instance settings in it."""
    home = Path(os.environ.setdefault("DAGSTER_HOME", str(PROJECT_ROOT / ".dagster")))
    home.mkdir(parents=True, exist_ok=True)
    if not (home / "dagster.yaml").exists():
        shutil.copyfile(PROJECT_ROOT / "dagster.yaml", home / "dagster.yaml")
    return home


@contextmanager
def _logged(settings: Settings) -> Iterator[TextIO]:
    """Send all output of Dagster and dbt to a log file; yield the stream that still reaches the user."""
    path = settings.data_dir / "logs" / f"run-{time.strftime('%Y%m%dT%H%M%S')}.log"
    path.parent.mkdir(parents=True, exist_ok=True)
    print(f"Full log: {path}", flush=True)
    shown = sys.stdout
    with path.open("w") as log, redirect_stdout(log), redirect_stderr(log):
        yield shown


@dataclass(frozen=True)
class _Progress:
    """Prints a line when a step of the run ends, and one for each check that fails."""

    stream: TextIO
    started: float

    def __call__(self, entry: dg.EventLogEntry) -> None:
        event = entry.dagster_event
        if event is None:
            return
        text = {"STEP_SUCCESS": "done", "STEP_FAILURE": "FAILED", "STEP_SKIPPED": "skipped"}.get(event.event_type_value)
        if text is not None:
            print(f"  {time.monotonic() - self.started:6.1f} s  {event.step_key}: {text}", file=self.stream, flush=True)


def _report_failure(result: dg.ExecuteInProcessResult) -> None:
    """What failed and why: failed blocking checks with their rows, and the message of each failed step."""
    import dagster as dg

    print("\nThe run failed; the previous release, if any, stays as it is.", file=sys.stderr)
    for evaluation in result.get_asset_check_evaluations():
        if not evaluation.passed and evaluation.severity.value == "ERROR":
            print(
                f"\nCheck failed: {evaluation.check_name} of {evaluation.asset_key.to_user_string()}", file=sys.stderr
            )
            print(f"  {evaluation.description}", file=sys.stderr)
            rows = evaluation.metadata.get("first_failing_rows")
            for record in rows.records[:SHOWN_ROWS] if isinstance(rows, dg.TableMetadataValue) else ():
                print("  " + ", ".join(f"{name} {value}" for name, value in record.data.items()), file=sys.stderr)
    for event in result.all_events:
        if event.is_step_failure:
            failure = event.step_failure_data
            described = failure.user_failure_data.description if failure.user_failure_data else None
            error = failure.error
            while error is not None and error.cause is not None:
                error = error.cause
            if error is not None and error.cls_name == "DagsterAssetCheckFailedError":
                continue  # reported above, with its rows
            print(f"\n{event.step_key}: {described or (error.message.strip() if error else 'failed')}", file=sys.stderr)


def _summary(settings: Settings, result: dg.ExecuteInProcessResult | None, seconds: float | None = None) -> int:
    """What the current release holds, how the checks went, where the files are, how to open the UI."""
    release = open_release(settings.published_dir)
    manifest = release.manifest
    print(f"\nRelease {release.release_id}" + (" (SYNTHETIC sample)" if manifest["synthetic"] else ""))
    print(f"  {'mart':32} {'rows':>10}  years")
    for name, mart in sorted(manifest["marts"].items()):
        print(f"  {name:32} {mart['rows']:>10,}  {_list(sorted(mart.get('years', {})))}")
    for name, reason in sorted(manifest["marts_left_out"].items()):
        print(f"  {name:32} {'left out':>10}  {reason}")
    _print_passed_over(manifest.get("passed_over", {}))  # releases of older versions have none
    if result is not None:
        checks = result.get_asset_check_evaluations()
        failed = [check for check in checks if not check.passed]
        print(f"\nChecks: {len(checks) - len(failed)} passed, {len(failed)} warned.")
        for check in failed:
            print(f"  warning: {check.check_name} of {check.asset_key.to_user_string()}: {check.description}")
    _print_benchmarks(release)
    print(f"\nFiles: {release.path}")
    print("Open the UI: make ui, then http://127.0.0.1:3000")
    if seconds is not None:
        print(f"Took {seconds:.0f} s.")
    return 0


def _print_passed_over(passed_over: Mapping[str, Sequence[str]]) -> None:
    """What the sources could not give or were not asked for, and files that are no table; the first few of each."""
    for dataset, notes in passed_over.items():
        print(f"\nNot taken in, {dataset}:")
        for note in notes[:SHOWN_ROWS]:
            print(textwrap.fill(note, 116, initial_indent="  - ", subsequent_indent="    ", break_long_words=False))
        if len(notes) > SHOWN_ROWS:
            print(f"  … and {len(notes) - SHOWN_ROWS} more (manifest.json, passed_over)")


def _print_benchmarks(release: Release) -> None:
    """The verdicts on the published figures: counted, then the figures with a value, then the names of the others."""
    with release.connect() as connection:
        figures = connection.execute(
            "select dataset, benchmark_id, published_value, computed_value, verdict from marts.published_benchmarks "
            "order by place"
        ).fetchall()
    verdicts = Counter(verdict for *_, verdict in figures)
    print("\nPublished figures: " + ", ".join(f"{n} {verdict}" for verdict, n in sorted(verdicts.items())) + ".")
    computed = [row for row in figures if row[3] is not None]
    if computed:
        print(f"  {'figure':32} {'published':>12} {'computed':>12}  verdict")
    for _, name, published, value, verdict in computed:
        print(f"  {name:32} {published:>12,.6g} {value:>12,.6g}  {verdict}")
    others: dict[str, list[str]] = {}
    for dataset, name, *_ in (row for row in figures if row[3] is None):
        others.setdefault(dataset, []).append(name)
    for dataset, names in others.items():
        text = f"not computable from the {dataset} loaded (column inputs says why): {', '.join(names)}"
        print(textwrap.fill(text, 116, initial_indent="  ", subsequent_indent="    ", break_long_words=False))


def _compare(settings: Settings, manifest: Path) -> int:
    """Compare a rebuilt release with the manifest beside the lock it was rebuilt from, mart by mart."""
    if not manifest.exists():
        return 0
    before, after = json.loads(manifest.read_text())["marts"], open_release(settings.published_dir).manifest["marts"]
    different = [
        name for name in sorted(before) if before[name]["content_hash"] != after.get(name, {}).get("content_hash")
    ]
    if different:
        print(f"\nNot the same content: {_list(different)}", file=sys.stderr)
        return 1
    print(f"\nRebuilt from the archive alone: all {len(before)} marts have the same content hash.")
    return 0


def _list(values: Sequence[object]) -> str:
    return ", ".join(str(value) for value in values) or "-"


if __name__ == "__main__":
    sys.exit(main())
