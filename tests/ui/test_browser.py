"""The Dagster UI as its user meets it: `make ui`, opened in a headless Chromium, with a data directory of its own.

The tests are one visit and run in order: look at the graph, materialise all of it on an empty project, again on a
filled one, and through the job; read the brief, look at a mart, meet a failed check.
With `--screenshots DIRECTORY` (`make screenshots`) the visit leaves the README's pictures, and takes the whole sample.
Not here: what the numbers are (see tests/pipeline).
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import duckdb
import pytest
from dagster import DagsterInstance, RunsFilter
from dagster._core.execution.backfill import BULK_ACTION_TERMINAL_STATUSES, PartitionBackfill
from dagster._core.storage.tags import BACKFILL_ID_TAG
from playwright.sync_api import Page, Route, ViewportSize, expect, sync_playwright

from dagster_project.build import build_definitions
from dagster_project.publish.read import open_release, verify
from dagster_project.settings import Settings, load_settings
from tests.helpers.served_ui import explored, served, until

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
pytestmark = [
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is installed (Debian: chromium)"),
    pytest.mark.timeout(1000),
]
FLAGS = ["no-sandbox", "disable-gpu", "disable-background-networking", "disable-component-update", "disable-sync"]
FLAGS += ["no-first-run", "disable-quic"]
WINDOW: ViewportSize = {"width": 1500, "height": 950}
SECONDS = 1000  # in Playwright's milliseconds
RUN_SECONDS = 900
PATIENCE = 60 * SECONDS  # for what a page shows at once on a machine with nothing else to do


@dataclass
class Visit:
    """The browser's page on a running UI, and what it asked other machines for."""

    page: Page
    address: str
    settings: Settings
    home: Path
    screenshots: Path | None
    strangers: list[str] = field(default_factory=list)

    @property
    def data(self) -> Path:
        """The data directory."""
        return self.settings.data_dir

    def open(self, path: str) -> Page:
        """Go to a page of the UI."""
        self.page.goto(self.address + path)
        return self.page

    def picture(self, name: str) -> None:
        """Leave a picture for the README, where they are wanted."""
        if self.screenshots is not None:
            self.screenshots.mkdir(parents=True, exist_ok=True)
            self.page.wait_for_timeout(2 * SECONDS)  # what fades in or is laid out has no end to wait for
            self.page.screenshot(path=self.screenshots / f"{name}.png")


@pytest.fixture(scope="module")
def visit(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Iterator[Visit]:
    """`make ui` on a free port, and a browser that reaches this machine only."""
    root = tmp_path_factory.mktemp("ui")
    screenshots = request.config.getoption("--screenshots")
    given = {"CHOKEPOINT_DATA_DIR": str(root / "data")}
    if not screenshots:  # the trade part alone is half the time
        given |= {"CHOKEPOINT_TARIFF_SOURCE": "off", "CHOKEPOINT_PATENT_SOURCE": "off", "CHOKEPOINT_YEARS": "2018-2019"}
    with served(root, given | {"FRESHNESS_DAEMON_INTERVAL_SECONDS": "5"}) as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=[f"--{flag}" for flag in FLAGS])
        page = browser.new_page(viewport=WINDOW)
        page.set_default_timeout(PATIENCE)
        expect.set_options(timeout=PATIENCE)
        wanted = Path(screenshots).absolute() if screenshots else None
        there = Visit(page, address, load_settings(given, dotenv=None), root / "home", wanted)
        page.route(lambda url: urlsplit(url).hostname not in ("127.0.0.1", None), stopped(there.strangers))
        yield there
        browser.close()


def stopped(strangers: list[str]) -> Callable[[Route], None]:
    """Stop a request to another machine, and note it."""

    def stop(route: Route) -> None:
        strangers.append(route.request.url)
        route.abort()

    return stop


def test_the_graph_shows_the_layers(visit: Visit) -> None:
    page = visit.open("/asset-groups")
    page.get_by_role("button", name="Skip").click()
    for layer in ("raw", "landing", "staging", "intermediate", "marts", "release"):
        expect(page.get_by_text(layer, exact=True).first).to_be_visible()


