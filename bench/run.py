"""The benchmark: the pipeline, from files to a published release, against bare SQL. `make bench`, or a part of it:

    python -m bench.run                    every scenario
    python -m bench.run --years 3          the pipeline against bare SQL for three years
    python -m bench.run --only unchanged   one of: load, ratio, growth, together, unchanged, network
    python -m bench.run --only growth --only together --grown 10
                                           ten years, one run after the other and in one run, then an eleventh

Input and output lie in bench/work and are kept out of git; the input is generated once. The exit status is 1 when the
marts of the two differ; a missed target is shown, and is no failure: machines differ. See README.md beside this file.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sqlite3
import statistics
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from bench.compare import differences
from bench.generate import GOODS, RELEASE, generate
from bench.measure import ROOT, Measured, measure
from dagster_project.sample.world import FIRST_YEAR

WORK = ROOT / "bench" / "work"
SCENARIOS = ("load", "ratio", "growth", "together", "unchanged", "network")
GROWN = 3  # years that are there when one more is added
RATIO_TARGETS = {1: 2.2, 3: 1.7}
PEAK_TARGET_MB = 4096
RATIO_PEAKS_MB = {1: 2048, 3: 3072}
ADDED_TARGET, SPREAD_TARGET, UNCHANGED_TARGET, LOAD_TARGET = 1.3, 0.15, 3, 5
NETWORKS_TARGET, NETWORKS_PEAK_TARGET_MB, COMPLEXITY_TARGET = 30, 1536, 5  # seconds of processor time of a year
ORACLE_GOODS = {"networkx": 50, "ecomplexity": 500}  # of which the oracles' time is measured
STAGES = ("imports", "archive and parse", "landing", "dbt", "checks", "publishing", "between steps")


@dataclass(frozen=True)
class Place:
    """Where one pipeline works: its drop folder, data directory and Dagster home."""

    name: str

    @property
    def drop(self) -> Path:
        return WORK / f"{self.name}-drop"

    @property
    def data(self) -> Path:
        return WORK / f"{self.name}-data"

    @property
    def home(self) -> Path:
        return WORK / f"{self.name}-home"

    @property
    def current(self) -> Path:
        """The current release."""
        return self.data / "published" / "current"

    def environment(self) -> dict[str, str]:
        """The settings of a run on BACI files alone; its years are named, because some are yet to come."""
        years = [int(path.name.split("_")[2][1:]) for path in (self.drop / "baci").glob("BACI_*")]
        return {
            **({"CHOKEPOINT_YEARS": ",".join(map(str, sorted(years)))} if years else {}),
            "CHOKEPOINT_DATA_DIR": str(self.data),
            "CHOKEPOINT_DROP_DIR": str(self.drop),
            "CHOKEPOINT_TRADE_SOURCE": "baci_files",
            "CHOKEPOINT_REFERENCE_SOURCE": "files",
            "CHOKEPOINT_TARIFF_SOURCE": "off",
            "CHOKEPOINT_PATENT_SOURCE": "off",
            "CHOKEPOINT_POLITICS_SOURCE": "off",
            "CHOKEPOINT_CHAINS_SOURCE": "off",
            "DAGSTER_HOME": str(self.home),
        }

    def fill(self, years: int, goods: int) -> None:
        """Make the drop folder hold the first years of the generated input."""
        shutil.rmtree(self.drop, ignore_errors=True)
        for path in generated(years, goods):
            target = self.drop / path.relative_to(input_folder(goods))
            target.parent.mkdir(parents=True, exist_ok=True)
            os.link(path, target)

    def megabytes(self) -> float:
        """What the data directory takes on the disk; a file with several names counts once."""
        found = {path.lstat().st_ino: path.lstat().st_blocks for path in self.data.rglob("*")}
        return sum(found.values()) * 512 / 1e6

    def hashes(self) -> dict[str, str]:
        """Mart -> content hash in the current release."""
        marts = json.loads((self.current / "manifest.json").read_text())["marts"]
        return {name: facts["content_hash"] for name, facts in marts.items()}

    def clear(self) -> None:
        """Remove everything."""
        for folder in (self.drop, self.data, self.home):
            shutil.rmtree(folder, ignore_errors=True)


def main() -> int:
    """Run the scenarios asked for and print the table; 1 when marts differ."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", choices=SCENARIOS, action="append", help="a scenario; repeat for several")
    parser.add_argument("--years", type=int, action="append", help="years of the ratio scenario (default 1 and 3)")
    parser.add_argument(
        "--goods", type=int, default=GOODS, help=f"goods of the input (default {GOODS}); few: a trial run"
    )
    parser.add_argument(
        "--grown", type=int, default=GROWN, help=f"years that are there when one more is added (default {GROWN})"
    )
    parser.add_argument("--rounds", type=int, default=1, help="times each ratio is measured; the medians are shown")
    options = parser.parse_args()
    scenarios = options.only or (["ratio"] if options.years else SCENARIOS)
    print(f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}", flush=True)
    equal = True
    if "load" in scenarios:
        load()
    if "ratio" in scenarios:
        for years in options.years or RATIO_TARGETS:
            equal &= ratio(years, options.goods, options.rounds)
    grown: dict[str, str] = {}
    if "growth" in scenarios:
        grown = growth(options.grown, options.goods)
    if "together" in scenarios:
        equal &= together(options.grown, options.goods, grown)
    if "unchanged" in scenarios and not {"growth", "together"} & set(scenarios):
        place = Place("unchanged")
        place.clear()
        place.fill(1, options.goods)
        run_pipeline(place)
        unchanged(place)
        place.clear()
    if "network" in scenarios:
        network(options.goods)
    return 0 if equal else 1


