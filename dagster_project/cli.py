"""The commands of `chokepoint`: read the arguments, start the work, say how it ended.

What belongs here: the conversation with the user. Not here: what is shown on the way (see `progress`), what came out
(see `summary`), and the work; a run from the Dagster UI does the same.
"""

from __future__ import annotations

import argparse
import atexit
import glob
import os
import shutil
import socket
import sys
import tempfile
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING

from dagster_project.archive.lock import Lock, load_lock
from dagster_project.checks.engine import import_great_expectations
from dagster_project.datasets.declaration import LiveService
from dagster_project.datasets.registry import DATASETS, datasets_on
from dagster_project.display import Display
from dagster_project.durable import KNOWN_FILES, remembering, told
from dagster_project.environment import prepare, require_place
from dagster_project.errors import Deferred, EnvironmentProblem, ReleaseError, SettingError, SourceError, UserError
from dagster_project.locks import RUN_LOCK, RUN_MARKS, Taken, held
from dagster_project.places import (
    DAGSTER_YAML,
    HOME,
    INSTALLED,
    WORKSPACE_YAML,
    command,
    program_version,
)
from dagster_project.planning.doctor import examine, table
from dagster_project.planning.state import make_plan
from dagster_project.progress import RunSteps, lasting_output, output_to_log, print_failure, work_shown
from dagster_project.publish.read import CURRENT, open_release, verify
from dagster_project.settings import Settings, load_settings
from dagster_project.sources.live import live_session
from dagster_project.spark import change_of_engine
from dagster_project.summary import listed, print_comparison, print_summary

if TYPE_CHECKING:  # seconds: not before a command needs it
    import dagster as dg

