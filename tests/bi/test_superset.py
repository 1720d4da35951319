"""The Superset bundle in a real Superset: imported as docs/bi.md says, exported again, every chart queried and drawn.

Run by `make test-bi`, not by `make test`: it needs Superset's environment (.venv-bi) and the demo's release. It leaves
a picture of the dashboard in bi/work/, from which docs/images/superset-dashboard.png is copied when the page changed.
"""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import subprocess
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pytest
import yaml
from superset_server import USER, Api, Superset

from bi.dashboards import DASHBOARDS
from bi.superset_bundle import FOLDER
from dagster_project.places import CHECKOUT

pytestmark = pytest.mark.superset

RELEASE = CHECKOUT / "demo" / "published" / "current"
PICTURE = CHECKOUT / "bi" / "work" / "superset-dashboard.png"
RECIPE = re.search(r"```sh\n(cp -r bi/superset .*?)```", (CHECKOUT / "docs" / "bi.md").read_text(), re.DOTALL)


@dataclass
class Desk:
    """A Superset with the bundle, its API, and the data directory that it reads."""

    superset: Superset
    api: Api
    folder: Path

    @property
    def data(self) -> Path:
        return self.folder / "demo"

    @property
    def database(self) -> Path:
        return self.data / "published" / "current" / "chokepoint.duckdb"

    def follow_the_recipe(self) -> None:
        """The commands of docs/bi.md, in a directory that looks like a checkout after `make demo`."""
        assert RECIPE is not None
        done = subprocess.run(
            ["sh", "-ec", RECIPE[1]], cwd=self.folder, env=self.superset.environment, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stdout + done.stderr

    def exported(self) -> dict[str, Any]:
        """File name without Superset's number -> what `superset export-dashboards` says."""
        target = self.folder / "export.zip"
        self.superset.run("export-dashboards", "-f", str(target))
        with zipfile.ZipFile(target) as archive:
            names = {name: re.sub(r"(_\d+)?\.yaml$", ".yaml", name.split("/", 1)[1]) for name in archive.namelist()}
            return {short: yaml.safe_load(archive.read(name)) for name, short in names.items()}


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    folder = tmp_path_factory.mktemp("checkout")
    (folder / "bi").symlink_to(CHECKOUT / "bi")
    release = folder / "demo" / "published" / "releases" / "first"
    release.mkdir(parents=True)
    shutil.copy(RELEASE / "chokepoint.duckdb", release)
    (folder / "demo" / "published" / "current").symlink_to("releases/first")
    superset = Superset.installed(tmp_path_factory.mktemp("superset"))
    with superset.serving() as api:
        desk = Desk(superset, api, folder)
        desk.follow_the_recipe()
        yield desk


def saved_queries(api: Api) -> dict[int, dict[str, Any]]:
    """Chart id -> its saved query context."""
    ids = [chart["id"] for chart in api.all("chart")]
    return {id_: json.loads(api.call("GET", f"chart/{id_}")["result"]["query_context"]) for id_ in ids}


def comparable(content: Any) -> Any:
    """Superset sorts columns and metrics in a way of its own; the bundle has them in the contract's order."""
    by_name = {key: sorted(content[key], key=str) for key in ("columns", "metrics") if key in content}
    return {**content, **by_name}


def test_superset_exports_what_it_imported(desk: Desk) -> None:
    bundle = {path.relative_to(FOLDER).as_posix(): yaml.safe_load(path.read_text()) for path in FOLDER.rglob("*.yaml")}
    exported = desk.exported()
    assert exported.keys() == bundle.keys()
    del exported["metadata.yaml"]["timestamp"], bundle["metadata.yaml"]["timestamp"]
    address = f"duckdb:///{desk.database}"
    assert exported["databases/Chokepoint.yaml"].pop("sqlalchemy_uri") == address
    assert bundle["databases/Chokepoint.yaml"].pop("sqlalchemy_uri").endswith("/published/current/chokepoint.duckdb")
    for name, content in bundle.items():
        assert comparable(exported[name]) == comparable(content), name
        assert list(exported[name]) == list(content), f"{name}: order of keys"


def test_every_chart_returns_rows(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    """Twice: the query that is saved with the chart, and the same one posted as a client does."""
    titles = {chart["id"]: chart["slice_name"] for chart in desk.api.all("chart")}
    rows = {}
    for id_, context in saved_queries(desk.api).items():
        (saved,) = desk.api.call("GET", f"chart/{id_}/data/")["result"]
        (posted,) = desk.api.call("POST", "chart/data", json=context)["result"]
        assert saved["error"] is None and posted["error"] is None
        assert (saved["rowcount"], saved["colnames"]) == (posted["rowcount"], posted["colnames"])
        rows[titles[id_]] = saved["rowcount"]
    with capsys.disabled():
        print("\n" + "\n".join(f"{count:6}  {title}" for title, count in sorted(rows.items())))
    assert len(rows) == len(list((FOLDER / "charts").iterdir()))
    assert all(rows.values())


def test_importing_again_makes_nothing_twice(desk: Desk) -> None:
    before = {kind: len(desk.api.all(kind)) for kind in ("database", "dataset", "chart", "dashboard")}
    shutil.rmtree(desk.folder / "chokepoint-superset")
    desk.follow_the_recipe()
    assert {kind: len(desk.api.all(kind)) for kind in before} == before


def test_nothing_can_be_written(desk: Desk) -> None:
    """Not even when Superset allows it: the file is opened read-only."""
    before = hashlib.sha256(desk.database.read_bytes()).hexdigest()
    (database,) = desk.api.all("database")
    write = {"database_id": database["id"], "sql": "create table marts.intruder as select 1 as one", "schema": "marts"}
    refused = desk.api.answer("POST", "sqllab/execute/", json=write)
    assert refused.status_code != 200
    desk.api.call("PUT", f"database/{database['id']}", json={"allow_dml": True})
    try:
        allowed = desk.api.answer("POST", "sqllab/execute/", json=write)
        assert allowed.status_code != 200 and "read-only" in allowed.text, allowed.text
    finally:
        desk.api.call("PUT", f"database/{database['id']}", json={"allow_dml": False})
    assert hashlib.sha256(desk.database.read_bytes()).hexdigest() == before


def test_a_new_release_shows_without_a_restart(desk: Desk) -> None:
    """Here one without tariffs: their charts say which table is missing, the others go on."""
    published = desk.data / "published"
    second = published / "releases" / "second"
    second.mkdir()
    shutil.copy(desk.database, second)
    (second / "chokepoint.duckdb").chmod(0o644)
    with duckdb.connect(str(second / "chokepoint.duckdb")) as connection:
        connection.execute("update marts.release_info set release_id = 'the second release'")
        connection.execute("drop table marts.exclusion_rates")
    ids = {chart["slice_name"]: chart["id"] for chart in desk.api.all("chart")}

    def point_to(release: str) -> None:
        (published / "next").symlink_to(f"releases/{release}")
        (published / "next").replace(published / "current")

    def release_id() -> str:
        (result,) = desk.api.call("GET", f"chart/{ids['Is this release real or synthetic?']}/data/")["result"]
        return str(result["data"][0]["release_id"])

    first = release_id()
    point_to("second")
    try:
        assert first != release_id() == "the second release"
        answer = desk.api.answer("GET", f"chart/{ids['How often was a product let off, list by list?']}/data/")
        assert answer.status_code == 400 and "exclusion_rates does not exist" in answer.text, answer.text
    finally:
        point_to("first")
    assert release_id() == first


def test_the_dashboards_in_a_browser(desk: Desk) -> None:
    """Every chart is drawn with its saved query, within the year and importer that the filters begin with."""
    chromium = shutil.which("chromium")
    if chromium is None:
        pytest.skip("no chromium is installed")
    driver = pytest.importorskip("playwright.sync_api")
    asked: dict[int, dict[str, Any]] = {}
    problems: list[str] = []

    def note(response: Any) -> None:
        if "/api/v1/chart/data" in response.url:
            body = response.request.post_data_json
            if "slice_id" in body["form_data"]:
                rows = response.json()["result"][0]["rowcount"]
                asked[body["form_data"]["slice_id"]] = {"query": body["queries"][0], "rows": rows}

    def stay_here(route: Any) -> None:
        if route.request.url.startswith(desk.api.address):
            route.continue_()
        else:
            route.abort()  # Superset's pages count their visits at its makers'

    expected = {id_: context["queries"][0] for id_, context in saved_queries(desk.api).items()}
    with driver.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        page = browser.new_page(viewport={"width": 1400, "height": 5000})
        page.route("**/*", stay_here)
        page.on("response", note)
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.set_default_timeout(120_000)  # a busy machine takes its time over Superset's scripts
        page.goto(f"{desk.api.address}/login/")
        page.wait_for_load_state("networkidle")  # what is typed before would be lost
        page.fill("#username", USER)
        page.fill("#password", desk.api.password)
        page.click("[data-test=login-button]")
        page.wait_for_url("**/welcome/**", wait_until="commit")
        PICTURE.parent.mkdir(exist_ok=True)
        for dashboard in DASHBOARDS:
            page.goto(f"{desk.api.address}/superset/dashboard/{dashboard.slug}/")
            page.wait_for_selector(".dashboard-component-chart-holder")
            page.wait_for_function(
                "n => document.querySelectorAll('.chart-container canvas, .chart-container table').length >= n",
                arg=len(dashboard.charts()),
            )
            page.wait_for_load_state("networkidle")
            page.wait_for_timeout(2000)  # the bars grow
            if dashboard is DASHBOARDS[0]:
                bottom = page.get_by_text("Exporters", exact=True).bounding_box()
                assert bottom is not None
                page.screenshot(path=PICTURE, clip={"x": 0, "y": 0, "width": 1400, "height": bottom["y"] - 20})
            page.screenshot(path=PICTURE.with_name(f"superset-{dashboard.slug}.png"))
        browser.close()
    assert not problems
    assert asked.keys() == expected.keys()
    for id_, query in expected.items():
        chosen = [each for each in asked[id_]["query"]["filters"] if each["col"] in ("year", "importer_name")]
        own = [each for each in asked[id_]["query"]["filters"] if each not in chosen]
        assert asked[id_]["rows"] > 0, f"chart {id_} within {chosen}"
        assert {**asked[id_]["query"], "filters": own} == query, f"chart {id_}: the saved query is not the drawn one"


def test_datasets_have_the_columns_and_types_of_the_file(desk: Desk) -> None:
    """Superset reads the tables anew, which adds, drops and retypes columns: then they are still the bundle's."""
    for dataset in desk.api.all("dataset"):
        desk.api.call("PUT", f"dataset/{dataset['id']}/refresh")
        columns = desk.api.call("GET", f"dataset/{dataset['id']}")["result"]["columns"]
        bundled = yaml.safe_load((FOLDER / f"datasets/Chokepoint/{dataset['table_name']}.yaml").read_text())["columns"]
        types = {each["column_name"]: each["type"] for each in columns}
        expected = {each["column_name"]: each["type"] for each in bundled}
        assert types.keys() == expected.keys(), dataset["table_name"]
        if dataset["kind"] == "physical":  # of a query Superset does not learn DuckDB's names for types
            # The driver calls DuckDB's DOUBLE a FLOAT.
            assert {name: type_.replace("FLOAT", "DOUBLE") for name, type_ in types.items()} == expected
