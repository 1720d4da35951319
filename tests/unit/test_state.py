"""Which years a run computes: what is asked for, what the source holds, what the last release was built from."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import duckdb
import pytest

from dagster_project.datasets.chains.dataset import CHAINS
from dagster_project.datasets.reference.dataset import REFERENCE
from dagster_project.datasets.registry import DATASETS
from dagster_project.datasets.tariffs.dataset import TARIFFS
from dagster_project.datasets.trade.dataset import TRADE
from dagster_project.durable import sha256_of
from dagster_project.errors import LandingDamaged, SourceError, UserError
from dagster_project.landing import yearly
from dagster_project.planning.loading import land, require_whole
from dagster_project.planning.state import IN_WORK, Built, make_plan, possible_years, years_to_check
from dagster_project.settings import load_settings
from tests.helpers.landing_desk import Desk, row
from tests.helpers.noted_builds import build

OFF = {each.setting: "off" for each in DATASETS if each not in (REFERENCE, TRADE)}


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    desk = Desk(tmp_path)
    desk.settings = desk.with_settings(**OFF)
    return desk


def test_first_run_computes_all_and_the_second_nothing(desk: Desk) -> None:
    desk.rows(row(), row(refYear=2018))
    plan = make_plan(desk.settings)
    assert (plan.held, plan.years, plan.full_refresh, plan.nothing_to_do) == ([2017, 2018], [2017, 2018], True, False)
    build(desk)
    assert make_plan(desk.settings).nothing_to_do


def test_only_the_year_that_changed(desk: Desk) -> None:
    desk.rows(row(), row(refYear=2018))
    build(desk)
    desk.rows(row(refYear=2018, primaryValue=7), name="correction.csv")
    plan = make_plan(desk.settings)
    assert (plan.held, plan.years, plan.full_refresh) == ([2017, 2018], [2018], False)


def test_what_was_built_but_not_released_is_computed_again(desk: Desk) -> None:
    """A check that kept a release from being published must see the same data again on the next run."""
    desk.rows(row(), row(refYear=2018))
    build(desk)
    desk.rows(row(refYear=2018, primaryValue=7), name="correction.csv")
    build(desk, release=False)
    assert make_plan(desk.settings).years == [2018]


def test_a_year_built_from_data_that_the_source_took_back_is_computed_again(desk: Desk) -> None:
    """Else the next release, of another year, would publish it unchecked."""
    desk.rows(row())
    desk.rows(row(refYear=2018), name="b.csv")
    build(desk)
    desk.rows(row(refYear=2018, primaryValue=7), name="b.csv")
    build(desk, release=False)
    desk.rows(row(refYear=2018), name="b.csv")
    assert make_plan(desk.settings).years == [2018]


def test_a_year_landed_from_data_that_the_source_took_back_is_landed_again(desk: Desk) -> None:
    desk.rows(row())
    desk.rows(row(refYear=2018), name="b.csv")
    before = build(desk)
    desk.rows(row(refYear=2018, primaryValue=7), name="b.csv")
    build(desk, release=False)
    before.save(desk.settings)  # the check of the landing stopped the run before the warehouse
    desk.rows(row(refYear=2018), name="b.csv")
    assert make_plan(desk.settings).years == [2018]


def test_a_year_that_is_gone_makes_a_run_necessary(desk: Desk) -> None:
    desk.rows(row(), row(refYear=2018))
    build(desk)
    desk.rows(row())
    plan = make_plan(desk.settings)
    assert plan.held == [2017] and not plan.nothing_to_do


@pytest.mark.parametrize(
    "changed", [{"product_scope": "all"}, {"mirror_cif_fob_factor": "1.1"}, {"centrality_years": "2017"}]
)
def test_settings_that_shape_all_years_compute_all(desk: Desk, changed: dict[str, str]) -> None:
    desk.rows(row(), row(refYear=2018))
    build(desk)
    desk.settings = desk.with_settings(**OFF, **changed)
    assert make_plan(desk.settings).years == [2017, 2018]


def test_reference_data_that_changed_compute_all(desk: Desk) -> None:
    desk.rows(row(), row(refYear=2018))
    build(desk)
    desk.write_weights("H3", "H4", [("010119", "010121", 1)])
    assert make_plan(desk.settings).years == [2017, 2018]


def test_years_asked_for(desk: Desk) -> None:
    desk.rows(*(row(refYear=year) for year in (2016, 2017, 2018)))
    desk.settings = desk.with_settings(**OFF, years="2017")
    assert make_plan(desk.settings).held == [2017]
    desk.settings = desk.with_settings(**OFF, years="2017,2020")
    with pytest.raises(
        SourceError, match=r"years 2020: found no rows of these years; the source holds 2016, 2017, 2018"
    ):
        make_plan(desk.settings)


def test_no_usable_row_at_all(desk: Desk) -> None:
    desk.rows(row(refYear="x", period=""))
    with pytest.raises(SourceError, match="no row with a year"):
        make_plan(desk.settings)


@pytest.mark.parametrize("year", [1950, 2099])
def test_year_that_cannot_be(desk: Desk, year: int) -> None:
    desk.rows(row(), row(refYear=year))
    with pytest.raises(SourceError, match=rf"rows of the years {year}; expected rows of years from 1988"):
        make_plan(desk.settings)
    desk.settings = desk.with_settings(**OFF, years="2017")
    assert make_plan(desk.settings).held == [2017]


def test_possible_years(desk: Desk) -> None:
    assert list(possible_years(desk.with_settings(years="2017,2019"))) == [2017, 2018, 2019]
    assert list(possible_years(desk.with_settings(trade_source="sample"))) == [2017, 2018, 2019]
    assert possible_years(desk.settings)[0] == 1988


def test_years_left_unpublished_are_checked_with_the_runs_own() -> None:
    """Year 2018 failed a check in an earlier run, 2019 was never published; 2016 is as published."""
    held = {"2016": "a", "2017": "b", "2018": "new", "2019": "d"}
    assert years_to_check(TRADE, [2017], held, {"2016": "a", "2017": "b", "2018": "old"}) == [2017, 2018, 2019]


def test_a_year_that_only_other_datasets_have_was_not_asked_of_this_one() -> None:
    """A run of 2017 to 2019: trade has 2017, the input-output tables 2018; 2019 nobody has, so trade lacks it."""
    years, trade, tables = [2017, 2018, 2019], {"2017": "a"}, {"2018": "b"}
    assert years_to_check(TRADE, years, trade, trade, [2018]) == [2017, 2019]
    assert years_to_check(CHAINS, years, tables, tables, [2017]) == [2018]


@pytest.mark.parametrize("made", [False, True])
def test_a_missing_drop_folder_is_refused_before_anything_is_asked_for(tmp_path: Path, made: bool) -> None:
    """The patents alone are to come from it; of the other datasets nothing is taken in before."""
    environ = {f"CHOKEPOINT_{name}_SOURCE": "off" for name in ("TARIFF", "POLITICS")}
    environ |= {"CHOKEPOINT_PATENT_SOURCE": "files", "CHOKEPOINT_DROP_DIR": str(tmp_path / "nowhere")}
    settings = load_settings({**environ, "CHOKEPOINT_DATA_DIR": str(tmp_path / "data")}, dotenv=None)
    if made:
        settings.drop_dir.mkdir()
    with pytest.raises(UserError, match="CHOKEPOINT_DROP_DIR"):
        make_plan(settings)
    assert not settings.archive_dir.exists()


def test_record_of_another_version_is_not_read(desk: Desk) -> None:
    """A data directory of an older version of the program is computed anew, whatever its record says."""
    desk.rows(row())
    build(desk)
    for name in ("built.json", "released.json"):
        path = desk.settings.data_dir / name
        content = json.loads(path.read_text())
        path.write_text(json.dumps({"config": "a", "years": content["years"]["trade"], "datasets": {}}))
    assert Built.load(desk.settings) == Built.released(desk.settings) == Built()
    assert make_plan(desk.settings).years == [2017]


# --- after a crash ----------------------------------------------------------------------------------------------------


def strike(desk: Desk, *, full: bool = True, years: tuple[int, ...] = (2017, 2018)) -> None:
    """What a build does before dbt begins; it never came to its end."""
    Built.load(desk.settings).without_years(TRADE, years, full=full).save(desk.settings)


def test_settings_taken_back_after_a_killed_build_compute_all_anew(desk: Desk) -> None:
    desk.rows(row(), row(refYear=2018))
    build(desk)
    first = desk.settings
    desk.settings = desk.with_settings(**OFF, product_scope="all")
    strike(desk)
    desk.settings = first
    plan = make_plan(desk.settings)
    assert (plan.years, plan.full_refresh) == ([2017, 2018], True)


def test_a_file_taken_back_after_a_killed_build_computes_its_year(desk: Desk) -> None:
    """The warehouse may hold the revised rows although the landing has the old ones again."""
    desk.rows(row(), row(refYear=2018))
    build(desk)
    strike(desk, full=False, years=(2018,))
    plan = make_plan(desk.settings)
    assert (plan.years, plan.full_refresh) == ([2018], False)


def test_a_new_year_taken_back_after_a_killed_build_leaves_the_warehouse(desk: Desk) -> None:
    desk.rows(row())
    build(desk)
    strike(desk, full=False, years=(2018,))
    assert not make_plan(desk.settings).nothing_to_do
    assert "2018" in Built.load(desk.settings).years_of(TRADE), "else nobody knows that its rows may be there"


def test_a_killed_build_of_a_dataset_without_years_is_done_again(desk: Desk) -> None:
    desk.rows(row())
    build(desk)
    Built.load(desk.settings).with_dataset(REFERENCE, IN_WORK).save(desk.settings)
    assert make_plan(desk.settings).datasets == ["reference"]


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"version": 3, "x": 1}', b"\xff\xfe"])
@pytest.mark.parametrize("name", ["built.json", "released.json"])
def test_a_record_that_cannot_be_read_computes_all(desk: Desk, name: str, content: bytes) -> None:
    desk.rows(row(), row(refYear=2018))
    build(desk)
    (desk.settings.data_dir / name).write_bytes(content)
    assert make_plan(desk.settings).years == [2017, 2018]


@pytest.mark.parametrize("content", [b"", b"{", b"[]"])
def test_a_lock_that_cannot_be_read_is_made_again(desk: Desk, content: bytes) -> None:
    desk.rows(row())
    build(desk)
    before = desk.settings.lock_path.read_bytes()
    desk.settings.lock_path.write_bytes(content)
    assert make_plan(desk.settings).nothing_to_do
    assert desk.settings.lock_path.read_bytes() == before


def halved(path: Path) -> bytes:
    """The same table with half of each value: what no check of a single table notices."""
    other = path.with_name("halved")
    with duckdb.connect() as connection:
        connection.execute(
            f"copy (select * replace (value_usd / 2 as value_usd) from '{path}') to '{other}' (format parquet)"
        )
    content = other.read_bytes()
    other.unlink()
    return content


def with_another_bit(content: bytes) -> bytes:
    return content[:40] + bytes([content[40] ^ 1]) + content[41:]


DAMAGES = {
    "empty": lambda path: path.write_bytes(b""),
    "cut off": lambda path: path.write_bytes(path.read_bytes()[:-50]),
    "gone": Path.unlink,
    "halved": lambda path: path.write_bytes(halved(path)),
    "one bit": lambda path: path.write_bytes(with_another_bit(path.read_bytes())),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_landed_year_that_was_damaged_is_landed_again(desk: Desk, damage: str) -> None:
    desk.rows(row(), row(refYear=2018))
    build(desk)
    path = desk.settings.landing_dir / "trade_flows/year=2018/part-0.parquet"
    whole = path.read_bytes()
    DAMAGES[damage](path)
    with pytest.raises(LandingDamaged, match=r"trade_flows/year=2018/part-0.parquet: .*; expected the tables as"):
        require_whole(desk.settings)
    assert make_plan(desk.settings).years == [2018]
    land(TRADE, desk.settings, [2018])
    assert path.read_bytes() == whole
    assert make_plan(desk.settings).nothing_to_do


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"counts": {}}', b"\xff"])
def test_a_receipt_that_cannot_be_read_vouches_for_nothing(desk: Desk, content: bytes) -> None:
    desk.rows(row(), row(refYear=2018))
    build(desk)
    [receipt] = (desk.settings.landing_dir / "trade_receipts").glob("2018-*.json")
    receipt.write_bytes(content)
    with pytest.raises(LandingDamaged, match=r"year=2018: no receipt that can be read"):
        require_whole(desk.settings)
    assert make_plan(desk.settings).years == [2018]
    land(TRADE, desk.settings, [2018])
    assert make_plan(desk.settings).nothing_to_do


@pytest.mark.parametrize("damage", ["empty", "cut off", "gone", "halved"])
@pytest.mark.parametrize("suffix", [".parquet", ".json"])
def test_a_parsed_table_that_was_damaged_is_made_again(desk: Desk, damage: str, suffix: str) -> None:
    desk.rows(row(), row(refYear=2018))
    build(desk)
    [parsed] = (desk.settings.landing_dir / "parsed").glob("*.parquet")
    flows = desk.settings.landing_dir / "trade_flows/year=2018/part-0.parquet"
    whole = flows.read_bytes()
    if suffix == ".json" and damage == "halved":
        parsed.with_suffix(".json").write_bytes(b"[]")
    else:
        DAMAGES[damage](parsed.with_suffix(suffix))
    yearly.forget_year(desk.settings.landing_dir, "trade", 2018)
    assert make_plan(desk.settings).years == [2018]
    land(TRADE, desk.settings, [2018])
    assert flows.read_bytes() == whole


def test_a_table_of_no_year_that_was_damaged_is_no_landing(desk: Desk) -> None:
    desk.rows(row())
    build(desk)
    require_whole(desk.settings)
    (desk.settings.landing_dir / "reference/countries.parquet").write_bytes(b"")
    with pytest.raises(LandingDamaged, match=r"reference/countries.parquet: 0 bytes instead of [\d,]+"):
        require_whole(desk.settings)


def test_a_file_beside_the_warehouse_that_was_changed_computes_all(desk: Desk) -> None:
    desk.rows(row(), row(refYear=2018))
    built = build(desk)
    path = desk.settings.warehouse.with_name("warehouse.duckdb.flows.2018.parquet")
    path.write_bytes(b"as computed")
    files = {"trade": {path.name: sha256_of(path)}}
    for save in ("save", "save_released"):
        getattr(replace(built, files=files), save)(desk.settings)
    assert make_plan(desk.settings).nothing_to_do
    path.write_bytes(b"by some hand")
    assert make_plan(desk.settings).years == [2017, 2018]


def test_a_build_of_staging_that_was_killed_is_done_again(desk: Desk) -> None:
    """Staging is not recorded by dataset: only its models say that they are in work."""
    desk.rows(row())
    build(desk)
    Built.load(desk.settings).with_models({"stg_countries": "a", "stg_trade_flows": IN_WORK}).save(desk.settings)
    plan = make_plan(desk.settings)
    assert plan.in_work == ["stg_trade_flows"] and not plan.nothing_to_do


def test_a_dataset_that_was_switched_off_leaves_the_release_once(desk: Desk) -> None:
    """Its record is forgotten then, also what a kill left in work; else every later run would compute again."""
    desk.rows(row())
    built = build(desk).with_dataset(TARIFFS, "as built").with_models({"exclusion_rates": IN_WORK})
    for save in ("save", "save_released"):
        getattr(built, save)(desk.settings)
    plan = make_plan(desk.settings)
    assert plan.full_refresh and not plan.nothing_to_do
    for save in ("save", "save_released"):
        getattr(built.of((REFERENCE, TRADE), ["trade_flows"]), save)(desk.settings)
    assert make_plan(desk.settings).nothing_to_do


def test_a_release_that_was_published_and_not_noted_is_not_taken_for_the_one_before(desk: Desk) -> None:
    """Killed in between, with a dataset switched off: going back to the old settings had nothing to compute."""
    desk.rows(row())
    current = desk.settings.published_dir / "current"
    for name in ("before", "killed"):
        (desk.settings.published_dir / "releases" / name).mkdir(parents=True)
    current.symlink_to("releases/before")
    build(desk)
    assert make_plan(desk.settings).nothing_to_do
    current.unlink()
    current.symlink_to("releases/killed")
    plan = make_plan(desk.settings)
    assert plan.years == [2017] and not plan.nothing_to_do


def test_a_year_is_unchanged_only_while_no_build_touched_it(desk: Desk) -> None:
    desk.rows(row(), row(refYear=2018))
    released = build(desk)
    years = dict(released.years_of(TRADE))
    named, shaped_by = {int(year): name for year, name in years.items()}, released.shapes["trade"]
    assert released.unchanged_years(TRADE, released) == [2017, 2018]
    assert Built.released(desk.settings).unchanged_years(TRADE, Built.load(desk.settings)) == [2017, 2018]
    struck = released.without_years(TRADE, [2018], full=False)
    assert struck.unchanged_years(TRADE, released) == [2017]
    # What reads the year before as well changes with it.
    earlier = released.without_years(TRADE, [2017], full=False)
    assert earlier.unchanged_years(TRADE, released) == [2018]
    for built, same in ((released, [2017, 2018]), (struck, [2017]), (earlier, [])):
        assert built.unchanged_years(TRADE, released, also_read=[-1]) == same
        assert built.unchanged_years(TRADE, released, reads_years_before=True) == same
    assert struck.unchanged_years(TRADE, released, also_read=[1]) == []
    assert earlier.unchanged_years(TRADE, released, also_read=[1, -5]) == [2018]
    # Computed anew from the same data: nobody has compared the rows yet.
    assert struck.with_years(TRADE, shaped_by, named, computed=[2018]).unchanged_years(TRADE, released) == [2017]
    # A part of its models was built: it stays in work.
    part = struck.with_years(TRADE, shaped_by, {**named, 2018: IN_WORK}, computed=[])
    assert part.unchanged_years(TRADE, released) == [2017]
    everything = released.without_years(TRADE, [2017, 2018], full=True)
    assert everything.unchanged_years(TRADE, released) == []
    assert everything.with_years(TRADE, shaped_by, named, computed=[2017, 2018]).unchanged_years(TRADE, released) == []
    assert replace(released, shapes={"trade": "another"}).unchanged_years(TRADE, released) == []
    assert released.unchanged_years(TRADE, Built()) == [] == Built().unchanged_years(TRADE, Built())
    # A record of an older version knows nothing of builds.
    assert replace(released, builds={}).unchanged_years(TRADE, replace(released, builds={})) == []


def test_a_release_that_was_not_noted_vouches_for_no_year(desk: Desk) -> None:
    """A run was killed between publishing and noting it: the record speaks of the release before."""
    desk.rows(row())
    built = build(desk)
    releases = desk.settings.published_dir / "releases"
    (releases / "another").mkdir(parents=True)
    (desk.settings.published_dir / "current").symlink_to("releases/another")
    assert built.unchanged_years(TRADE, Built.released(desk.settings)) == []