def materialise_all(visit: Visit) -> None:
    """Click "Materialize all" on the lineage page, choose all years, and wait until all that came of it has ended."""
    with DagsterInstance.from_config(str(visit.home)) as instance:
        before = {each.backfill_id for each in instance.get_backfills()}
        page = visit.open("/asset-groups")
        page.get_by_role("button", name="Materialize all").first.click()
        page.get_by_role("button", name="All", exact=True).click()
        page.get_by_role("button", name="Launch backfill").click()

        def ended() -> list[PartitionBackfill]:
            new = [each for each in instance.get_backfills() if each.backfill_id not in before]
            return [each for each in new if each.status in BULK_ACTION_TERMINAL_STATUSES]

        until(lambda: bool(ended()), RUN_SECONDS, lambda: f"it goes on: {instance.get_runs()}")
        [backfill] = ended()
        runs = instance.get_runs(RunsFilter(tags={BACKFILL_ID_TAG: backfill.backfill_id}))
    assert {run.status.value for run in runs} == {"SUCCESS"} and backfill.status.value == "COMPLETED_SUCCESS"
    wanted = build_definitions(settings=visit.settings).resolve_asset_graph().materializable_asset_keys
    assert set(backfill.asset_selection or ()) == wanted
    assert {key for run in runs for key in run.asset_selection or ()} == wanted
    with open_release(visit.data / "published") as release:
        verify(release)


def test_all_is_materialised_from_the_lineage_page_of_an_empty_project(visit: Visit) -> None:
    assert not visit.data.exists() or not (visit.data / "published").exists()
    materialise_all(visit)


def test_all_is_materialised_from_the_lineage_page_of_a_filled_project(visit: Visit) -> None:
    before = (visit.data / "published/current").resolve()
    materialise_all(visit)
    assert (visit.data / "published/current").resolve() == before, "the same data are the same release"


def test_the_job_materialises_all_years_in_one_run(visit: Visit) -> None:
    page = visit.open("/locations/chokepoint/jobs/refresh")
    page.get_by_role("button", name="Materialize all").click()
    page.get_by_role("button", name="All", exact=True).click()
    page.get_by_role("button", name="Launch backfill").click()
    page = visit.open("/locations/chokepoint/jobs/refresh/runs")
    ended = page.get_by_text(re.compile("^(Success|Failure|Canceled)$"))
    ended.first.wait_for(timeout=RUN_SECONDS * SECONDS)
    assert ended.first.inner_text() == "Success"
    assert (visit.data / "published/current/manifest.json").exists()


def test_the_brief_of_the_release_opens_from_disk(visit: Visit) -> None:
    visit.page.set_viewport_size({"width": 960, "height": 1070})  # down to the first chart and the words below it
    visit.page.goto((visit.data / "published/current/brief.html").as_uri())
    expect(visit.page.get_by_role("heading", name="Supply vulnerability of")).to_be_visible()
    expect(visit.page.get_by_text("Synthetic sample.")).to_be_visible()
    visit.picture("brief")
    visit.page.set_viewport_size(WINDOW)


def test_the_explorer_answers_by_mouse_keyboard_and_without_scripts(visit: Visit) -> None:
    page, wrong = visit.page, list[str]()
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("console", lambda message: wrong.append(message.text) if message.type == "error" else None)
    with explored({"CHOKEPOINT_DATA_DIR": str(visit.data)}) as address:
        page.goto(address)
        expect(page.get_by_text("Synthetic sample.")).to_be_visible()
        page.keyboard.press("Tab")
        expect(page.get_by_role("link", name="Skip to content")).to_be_focused()
        page.get_by_label("Search countries").fill("silicon of very high")
        page.keyboard.press("Enter")
        page.get_by_role("link", name="280461").click()
        expect(page.get_by_role("heading", level=1, name="Silicon of very high purity (280461)")).to_be_visible()

        page.get_by_role("link", name="Country", exact=True).click()
        page.wait_for_load_state()
        page.get_by_label("Country", exact=True).select_option("DEU")
        expect(page.get_by_role("heading", level=1, name="Germany, 2019")).to_be_visible()
        assert "iso3=DEU" in page.url
        expect(page.locator("#section-exposed-goods svg")).to_be_visible()
        with page.expect_download() as saved:
            page.locator("#goods").get_by_role("link", name="CSV").click()
        assert saved.value.path().read_text().startswith("hs6,hs6_name,category,")

        page.goto(f"{address}/scenario?exporter=CHN&goods=85&cut=50&importer=DEU")
        page.get_by_label("Not delivered").press("ArrowRight")
        expect(page.get_by_role("heading", level=1, name="China delivers 51 % less")).to_be_visible()
        assert "cut=51" in page.url and "importer=DEU" in page.url
        expect(page.get_by_label("Not delivered")).to_be_focused()
        expect(page.locator(".chart[data-drawn]")).to_have_count(2)
        page.set_viewport_size({"width": 1150, "height": 1000})
        visit.picture("explore")

        page.route("**/current", lambda route: route.fulfill(json={"release": "a newer one"}))
        page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
        expect(page.get_by_text("A newer release has been published.")).to_be_visible()
        page.unroute("**/current")

        page.set_viewport_size({"width": 390, "height": 844})
        page.emulate_media(color_scheme="dark")
        for path in (
            "/",
            "/country",
            "/supply",
            "/good",
            "/exporter",
            "/scenario",
            "/prices",
            "/published",
            "/mart",
            "/release",
        ):
            page.goto(address + path)
            assert page.evaluate("document.documentElement.scrollWidth") <= 390, path
            expect(page.locator(".chart:not([data-drawn])")).to_have_count(0)
        page.emulate_media(media="print", color_scheme="light")
        expect(page.get_by_role("navigation")).to_be_hidden()
        expect(page.get_by_role("heading", level=1)).to_be_visible()
        page.emulate_media(media="screen")
        page.set_viewport_size(WINDOW)

        plain = page.context.browser.new_context(java_script_enabled=False) if page.context.browser else page.context
        without = plain.new_page()
        without.goto(f"{address}/country")
        without.get_by_label("Country", exact=True).select_option("JPN")
        without.get_by_role("button", name="Show").click()
        expect(without.get_by_role("heading", level=1, name="Japan, 2019")).to_be_visible()
        plain.close()
    assert not wrong


