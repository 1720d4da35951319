"""Runs killed (SIGKILL) at every stage, with settings and files that change between them.

After every kill, the current release is one of the whole ones, byte for byte as its manifest says. The run after it
ends, leaves nothing behind, and publishes what a data directory holds in which nothing was ever killed.

`make test` kills a few runs. CONTRIBUTING.md says how to kill as many as wanted; the table printed then says at which
stages they were.
"""

from __future__ import annotations

import random
import shutil
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import pytest

from dagster_project.datasets import samples as sample
from dagster_project.sample.truth import truth
from tests.helpers import killed_runs as kills
from tests.helpers.killed_runs import Place, World
from tests.helpers.landing_desk import as_csv, row

pytestmark = [pytest.mark.slow, pytest.mark.timeout(0)]  # every run has its own limit
TRADE = {
    "trade_source": "files",
    "reference_source": "files",
    "tariff_source": "off",
    "patent_source": "off",
    "politics_source": "off",
    "chains_source": "off",
}
BASE = World("as at first", {**TRADE, "years": "2019"})
WORLDS = (
    BASE,
    World("two years", {**TRADE, "years": "2018-2019"}),
    World("a revised file", {**TRADE, "years": "2019"}, corrected=1),
    World("tariffs too", {**TRADE, "years": "2019", "tariff_source": "sample"}),
)
# Runs under these only end by a kill: under another scope dbt parses all anew, which takes half as long as a run; and
# too few goods have a way to the other revision.
OTHER_SCOPE = World("all goods", {**TRADE, "years": "2019", "product_scope": "all"})
OTHER_REVISION = World("another revision", {**TRADE, "years": "2019", "hs_revision": "H4"})
STAGES = (
    kills.LOOKING,
    kills.ARCHIVING,
    kills.PARSING,
    kills.LOADING,
    "raw__trade",
    "landing_reference",
    "landing_trade",
    "check_trade_landing",
    "landing__inputs",
    "staging_models",
    "check_trade_staging",
    "trade_models",
    "tariffs_models",
    "check_trade_marts",
    "benchmark_models",
    "check_benchmarks",
    kills.RELEASE,
    kills.PUBLISHING,
    kills.PUBLISHED,
    kills.ENDING,
)
NEVER_SEEN = 1000  # from here on: corrections that no other run knows


@dataclass
class Yard:
    """The drop folder, the place of the kills, and a place for each world in which nothing is ever killed."""

    root: Path
    struck: Counter[tuple[str, str]] = field(default_factory=Counter)
    known: dict[str, dict[str, str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        sample.write_drop_folder(self.root / "drop")
        for folder in ("ustr", "patents", "politics", "gvc", "baci"):
            shutil.rmtree(self.root / "drop" / folder, ignore_errors=True)
        for path in (self.root / "drop/comtrade").glob("*2017*"):
            path.unlink()

    def place(self, name: str) -> Place:
        return Place(self.root / name, self.root / "drop", self.correct)

    def correct(self, value: int | None) -> None:
        """Place the revised file, or take it away."""
        path = self.root / "drop/comtrade/zz_correction.csv"
        path.unlink(missing_ok=True)
        if value is not None:
            reported = corrected_row()
            path.write_text(as_csv([{**reported, "primaryValue": float(str(reported["primaryValue"])) + value}]))

    def never_killed(self, world: World) -> dict[str, str]:
        """What a run of the world publishes in a data directory of its own."""
        if world.name not in self.known:
            place = self.place(f"calm {world.name}")
            place.run(world)
            self.known[world.name] = place.hashes()
            shutil.rmtree(place.root)
        return self.known[world.name]


@cache
def corrected_row() -> dict[str, object]:
    """An import of 2019 that the sample's importer reported, and that counts as it stands."""
    landed, flows = truth().landed, truth().flows
    year, importer, _, exporter, hs6 = next(
        key for key, value in landed.items()
        if key[0] == 2019 and key[2] == "M" and flows.get((2019, key[3], key[1], key[4]), (0,))[0] == value
    )  # fmt: skip
    value = landed[year, importer, "M", exporter, hs6]
    return row(refYear=year, reporterCode=importer, partnerCode=exporter, cmdCode=hs6, primaryValue=value)


@pytest.fixture
def yard(tmp_path: Path) -> Yard:
    return Yard(tmp_path)


def blows(draw: random.Random) -> Iterator[tuple[str, World, World]]:
    """Stage after stage: where to kill, what is being computed then, and what the run after it is to compute.

    The next run goes back to the world published before, on with the one that was killed, or on to a third.
    """
    published, number = BASE, 0
    while True:
        for stage in draw.sample(STAGES, len(STAGES)):
            number += 1
            others = [world for world in WORLDS if world != published]
            wanted = draw.choice(others)
            if stage in (kills.ARCHIVING, kills.PARSING):
                wanted = World("a file never seen", BASE.settings, corrected=NEVER_SEEN + number)
            elif stage == "tariffs_models":
                wanted = next(world for world in WORLDS if "sample" in world.settings["tariff_source"])
            elif stage in ("landing_trade", "landing_reference") and draw.random() < 0.5:
                wanted = OTHER_REVISION
            elif stage in ("trade_models", "check_trade_marts"):
                wanted = OTHER_SCOPE
            following = draw.choice(
                [published, published, wanted if wanted in WORLDS else published, draw.choice(others)]
            )
            yield stage, wanted, following
            published = following


def test_killed_runs_cost_nothing_but_their_own_work(yard: Yard, pytestconfig: pytest.Config) -> None:
    most = int(pytestconfig.getoption("--kills"))
    draw = random.Random(most)  # another number is another sequence
    place, published = yard.place("killed"), BASE
    first = place.start(BASE)
    took = first.seconds_by_stage()
    assert first.child.exitcode == 0, first.out.read_text()
    yard.known[BASE.name] = place.hashes()  # nothing was killed there yet
    for stage, wanted, following in blows(draw):
        if yard.struck.total() >= most:
            break
        before = place.hashes()
        at = place.start(wanted).kill(stage, draw.random() * took.get(stage, 1.0))
        now = place.hashes()  # every file is whole
        assert now == before or now == yard.never_killed(wanted), f"{stage}, {wanted.name}: a release of neither world"
        printed = place.run(following)
        assert place.hashes() == yard.never_killed(following), f"{stage}, {wanted.name}, then {following.name}"
        assert not place.left_behind() and not place.remains(), f"{stage}: {place.left_behind()} {place.remains()}"
        if at is not None:
            how = "nothing to do" if "Nothing has changed" in printed else "computed"
            yard.struck[at, f"{'old' if now == before else 'new'} release whole, next run {how}"] += 1
            print(
                f"{yard.struck.total()} {at}: {published.name}, killed {wanted.name}, then {following.name}: {how}",
                flush=True,
            )
        published = following
    print("\nstage killed | kills | outcome")
    for (at, outcome), number in sorted(yard.struck.items()):
        print(f"{at} | {number} | {outcome}")
    assert yard.struck.total() >= most
    assert "Nothing has changed" in place.run(published)
