"""The real graph, started as a user starts it, on the sample and on the sample's files; few runs, many questions.

Not here: what the formulas say (test_dbt_models), how single checks judge (test_*_checks), how releases are written
(tests/unit/test_publish_*).
"""

from __future__ import annotations

import io
import json
import os
import re
import runpy
import shutil
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

import duckdb
import pyarrow.parquet as pq
import pytest

from dagster_project import cli
from dagster_project.datasets import samples as sample
from dagster_project.dbt_project import landing_tables_of, mart_specs, plain_manifest
from dagster_project.explore.app import application
from dagster_project.explore.pages import PAGES
from dagster_project.explore.reader import Releases
from dagster_project.locks import held
from dagster_project.partitions import partition_range_tags
from dagster_project.places import CHECKOUT, DBT_PROJECT
from dagster_project.planning.state import IN_WORK, Built, make_plan
from dagster_project.publish.read import open_release, verify
from dagster_project.sample.reporting import YEARS
from dagster_project.sample.truth import truth
from dagster_project.settings import Settings, load_settings
from tests.helpers import question_page
from tests.helpers.asked import ask
from tests.helpers.landing_desk import as_csv, row

YEARS = list(YEARS)
# The settings of the datasets that a run can do without.
OTHERS = ("tariff_source", "patent_source", "politics_source", "chains_source")
WITHOUT_DATA = str(DBT_PROJECT)  # a folder that is there
TRADE_MARTS = {
    "trade_flows", "bilateral_totals", "product_centrality", "exporter_position", "import_vulnerability",
    "vulnerability_summary", "industry_vulnerability", "relocation", "relocation_growth", "relocation_surplus",
    "destination_ranks", "shock_exposure", "shock_exposure_industry", "supplier_removal", "supplier_removal_summary",
    "scenario_losses", "product_network", "economic_complexity", "product_complexity", "product_space",
    "diversification", "diversification_regions", "export_price_index",
    "capacity_concentration", "supply_share", "import_price_contribution", "involution", "involution_summary",
    "learning_rate", "kaizen_trade", "competitiveness_paradox", "category_transitions", "import_suppliers",
}  # fmt: skip
# Made anew of all years.
OVER_ALL_YEARS = {"relocation_growth", "relocation_surplus", "learning_rate", "kaizen_trade", "category_transitions"}
# Of a year and the year before: they have nothing of the first year, and change with the year before.
OF_TWO_YEARS = {"import_price_contribution", "involution", "involution_summary"}


@dataclass(frozen=True)
class Outcome:
    """What a command printed and how it ended."""

    status: int
    out: str
    err: str