def test_a_mart_shows_what_it_is_and_holds(visit: Visit) -> None:
    page = visit.open("/assets/marts/import_vulnerability")
    for words in ("One row per year, importer and good", "Freshness policy", "Row count", "chokepoint", "DuckDB"):
        expect(page.get_by_text(words).first).to_be_visible()
    expect(page.get_by_text("Passing").first).to_be_visible()
    visit.picture("mart")

    page = visit.open("/assets/marts/import_vulnerability?view=events")
    metadata = page.get_by_role("table").filter(has_text="dagster/row_count")
    for name, value in (("years", "2019"), ("synthetic", "true"), ("licence", "Apache-2.0")):
        expect(metadata.get_by_role("row").filter(has_text=name).filter(has_text=value)).to_be_visible()
    assert int(metadata.get_by_role("row").filter(has_text="row_count").inner_text().split()[-1]) > 4_000

    metadata.get_by_role("row").filter(has_text="preview").get_by_text("Show Markdown").click()
    expect(page.get_by_role("dialog").get_by_text("importer_iso3")).to_be_visible()
    page.get_by_role("button", name="Close").click()
    metadata.get_by_role("row").filter(has_text="picture").get_by_text("Show Markdown").click()
    drawn = page.get_by_role("dialog").locator("img")
    expect(drawn).to_be_visible()
    assert drawn.evaluate("image => image.naturalWidth") > 300
    expect(page.get_by_role("dialog").get_by_text("Which goods does a country buy from too few")).to_be_visible()
    visit.picture("mart-picture")


def test_the_lineage_of_a_mart_is_green(visit: Visit) -> None:
    page = visit.open("/assets/marts/import_vulnerability?view=lineage")
    expect(page.get_by_text("release", exact=True).first).to_be_visible()
    visit.picture("graph")


def test_a_failed_check_shows_its_failing_rows(visit: Visit) -> None:
    spoil(visit.data / "landing/trade_flows/year=2019")
    page = visit.open("/assets/landing/trade_flows?view=checks&checkDetail=values_plausible")
    expect(page.get_by_text("Passed", exact=True).first).to_be_visible()
    page.get_by_role("button").filter(has_text=re.compile("^Execute$")).click()
    page.get_by_text("Failed", exact=True).first.wait_for(timeout=120 * SECONDS)
    expect(page.get_by_text("This is a blocking asset check").first).to_be_visible()
    rows = page.get_by_role("table").filter(has_text="broken_rule").last.get_by_role("row")
    expect(rows.filter(has_text="value is negative").filter(has_text="-12345").filter(has_text="2019")).to_be_visible()
    page.set_viewport_size({"width": 1600, "height": 950})  # a failing row is wide
    page.get_by_role("button", name="Hide navigation").click()
    visit.picture("failed-check")


def spoil(year: Path) -> None:
    """One landed flow gets a negative value, as if a disk or a hand had changed it."""
    [path] = year.glob("*.parquet")
    changed = path.with_suffix(".changed")
    with duckdb.connect() as connection:
        connection.execute(
            f"copy (select * replace (if(row_number() over () = 1, -12345, value_usd) as value_usd) "
            f"from read_parquet('{path}', hive_partitioning=false)) to '{changed}' (format parquet)"
        )
    changed.replace(path)


def test_the_ui_asked_no_other_machine(visit: Visit) -> None:
    assert visit.strangers == []