FORMATS = ("xlsx", "csv", "parquet")  # of export
DEMO = "demo"  # its data directory, unless the environment names one
UI_HOST, UI_PORT = "127.0.0.1", 3000


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; the exit status is 0, or 1 after a message that says what to do."""
    options = _parser().parse_args(arguments)
    with lasting_output():
        try:
            with told("data directory"):
                return int(options.command(options))
        except UserError as error:
            print(f"\nStopped: {error}", file=sys.stderr)
            if isinstance(error, SourceError | Deferred | EnvironmentProblem):
                print("The release published before, if any, stays as it is.", file=sys.stderr)
            return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="chokepoint", description="From public trade data to a published release.")
    parser.add_argument("--version", action="version", version=f"%(prog)s {program_version()}")
    commands = parser.add_subparsers(required=True, metavar="command")

    def add(name: str, function: Callable[[argparse.Namespace], int], text: str) -> argparse.ArgumentParser:
        added = commands.add_parser(name, help=text, description=text)
        added.set_defaults(command=function)
        return added

    add("demo", _demo, "the embedded synthetic sample, in a data directory of its own")
    add("run", _run, "the sources that the settings choose (environment or .env)")
    ui = add("ui", _ui, f"the Dagster UI on http://{UI_HOST}:{UI_PORT}")
    ui.add_argument("--port", type=int, default=UI_PORT, help="another port of this machine")
    explore = add("explore", _explore, "questions to the published releases, in a browser: a read-only web application")
    explore.add_argument("--host", default="", help="another address of this machine than loopback; it has no password")
    explore.add_argument("--port", type=int, default=None, help="another port; 0: any that is free")
    explore.add_argument("--name", action="append", default=[], help="a name under which browsers reach it, repeatable")
    brief = add("brief", _brief, "the page of another importer, other years or one good, from a release")
    brief.add_argument("--importer", default="", help="ISO 3166-1 alpha-3 code; default: the setting")
    brief.add_argument("--good", default="", help="an HS code of six digits: the page of this good, of all countries")
    brief.add_argument("--years", default="", help="2017-2019 or 2017,2019; default: the setting")
    brief.add_argument("--release", default=None, help="a release id; default: the current release")
    brief.add_argument(
        "--output", type=Path, default=None, help="default: brief-<importer or good>.html in the data directory"
    )
    scenario = add("scenario", _scenario, "what each importer loses if an exporter delivers less of some goods")
    scenario.add_argument("--exporter", required=True, help="ISO 3166-1 alpha-3 code, such as CHN")
    scenario.add_argument("--goods", required=True, help="scope, or first digits of HS codes: 8542 or 280530,284690")
    scenario.add_argument("--cut", default="", help="the part that is not delivered, up to 1; default: the setting")
    scenario.add_argument("--spare", default="", help="what others can sell in addition; default: the setting")
    scenario.add_argument("--year", default="", help="default: the newest year of the release")
    scenario.add_argument("--release", default=None, help="a release id; default: the current release")
    statements = add("statements", _statements, "published statements, and what a release says of each, as Markdown")
    statements.add_argument("--release", default=None, help="a release id; default: the current release")
    export = add("export", _export, "marts of a release as a workbook, CSV or Parquet, whole or by a condition")
    export.add_argument("--format", required=True, choices=FORMATS)
    export.add_argument("--mart", action="append", default=[], help="may be repeated; default: the small ones")
    export.add_argument("--where", default="", help="a condition in SQL: \"year = 2019 and importer_iso3 = 'USA'\"")
    export.add_argument("--to", type=Path, default=None, help="a file, or a folder; default: in the data directory")
    export.add_argument("--release", default=None, help="a release id; default: the current release")
    rebuild = add("rebuild", _rebuild, "the release of a lock file again, from the archive alone")
    rebuild.add_argument("lock", type=Path, help="an inputs.lock.json")
    add("pin", _pin, "accept the reference files as they are now: writes their hashes")
    add("doctor", _doctor, "ask each chosen live source its smallest question: would a run get what it needs?")
    add("docs", _docs, "the generated pages of docs/ and bi/superset (in a checkout)")
    add("dbt-docs", _dbt_docs, "every model with its SQL, tests and lineage, as one page")
    return parser


def _demo(options: argparse.Namespace) -> int:
    """The sample with default settings; of the environment only the data directory counts."""
    environ = {name: value for name, value in os.environ.items() if name == "CHOKEPOINT_DATA_DIR"}
    settings = load_settings({"CHOKEPOINT_DATA_DIR": DEMO, **environ}, dotenv=None)
    print("Chokepoint demo: a SYNTHETIC sample, made by code. Its numbers say nothing about the real world.")
    return _refresh(settings)


def _run(options: argparse.Namespace) -> int:
    return _refresh(load_settings())


def _pin(options: argparse.Namespace) -> int:
    """Write the hashes that the pinned files of live sources have now."""
    settings = load_settings()
    changed: list[str] = []
    with live_session(settings) as session:
        for service in (source for each in DATASETS for source in each.sources):
            if isinstance(service, LiveService) and service.pin:
                changed += service.pin(session)
    print(f"{listed(changed)} changed; the new hashes are pinned." if changed else "Every pinned hash still holds.")
    return 0


def _doctor(options: argparse.Namespace) -> int:
    """Ask the chosen live sources and print one table; 1 when something is wrong."""
    settings = load_settings()
    with live_session(settings, brief=True) as session:
        findings = examine(session)
    if not findings:
        print("No live source is chosen: there is nothing to ask (docs/live-sources.md).")
        return 0
    print(table(findings))
    wrong = [finding for finding in findings if finding.wrong]
    print(f"\n{len(findings) - len(wrong)} of {len(findings)} as a run needs them.")
    return 1 if wrong else 0


def _rebuild(options: argparse.Namespace) -> int:
    """Build the lock's release in a directory of its own, from the archive alone, and compare it with that release."""
    here, lock = load_settings(), load_lock(options.lock)
    if not lock.settings:
        raise SettingError(
            f"lock file {options.lock}",
            found="a lock without settings",
            expected="the inputs.lock.json of a published release",
            remedy="Take the copy that lies in the release to be rebuilt.",
        )
    locked = here.as_locked(lock.settings, f"lock file {options.lock}")
    settings = replace(locked, data_dir=here.data_dir / "rebuild")
    with _only_run(here):
        shutil.rmtree(settings.data_dir, ignore_errors=True)
        settings.data_dir.mkdir(parents=True)
        settings.archive_dir.symlink_to(here.archive_dir)
        lock.save(settings.lock_path)
        with work_shown() as display:
            outcome = _execute(settings, list(settings.years or ()), lock, display)
        if status := _report(settings, outcome, display.seconds):
            return status
        return 0 if print_comparison(settings, options.lock.with_name("manifest.json")) else 1