@dataclass
class Workplace:
    """A data directory with settings, in which commands are started. Nothing of the developer's own is used."""

    root: Path
    settings: dict[str, str] = field(default_factory=dict)

    def __call__(self, *arguments: str, **settings: str) -> Outcome:
        out, err = io.StringIO(), io.StringIO()
        with pytest.MonkeyPatch.context() as patch:
            for name in [name for name in os.environ if name.startswith("CHOKEPOINT_")]:
                patch.delenv(name)
            for name, value in self.environ(settings).items():
                patch.setenv(name, value)
            patch.setenv("DAGSTER_HOME", str(self.root / "dagster"))
            patch.setattr(cli, "load_settings", partial(load_settings, dotenv=None))
            with redirect_stdout(out), redirect_stderr(err):
                status = cli.main(list(arguments))
        return Outcome(status, out.getvalue(), err.getvalue())

    @property
    def current(self) -> Path:
        """The directory of the current release."""
        return (self.root / "data/published/current").resolve()

    @property
    def manifest(self) -> dict[str, Any]:
        """The current release's manifest."""
        manifest: dict[str, Any] = json.loads((self.current / "manifest.json").read_text())
        return manifest

    def runs(self) -> int:
        """How many Dagster runs there were."""
        import dagster as dg

        with dg.DagsterInstance.from_config(str(self.root / "dagster")) as instance:
            return instance.get_runs_count()

    def loaded(self, **settings: str) -> Settings:
        """The settings of this place, as a command loads them."""
        return load_settings(self.environ(settings), dotenv=None)

    def environ(self, settings: Mapping[str, str]) -> dict[str, str]:
        """This place and its settings, and these beside or instead, as environment variables."""
        places = {"data_dir": str(self.root / "data"), "drop_dir": str(self.root / "drop")}
        given = {**dict.fromkeys(OTHERS, "off"), **places, **self.settings, **settings}
        return {f"CHOKEPOINT_{name.upper()}": value for name, value in given.items()}

    def materialise(self, *keys: str, years: Sequence[int] = ()) -> str:
        """Materialise these assets alone, as a user may in the UI, of these years where they have partitions.

        Returns the message of the failure, if it fails.
        """
        import dagster as dg

        from dagster_project.build import build_definitions

        job = build_definitions(settings=self.loaded()).resolve_implicit_global_asset_job_def()
        with dg.DagsterInstance.from_config(str(self.root / "dagster")) as instance:
            result = job.execute_in_process(
                instance=instance,
                asset_selection=[dg.AssetKey(key.split("/")) for key in keys],
                tags=partition_range_tags(years) if years else None,
                raise_on_error=False,
            )
        failures = [event.step_failure_data.user_failure_data for event in result.get_step_failure_events()]
        return "; ".join(str(each.description) if each else "failed" for each in failures)

    def metadata(self) -> dict[str, Mapping[str, Any]]:
        """Asset -> the metadata of its latest materialisation."""
        import dagster as dg

        with dg.DagsterInstance.from_config(str(self.root / "dagster")) as instance:
            latest = {key: instance.get_latest_materialization_event(key) for key in instance.all_asset_keys()}
            return {
                key.to_user_string(): event.asset_materialization.metadata
                for key, event in latest.items()
                if event is not None and event.asset_materialization is not None
            }

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        """Ask the current release; `{flows}` stands for its trade flows."""
        with duckdb.connect(str(self.current / "chokepoint.duckdb"), read_only=True) as connection:
            flows = f"read_parquet('{self.current}/parquet/trade_flows/*/*.parquet', hive_partitioning=false)"
            return connection.execute(sql.replace("{flows}", flows)).fetchall()


@pytest.fixture(scope="module")
def on_sample(tmp_path_factory: pytest.TempPathFactory) -> tuple[Workplace, Outcome]:
    """The sample with every dataset, run once, on four threads."""
    workplace = Workplace(tmp_path_factory.mktemp("sample"), dict.fromkeys(OTHERS, "sample"))
    return workplace, workplace("run", threads="4")


@pytest.fixture(scope="module")
def on_files(tmp_path_factory: pytest.TempPathFactory) -> tuple[Workplace, Outcome]:
    """The sample's trade and reference files in a drop folder, run once; later tests change the folder, in order."""
    root = tmp_path_factory.mktemp("files")
    sample.write_drop_folder(root / "drop")
    for folder in ("ustr", "patents"):
        shutil.rmtree(root / "drop" / folder)
    workplace = Workplace(root, {"trade_source": "files", "reference_source": "files"})
    return workplace, workplace("run")


# --- the sample -------------------------------------------------------------------------------------------------------


def test_run_ends_well_and_says_what_was_built(on_sample: tuple[Workplace, Outcome]) -> None:
    workplace, outcome = on_sample
    assert (outcome.status, outcome.err) == (0, "")
    assert "SYNTHETIC" in outcome.out and "2017, 2018, 2019" in outcome.out and str(workplace.current) in outcome.out
    assert set(workplace.manifest["marts"]) >= TRADE_MARTS and "make ui" in outcome.out
    assert "check_trade_landing: done" in outcome.out
    assert len(set(re.findall(r"step \d+ of (\d+)  \w+: done", outcome.out))) == 1
    assert "280461" in outcome.out and outcome.out.endswith("/data/published/current/brief.html\n")
    assert outcome.out.count("not computable") == 1 and max(map(len, outcome.out.splitlines())) < 250
    # The sample's traps: rows to quarantine, and one cell in which the partners exceed the World row.
    assert (
        "15 warned" in outcome.out and "nothing_quarantined" in outcome.out and "partners_within_world" in outcome.out
    )


