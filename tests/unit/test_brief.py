"""The brief: what is in the page, what a mistaken choice is answered with, that it needs nothing from elsewhere."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest

from dagster_project.brief import BriefOptions, render_brief
from dagster_project.brief.figures import FIGURES
from dagster_project.errors import ReleaseError, SettingError
from dagster_project.publish.marts import MartSpec
from dagster_project.publish.read import Release, open_release
from dagster_project.publish.release import publish
from tests.helpers.publish_helpers import make_context

# Numbers as DOUBLE (e0), which is what marts hold.
TABLES = {
    "import_vulnerability": """
        select * from (values
            (2017, 276, 'DEU', 'Germany', '850110', '85', true, 100e0, 2, 0.82e0, 156, 'CHN', 'China', 0.9e0, 1, 0.9e0),
            (2017, 276, 'DEU', 'Germany', '280461', '28', true, 300e0, 3, 0.34e0, 842, 'USA', 'USA', 0.4e0, 4, 0.2e0),
            (2018, 276, 'DEU', 'Germany', '850110', '85', true, 15e1, 2, 0.62e0, 156, 'CHN', 'China', 0.7e0, 1, 0.8e0),
            (2018, 251, 'FRA', 'France <&>', '850110', '85', true, 50e0, 1, 1e0, 156, 'CHN', 'China', 1e0, 1, 1e0),
            (2018, 276, 'DEU', 'Germany', '870323', '87', false, 9e9, 1, 1e0, 156, 'CHN', 'China', 1e0, null, null)
        ) t(year, importer_code, importer_iso3, importer_name, hs6, hs2, in_scope, import_value_usd, n_suppliers,
            import_hhi, top_supplier_code, top_supplier_iso3, top_supplier_name, top_supplier_share, category,
            vulnerability_index)""",
    "product_centrality": """
        select * from (values
            (2017, '850110', 'Motors </script><b>', true, 0.5e0, 'CHN', 0.6e0),
            (2017, '280461', 'Silicon', true, 0.1e0, 'DEU', 0.3e0),
            (2018, '850110', 'Motors </script><b>', true, 0.6e0, 'CHN', 0.7e0),
            (2018, '870323', 'Cars', false, 0.9e0, 'DEU', 0.5e0)
        ) t(year, hs6, hs6_name, in_scope, export_centrality, top_exporter_iso3, top_exporter_share)""",
    "political_exposure": """
        select * from (values
            (2018, 276, 'DEU', 0.5e0, 0.4e0, 0.6e0, 0.8e0, 1.2e0, 0.25e0, 0.25e0, 0.4e0, 0.1e0),
            (2018, 251, 'FRA', 1e0, null, null, null, null, null, null, null, null)
        ) t(year, importer_code, importer_iso3, risk_econ, risk_distance, risk_distance_own, pol_ratio, pol_ratio_own,
            share_close, share_middle, share_distant, share_unscored)""",
    "published_benchmarks": """
        select 'XU-1' as benchmark_id, 'XU' as source, 'Goods of category 1, China' as statement,
               62e0 as published_value,
               60e0 as computed_value, -2e0 as difference,
               0.5e0 as tolerance, 'differs' as verdict, 'all' as inputs""",
}
KEYS = {"published_benchmarks": ("benchmark_id",), "political_exposure": ("year", "importer_code")}


def _spec(name: str) -> MartSpec:
    return MartSpec(name=name, key=KEYS.get(name, ("year", "hs6")), description="One row per thing.", columns={})


@pytest.fixture
def published(tmp_path: Path) -> Path:
    warehouse = tmp_path / "warehouse.duckdb"
    with duckdb.connect(str(warehouse)) as connection:
        connection.execute("create schema marts")
        for name, query in TABLES.items():
            connection.execute(f"create table marts.{name} as {query}")
    publish(warehouse, tmp_path / "published", [_spec(name) for name in TABLES], make_context(), retain=1)
    return tmp_path / "published"


@pytest.fixture
def release(published: Path) -> Iterator[Release]:
    with open_release(published) as opened:
        yield opened


def _content(page: str) -> dict[str, Any]:
    found = re.search(r'<script type="application/json" id="data">(.*?)</script>', page, re.DOTALL)
    assert found is not None
    content: dict[str, Any] = json.loads(found[1])
    return content


def test_shows_the_chosen_importer_first_with_its_goods_in_scope(release: Release) -> None:
    content = _content(render_brief(release, BriefOptions("FRA")))
    assert [each["iso3"] for each in content["selection"]["importers"]] == ["FRA", "DEU"]
    assert content["selection"]["years"] == [2017, 2018]
    goods = [dict(zip(content["goods"]["columns"], row, strict=True)) for row in content["goods"]["rows"]]
    assert [(row["importer"], row["year"], row["hs6"]) for row in goods] == [
        ("FRA", 2018, "850110"), ("DEU", 2017, "850110"), ("DEU", 2018, "850110"), ("DEU", 2017, "280461")]  # fmt: skip


def test_auto_is_the_largest_importer_of_goods_in_scope(release: Release) -> None:
    assert _content(render_brief(release))["selection"]["importers"][0]["iso3"] == "DEU"


def test_the_union_is_shown_where_it_is_asked_for_and_is_never_the_largest_importer(tmp_path: Path) -> None:
    """It buys what its members buy, once more."""
    warehouse = tmp_path / "warehouse.duckdb"
    with duckdb.connect(str(warehouse)) as connection:
        connection.execute("create schema marts")
        for name, query in TABLES.items():
            connection.execute(f"create table marts.{name} as {query}")
        connection.execute("alter table marts.import_vulnerability add column economy_kind varchar default 'country'")
        connection.execute("""
            insert into marts.import_vulnerability select * replace (
                97 as importer_code, 'EUR' as importer_iso3, 'European Union (27)' as importer_name,
                'union' as economy_kind, 1000 * import_value_usd as import_value_usd
            ) from marts.import_vulnerability where importer_iso3 = 'DEU' and in_scope
        """)
    publish(warehouse, tmp_path / "published", [_spec(name) for name in TABLES], make_context(), retain=1)
    with open_release(tmp_path / "published") as release:
        shown = [
            [each["iso3"] for each in _content(render_brief(release, *options))["selection"]["importers"]]
            for options in ((), (BriefOptions("EUR"),))
        ]
    assert shown == [["DEU", "FRA", "EUR"], ["EUR", "DEU", "FRA"]]


def test_quartile_lines_are_continuous_quantiles_of_goods_in_scope(release: Release) -> None:
    lines = _content(render_brief(release, BriefOptions("DEU", (2017,))))["thresholds"]
    # Between 0.34 and 0.82, and between 0.1 and 0.5, at three quarters of the way.
    assert lines == [{"year": 2017, "importer": "DEU", "hhi": pytest.approx(0.70), "centrality": pytest.approx(0.4)}]


def test_names_from_the_data_cannot_leave_their_place(release: Release) -> None:
    page = render_brief(release)
    assert "Motors </script>" not in page and "France <&>" not in page
    assert _content(page)["goods"]["names"]["850110"] == "Motors </script><b>"


def test_marts_left_out_are_replaced_by_a_sentence(release: Release) -> None:
    page = render_brief(release)
    assert page.count("Not in this release") == 2  # tariffs and patents
    assert '<td class="verdict bad">differs</td>' in page


def test_distance_is_shown_by_both_scales_and_neither_is_the_headline(release: Release) -> None:
    page = render_brief(release)
    (germany,) = (row for row in _content(page)["politics"] if row["importer"] == "DEU")
    assert (germany["plain"], germany["own"], germany["distant"]) == (0.4, 0.6, 0.4)
    assert "Both scalings of distance are published and neither is the headline" in page


def test_an_unknown_importer_is_answered_with_those_there_are(release: Release) -> None:
    with pytest.raises(SettingError, match=r"'XXX'; expected auto or one of DEU, FRA"):
        render_brief(release, BriefOptions("XXX"))


def test_a_year_without_rows_is_answered_with_the_years_there_are(release: Release) -> None:
    with pytest.raises(SettingError, match=r"no rows for 2030; expected years among 2017, 2018"):
        render_brief(release, BriefOptions("DEU", (2018, 2030)))
    with pytest.raises(SettingError, match=r"no rows of importer FRA in 2017; expected years among 2018"):
        render_brief(release, BriefOptions("FRA", (2017,)))


def test_asks_nothing_of_the_network(release: Release) -> None:
    page = render_brief(release)
    assert not re.search(
        r"<(?:script|img|iframe)[^>]*\ssrc=|<link[^>]*href=\"(?!data:)|@import|url\(", page.split("<script>")[0]
    )
    assert "vegaEmbed" in page
    for name, figure in FIGURES.items():
        assert "url" not in json.dumps(figure().get("data", {})), name


def test_the_command_says_which_file_is_damaged(published: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    from dagster_project.cli import main

    monkeypatch.setenv("CHOKEPOINT_DATA_DIR", str(published.parent))
    assert main(["brief", "--importer", "deu", "--years", "2017"]) == 0
    assert "Supply vulnerability of Germany" in (published.parent / "brief-DEU.html").read_text()
    target = published / "current" / "parquet" / "product_centrality.parquet"
    data = bytearray(target.read_bytes())
    data[len(data) // 2] ^= 0xFF
    target.chmod(0o644)
    target.write_bytes(data)
    assert main(["brief", "--importer", "DEU"]) == 1
    assert "parquet/product_centrality.parquet" in capsys.readouterr().err
    shutil.rmtree(published)
    assert main(["brief"]) == 1
    assert "no current release" in capsys.readouterr().err


def test_a_release_without_trade_marts_is_refused(tmp_path: Path) -> None:
    warehouse = tmp_path / "warehouse.duckdb"
    with duckdb.connect(str(warehouse)) as connection:
        connection.execute("create schema marts")
        connection.execute(f"create table marts.published_benchmarks as {TABLES['published_benchmarks']}")
    publish(warehouse, tmp_path / "published", [_spec("published_benchmarks")], make_context(), retain=1)
    with open_release(tmp_path / "published") as release, pytest.raises(ReleaseError, match="no mart import_vulner"):
        render_brief(release)


def test_the_page_works_in_a_browser(release: Release, tmp_path: Path) -> None:
    """From disk, without a network: no error, charts drawn, another importer chosen by keyboard alone."""
    chromium = shutil.which("chromium")
    if chromium is None:
        pytest.skip("no chromium is installed")
    driver = pytest.importorskip("playwright.sync_api", reason="Playwright's Python package is not installed")
    page_file = tmp_path / "brief.html"
    page_file.write_text(render_brief(release), encoding="utf-8")
    quiet = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-sync"]
    problems: list[str] = []
    with driver.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=quiet)
        page = browser.new_page(color_scheme="dark")
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.on("request", lambda request: problems.append(request.url) if request.url.startswith("http") else None)
        page.goto(page_file.as_uri())
        page.wait_for_selector("#map svg")
        assert page.inner_text("h1") == "Supply vulnerability of Germany, 2018"
        assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(20, 24, 29)"
        page.focus("#importer")
        page.keyboard.press("ArrowDown")
        page.wait_for_function("document.querySelector('h1').textContent.includes('France <&>')")
        assert "850110" in page.inner_text("#goods-table")
        assert "has no ideal point in 2018" in page.inner_text("#relations-said")
        page.wait_for_selector("#map[aria-label^='Scatter plot of 1 goods'][role=img]")
        browser.close()
    assert problems == []