# ------------------------------------------------------------------------------------------ the input


def input_folder(goods: int) -> Path:
    """Where the generated files of this many goods lie."""
    return WORK / ("input" if goods == GOODS else f"input-{goods}")


def generated(years: int, goods: int) -> list[Path]:
    """The files of the first years of the input, generated where they are not there yet."""
    everything = input_folder(goods)
    tables = [everything / "baci" / f"BACI_HS17_Y{FIRST_YEAR + n}_{RELEASE}.csv" for n in range(years)]
    if not all(path.exists() for path in tables):
        building = WORK / "input-building"
        shutil.rmtree(building, ignore_errors=True)
        for year, rows, seconds in generate(building, years, FIRST_YEAR, goods):
            print(f"generated {year}: {rows:,} flows in {seconds:.0f} s", flush=True)
        shutil.rmtree(everything, ignore_errors=True)
        building.rename(everything)
    return tables + sorted(p for p in everything.rglob("*.csv") if not p.name.startswith("BACI_"))


# -------------------------------------------------------------------------------------- the scenarios


def load() -> None:
    """How long the definitions take to load, and what Great Expectations and dbt cost on top when they are needed."""
    place = Place("load")
    for what, code, target in (
        ("definitions load", "import dagster_project.definitions", LOAD_TARGET),
        ("import great_expectations (first check of a run)", "import great_expectations", None),
        ("import dbt (first dbt command of a run)", "import dbt.cli.main", None),
    ):
        seconds = statistics.median(measure(["-c", code], place.environment()).seconds for _ in range(3))
        show(what, f"{seconds:.1f} s", f"< {target} s" if target else "", target is None or seconds < target)
    place.clear()


def ratio(years: int, goods: int, rounds: int) -> bool:
    """The pipeline against bare.sql and prices.sql, in turn; whether their marts are equal."""
    place, out = Place(f"ratio-{years}"), WORK / f"bare-{years}"
    pipelines: list[Measured] = []
    bares: list[Measured] = []
    found: list[str] = []
    for _ in range(rounds):
        place.clear()
        place.fill(years, goods)
        pipelines.append(run_pipeline(place))
        shutil.rmtree(out, ignore_errors=True)
        bares.append(measure(["-m", "bench.bare", str(place.drop), str(out)], {}))
        found = found or differences(out, place.data / "published" / "current")
    ours, bare = middle(pipelines), middle(bares)
    times, target = ours.seconds / bare.seconds, RATIO_TARGETS.get(years)
    busy, peak = ours.cpu_seconds / bare.cpu_seconds, RATIO_PEAKS_MB.get(years, PEAK_TARGET_MB)
    print(f"\n{years} year{'s' if years > 1 else ''} ({rounds} round{'s' if rounds > 1 else ''})")
    show("pipeline", f"{ours.seconds:.1f} s", f"{ours.cpu_seconds:.1f} s of processor time")
    show("bare SQL", f"{bare.seconds:.1f} s", f"{bare.cpu_seconds:.1f} s of processor time")
    for _, line in bare.lines:
        print(f"    {line}")
    wanted = f"<= {target}" if target else ""
    show("ratio of processor times", f"{busy:.2f}", wanted, target is None or busy <= target)
    show("ratio of wall times (quiet machine)", f"{times:.2f}", wanted, target is None or times <= target)
    show("peak memory, pipeline", f"{ours.peak_mb:.0f} MB", f"<= {peak} MB", ours.peak_mb <= peak)
    show("peak memory, bare SQL", f"{bare.peak_mb:.0f} MB")
    for stage, seconds in stages(ours, place.home).items():
        show(f"  {stage}", f"{seconds:.1f} s", f"{seconds / ours.seconds:.0%}")
    show("marts", "differ" if found else "equal", "equal", not found)
    for line in found:
        print(f"    {line}")
    place.clear()
    shutil.rmtree(out)
    return not found