def test_the_example_goes_from_this_release_to_its_figures(
    on_sample: tuple[Workplace, Outcome], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    workplace, _ = on_sample
    monkeypatch.setenv("CHOKEPOINT_RELEASE", str(workplace.current))
    monkeypatch.setenv("CHOKEPOINT_FIGURES", str(tmp_path))
    found = runpy.run_path(str(CHECKOUT / "docs/examples/chokepoint.py"))
    assert (found["importer"], found["year"], found["n"].to_list()) == ("USA", 2019, [14, 20, 17, 71])
    assert all("</svg>" in (tmp_path / name).read_text() for name in ("categories.svg", "lorenz.svg"))


def test_a_release_is_a_data_package_and_its_files_say_what_they_hold(on_sample: tuple[Workplace, Outcome]) -> None:
    """The files that dbt writes beside the warehouse were published as they are: they said it already."""
    from frictionless import Package

    workplace, _ = on_sample
    package = Package(str(workplace.current / "datapackage.json"))
    assert not Package.validate_descriptor(package.to_descriptor()).errors
    assert package.get_resource("countries").validate().valid
    beside = workplace.root / "data/warehouse.duckdb.int_trade_flows.2019.parquet"
    published = workplace.current / "parquet/trade_flows/2019/part-0.parquet"
    assert published.read_bytes() == beside.read_bytes()
    assert pq.read_schema(published).field("value_usd").metadata[b"unit"] == b"USD"


def test_every_asset_shows_what_it_holds(on_sample: tuple[Workplace, Outcome]) -> None:
    """After a run, in the UI: rows, years, bytes, provenance, a preview, and of each mart a picture."""
    shown = on_sample[0].metadata()
    assert {name.split("/")[0] for name in shown} == {"raw", "landing", "staging", "intermediate", "marts", "release"}
    seeds = {path.stem for path in (DBT_PROJECT / "seeds").rglob("*.csv")}
    landed_behind = landing_tables_of(plain_manifest())  # of what settings alone decide, none
    undrawn = set()
    for name, found in shown.items():
        layer, _, table = name.rpartition("/")
        wanted = {"preview", "dagster/row_count"} if layer != "raw" else {"entries", "bytes"}
        # Returns are off: what only they would fill has none either.
        unsaid = {"stg_inputs", "int_benchmark_contagion_parts"}
        if table not in seeds | unsaid and landed_behind.get(table, {table}):
            wanted |= {"citation", "licence", "synthetic"}
        if layer == "landing" or name in ("marts/product_centrality", "release"):
            wanted |= {"bytes"}
        # Of a table by year the newest event is that of the newest year.
        if name in ("landing/trade_flows", "marts/trade_flows"):
            assert found["years"].value == "2019", name
        if name == "release":
            assert found["years"].value == "2017, 2018, 2019"
        if layer == "marts" and "data:image" not in found["picture"].md_str:
            undrawn.add(table)
        assert not wanted - found.keys(), name
    # The sample has three years: too few to learn in.
    assert undrawn == {"learning_rate"}


def test_every_partition_shows_its_own_rows(on_sample: tuple[Workplace, Outcome]) -> None:
    import dagster as dg

    workplace, _ = on_sample
    of_marts = dict(workplace.query("select year, count(*) from marts.bilateral_totals group by year"))
    with dg.DagsterInstance.from_config(str(workplace.root / "dagster")) as instance:
        for table in ("marts/bilateral_totals", "landing/trade_flows"):
            rows, sizes = {}, {}
            for year in map(str, YEARS):
                records = dg.AssetRecordsFilter(asset_key=dg.AssetKey(table.split("/")), asset_partitions=[year])
                [event] = instance.fetch_materializations(records, limit=1).records
                assert event.asset_materialization is not None
                metadata = event.asset_materialization.metadata
                rows[int(year)], sizes[year] = metadata["dagster/row_count"].value, metadata["bytes"].value
                assert metadata["years"].value == year
            assert len(set(rows.values())) == len(YEARS) and min(sizes.values()) > 0
            assert table.startswith("landing") or rows == of_marts


def test_release_is_complete_and_whole(on_sample: tuple[Workplace, Outcome]) -> None:
    workplace, _ = on_sample
    manifest = workplace.manifest
    left_out = {"contagion_firms", "contagion_industries", "contagion_summary"}  # returns are off unless asked for
    assert manifest["marts"].keys() == {spec.name for spec in mart_specs(plain_manifest())} - left_out
    assert manifest["synthetic"] is True and manifest["marts_left_out"].keys() == left_out
    names = {path.name for path in workplace.current.iterdir()}
    assert names >= {"chokepoint.duckdb", "parquet", "manifest.json", "inputs.lock.json"}
    assert sorted(path.name for path in (workplace.current / "parquet/trade_flows").iterdir()) == [
        str(year) for year in YEARS
    ]
    with open_release(workplace.root / "data/published") as release:
        verify(release)
    assert str(workplace.root) not in (workplace.current / "manifest.json").read_text()


def test_every_row_is_accounted_for_in_the_manifest(on_sample: tuple[Workplace, Outcome]) -> None:
    counts = on_sample[0].manifest["rule_counts"]["sample"]
    assert counts.keys() >= {str(year) for year in YEARS}
    for year, rules in counts.items():
        assert rules["rows_read"] == sum(n for rule, n in rules.items() if rule != "rows_read"), year


def test_datasets_that_were_switched_off_are_not_accounted_for(on_sample: tuple[Workplace, Outcome]) -> None:
    """Their tables of counts still lie in the landing."""
    from dagster_project.assets.release import rule_counts

    settings = load_settings({"CHOKEPOINT_DATA_DIR": str(on_sample[0].root / "data")}, dotenv=None)
    on = {source for source, *_ in rule_counts(settings)}
    off = {source for source, *_ in rule_counts(replace(settings, tariff_source="off", patent_source="off"))}
    gone = {source for source in on if "requests" in source or "citation" in source}
    assert gone and not gone & off and "flows" in off


def test_flows_are_the_truth(on_sample: tuple[Workplace, Outcome]) -> None:
    rows = on_sample[0].query("select year, exporter_code, importer_code, hs6, value_usd, is_mirror from {flows}")
    found = {tuple(each[:4]): tuple(each[4:]) for each in rows}
    known = truth().flows
    assert len(found) == len(rows) and found.keys() == known.keys()
    for key, (value, is_mirror) in known.items():
        assert found[key] == (pytest.approx(value, rel=1e-9), is_mirror), key


def test_kilograms_and_pieces_are_the_truth(on_sample: tuple[Workplace, Outcome]) -> None:
    rows = on_sample[0].query(
        "select year, exporter_code, importer_code, hs6, quantity_kg, quantity_units from {flows} "
        "where not is_split_conversion or coalesce(quantity_kg, quantity_units) is not null"
    )
    known = truth().quantities
    for *key, kg, pieces in rows:
        assert (kg, pieces) == known[tuple(key)], key
    assert any(kg for *_, kg, _ in rows) and any(pieces for *_, pieces in rows)
    assert any((kg, pieces) == (None, None) for *_, kg, pieces in rows)


def test_concentration_is_the_truths(on_sample: tuple[Workplace, Outcome]) -> None:
    """That of the European Union too: what its members buy of others."""
    union, is_member = 97, "select country_code from marts.countries where is_eu27"
    members = {code for (code,) in on_sample[0].query(is_member)}
    suppliers: dict[tuple[int, int, str], dict[int, float]] = defaultdict(lambda: defaultdict(float))
    for (year, exporter, importer, hs6), (value, _) in truth().flows.items():
        suppliers[year, importer, hs6][exporter] = value
        if importer in members and exporter not in members:
            suppliers[year, union, hs6][exporter] += value
    nowhere = defaultdict(float, truth().unallocated)
    for (year, importer, hs6), value in truth().unallocated.items():
        nowhere[year, union, hs6] += value * (importer in members)
    rows = on_sample[0].query(
        "select year, importer_code, hs6, import_hhi, n_suppliers, top_supplier_share, import_value_usd, "
        "unallocated_share from marts.import_vulnerability"
    )
    assert {tuple(each[:3]) for each in rows} == suppliers.keys()
    for year, importer, hs6, hhi, n, top, total, unallocated in rows:
        values = suppliers[year, importer, hs6].values()
        whole = sum(values)
        assert hhi == pytest.approx(sum((value / whole) ** 2 for value in values), rel=1e-9)
        assert (n, top, total) == (len(values), pytest.approx(max(values) / whole), pytest.approx(whole))
        left = nowhere[year, importer, hs6]
        assert unallocated == pytest.approx(left / (left + whole), abs=1e-9)


def test_totals_agree_with_the_flows(on_sample: tuple[Workplace, Outcome]) -> None:
    workplace, _ = on_sample
    [(pairs, goods)] = workplace.query(
        "select (select sum(value_usd) from marts.bilateral_totals), "
        "(select sum(world_exports_usd) from marts.product_centrality)"
    )
    total = sum(value for value, _ in truth().flows.values())
    assert (pairs, goods) == (pytest.approx(total, rel=1e-9), pytest.approx(total, rel=1e-9))


def test_the_table_in_the_readme_is_what_its_query_gives(
    on_sample: tuple[Workplace, Outcome], capsys: pytest.CaptureFixture[str]
) -> None:
    program, shown = re.findall(r"```(?:python)?\n((?:import duckdb|┌)[^`]*)```", (CHECKOUT / "README.md").read_text())
    exec(program.replace("demo/published/current", str(on_sample[0].current)), {})
    assert capsys.readouterr().out.strip() == shown.strip()


def test_the_twelve_questions_are_answered_as_the_page_says(on_sample: tuple[Workplace, Outcome]) -> None:
    page = question_page.PAGE.read_text()
    assert len(question_page.queries(page)) == 13  # question 7 has two
    assert question_page.answered(page, on_sample[0].current / "chokepoint.duckdb") == page, (
        "python -m tests.helpers.question_page RELEASE/chokepoint.duckdb writes the answers anew"
    )


def test_second_run_computes_nothing(on_sample: tuple[Workplace, Outcome]) -> None:
    workplace, _ = on_sample
    before, runs = workplace.current, workplace.runs()
    outcome = workplace("run")
    assert outcome.status == 0 and "Nothing has changed" in outcome.out
    assert (workplace.current, workplace.runs()) == (before, runs)


def test_release_alone_succeeds_after_a_green_run(on_sample: tuple[Workplace, Outcome]) -> None:
    workplace, _ = on_sample
    before = workplace.current.resolve()
    assert workplace.materialise("release") == ""
    assert workplace.current.resolve() == before, "nothing is new, so nothing was published"
    checks = workplace.manifest["checks"]
    assert len(checks) > 140 and all(each["passed"] for each in checks if each["severity"] == "ERROR")


def test_a_part_of_unchanged_models_built_anew_leaves_nothing_to_do(on_sample: tuple[Workplace, Outcome]) -> None:
    workplace, _ = on_sample
    before = workplace.current
    assert workplace.materialise("marts/exclusion_requesters") == ""
    assert workplace.materialise("marts/bilateral_totals", years=YEARS[:1]) == ""
    assert workplace.materialise("marts/published_benchmarks") == ""
    assert make_plan(workplace.loaded()).nothing_to_do
    assert workplace.materialise("release") == "" and workplace.current == before


def test_a_part_of_changed_models_says_nothing_of_the_others(on_sample: tuple[Workplace, Outcome]) -> None:
    """The models were made of something else; one of them is built anew, then all of them."""
    workplace, _ = on_sample
    settings = workplace.loaded()
    sound, judged = Built.load(settings), (settings.data_dir / "checks.json").read_bytes()
    tariffs = [name for name in sound.models if name.startswith(("exclusion", "int_exclusion"))]
    replace(
        sound,
        datasets={**sound.datasets, "tariffs": "other files"},
        models={**sound.models, **dict.fromkeys(tariffs, "other files")},
    ).save(settings)
    assert workplace.materialise("marts/exclusion_requesters") == ""
    record = Built.load(settings)
    assert record.datasets["tariffs"] == IN_WORK
    assert record.models["exclusion_requesters"] == IN_WORK, "it was built on models that are stale"
    assert make_plan(settings).datasets == ["tariffs"]
    said = workplace.materialise("release")
    assert "release, tariffs; exclusion_determinants (made of " in said and "Start the job `refresh`" in said
    sound.save(settings)
    (settings.data_dir / "checks.json").write_bytes(judged)  # the mart was judged as what it was in between


def test_figures_made_of_marts_that_have_changed_keep_a_release_back(on_sample: tuple[Workplace, Outcome]) -> None:
    workplace, _ = on_sample
    settings = workplace.loaded()
    sound = Built.load(settings)
    sound.with_models({"published_benchmarks": "as of another landing"}).save(settings)
    said = workplace.materialise("release")
    assert (
        "release, published_benchmarks (made of " in said and "trade_flows" in said and "Nothing was published" in said
    )
    sound.save(settings)
    assert workplace.materialise("release") == ""


def test_release_alone_is_refused_when_a_check_failed_or_is_of_other_data(on_sample: tuple[Workplace, Outcome]) -> None:
    workplace, _ = on_sample
    path = workplace.root / "data" / "checks.json"
    sound = path.read_text()
    made = json.loads(sound)
    [about] = [each for each in made if (each["asset"], each["check"]) == ("landing/trade_flows", "key_unique")]
    for change, why in (
        ({"passed": False}, "key_unique of landing/trade_flows failed"),
        ({"state": "another"}, "key_unique of landing/trade_flows was made before its data changed"),
        ({"check": "another"}, "key_unique of landing/trade_flows was never made"),
    ):
        path.write_text(json.dumps([each if each is not about else {**about, **change} for each in made]))
        said = workplace.materialise("release")
        assert why in said and "Start the job `refresh`" in said and "Nothing was published" in said
    path.write_text(sound)


def test_documentation_of_the_models_is_one_page(on_sample: tuple[Workplace, Outcome]) -> None:
    outcome = on_sample[0]("dbt-docs")
    page = (on_sample[0].root / "data/dbt-docs.html").read_text()
    assert outcome.status == 0 and "import_vulnerability" in page
    assert not re.search(r"""<(script|link|img)[^>]+(src|href)=["']?(https?:)?//""", page), "nothing from elsewhere"


def test_every_page_of_the_explorer_answers_over_the_release(on_sample: tuple[Workplace, Outcome]) -> None:
    releases = Releases(on_sample[0].root / "data/published")
    app = application(releases)
    with releases.reading() as reader:
        marts = reader.release.marts
    pages = {path: ask(app, path) for path in (*PAGES, *(f"/mart?name={name}" for name in marts))}
    assert not {path: answer.words() for path, answer in pages.items() if answer.status != 200}
    assert [path for path, answer in pages.items() if "Not in this release" in answer.text] == []
    assert all("Synthetic sample." in answer.text for answer in pages.values())
    releases.close()


def test_two_runs_at_once(on_sample: tuple[Workplace, Outcome]) -> None:
    workplace, _ = on_sample
    with held(workplace.root / "data/run.lock", "a run of the UI"):
        for command in (["run"], ["rebuild", str(workplace.current / "inputs.lock.json")]):
            outcome = workplace(*command)
            assert outcome.status == 1
            assert f"another run at work in it (process {os.getpid()}, since " in outcome.err
            assert ": a run of the UI); expected one run at a time" in outcome.err


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"years": "2016"}, "years 2016: found no rows of these years; the source holds 2017, 2018, 2019"),
        ({"trade_source": "sampel"}, "found 'sampel'; expected sample, files, baci_files"),
        ({"trade_sauce": "sample"}, "found a setting that does not exist"),
        ({"trade_source": "files"}, "where there is no folder"),
        ({"trade_source": "files", "reference_source": "files", "drop_dir": WITHOUT_DATA}, "found no files"),
    ],
)
def test_what_cannot_be_done_is_refused_at_once(
    on_sample: tuple[Workplace, Outcome], settings: dict[str, str], message: str
) -> None:
    workplace, _ = on_sample
    before, runs = workplace.current, workplace.runs()
    outcome = workplace("run", **settings)
    assert outcome.status == 1 and message in outcome.err and "Traceback" not in outcome.err
    assert (workplace.current, workplace.runs()) == (before, runs)