def _refresh(settings: Settings) -> int:
    """Compute what has changed and publish it; do nothing where nothing has changed."""
    sources = ", ".join(f"{each.name}: {each.source_name(settings)}" for each in datasets_on(settings))
    with _only_run(settings), remembering(settings.data_dir / KNOWN_FILES):
        with work_shown() as display:
            print(f"Looking at the sources ({sources}; data directory: {settings.data_dir}) …", flush=True)
            display.step("looking at the sources")
            plan = make_plan(settings, on_news=_start_imports)
            if not (plan.nothing_to_do and _has_release(settings)):
                if said := change_of_engine(settings):
                    print(said)
                print(f"Years held: {listed(plan.held)}; to compute: {listed(plan.years_of_run)}.", flush=True)
                outcome = _execute(settings, plan.years_of_run, load_lock(settings.lock_path), display)
            else:
                _free_marked_runs()
                print("Nothing has changed since the last release; nothing was computed.")
                outcome = None
                if settings.postgres_url:  # the release may not be in the database yet
                    outcome = _execute(settings, [], load_lock(settings.lock_path), display, ("postgres",))
        if outcome is None:
            print_summary(settings)
            return 0
        return _report(settings, outcome, display.seconds)


def _has_release(settings: Settings) -> bool:
    """Whether a current release is there, whole as far as that shows without reading it; says what is wrong with it."""
    try:
        with open_release(settings.published_dir):
            return True
    except ReleaseError as error:
        if (settings.published_dir / "current").is_symlink():
            print(f"The current release is published anew: {error}", flush=True)
        return False


def _brief(options: argparse.Namespace) -> int:
    """Render a page from a published release, after checking every file of it against its manifest."""
    from dagster_project.brief.good import write_good
    from dagster_project.brief.page import BriefOptions, write_brief

    given = {"CHOKEPOINT_BRIEF_IMPORTER": options.importer, "CHOKEPOINT_BRIEF_YEARS": options.years}
    settings = load_settings({**os.environ, **{name: value for name, value in given.items() if value}})
    with open_release(settings.published_dir, options.release, resources=settings.resources) as release:
        verify(release)
        if good := options.good.strip():
            name = "".join(filter(str.isalnum, good))
            target = options.output or settings.data_dir / f"brief-{name}.html"
            write_good(release, target, good, settings.brief_years, settings.brief_importer)
        else:
            target = options.output or settings.data_dir / f"brief-{settings.brief_importer}.html"
            write_brief(release, target, BriefOptions(settings.brief_importer, settings.brief_years))
    print(f"{target} ({target.stat().st_size:,} bytes), from release {release.release_id}")
    return 0


def _export(options: argparse.Namespace) -> int:
    """Write marts of a published release, which is only read."""
    from dagster_project.export import XLSX, Asked, export

    settings = load_settings()
    target = options.to or settings.data_dir / "export" / ("chokepoint.xlsx" if options.format == XLSX else "")
    with open_release(settings.published_dir, options.release, resources=settings.resources) as release:
        written = export(release, Asked(options.mart, options.where), options.format, target)
    for file in written:
        print(
            f"{file.path} ({file.rows:,} rows, {file.path.stat().st_size:,} bytes), from release {release.release_id}"
        )
    return 0


def _scenario(options: argparse.Namespace) -> int:
    """Answer one scenario from a published release, which is only read."""
    from dagster_project.brief.scenario import answer, question_of, text

    settings = load_settings()
    cut, spare = options.cut or str(settings.shock_cut), options.spare or str(settings.spare_capacity)
    question = question_of(options.exporter, options.goods, cut, spare, options.year)
    with open_release(settings.published_dir, options.release, resources=settings.resources) as release:
        print(text(answer(release, question)))
    return 0


def _statements(options: argparse.Namespace) -> int:
    """Print the published statements with a release's values and verdicts."""
    from dagster_project.statements import release_page

    settings = load_settings()
    with open_release(settings.published_dir, options.release, resources=settings.resources) as release:
        print(release_page(release), end="")
    return 0