def growth(grown: int, goods: int) -> dict[str, str]:
    """A warehouse that grows by a year with every run: the last over the first, and how the added years differ.

    Then all of it is rebuilt in one run. Returns the content hashes that came of it.
    """
    place = Place("growth")
    place.clear()
    generated(grown + 1, goods)
    runs = []
    print(f"\n{grown} years and one more, a run for each")
    for held in range(1, grown + 2):
        place.fill(held, goods)
        runs.append(_shown(place, f"year {held}" + (" (alone)" if held == 1 else " added")))
    first, *added = runs
    _show_added(added[-1], first, f"year {grown + 1}")
    for what, figures in (
        ("wall", [run.seconds for run in added]),
        ("processor", [run.cpu_seconds for run in added]),
    ):
        spread = max(figures) / min(figures) - 1
        show(f"spread of the added years, {what}", f"{spread:.0%}", f"<= {SPREAD_TARGET:.0%}", spread <= SPREAD_TARGET)
    peak = max(run.peak_mb for run in runs)
    show("highest peak memory", f"{peak:.0f} MB", f"<= {PEAK_TARGET_MB} MB", peak <= PEAK_TARGET_MB)
    show("disk per year", f"{place.megabytes() / (grown + 1):.0f} MB", "every release kept")
    unchanged(place)
    rebuilt(place)
    hashes = place.hashes()
    place.clear()
    return hashes


def together(grown: int, goods: int, others: dict[str, str]) -> bool:
    """Many years from files to a release in one run, then one more, then all of it rebuilt; whether hashes are equal.

    `others` are the hashes of the same years that were computed in another way, if they were.
    """
    place = Place("together")
    place.clear()
    generated(grown + 1, goods)
    print(f"\n{grown} years in one run, and one more")
    place.fill(1, goods)
    single = _shown(place, "year 1 (alone)")
    place.clear()
    place.fill(grown, goods)
    whole = _shown(place, f"{grown} years")
    show("peak memory", f"{whole.peak_mb:.0f} MB", f"<= {PEAK_TARGET_MB} MB", whole.peak_mb <= PEAK_TARGET_MB)
    show("disk per year", f"{place.megabytes() / grown:.0f} MB")
    place.fill(grown + 1, goods)
    _show_added(_shown(place, f"year {grown + 1} added"), single, f"year {grown + 1}")
    unchanged(place)
    hashes = place.hashes()
    equal = not others or others == hashes
    if others:
        show("hashes of the release that grew year by year", "equal" if equal else "differ", "equal", equal)
    rebuilt(place)
    place.clear()
    return equal


def rebuilt(place: Place) -> None:
    """All years of the current release in one run, from its lock; the command fails where a hash differs."""
    lock = str(place.current / "inputs.lock.json")
    run = measure(["-m", "dagster_project.cli", "rebuild", lock], place.environment())
    show("rebuilt from the lock, equal hashes", f"{run.seconds:.1f} s", f"{run.cpu_seconds:.1f} s of processor time")
    show("  peak memory", f"{run.peak_mb:.0f} MB", f"<= {PEAK_TARGET_MB} MB", run.peak_mb <= PEAK_TARGET_MB)


def unchanged(place: Place) -> None:
    """A run that finds nothing new."""
    run_pipeline(place)  # what was written just before is read once more, and known from then on
    again = run_pipeline(place)
    quiet = any(line.startswith("Nothing has changed") for _, line in again.lines)
    target = f"<= {UNCHANGED_TARGET} s, {again.cpu_seconds:.1f} s of processor time"
    show("run with nothing new", f"{again.seconds:.1f} s", target, again.seconds <= UNCHANGED_TARGET)
    show("  and computes nothing", "yes" if quiet else "no", "yes", quiet)


