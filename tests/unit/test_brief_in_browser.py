"""The pages of the brief in a browser, from disk: widths, schemes, print, tables and permalink.

The release is that of tests/unit/test_brief.py. Not here: what is in a page as data.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from dagster_project.brief import write_brief
from dagster_project.brief.good import write_good
from dagster_project.publish.read import open_release
from tests.unit.test_brief import publish_in

CHROMIUM = shutil.which("chromium")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no chromium is installed")
QUIET = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-sync"]


@dataclass
class Reader:
    """A browser, and what it complained of or asked a network for."""

    browser: Any
    problems: list[str] = field(default_factory=list)

    def open(self, address: str, width: int = 1280, scheme: str = "light") -> Any:
        page = self.browser.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
        page.on("pageerror", lambda error: self.problems.append(str(error)))
        page.on("console", lambda said: self.problems.append(said.text) if said.type == "error" else None)
        page.on("request", lambda asked: self.problems.append(asked.url) if asked.url.startswith("http") else None)
        page.goto(address)
        page.wait_for_selector(".chart svg")
        return page


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    driver = pytest.importorskip("playwright.sync_api", reason="Playwright's Python package is not installed")
    with driver.sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        yield opened
        opened.close()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the pages of an importer and of a good lie."""
    made = tmp_path_factory.mktemp("brief")
    with open_release(publish_in(made)) as release:
        write_brief(release, made / "importer.html")
        write_good(release, made / "good.html", "850110", importer="DEU")
    return made


@pytest.fixture(scope="module")
def importer(folder: Path) -> str:
    return (folder / "importer.html").as_uri()


@pytest.fixture(scope="module")
def good(folder: Path) -> str:
    return (folder / "good.html").as_uri()


@pytest.fixture
def reader(browser: Any) -> Iterator[Reader]:
    there = Reader(browser)
    yield there
    assert there.problems == []


def _fits(page: Any) -> bool:
    return bool(page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth"))


def test_sentences_name_goods_and_suppliers(reader: Reader, importer: str) -> None:
    page = reader.open(importer, scheme="dark")
    assert page.inner_text("h1") == "Supply vulnerability of Germany, 2018"
    said = page.inner_text("#sentences").replace("\u00a0", " ")
    assert (
        "Germany buys 70 % of its motors </script><b> from China (HS 850110, USD 150 in 2018; next: JPN 30 %)" in said
    )
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(20, 24, 29)"


def test_another_importer_is_chosen_by_keyboard_alone(reader: Reader, importer: str) -> None:
    page = reader.open(importer)
    page.focus("#importer")
    page.keyboard.press("ArrowDown")
    page.wait_for_function("document.querySelector('h1').textContent.includes('France <&>')")
    assert "850110" in page.inner_text("#goods-table")
    assert "has no ideal point in 2018" in page.inner_text("#relations-said")
    page.wait_for_selector("#map[aria-label^='Scatter plot of 1 goods'][role=img]")
    assert "importer=FRA&year=2018&good=850110" in page.url


def test_the_address_shows_the_same_view_again(reader: Reader, importer: str) -> None:
    page = reader.open(importer + "#importer=DEU&year=2017&good=280461&at=closer")
    assert page.inner_text("h1") == "Supply vulnerability of Germany, 2017"
    assert page.input_value("#good") == "280461" and "silicon" in page.inner_text("#good-said")
    page.evaluate("location.hash = 'importer=DEU&year=2018&good=850110'")
    page.wait_for_function("document.querySelector('h1').textContent.endsWith('2018')")
    assert page.input_value("#good") == "850110"
    # A made-up address is no harm.
    page.evaluate("location.hash = 'importer=XXX&year=1&good=<b>'")
    page.wait_for_function("location.hash.includes('good=850110')")


def test_the_table_sorts_searches_and_exports(reader: Reader, importer: str) -> None:
    page = reader.open(importer + "#importer=DEU&year=2017")
    codes = "[...document.querySelectorAll('#goods-table tbody td:first-child')].map((cell) => cell.textContent)"
    assert page.evaluate(codes) == ["850110", "280461"]
    page.get_by_role("button", name="HS6").click()
    assert page.evaluate(codes) == ["280461", "850110"]
    assert page.get_attribute("#goods-table th:first-child", "aria-sort") == "ascending"
    page.get_by_role("button", name="Imports, USD").first.click()
    assert page.evaluate(codes) == ["280461", "850110"]
    page.get_by_role("searchbox", name="Search: Goods in scope").fill("MOTORS")
    assert page.evaluate(codes) == ["850110"]
    with page.expect_download() as download:
        page.locator("#goods-table").get_by_role("button", name="Export CSV").click()
    assert download.value.suggested_filename == "chokepoint-DEU-2017-goods.csv"
    heading, line, *rest = Path(download.value.path()).read_text(encoding="utf-8-sig").splitlines()
    assert heading.startswith('HS6,Good,Exposed,Index,Trend,"Imports, USD"') and rest == []
    assert line.startswith("850110,Motors </script><b>,1,0.9,")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_pages_fit_their_width(reader: Reader, importer: str, good: str, width: int, scheme: str) -> None:
    for address in (importer, good):
        page = reader.open(address, width, scheme)
        page.wait_for_selector("#world svg")
        assert _fits(page)
        page.close()


def test_print_is_a4_with_all_that_is_folded(reader: Reader, importer: str) -> None:
    page = reader.open(importer)
    page.emulate_media(media="print")
    page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    assert page.is_visible(".terms") and not page.is_visible("nav") and not page.is_visible("#choice")
    page.set_viewport_size({"width": 680, "height": 900})
    assert _fits(page)
    assert page.pdf(prefer_css_page_size=True).startswith(b"%PDF")


def test_the_page_of_a_good_points_out_an_importer(reader: Reader, good: str) -> None:
    page = reader.open(good)
    said = page.inner_text("#lead").replace("\u00a0", " ")
    assert "China sold 70 % of it" in said and "Germany imports USD 150 of it, 70 % from China." in said
    page.get_by_role("link", name="France <&>").click()
    page.wait_for_function("document.querySelector('#importer').value === 'FRA'")
    assert page.url.endswith("#year=2018&importer=FRA&at=network")