def _explore(options: argparse.Namespace) -> int:
    """Answer a browser from the published releases until interrupted."""
    try:
        from dagster_project.explore.server import HOST, PORT, serve
    except ModuleNotFoundError as error:
        raise EnvironmentProblem(
            "command explore",
            found=f"no package {error.name}",
            expected="the packages of the extra `explore`",
            remedy="Install them: pip install 'chokepoint[explore]', or pip install '.[explore]' in a checkout.",
        ) from error
    settings = _or_the_demo(load_settings(), "explorer")
    serve(settings, options.host or HOST, PORT if options.port is None else options.port, options.name)
    return 0


def _ui(options: argparse.Namespace) -> int:
    """Become Dagster's UI, with its daemon for schedules and sensors."""
    settings = load_settings()  # a mistake in them is shown here, not somewhere in Dagster's log
    _require_free_port(options.port)
    settings = _or_the_demo(settings, "UI")
    print(f"Data directory: {settings.data_dir} (CHOKEPOINT_DATA_DIR chooses another).", flush=True)
    home = ensure_dagster_home()
    import dagster as dg

    with dg.DagsterInstance.from_config(str(home)) as instance:
        _free_dead_runs(instance)
    # A look at new files reads them whole, which can take longer than the minute that Dagster gives a schedule.
    os.environ.setdefault("DAGSTER_SCHEDULE_GRPC_TIMEOUT_SECONDS", "900")
    place = ["--host", UI_HOST, "--port", str(options.port)]
    os.execv(sys.executable, [sys.executable, "-m", "dagster", "dev", "-w", str(WORKSPACE_YAML), *place])


def _or_the_demo(settings: Settings, what: str) -> Settings:
    """The settings with the demo's data directory, where that alone holds a release and none was chosen."""
    demo = load_settings({"CHOKEPOINT_DATA_DIR": DEMO}, dotenv=None)
    if settings.data_dir != load_settings({}, dotenv=None).data_dir or not _published(demo) or _published(settings):
        return settings
    os.environ["CHOKEPOINT_DATA_DIR"] = str(demo.data_dir)
    print(f"Nothing was published in the data directory yet: the {what} shows the demo's.")
    return load_settings()


def _published(settings: Settings) -> bool:
    return (settings.published_dir / CURRENT).exists()


def _require_free_port(port: int) -> None:
    try:
        with socket.socket() as probe:
            probe.setsockopt(
                socket.SOL_SOCKET, socket.SO_REUSEADDR, 1
            )  # else a port that was just closed counts as taken
            probe.bind((UI_HOST, port))
    except (OSError, OverflowError) as error:
        raise SettingError(
            f"port {port}",
            found=f"a port that cannot be opened ({error})",
            expected="a free port of this machine, from 1024 to 65535",
            remedy="Stop the program that uses it, or choose another: chokepoint ui --port 3001, make ui UI_PORT=3001.",
        ) from error


def _docs(options: argparse.Namespace) -> int:
    """Write the checkout's generated documentation anew."""
    if INSTALLED:
        raise SettingError(
            "command docs",
            found="the program installed from a wheel",
            expected="a checkout of the repository, whose documentation is to be written",
            remedy="Start `make docs` in a checkout.",
        )
    for module in ("dagster_project.docs_pages", "bi.superset_bundle"):
        import_module(module).main()
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
            remedy=f"Start `{command('run')}` first, or set CHOKEPOINT_DATA_DIR (`demo` after `{command('demo')}`).",
        )
    with _only_run(settings):
        page = write_docs(settings)
    print(f"{page} ({page.stat().st_size:,} bytes)")
    return 0


def _start_imports() -> None:
    """Import what a run needs in the background: it takes seconds, in which DuckDB parses and the disk writes."""

    def load() -> None:
        for module in ("dagster_dbt", "dbt.cli.main"):
            with suppress(Exception):  # the code that needs it imports it again, and then the error is shown
                import_module(module)
        with suppress(Exception):
            import_great_expectations()

    Thread(target=load, name="imports", daemon=True).start()