def _shown(place: Place, what: str) -> Measured:
    """Run the pipeline and show what it took."""
    before = place.megabytes() if place.data.exists() else 0.0
    run = run_pipeline(place)
    more = f"{run.cpu_seconds:.1f} s of processor time, {run.peak_mb:.0f} MB, disk +{place.megabytes() - before:.0f} MB"
    show(what, f"{run.seconds:.1f} s", more)
    return run


def _show_added(added: Measured, single: Measured, what: str) -> None:
    for name, times in (
        ("wall", added.seconds / single.seconds),
        ("processor", added.cpu_seconds / single.cpu_seconds),
    ):
        show(f"{what} over the single year, {name}", f"{times:.2f}", f"<= {ADDED_TARGET}", times <= ADDED_TARGET)


def network(goods: int) -> None:
    """Networks and complexity of one year, in a process of their own; and the packages that they are equal to."""
    path = next(each for each in generated(1, goods) if each.name.startswith("BACI_"))
    print()
    for part, oracle, seconds, peak_mb in (
        ("ours", "networkx", NETWORKS_TARGET, NETWORKS_PEAK_TARGET_MB),
        ("complexity", "ecomplexity", COMPLEXITY_TARGET, NETWORKS_PEAK_TARGET_MB),
    ):
        name = {"ours": "networks", "complexity": "complexity with density"}[part]
        year = measure(["-m", "bench.network", part, str(path), str(goods)], {})
        alone = computing(year)
        show(f"{name}, {goods:,} goods", f"{alone:.1f} s", f"<= {seconds} s of processor time", alone <= seconds)
        show("  the whole process", f"{year.cpu_seconds:.1f} s", "of processor time")
        show("  peak memory", f"{year.peak_mb:.0f} MB", f"<= {peak_mb} MB", year.peak_mb <= peak_mb)
        few = min(goods, ORACLE_GOODS[oracle])
        times = [computing(measure(["-m", "bench.network", each, str(path), str(few)], {})) for each in (oracle, part)]
        show(f"  {oracle} over ours, {few} goods", f"{times[0] / times[1]:.0f}", "times the processor time")


def computing(run: Measured) -> float:
    """Seconds of processor time that a part says it took, in its last line."""
    return float(run.lines[-1][1].rsplit(": ", 1)[1].split()[0])


def run_pipeline(place: Place) -> Measured:
    """One `run` of the command line, from nothing imported to its last line."""
    return measure(["-m", "dagster_project.cli", "run"], place.environment())


# ------------------------------------------------------------------------------------------ the table


def stages(run: Measured, home: Path) -> dict[str, float]:
    """Seconds of a run by stage. Between steps Dagster writes events, and after the last one the process ends."""
    steps = step_times(home)
    first = min(begin for begin, _ in steps.values())
    looking, planned, loading = (run.moment(line) for line in ("Looking at", "Years held", "Loading Dagster"))
    seconds = dict.fromkeys(STAGES, 0.0)
    seconds["imports"] = looking - run.started + first - loading
    seconds["archive and parse"] = planned - looking
    for step, (begin, end) in steps.items():
        seconds[stage_of(step)] += end - begin
    return {**seconds, "between steps": run.seconds - sum(seconds.values())}


def stage_of(step: str) -> str:
    """The stage that a Dagster step belongs to."""
    if step.startswith("raw__"):
        return "archive and parse"
    if step.endswith("_models"):
        return "dbt"
    return {"landing": "landing", "check": "checks", "release": "publishing"}[step.split("_")[0]]


def step_times(home: Path) -> dict[str, tuple[float, float]]:
    """Step -> begin and end (seconds since 1970) in the newest run of a Dagster home."""
    runs = [path for path in (home / "history" / "runs").glob("*.db") if path.name != "index.db"]
    with sqlite3.connect(max(runs, key=lambda path: path.stat().st_mtime)) as connection:
        rows = connection.execute(
            "select step_key, min(timestamp), max(timestamp) from event_logs "
            "where dagster_event_type in ('STEP_START', 'STEP_SUCCESS') group by step_key"
        ).fetchall()
    return {step: (_seconds(begin), _seconds(end)) for step, begin, end in rows}


def _seconds(moment: str) -> float:
    return datetime.fromisoformat(moment).replace(tzinfo=UTC).timestamp()


def middle(runs: Sequence[Measured]) -> Measured:
    """The run of median time (the quicker of the two in the middle)."""
    return sorted(runs, key=lambda run: run.seconds)[(len(runs) - 1) // 2]


def show(what: str, value: str, target: str = "", met: bool = True) -> None:
    """One line of the table."""
    print(f"{what:52} {value:>12}   {target}{'' if met else '   MISSED'}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