@pytest.fixture
def damaged(on_sample: tuple[Workplace, Outcome]) -> Iterator[Path]:
    """One byte of the archive's largest trade file is another; put right afterwards."""
    lock = json.loads((on_sample[0].current / "inputs.lock.json").read_text())
    entry = max(lock["datasets"]["trade"], key=lambda each: each["bytes"])
    path = on_sample[0].root / "data/archive/objects" / entry["sha256"][:2] / entry["sha256"]
    content = path.read_bytes()
    path.chmod(0o644)
    path.write_bytes(content[:1000] + b"#" + content[1001:])
    yield path
    path.write_bytes(content)


def test_damaged_archive_is_found_before_anything_is_computed(
    on_sample: tuple[Workplace, Outcome], damaged: Path
) -> None:
    workplace, _ = on_sample
    before = workplace.current
    outcome = workplace("run")
    assert outcome.status == 1 and damaged.name in outcome.err and "changed after it was archived" in outcome.err
    assert workplace.current == before


REBUILD = """
import sys
from dagster_project import cli
from dagster_project.datasets import samples
from dagster_project.places import PACKAGE

def gone():
    raise AssertionError("a source was looked at")

samples.payloads = gone
print("rebuilt by", PACKAGE)
sys.exit(cli.main(["rebuild", sys.argv[1]]))
"""