@contextmanager
def _only_run(settings: Settings) -> Iterator[None]:
    """One run per data directory at a time."""
    require_place(settings)
    try:
        with held(settings.data_dir / RUN_LOCK, "a command of chokepoint"):
            prepare(settings)
            yield
    except Taken as error:
        raise SettingError(
            f"data directory {settings.data_dir}",
            found="another run at work in it" + (f" ({error.holder})" if error.holder else ""),
            expected="one run at a time",
            remedy="Wait until it has ended, or set CHOKEPOINT_DATA_DIR to another directory.",
        ) from error


def _execute(
    settings: Settings, years: list[int], lock: Lock, display: Display, only: Sequence[str] = ()
) -> dg.ExecuteInProcessResult:
    """Run the refresh job, or only some assets of it, on what the lock names."""
    print("Loading Dagster and the dbt project …", flush=True)
    display.step("loading Dagster and the dbt project")
    home = ensure_dagster_home()
    import dagster as dg

    from dagster_project.build import build_definitions
    from dagster_project.history import kept_open
    from dagster_project.jobs import REFRESH
    from dagster_project.partitions import partition_range_tags
    from dagster_project.runs import MARK, alive, free_dead_runs, holders_of

    run_id = str(uuid.uuid4())
    doing = f"a command of chokepoint, data directory {settings.data_dir}"
    with kept_open(), dg.DagsterInstance.from_config(str(home)) as instance, alive(home, run_id, doing):

        def blocked(pool: str) -> str:
            free_dead_runs(instance)
            return holders_of(instance, pool)

        _free_dead_runs(instance)
        with output_to_log(settings):
            job = build_definitions(settings=settings, lock=lock).resolve_job_def(REFRESH)
            display.total = display.begun + (len(only) or len(job.nodes))
            instance.add_event_listener(run_id, RunSteps(display, blocked))
            return job.execute_in_process(
                instance=instance,
                run_id=run_id,
                tags={MARK: "chokepoint", **(partition_range_tags(years) if years else {})},
                asset_selection=[dg.AssetKey(name) for name in only] or None,
                raise_on_error=False,
            )


def _report(settings: Settings, result: dg.ExecuteInProcessResult, seconds: float) -> int:
    """Say what came of a run; 1 when it failed."""
    if not result.success:
        print_failure(result)
        return 1
    print_summary(settings, result, seconds)
    return 0


def _free_dead_runs(instance: dg.DagsterInstance) -> None:
    """Free what runs hold whose process is gone, and say so."""
    from dagster_project.runs import free_dead_runs

    for run_id in free_dead_runs(instance):
        print(f"Run {run_id[:8]} was killed before its end: it is marked as failed, and what it held is freed.")


def _free_marked_runs() -> None:
    """The same, where nothing is run: Dagster takes seconds to import, so only when a run left its mark."""
    home = ensure_dagster_home()
    if any((home / RUN_MARKS).glob("*")):
        import dagster as dg

        with dg.DagsterInstance.from_config(str(home)) as instance:
            _free_dead_runs(instance)


def ensure_dagster_home() -> Path:
    """DAGSTER_HOME, by default .dagster among the user's files, with the project's instance settings in it.

    In a home of the user's choice, settings that are there stay as they are.
    """
    own = HOME / ".dagster"
    home = Path(os.environ.get("DAGSTER_HOME") or own).expanduser().absolute()
    os.environ["DAGSTER_HOME"] = str(home)
    home.mkdir(parents=True, exist_ok=True)
    if home == own or not (home / "dagster.yaml").exists():
        shutil.copyfile(DAGSTER_YAML, home / "dagster.yaml")
    return _without_patterns(home)


def _without_patterns(home: Path) -> Path:
    """Another name of DAGSTER_HOME where its own has a character that is a pattern to Dagster.

    Dagster would find no dagster.yaml there, and without a word use settings of its own.
    """
    if glob.escape(str(home)) == str(home):
        return home
    folder = Path(tempfile.mkdtemp(prefix="chokepoint-dagster-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)  # not when the process becomes the UI
    (folder / "home").symlink_to(home)
    os.environ["DAGSTER_HOME"] = str(folder / "home")
    return folder / "home"


if __name__ == "__main__":
    sys.exit(main())