def test_release_is_rebuilt_from_its_lock_by_another_clone_with_other_threads_and_no_source(
    on_sample: tuple[Workplace, Outcome], tmp_path: Path
) -> None:
    """The hashes do not depend on how many threads computed, nor on where the code lies."""
    workplace, _ = on_sample
    before = workplace.manifest
    for part in ("dagster_project", "dbt"):
        ignored = shutil.ignore_patterns("__pycache__", "target", "logs")
        shutil.copytree(CHECKOUT / part, tmp_path / "clone" / part, ignore=ignored)
    for path in CHECKOUT.glob("*.*"):
        if path.is_file():
            shutil.copy(path, tmp_path / "clone")
    others = {name: value for name, value in os.environ.items() if not name.startswith("CHOKEPOINT_")}
    own = workplace.environ({"threads": "1", "trade_source": "files", "years": "1999"})
    done = subprocess.run(
        [sys.executable, "-c", REBUILD, str(workplace.current / "inputs.lock.json")],
        cwd=tmp_path / "clone",
        env={**others, **own, "DAGSTER_HOME": str(workplace.root / "dagster")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "") and f"rebuilt by {tmp_path}/clone/" in done.stdout
    rebuilt = json.loads((workplace.root / "data/rebuild/published/current/manifest.json").read_text())
    assert before["marts"].keys() == rebuilt["marts"].keys()
    for name, mart in before["marts"].items():
        assert rebuilt["marts"][name]["content_hash"] == mart["content_hash"], name
    assert workplace.manifest == before


def test_no_lock(on_sample: tuple[Workplace, Outcome]) -> None:
    outcome = on_sample[0]("rebuild", str(on_sample[0].root / "nowhere.json"))
    assert outcome.status == 1 and "lock file" in outcome.err


# --- the same world from files, then changed --------------------------------------------------------------------------


def test_files_give_the_same_marts(on_sample: tuple[Workplace, Outcome], on_files: tuple[Workplace, Outcome]) -> None:
    workplace, outcome = on_files
    assert (outcome.status, outcome.err) == (0, "") and "SYNTHETIC" not in outcome.out
    ours, theirs = workplace.manifest["marts"], on_sample[0].manifest["marts"]
    over_all = {"competitiveness_paradox_test", "published_benchmarks"}
    assert ours.keys() == TRADE_MARTS | {"countries", "products"} | over_all <= theirs.keys()
    left_out = workplace.manifest["marts_left_out"]
    assert left_out["gvc_position"] == "the chains source is off"
    assert left_out["political_exposure_io"] == "the sources politics and chains are off"
    differing = {name for name in ours if ours[name]["content_hash"] != theirs[name]["content_hash"]}
    # The columns that name the source, and what also reads input-output tables, which are off here.
    assert differing <= {"trade_flows"} | over_all
    columns = "year, exporter_code, importer_code, hs6, value_usd, quantity, quantity_unit, is_mirror"
    flows = [
        f"select {columns} from read_parquet('{each.current}/parquet/trade_flows/*/*.parquet')"
        for each in (workplace, on_sample[0])
    ]
    with duckdb.connect() as connection:
        assert connection.execute(f"({flows[0]}) except all ({flows[1]})").fetchall() == []
        assert connection.execute(f"({flows[1]}) except all ({flows[0]})").fetchall() == []


def test_correction_of_one_year_computes_that_year_only(on_files: tuple[Workplace, Outcome]) -> None:
    workplace, _ = on_files
    before, old = workplace.current, workplace.manifest
    landed, flows = truth().landed, truth().flows
    year, importer, _, exporter, hs6 = next(
        key for key, value in landed.items()
        if key[0] == 2018 and key[2] == "M" and flows.get((2018, key[3], key[1], key[4]), (0,))[0] == value
    )  # fmt: skip
    value = landed[year, importer, "M", exporter, hs6]
    corrected = row(refYear=year, reporterCode=importer, partnerCode=exporter, cmdCode=hs6, primaryValue=value + 1)
    (workplace.root / "drop/comtrade/zz_correction.csv").write_text(as_csv([corrected]))
    outcome = workplace("run")
    assert (outcome.status, outcome.err) == (0, "") and "to compute: 2018." in outcome.out
    where = f"year = {year} and exporter_code = {exporter} and importer_code = {importer} and hs6 = '{hs6}'"
    assert workplace.query(f"select value_usd from {{flows}} where {where}") == [(pytest.approx(value + 1, rel=1e-12),)]
    by_year = {name for name, mart in old["marts"].items() if mart["partitioned"]}
    assert by_year == TRADE_MARTS - OVER_ALL_YEARS
    for mart in by_year:
        for each in YEARS:
            if mart in OF_TWO_YEARS | {"export_price_index"} and each == year + 1:
                continue  # its prices are compared with those of the corrected year
            if mart in OF_TWO_YEARS and each == min(YEARS):
                continue
            name = f"parquet/{mart}/{each}"
            files = [next((release / name).iterdir()) for release in (before, workplace.current)]
            if each != year:
                assert files[0].samefile(files[1]), "years that did not change are linked, not written"
            elif mart == "trade_flows":
                assert not files[0].samefile(files[1])
    addresses = {each["address"] for each in lock_entries(workplace, "trade")}
    assert {"drop:comtrade/zz_correction.csv", "drop:comtrade/C_A_2018_HS_slim.csv"} <= addresses
    assert workplace.manifest["marts"]["trade_flows"]["rows"] == old["marts"]["trade_flows"]["rows"]
    assert workplace("run").out.count("Nothing has changed") == 1


def test_a_mart_alone_built_under_changed_settings_leaves_the_rest_to_the_next_run(
    on_files: tuple[Workplace, Outcome],
) -> None:
    """All goods are published; then one mart of one year is built as before, in scope only; then all of it by a run."""
    workplace, _ = on_files
    before = workplace.manifest["marts"]
    assert workplace("run", product_scope="all").status == 0
    assert (
        workplace.manifest["marts"]["import_vulnerability"]["content_hash"]
        != before["import_vulnerability"]["content_hash"]
    )
    assert workplace.materialise("marts/bilateral_totals", years=[2018]) == ""
    assert "trade of 2017, 2018, 2019" in workplace.materialise("release"), "no release of a mix"
    plan = make_plan(workplace.loaded())
    assert (plan.years, plan.full_refresh) == (YEARS, True)
    assert workplace("run").status == 0
    hashes = [
        {name: mart["content_hash"] for name, mart in each.items()} for each in (before, workplace.manifest["marts"])
    ]
    assert hashes[0] == hashes[1]


def lock_entries(workplace: Workplace, dataset: str) -> list[dict[str, Any]]:
    lock = json.loads((workplace.current / "inputs.lock.json").read_text())
    entries: list[dict[str, Any]] = lock["datasets"][dataset]
    return entries


def test_failed_check_stops_publishing_and_shows_the_rows_every_time(on_files: tuple[Workplace, Outcome]) -> None:
    workplace, _ = on_files
    before = workplace.current
    slim = workplace.root / "drop/comtrade/C_A_2019_HS_slim.csv"
    kept = slim.read_bytes()
    slim.unlink()  # most of the year's reporters are gone
    for _ in range(2):
        outcome = workplace("run")
        assert outcome.status == 1 and "the previous release, if any, stays as it is" in outcome.err
        assert "Check failed:" in outcome.err and "2019" in outcome.err
        assert "trade_models" not in outcome.out and workplace.current == before
    slim.write_bytes(kept)
    assert workplace("run").status == 0
    assert (
        workplace.manifest["marts"]["trade_flows"]["content_hash"]
        == json.loads((before / "manifest.json").read_text())["marts"]["trade_flows"]["content_hash"]
    )
